"""Errors of files say which file, what was expected and found, and what to do."""

from __future__ import annotations

import pytest

from executor.sources.errors import (
    HashMismatch,
    Missing,
    Offline,
    Replaced,
    SizeMismatch,
    Unreachable,
)
from schemas.digests import Mismatch
from schemas.errors import ExitCode, LockstreamError


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (
            HashMismatch("a.whl", "https://a.example", Mismatch("sha256", "00", "11")),
            "a.whl from https://a.example: sha256 differs\n  expected 00\n  found    11",
            ExitCode.ARTIFACT_REFUSED,
        ),
        (
            SizeMismatch("a.whl", "/wh", 10, 9),
            "a.whl from /wh: expected 10 bytes, found 9",
            ExitCode.ARTIFACT_REFUSED,
        ),
        (
            SizeMismatch("a.whl", "/wh", 10, 4096),
            "a.whl from /wh: expected 10 bytes, found more than 10",
            ExitCode.ARTIFACT_REFUSED,
        ),
        (Unreachable("https://a.example/x", "gone"), "https://a.example/x: gone", ExitCode.NETWORK),
        (
            Unreachable("https://a.example/x", "gone", 3),
            "https://a.example/x: gone (tried 3 times)",
            ExitCode.NETWORK,
        ),
        (Replaced("https://a.example/x", "new"), "https://a.example/x: new", ExitCode.NETWORK),
        (Missing("demo", "/wh/a.whl"), "demo: its file /wh/a.whl does not exist", ExitCode.NETWORK),
        (
            Offline(("a.whl", "b.whl")),
            "offline, and 2 files are not on this machine: a.whl, b.whl",
            ExitCode.NETWORK,
        ),
        (
            Offline(tuple("abcdefg")),
            "offline, and 7 files are not on this machine: a, b, c, d, e and 2 more",
            ExitCode.NETWORK,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, LockstreamError) else "",
)
def test_an_error_names_its_file_and_its_exit_code(
    error: LockstreamError, text: str, code: ExitCode
) -> None:
    assert str(error) == text
    assert error.exit_code is code
    assert error.hint
