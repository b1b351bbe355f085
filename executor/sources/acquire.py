"""Obtain: one wheel from the first of its places that has it, begun anew where it must be.

What one pass over its bytes cannot tell is spooled; a file that is replaced while it is read is
read again from its beginning; a mirror that fails is followed by the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from executor.archive.central_directory import read_directory
from executor.archive.inflate import NotStreamable
from executor.files.folders import write_spool
from executor.lock.step import Step
from executor.sources.client import HttpClient
from executor.sources.errors import HashMismatch, Replaced, SizeMismatch
from executor.sources.local_file import read_file
from executor.sources.origins import Origin
from executor.sources.verified import verified
from schemas.errors import NetworkError
from schemas.zipformat import CentralEntry

__all__ = ["Unpack", "obtain"]


_MAX_RESTARTS = 2
"""Times that a wheel is begun anew from one place; a file that changes more often is not locked."""


T = TypeVar("T")
"""What is made of a wheel when it is unpacked."""

Unpack = Callable[[str, Iterable[bytes], Iterable[CentralEntry] | None], T]
"""Unpacks chunks into an empty folder, with the help of the central directory where it is known."""


def obtain(
    step: Step, origins: Sequence[Origin], client: HttpClient, folder: str, unpack: Unpack[T]
) -> T:
    """The wheel of ``step`` from one of ``origins``, staged in ``folder``, which is made.

    Raises what the last of the origins raises.
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
    restarts = 0
    while True:
        try:
            return _at_once(step, origin, client, folder, unpack)
        except (Replaced, HashMismatch, SizeMismatch) as error:
            # Parts of two files, one of which may be the right one, are none.
            if restarts == _MAX_RESTARTS or not (isinstance(error, Replaced) or client.was_pieced):
                raise
            restarts += 1


def _at_once(step: Step, origin: Origin, client: HttpClient, folder: str, unpack: Unpack[T]) -> T:
    if step.hints is None or step.hints.streamable:
        _make_anew(folder)
        try:
            return unpack(folder, verified(origin.open(client), step, origin.name), None)
        except NotStreamable:
            pass
    _make_anew(folder)
    spool = os.path.join(folder, "wheel")
    write_spool(spool, verified(origin.open(client), step, origin.name))
    wheel = unpack(folder, verified(read_file(spool), step, spool), read_directory(spool))
    os.unlink(spool)
    return wheel


def _make_anew(folder: str) -> None:
    if os.path.lexists(folder):
        import shutil  # noqa: PLC0415  # seldom met

        shutil.rmtree(folder)
    os.mkdir(folder)
