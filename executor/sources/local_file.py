"""Files that are on this machine."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator

from executor.files.regular import open_regular
from executor.sources.errors import Unreachable
from schemas.digests import Digests

__all__ = ["holds_file", "read_file"]


_CHUNK = 128 << 10
"""Bytes read at once."""

_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Errors of limits of this process, which say nothing about the file."""


def read_file(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes of the file at ``path``, from byte ``start`` on.

    Raises Unreachable, or OSError if a limit of this process is reached.
    """
    try:
        with open_regular(path) as file:
            if start:
                file.seek(start)
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        if error.errno in _LIMITS:
            raise
        hint = "the lock names this path; put the file there, or lock it by URL"
        if error.errno in {errno.EACCES, errno.EPERM}:
            hint = "let this user read the file and the folders above it"
        reason = f"cannot be read: {error.strerror or error}"
        raise Unreachable(path, reason, hint=hint) from None


def holds_file(path: str, size: int | None, hashes: Iterable[tuple[str, str]]) -> bool:
    """Return whether a regular file at ``path`` has this size (bytes) and these hashes."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or size not in {None, status.st_size}:
        return False
    digests = Digests(dict(hashes))
    for chunk in read_file(path):
        digests.update(chunk)
    return digests.mismatch() is None
