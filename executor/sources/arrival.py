"""What arrives of one response, held to a pace: only what is of use counts."""

from __future__ import annotations

from executor.sources.retries import Pace

__all__ = ["Arrival"]


_MAX_HEAD = 1 << 20
"""Bytes of a response head with all interim responses before it; real ones have a few hundred."""


_FREE = 32 << 10
"""Bytes around the body that count as progress: the head, and what was read ahead of the body."""


_OVERHEAD = 8
"""Bytes on the wire for each byte of the file. Chunks of one byte each take six."""


_MAX_USELESS = 1 << 20
"""Bytes beyond both that a response may have: chunk extensions, trailers, empty gzip blocks, or
anything after the end of the gzip encoding."""


class Arrival:
    """The bytes of one response as they arrive; the reader of the response owns it.

    A server may send slowly anywhere, and without end around what is of use: in interim responses,
    chunk extensions, trailers or empty compressed blocks.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._most: int | None = _MAX_HEAD
        self._total = self._useful = 0
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why no more is to be read; empty if more may be."""
        return self._problem or self.pace.problem

    @property
    def is_beyond_measure(self) -> bool:
        """Whether the last bytes were more than a response may have. If it is only slow, the bytes
        that have arrived may be used.
        """
        return bool(self._problem)

    def begin_body(self) -> None:
        """Let bytes come without this limit: the head, and the interim ones before it, are over."""
        self.limit(None)

    def limit(self, most: int | None) -> None:
        """Let at most so many bytes come from here on."""
        self._most = most

    def add(self, size: int, waited: float, now: float) -> None:
        """Record that ``size`` bytes arrived after ``waited`` seconds, at ``now``."""
        # What arrives now may be of use: it is seen only afterwards.
        self.pace.add(size if self._useless <= _FREE else 0, waited, now)
        self._total += size
        if self._most is not None:
            self._most -= size
            if self._most < 0:
                self._problem = "the head of its response does not end"
        elif self._useless > _MAX_USELESS:
            self._problem = "it sends more around the file than of it"

    def used(self, size: int) -> None:
        """Record that ``size`` bytes that were read are bytes of the file."""
        self._useful += size

    @property
    def _useless(self) -> int:
        """Bytes that are not of the file, beyond the usual overhead."""
        return self._total - _OVERHEAD * self._useful
