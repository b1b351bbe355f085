"""The walk from a lock to a folder with its files, for machines that have no network.

lock -> packages -> files of all targets -> those that are missing -> fetch -> verify -> folder
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from executor.budget.memory import available_memory
from executor.files.disk_space import Need, check_space
from executor.files.durability import flush
from executor.install.early import ROOM
from executor.lanes.forks import run_in_fork
from executor.lanes.lanes import run_lanes
from executor.lock.options import TargetNames
from executor.lock.step import Step, folder_of
from executor.sources.acquire import acquire
from executor.sources.file_folder import FileFolder
from executor.sources.origins import Origins
from schemas.credentials import has_named_logins
from schemas.data_class import frozen
from schemas.errors import NotWritten
from schemas.sizes import format_size
from schemas.text import counted

if TYPE_CHECKING:
    from executor.install.lock_files import LockFiles
    from executor.sources.client import HttpClient

__all__ = ["FilledFolder", "fetch"]


@frozen(kw_only=True)
class FilledFolder:
    """What a fetch did; the caller owns it."""

    files: LockFiles
    fetched: tuple[Step, ...]
    """Those that were not there, each with its size."""
    removed: tuple[str, ...]
    """Names of files that were there, and that the lock does not need."""

    def summary(self) -> str:
        """Return it as a line for people."""
        files, targets = len(self.files.steps), len(self.files.targets)
        size = format_size(sum(step.size or 0 for step in self.fetched))
        removed = f", {len(self.removed)} removed" if self.removed else ""
        return (
            f"{counted(files, 'file')} for {counted(targets, 'target')}, "
            f"{len(self.fetched)} fetched ({size}){removed}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it for programs; sizes are in bytes."""
        fetched = {step.filename: step for step in self.fetched}
        return {
            "targets": [str(target) for target in self.files.targets],
            "files": [
                {
                    "name": step.filename,
                    "size": fetched.get(step.filename, step).size,
                    "hashes": dict(step.hashes),
                    "fetched": step.filename in fetched,
                }
                for step in self.files.steps
            ],
            "removed": list(self.removed),
            "unfetched": list(self.files.unfetched),
            "missing": list(self.files.missing),
        }


def fetch(
    lock: str,
    folder: str,
    *,
    names: TargetNames | None = None,
    origins: Origins | None = None,
    prune: bool = False,
    arrived: Callable[[int, int, Step], None] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> FilledFolder:
    """Put the files that ``files_of`` returns into ``folder``, each verified; those that are there
    stay. ``arrived`` is called with the number of each file (from 1), of how many, and its step.
    ``warn`` is told what is odd about the lock. ``prune``: remove other distributions.

    Raises what ``files_of`` raises, UsageError, Offline, Unreachable, HashMismatch, SizeMismatch,
    FolderBusy, NotEnoughDisk, NotEnoughInodes and NotWritten.
    """
    read = partial(_read, lock, names)
    # A fork gives back the memory that reading a lock takes, but needs its own meanwhile.
    files, indexes = run_in_fork(read) if (available_memory() or 0) >= ROOM else read()
    for warning in files.warnings():
        warn(warning)
    origins = replace(origins or Origins(), indexes=indexes)
    try:
        with FileFolder.opened(folder) as held:
            missing = [step for step in files.steps if not held.has(step)]
            origins.check(missing, folder_of(lock))
            need = Need(sum(step.size or 0 for step in missing), len(missing))
            check_space(folder, need)
            fetched = []
            for step in _added(held, missing, origins, folder_of(lock)):
                fetched.append(step)
                if arrived:
                    arrived(len(fetched), len(missing), step)
            kept = {step.filename for step in files.steps}
            removed = held.prune(kept) if prune else ()
            flush([folder])
    except IsADirectoryError as error:
        hint = "a file gets that name: remove the folder"
        raise NotWritten(f"{error.filename}: cannot be written", error, hint) from None
    except OSError as error:
        raise NotWritten(f"{folder}: cannot be written", error) from None
    return FilledFolder(files=files, fetched=tuple(fetched), removed=tuple(removed))


def _read(lock: str, names: TargetNames | None) -> tuple[LockFiles, tuple[str, ...]]:
    """Return the files of the lock, and the names of its indexes if a login has such a name."""
    from executor.install.decide import named_indexes  # noqa: PLC0415  # as files_of
    from executor.install.lock_files import files_of  # noqa: PLC0415  # it loads much

    return files_of(lock, names), named_indexes(lock) if has_named_logins(os.environ) else ()


def _added(
    held: FileFolder, steps: Sequence[Step], origins: Origins, lock_folder: str
) -> Iterator[Step]:
    """Fetch the files of ``steps`` into the folder; yield each that is there."""

    def write(_folder: object, chunks: Iterable[bytes], _directory: object, *, step: Step) -> Step:
        return replace(step, size=held.add(step, chunks))

    def work(_number: int, step: Step, client: HttpClient, _: Callable[[int], None]) -> Step:
        # Nothing is unpacked, so it need not be known whether a forward pass can.
        plain = replace(step, hints=None)
        places = origins.origins(step, lock_folder)
        make_folder = partial(held.folder.inner, "")
        return acquire(plain, places, client, make_folder, partial(write, step=step))

    client = origins.client(steps, is_roomy=True)
    return run_lanes(steps, work, client, 1, lambda _: None, origins.address)
