"""The walk from a lock to one archive with its files, for machines that have no network.

lock -> packages -> files of all targets, in fixed order -> fetch -> verify -> archive
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from io import FileIO
from typing import TYPE_CHECKING, Any

from executor.files.disk_space import Need, check_space
from executor.files.durability import flush
from executor.files.held_folder import HeldFolder
from executor.install.file_source import Arrived, FileSource
from executor.lock.options import TargetNames
from executor.lock.step import Step
from executor.sources.bundle_writer import BundleWriter
from executor.sources.file_folder import FileFolder
from executor.sources.local_file import read_file
from executor.sources.origins import Origins
from schemas.data_class import frozen
from schemas.errors import NotWritten
from schemas.sizes import format_size
from schemas.text import counted

if TYPE_CHECKING:
    from executor.install.lock_files import LockFiles

__all__ = ["WrittenBundle", "bundle"]


@frozen(kw_only=True)
class WrittenBundle:
    """What is in a new bundle; the caller owns it."""

    files: LockFiles
    steps: tuple[Step, ...]
    """One for each file, with its size, in the order of the archive."""

    def summary(self) -> str:
        """Return it as a line for people."""
        files, targets = len(self.steps), len(self.files.targets)
        size = format_size(sum(step.size or 0 for step in self.steps))
        return f"{counted(files, 'file')} for {counted(targets, 'target')} ({size})"

    def to_json(self) -> dict[str, Any]:
        """Return it for programs; sizes are in bytes."""
        return self.files.to_json(self.steps)


def bundle(
    lock: str,
    output: str | None,
    *,
    names: TargetNames | None = None,
    origins: Origins | None = None,
    arrived: Arrived | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> WrittenBundle:
    """Write the lock and the files that ``files_of`` returns, each verified, to the file ``output``
    or, if that is None, to standard output.

    The same files give the same bytes. A file takes its place when it is whole. ``arrived`` is
    called for each file, and ``warn`` with what is odd about the lock.

    Raises what ``files_of`` raises, UsageError, Offline, Unreachable, HashMismatch, SizeMismatch,
    FolderBusy, NotEnoughDisk and NotWritten.
    """
    source = FileSource.of(lock, names, origins)
    for warning in source.files.warnings():
        warn(warning)
    source.check(source.files.steps)
    if output is None:
        with (
            FileIO(1, "w", closefd=False) as file,
            HeldFolder.at(tempfile.gettempdir()) as folder,
        ):
            steps = _written(lock, source, file, folder, arrived)
        return WrittenBundle(files=source.files, steps=steps)
    folder_path, name = os.path.split(os.path.abspath(output))
    try:
        with FileFolder.opened(folder_path) as held:
            check_space(folder_path, Need(sum(step.size or 0 for step in source.files.steps), 1))
            with held.replaced(name) as file:
                steps = _written(lock, source, file, held.folder, arrived)
            flush([folder_path])
    except OSError as error:
        raise NotWritten(f"{output}: cannot be written", error) from None
    return WrittenBundle(files=source.files, steps=steps)


def _written(
    lock: str, source: FileSource, file: FileIO, folder: HeldFolder, arrived: Arrived | None
) -> tuple[Step, ...]:
    writer = BundleWriter(file)
    writer.add(os.path.basename(lock), os.stat(lock).st_size, read_file(lock))
    steps = source.written(
        source.files.steps,
        lambda step, chunks: writer.add(step.filename, step.size, chunks),
        folder,
        arrived,
    )
    writer.finish()
    return steps
