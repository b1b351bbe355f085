"""Only compressions change a body, whatever else a server calls it."""

from __future__ import annotations

import pytest

from schemas.content_coding import compressions


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("", []),
        ("identity", []),
        ("aws-chunked", []),
        ("binary, utf-8", []),
        ("\x1b[2J", []),
        ("gzip", ["gzip"]),
        (" GZIP ", ["gzip"]),
        ("x-gzip", ["gzip"]),
        ("x-compress", ["compress"]),
        ("aws-chunked,gzip", ["gzip"]),
        ("br, zstd", ["br", "zstd"]),
        ("gzip, gzip", ["gzip", "gzip"]),
    ],
)
def test_what_is_no_compression_is_left_out(stated: str, expected: list[str]) -> None:
    assert compressions(stated) == expected
