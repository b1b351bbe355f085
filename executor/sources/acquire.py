"""Get one wheel from the first of its origins that has it, and unpack it as it arrives.

A wheel that a single forward pass cannot unpack is stored first. A file that is replaced while it
is read is read again from its beginning. If a mirror fails, the next one is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from executor.archive.central_directory import directory_in
from executor.archive.inflate import NotStreamable
from executor.files.folders import write_spool
from executor.files.held_folder import HeldFolder
from executor.lock.step import Step
from executor.sources.download import Download
from executor.sources.errors import HashMismatch, Replaced, SizeMismatch
from executor.sources.origins import Origin
from executor.sources.verified import verified
from schemas.errors import NetworkError
from schemas.zipformat import CentralEntry

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["Unpack", "acquire"]


_SPOOL = "wheel"
"""Name of the file that a wheel is stored in."""


_CHUNK = 128 << 10
"""Bytes read at once of a stored wheel."""


_MAX_RESTARTS = 2
"""How often a wheel is read again from one origin; a file that changes more often is not locked."""


T = TypeVar("T")
"""What unpacking a wheel returns."""

Unpack = Callable[[HeldFolder, Iterable[bytes], Iterable[CentralEntry] | None], T]
"""Unpacks chunks into an empty folder; it gets the central directory if that is known."""


MakeFolder = Callable[[], HeldFolder]
"""Makes the folder, in the place of what an attempt before has left."""


def acquire(
    step: Step,
    origins: Sequence[Origin],
    client: HttpClient,
    make_folder: MakeFolder,
    unpack: Unpack[T],
    *,
    in_thread: bool = False,
) -> T:
    """Make a folder and unpack the wheel of ``step`` there, from the first origin that has it.

    ``in_thread``: another thread hashes what arrives. Return what ``unpack`` returns. Raises what
    the last of the origins raises.
    """
    for origin in origins[:-1]:
        try:
            return _from_origin(step, origin, client, make_folder, unpack, in_thread)
        except (NetworkError, HashMismatch, SizeMismatch):
            continue
    return _from_origin(step, origins[-1], client, make_folder, unpack, in_thread)


def _from_origin(
    step: Step,
    origin: Origin,
    client: HttpClient,
    make_folder: MakeFolder,
    unpack: Unpack[T],
    in_thread: bool,
) -> T:
    # Whether a forward pass can unpack it may show too late to read it once more.
    is_streamable = step.hints.streamable if step.hints else not origin.comes_once
    restarts = 0
    while True:
        chunks = origin.open(client)
        content = verified(chunks, step, origin.name, in_thread=in_thread)
        try:
            with make_folder() as folder:
                if is_streamable:
                    return unpack(folder, content, None)
                return _unpack_stored(step, content, folder, unpack)
        except NotStreamable:
            if not is_streamable:
                raise
            is_streamable = False
        except (Replaced, HashMismatch, SizeMismatch) as error:
            # They may be parts of two files, one of which is the right one, or a part of that.
            is_doubtful = isinstance(chunks, Download) and chunks.is_doubtful
            if restarts == _MAX_RESTARTS or not (isinstance(error, Replaced) or is_doubtful):
                raise
            restarts += 1


def _unpack_stored(
    step: Step, content: Iterable[bytes], folder: HeldFolder, unpack: Unpack[T]
) -> T:
    with folder.create(_SPOOL) as spool:
        write_spool(spool, content)
        spool.seek(0)
        chunks = iter(partial(spool.read, _CHUNK), b"")
        with folder.open(_SPOOL) as other:
            stored = verified(chunks, step, folder.path_of(_SPOOL))
            result = unpack(folder, stored, directory_in(other))
    folder.unlink(_SPOOL)
    return result
