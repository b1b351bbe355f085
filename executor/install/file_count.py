"""Count what the files of wheels take in memory, by reading the wheels without writing them.

It is needed only if files on a tmpfs took more than was foreseen: a lock without sizes, or with
wrong ones. The refusal then names what is really enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from executor.archive.inflate import NotStreamable
from executor.archive.unzip import ForwardZip
from executor.files.allowance import memory_of_file, memory_of_folder
from executor.lock.step import Step
from executor.sources.origins import Origins
from executor.sources.verified import verified

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["memory_of_files"]


def memory_of_files(
    steps: Sequence[Step], origins: Origins, lock_folder: str, *, compiles: bool = False
) -> int | None:
    """Return the bytes that the files of the wheels of ``steps`` take on a file system that is
    memory; None if that cannot be counted, because a wheel has to be built or stored first.

    ``compiles``: the byte code of their modules counts too. Raises LockstreamError.
    """
    if any(step.source for step in steps):
        return None
    total = 0
    with closing(origins.client(steps)) as client:
        for step in steps:
            folders = {""}
            try:
                for name, size in _members(step, origins, lock_folder, client):
                    folder = name.rpartition("/")[0]
                    while folder not in folders:
                        folders.add(folder)
                        folder = folder.rpartition("/")[0]
                    total += memory_of_file(name, size, compiles=compiles)
            except NotStreamable:
                return None
            total += len(folders) * memory_of_folder()
    return total


def _members(
    step: Step, origins: Origins, lock_folder: str, client: HttpClient
) -> Iterator[tuple[str, int]]:
    """Yield the name and the size (bytes) of each file of a wheel."""
    origin = origins.find(step, lock_folder)
    chunks = verified(origin.open(client), step, origin.name)
    for member in ForwardZip(chunks).members():
        if member.name.endswith("/"):
            continue
        content = member.whole()
        size = sum(map(len, member.pieces())) if content is None else len(content)
        yield member.name, size
    deque(chunks, maxlen=0)
