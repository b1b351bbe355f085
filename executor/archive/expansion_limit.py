"""The limit of what a wheel may unpack to, enforced while it is unpacked.

A few kilobytes of deflated data can unpack to gigabytes. The rule is PyPI's own: an archive that
unpacks to more than 64 MiB may not unpack to more than 50 times its size. The largest factor of 994
real wheels is 6.7. A single file may be packed tighter: onnx 1.23.1 has one of factor 1016.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.zipformat import InvalidZip

__all__ = ["MAX_FACTOR", "MAX_UNSTATED", "MIN_LIMIT", "ExpansionLimit"]


MAX_FACTOR = 50


MIN_LIMIT = 64 << 20
"""Bytes that any wheel may unpack to, however small it is."""


MAX_UNSTATED = 1 << 30
"""Bytes that a wheel of unknown size may unpack to before the factor counts: tightly packed files
may come first."""


class ExpansionLimit:
    """The bytes that one wheel has unpacked to, and their limit; its unpacking owns it."""

    def __init__(self, size: int | None, read: Callable[[], int]) -> None:
        """``size`` is the size of the wheel in bytes, if the lock records it; ``read`` returns how
        many bytes of the wheel were read so far.
        """
        self._size = size
        self._read = read
        self._unpacked = 0
        self._limit = MAX_UNSTATED if size is None else max(MIN_LIMIT, MAX_FACTOR * size)

    @property
    def room(self) -> int:
        """The bytes that can be added without any check."""
        return self._limit - self._unpacked

    def add(self, size: int) -> None:
        """Count ``size`` bytes that are about to be written. Raises InvalidZip."""
        self._unpacked += size
        if self._unpacked > self._limit:
            self._limit = max(MAX_UNSTATED, MAX_FACTOR * self._read())
            if self._size is not None or self._unpacked > self._limit:
                raise self._refused(self._size or self._read())

    def finish(self) -> None:
        """Check the whole wheel, whose size is known now. Raises InvalidZip."""
        if self._unpacked > max(MIN_LIMIT, MAX_FACTOR * self._read()):
            raise self._refused(self._read())

    def _refused(self, size: int) -> InvalidZip:
        return InvalidZip(
            f"the wheel, of {size} bytes, unpacks to more than {MAX_FACTOR} times its size "
            f"and more than {MIN_LIMIT >> 20} MiB"
        )
