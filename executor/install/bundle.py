"""The walk from a lock to one archive with its files, for machines that have no network.

lock -> packages -> files of all targets, in fixed order -> fetch -> verify -> archive
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TYPE_CHECKING, Any

from executor.files.disk_space import Need, check_space
from executor.files.durability import flush
from executor.files.held_folder import HeldFolder
from executor.files.regular import open_at_once, replaced_place
from executor.install.file_source import Arrived, FileSource
from executor.lock.errors import LockUnreadable
from executor.lock.options import TargetNames
from executor.lock.step import Step
from executor.sources.bundle_writer import BundleWriter
from executor.sources.errors import SameName
from executor.sources.file_folder import FileFolder
from executor.sources.local_file import read_file
from executor.sources.origins import Origins
from schemas.data_class import frozen
from schemas.errors import NotWritten, UsageError
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
    FolderBusy, LockUnreadable, NotEnoughDisk and NotWritten.
    """
    version = _version(lock)
    source = FileSource.of(lock, names, origins)
    for warning in source.files.warnings():
        warn(warning)
    source.check(source.files.steps)
    name = os.path.basename(lock)
    if any(step.filename == name for step in source.files.steps):
        raise SameName(name, hint="give the lock another name, such as pylock.NAME.toml")
    for path in (step.path for step in source.files.steps if output and step.path):
        with suppress(OSError, ValueError):
            if os.path.samefile(os.path.join(source.lock_folder, path), output or ""):
                raise UsageError(
                    f"{output}: the lock names this file, which would be replaced",
                    hint="name another file",
                )
    try:
        with _opened(output, sum(step.size or 0 for step in source.files.steps)) as (file, folder):
            writer = BundleWriter(file)
            writer.add(name, None, read_file(lock))
            if _version(lock) != version:
                raise LockUnreadable(lock, "it was changed while it was read", "run it again")
            steps = source.written(
                source.files.steps,
                lambda step, chunks: writer.add(step.filename, step.size, chunks),
                folder,
                arrived,
            )
            writer.finish()
    except BrokenPipeError:  # who reads is gone
        raise
    except OSError as error:
        raise NotWritten(f"{output or '-o -'}: cannot be written", error) from None
    return WrittenBundle(files=source.files, steps=steps)


def _version(lock: str) -> tuple[int, ...] | None:
    """Return what changes when the lock is written; None if it cannot be read."""
    try:
        status = os.stat(lock)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _opened(output: str | None, size: int) -> Iterator[tuple[FileIO, HeldFolder]]:
    """Yield the file to write an archive of about ``size`` bytes to, and a folder for what has to
    be stored meanwhile.

    Links, devices and pipes are treated as ``replaced_place`` says. A file that is replaced keeps
    its permissions. Raises FolderBusy, NotEnoughDisk and OSError.
    """
    path = None if output is None else replaced_place(output)
    if path is None:
        with (
            FileIO(1, "w", closefd=False)
            if output is None
            else FileIO(output, "w", opener=open_at_once) as file,
            HeldFolder.at(os.path.realpath(tempfile.gettempdir())) as folder,
        ):
            yield file, folder
        return
    folder_path, name = os.path.split(path)
    with FileFolder.opened(folder_path) as held:
        check_space(folder_path, Need(size, 1))
        with held.replaced(name) as file:
            with suppress(OSError):  # there is none yet, or the file system has no permissions
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            yield file, held.folder
        flush([folder_path])
