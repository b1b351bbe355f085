"""Read a lock from disk, one package at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from packaging.pylock import Package, Pylock

from executor.files.regular import open_regular
from executor.lock.errors import LockUnreadable
from schemas.errors import InvalidLockText, lock_hint
from schemas.lock import newer_remark
from schemas.lock_parser import LockParser

__all__ = ["LockReader"]


_CHUNK = 64 << 10
"""Bytes read at once; a block is larger only if a package lists more than 200 files."""


class LockReader:
    """The lock at ``path``: its ``header``, and its ``packages``, which can be read once.

    The constructor and ``packages`` raise LockUnreadable and InvalidLockText.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with self._located():
            self._parser = LockParser(self._chunks())
        self.header: Pylock = self._parser.header
        self.remark = newer_remark(self.header, path)
        """A warning about the lock as a whole, or nothing."""

    def packages(self) -> Iterator[tuple[Package, int]]:
        """Yield the packages in the order of the lock, each with the line at which it begins."""
        with self._located():
            yield from self._parser.packages()

    def _chunks(self) -> Iterator[bytes]:
        try:
            with open_regular(self.path) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except OSError as error:
            reason, hint = error.strerror or str(error), lock_hint(self.path, error)
            raise LockUnreadable(self.path, reason, hint) from None

    @contextmanager
    def _located(self) -> Iterator[None]:
        try:
            yield
        except InvalidLockText as error:
            error.path = self.path
            raise
