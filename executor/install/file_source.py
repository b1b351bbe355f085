"""The files of a lock for all its targets, and the way from their origins to folder or archive."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from executor.budget.memory import available_memory
from executor.files.held_folder import HeldFolder
from executor.install.early import ROOM
from executor.lanes.forks import run_in_fork
from executor.lanes.lanes import run_lanes
from executor.lock.options import TargetNames
from executor.lock.step import Step, folder_of
from executor.sources.acquire import acquire
from executor.sources.origins import Origins
from schemas.credentials import has_named_logins
from schemas.data_class import frozen
from schemas.hints import WheelHints

if TYPE_CHECKING:
    from executor.install.lock_files import LockFiles
    from executor.sources.client import HttpClient

__all__ = ["Arrived", "FileSource"]


Arrived: TypeAlias = "Callable[[int, int, Step], None]"
"""Is called with the number of a file (from 1), of how many, and its step."""


_PLAIN = WheelHints(unpacked_size=0, files=0, largest_file=0)
"""Of each file, as a forward pass is enough to copy it."""


@frozen
class FileSource:
    """The files that some installation of a lock needs, and where they come from."""

    files: LockFiles
    origins: Origins
    lock_folder: str

    @classmethod
    def of(cls, lock: str, names: TargetNames | None, origins: Origins | None) -> FileSource:
        """Return the source of the files of the lock at the path ``lock``. Raises what ``files_of``
        raises.
        """
        read = partial(_read, lock, names)
        # A fork gives back the memory that reading a lock takes, but needs its own meanwhile.
        files, indexes = run_in_fork(read) if (available_memory() or 0) >= ROOM else read()
        return cls(files, replace(origins or Origins(), indexes=indexes), folder_of(lock))

    def check(self, steps: Iterable[Step]) -> None:
        """Raise what ``Origins.check`` raises for files that are known to be unobtainable."""
        self.origins.check(steps, self.lock_folder)

    def written(
        self,
        steps: Sequence[Step],
        add: Callable[[Step, Iterable[bytes]], int],
        folder: HeldFolder,
        arrived: Arrived | None,
    ) -> tuple[Step, ...]:
        """Pass the bytes of each file to ``add``, which returns their number; return the steps with
        these sizes. What has to be stored meanwhile is stored in ``folder``.

        Raises Unreachable, HashMismatch, SizeMismatch and what ``add`` raises, after which the file
        may be added again.
        """

        def work(_number: int, step: Step, client: HttpClient, _: Callable[[int], None]) -> Step:
            def write(_folder: object, chunks: Iterable[bytes], _directory: object) -> Step:
                return replace(step, size=add(step, chunks))

            plain = replace(step, hints=_PLAIN)
            places = self.origins.origins(step, self.lock_folder)
            return acquire(plain, places, client, partial(folder.inner, ""), write)

        found: list[Step] = []
        client = self.origins.client(steps, is_roomy=True)
        for step in run_lanes(steps, work, client, 1, lambda _: None, self.origins.address):
            found.append(step)
            if arrived:
                arrived(len(found), len(steps), step)
        self.origins.drain()
        return tuple(found)


def _read(lock: str, names: TargetNames | None) -> tuple[LockFiles, tuple[str, ...]]:
    """Return the files of the lock, and the names of its indexes if a login has such a name."""
    from executor.install.decide import named_indexes  # noqa: PLC0415  # it reads locks
    from executor.install.lock_files import files_of  # noqa: PLC0415  # both take 3 MiB, which the fork frees

    return files_of(lock, names), named_indexes(lock) if has_named_logins(os.environ) else ()
