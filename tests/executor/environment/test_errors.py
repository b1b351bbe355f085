"""Errors about an environment: each names it, says what is wrong and what to do."""

from __future__ import annotations

import pytest

from executor.environment.errors import (
    EnvironmentBusy,
    ExternallyManaged,
    InterpreterUnusable,
    NotRemovable,
    RecordEscapes,
    RecordUnreadable,
)
from schemas.errors import ExitCode, LockstreamError


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (InterpreterUnusable("x: too old", hint="y"), ExitCode.USAGE, "x: too old"),
        (ExternallyManaged("it is managed"), ExitCode.REFUSED, "it is managed"),
        (
            NotRemovable("demo", "1.0", "/p/demo.egg-info"),
            ExitCode.REFUSED,
            "/p/demo.egg-info: demo 1.0 has no RECORD of its files, so it cannot be removed",
        ),
        (
            RecordEscapes("demo", "1.0", "/etc/x"),
            ExitCode.REFUSED,
            (
                "demo 1.0 cannot be removed: its RECORD lists /etc/x, which is outside of the "
                "environment"
            ),
        ),
        (
            RecordUnreadable("/p/RECORD", "it is not text"),
            ExitCode.REFUSED,
            "/p/RECORD: is damaged: it is not text",
        ),
        (
            EnvironmentBusy("/p"),
            ExitCode.REFUSED,
            "/p: another lockstream is changing this environment",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_says_what_is_wrong_and_has_a_hint(
    error: LockstreamError, status: ExitCode, text: str
) -> None:
    assert (str(error), error.exit_code) == (text, status)
    assert error.hint
