"""Compare the bytes of a file with the size and hashes in the lock as they pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from executor.lock.step import Step
from executor.sources.errors import HashMismatch, SizeMismatch
from schemas.digests import Digests

__all__ = ["verified"]


def verified(chunks: Iterable[bytes], step: Step, origin: str) -> Iterator[bytes]:
    """Yield ``chunks``; after the last one, compare size and digests with the lock.

    The caller must read to the end: before it, nothing is verified. ``origin`` is for messages.

    Raises SizeMismatch and HashMismatch.
    """
    digests = Digests(dict(step.hashes))
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if step.size is not None and size > step.size:
            raise SizeMismatch(step.filename, origin, step.size, size)
        digests.update(chunk)
        yield chunk
    if step.size is not None and size != step.size:
        raise SizeMismatch(step.filename, origin, step.size, size)
    if mismatch := digests.mismatch():
        raise HashMismatch(step.filename, origin, mismatch)
