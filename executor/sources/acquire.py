"""Get one wheel from the first of its origins that has it, and unpack it as it arrives.

A wheel that a single forward pass cannot unpack is stored first. A file that is replaced while it
is read is read again from its beginning. If a mirror fails, the next one is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from executor.archive.central_directory import read_directory
from executor.archive.inflate import NotStreamable
from executor.files.folders import write_spool
from executor.lock.step import Step
from executor.sources.download import Download
from executor.sources.errors import HashMismatch, Replaced, SizeMismatch
from executor.sources.local_file import read_file
from executor.sources.origins import Origin
from executor.sources.verified import verified
from schemas.errors import NetworkError
from schemas.zipformat import CentralEntry

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["Unpack", "acquire"]


_MAX_RESTARTS = 2
"""How often a wheel is read again from one origin; a file that changes more often is not locked."""


T = TypeVar("T")
"""What unpacking a wheel returns."""

Unpack = Callable[[str, Iterable[bytes], Iterable[CentralEntry] | None], T]
"""Unpacks chunks into an empty folder; it gets the central directory if that is known."""


def acquire(
    step: Step, origins: Sequence[Origin], client: HttpClient, folder: str, unpack: Unpack[T]
) -> T:
    """Make ``folder`` and unpack the wheel of ``step`` there, from the first origin that has it.

    Return what ``unpack`` returns. Raises what the last of the origins raises.
    """
    for origin in origins[:-1]:
        try:
            return _from_origin(step, origin, client, folder, unpack)
        except (NetworkError, HashMismatch, SizeMismatch):
            continue
    return _from_origin(step, origins[-1], client, folder, unpack)


def _from_origin(
    step: Step, origin: Origin, client: HttpClient, folder: str, unpack: Unpack[T]
) -> T:
    is_streamable = step.hints is None or step.hints.streamable
    restarts = 0
    while True:
        chunks = origin.open(client)
        content = verified(chunks, step, origin.name)
        _make_anew(folder)
        try:
            if is_streamable:
                return unpack(folder, content, None)
            return _unpack_stored(step, content, folder, unpack)
        except NotStreamable:
            if not is_streamable:
                raise
            is_streamable = False
        except (Replaced, HashMismatch, SizeMismatch) as error:
            # The bytes may be parts of two files, one of which may be the right one.
            is_pieced = isinstance(chunks, Download) and chunks.is_pieced
            if restarts == _MAX_RESTARTS or not (isinstance(error, Replaced) or is_pieced):
                raise
            restarts += 1


def _unpack_stored(step: Step, content: Iterable[bytes], folder: str, unpack: Unpack[T]) -> T:
    spool = os.path.join(folder, "wheel")
    write_spool(spool, content)
    result = unpack(folder, verified(read_file(spool), step, spool), read_directory(spool))
    os.unlink(spool)
    return result


def _make_anew(folder: str) -> None:
    if os.path.lexists(folder):
        import shutil  # noqa: PLC0415  # rarely needed

        shutil.rmtree(folder)
    os.mkdir(folder)
