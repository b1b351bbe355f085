"""Compare the bytes of a file with the size and hashes in the lock as they pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from executor.files.block_thread import handed_over
from executor.lock.step import Step
from executor.sources.errors import HashMismatch, SizeMismatch
from schemas.digests import Digests

__all__ = ["verified"]


def verified(
    chunks: Iterable[bytes], step: Step, origin: str, *, in_thread: bool = False
) -> Iterator[bytes]:
    """Yield ``chunks``; after the last one, compare size and digests with the lock.

    The caller must read to the end: before it, nothing is verified. ``origin`` is for messages.
    ``in_thread``: another thread hashes them while the caller works on them.

    Raises SizeMismatch and HashMismatch.
    """
    digests = Digests(dict(step.hashes))
    size = 0
    with handed_over(digests.update, in_thread=in_thread) as update:
        for chunk in chunks:
            size += len(chunk)
            if step.size is not None and size > step.size:
                raise SizeMismatch(step.filename, origin, step.size, size)
            update(chunk)
            yield chunk
    if step.size is not None and size != step.size:
        raise SizeMismatch(step.filename, origin, step.size, size)
    if mismatch := digests.mismatch():
        raise HashMismatch(step.filename, origin, mismatch)
