"""What a Content-Encoding says of a body (RFC 9110, 8.4)."""

from __future__ import annotations

__all__ = ["compressions"]


_COMPRESSIONS = {"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"}
"""Content codings that change a body (https://www.iana.org/assignments/http-parameters)."""


def compressions(stated: str) -> list[str]:
    """Return the compressions that a Content-Encoding names, in the order in which they were made.

    What is none, such as ``aws-chunked`` or ``binary``, says nothing of the body, and is left out;
    gzip has one name.
    """
    names = (one.strip() for one in stated.lower().split(","))
    return [name.removeprefix("x-") for name in names if name in _COMPRESSIONS]
