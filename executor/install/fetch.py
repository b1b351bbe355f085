"""The walk from a lock to a folder with its files, for machines that have no network.

lock -> packages -> files of all targets -> those that are missing -> fetch -> verify -> folder
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from executor.files.disk_space import Need, check_space
from executor.files.durability import flush
from executor.install.file_source import Arrived, FileSource
from executor.lock.options import TargetNames
from executor.lock.step import Step
from executor.sources.file_folder import FileFolder
from executor.sources.origins import Origins
from schemas.data_class import frozen
from schemas.errors import NotWritten
from schemas.sizes import format_size
from schemas.text import counted

if TYPE_CHECKING:
    from executor.install.lock_files import LockFiles

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
        steps = [fetched.get(step.filename, step) for step in self.files.steps]
        table = self.files.to_json(steps)
        files = [{**one, "fetched": one["name"] in fetched} for one in table["files"]]
        return {**table, "files": files, "removed": list(self.removed)}


def fetch(
    lock: str,
    folder: str,
    *,
    names: TargetNames | None = None,
    origins: Origins | None = None,
    prune: bool = False,
    arrived: Arrived | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> FilledFolder:
    """Put the files that ``files_of`` returns into ``folder``, each verified; those that are there
    stay. ``arrived`` is called with the number of each file (from 1), of how many, and its step.
    ``warn`` is called with what is odd about the lock. ``prune``: remove other distributions.

    Raises what ``files_of`` raises, UsageError, Offline, Unreachable, HashMismatch, SizeMismatch,
    FolderBusy, InTheWay, NotEnoughDisk, NotEnoughInodes and NotWritten.
    """
    source = FileSource.of(lock, names, origins)
    files = source.files
    for warning in files.warnings():
        warn(warning)
    try:
        with FileFolder.opened(folder) as held:
            missing = [step for step in files.steps if not held.has(step)]
            for step in missing:
                held.check(step)
            source.check(missing)
            check_space(folder, Need(sum(step.size or 0 for step in missing), len(missing)))
            fetched = source.written(missing, held.add, held.folder, arrived)
            kept = {step.filename for step in files.steps}
            removed = held.prune(kept) if prune else ()
            flush([folder])
    except IsADirectoryError as error:
        hint = "a file gets that name: remove the folder"
        raise NotWritten(f"{error.filename}: cannot be written", error, hint) from None
    except OSError as error:
        raise NotWritten(f"{folder}: cannot be written", error) from None
    return FilledFolder(files=files, fetched=fetched, removed=tuple(removed))
