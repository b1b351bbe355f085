"""The digest of a whole file."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, NamedTuple

from executor.files.regular import open_regular

__all__ = ["FileDigest", "digest_file", "digest_of"]

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
    digest = _new(algorithm)
    with open_regular(path) as file:
        return _read(file, digest)


def digest_of(file: BinaryIO, algorithm: str = "sha256") -> FileDigest:
    """Return the digest of an open file. Raises what ``digest_file`` raises."""
    return _read(file, _new(algorithm))


def _new(algorithm: str) -> hashlib._Hash:
    digest = hashlib.new(algorithm)
    if not digest.digest_size:
        raise ValueError(f"{algorithm} has no digest of a fixed size")
    return digest


def _read(file: BinaryIO, digest: hashlib._Hash) -> FileDigest:
    size = 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return FileDigest(digest.digest(), size)
