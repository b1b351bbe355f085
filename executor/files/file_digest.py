"""The digest of a whole file."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from executor.files.regular import open_regular

__all__ = ["FileDigest", "digest_file"]

_CHUNK = 128 << 10
"""Bytes read at once; more is not faster, and each lane holds its own."""


class FileDigest(NamedTuple):
    """The digest of one file, and how much was read for it."""

    digest: bytes
    size: int
    """Bytes."""

    def hex(self) -> str:
        """Return the digest in hexadecimal digits, as locks spell it."""
        return self.digest.hex()


def digest_file(path: str, algorithm: str = "sha256") -> FileDigest:
    """Return the digest of the file at ``path``.

    Raises OSError, and ValueError for an algorithm that hashlib does not know.
    """
    digest, size = hashlib.new(algorithm), 0
    if not digest.digest_size:
        raise ValueError(f"{algorithm} has no digest of a fixed size")
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileDigest(digest.digest(), size)
