"""Journal: what a transaction is going to do, written down before it does it.

Everything is staged below one folder beside the packages, ``.lockstream``. A journal in it means:
all of this is verified, move it into place. It appears by one rename, so it is whole or absent,
and every move can be made again; so whoever finds a journal finishes it, and whoever finds none may
throw the staged files away.

What must be on disk before what: staged files before the journal; removals before the mark that
they are done; all of it before the journal goes. Each is one ``flush``.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from executor.environment.errors import EnvironmentBusy
from executor.environment.schemes import STAGING
from executor.files.durability import Durability, flush
from executor.files.folders import made_folder, remove_tree
from executor.transaction.errors import Reached

__all__ = ["Journal", "Move", "Removal"]


@dataclass(frozen=True, slots=True)
class Removal:
    """An installed distribution goes away."""

    dist_info: str
    """Absolute path of its dist-info folder."""
    aside: str
    """Below the journal's folder: where dist-info goes first, so that what is half removed reads
    as absent and its RECORD can still be read."""
    roots: list[str]
    """Absolute paths of the folders that stay, and that nothing outside of is touched."""
    keep: list[str]
    """Absolute paths of files that somebody else owns too."""


@dataclass(frozen=True, slots=True)
class Move:
    """Everything in one staged folder goes into one folder of the environment."""

    source: str
    """Below the journal's folder."""
    destination: str
    """Absolute."""
    last: str | None = None
    """The entry of ``source`` that goes last: the dist-info folder, which says "installed"."""


class Journal:
    """The transactions on the packages in ``packages``, an absolute path that exists."""

    def __init__(self, packages: str, durability: Durability = "full") -> None:
        self.folder = os.path.join(packages, STAGING)
        self.is_durable = durability == "full"
        """Whether it waits for the disk."""
        self._left: Collection[str] = ()
        self._path = os.path.join(self.folder, "journal")
        self._removed = os.path.join(self.folder, "removed")
        self._has_committed = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep all others out, and leave nothing behind unless there is a journal to finish.

        Raises EnvironmentBusy.
        """
        with made_folder(os.path.dirname(self.folder)):
            descriptor = self._lock()
            try:
                yield
                if not self.is_committed:
                    # All is done; what cannot be removed now is by the next run.
                    remove_tree(self.folder)
            except BaseException:
                if self._left:
                    self.clear(self._left)
                elif not self.is_committed:
                    remove_tree(self.folder)
                raise
            finally:
                # It was only read: that this fails says nothing of what was written.
                with suppress(OSError):
                    os.close(descriptor)

    def _lock(self) -> int:
        """A descriptor of the folder, which is made and locked by nobody else."""
        while True:
            with suppress(FileNotFoundError):
                os.makedirs(self.folder, exist_ok=True)
                descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # Who had the lock before removes the folder as he leaves: is it still there?
                    if os.path.samestat(os.fstat(descriptor), os.stat(self.folder)):
                        return descriptor
                except BlockingIOError:
                    os.close(descriptor)
                    raise EnvironmentBusy(os.path.dirname(self.folder)) from None
                except FileNotFoundError:
                    pass
                os.close(descriptor)

    def leave(self, names: Collection[str]) -> None:
        """Leave ``names`` in the folder for the next run if the body of ``opened`` fails."""
        self._left = names

    def clear(self, keep: Collection[str] = ()) -> None:
        """Remove what is in the folder, but a journal and the names ``keep``."""
        with os.scandir(self.folder) as entries:
            for entry in list(entries):
                if entry.name in keep or entry.path == self._path:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    import shutil  # noqa: PLC0415  # after a run that was killed

                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)

    def commit(self, entries: Iterable[Removal | Move]) -> None:
        """Write down what will be done, removals first. From here on it will be.

        Raises OSError; what was staged is on disk then, or not committed.
        """
        self._flush([self.folder])
        new = self._path + ".new"
        with open(new, "w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({type(entry).__name__: asdict(entry)}) + "\n" for entry in entries
            )
            file.flush()
            if self.is_durable:
                os.fsync(file.fileno())
        os.rename(new, self._path)
        self._has_committed = True
        self._sync_folder()

    @property
    def reached(self) -> Reached:
        """How far the transaction came."""
        if self.is_committed:
            return "commit"
        return "end" if self._has_committed else "nothing"

    @property
    def is_committed(self) -> bool:
        """Whether there is something to finish."""
        return os.path.exists(self._path)

    def removals(self) -> Iterator[Removal]:
        """Those that were committed and may not be finished; none where there is no journal."""
        return (Removal(**fields) for fields in self._entries(Removal.__name__))

    def moves(self) -> Iterator[Move]:
        """Those that were committed and may not be finished; none where there is no journal."""
        return (Move(**fields) for fields in self._entries(Move.__name__))

    def _entries(self, wanted: str) -> Iterator[dict[str, Any]]:
        with suppress(FileNotFoundError), open(self._path, encoding="utf-8") as lines:
            for line in lines:
                ((kind, fields),) = json.loads(line).items()
                if kind == wanted:
                    yield fields

    @property
    def is_removed(self) -> bool:
        """Whether all removals are done. They must not be repeated behind the first move: a new
        file may have the path of an old one.
        """
        return os.path.exists(self._removed)

    def removed(self, changed: Iterable[str] = ()) -> None:
        """All removals are done, in the folders ``changed``."""
        self._flush(changed)
        os.close(os.open(self._removed, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        self._sync_folder()

    def done(self, changed: Iterable[str] = ()) -> None:
        """All moves were made, into the folders ``changed``, or there were none."""
        self._flush(changed)
        with suppress(FileNotFoundError):
            os.unlink(self._path)

    def _flush(self, folders: Iterable[str]) -> None:
        if self.is_durable:
            flush(folders)

    def _sync_folder(self) -> None:
        if self.is_durable:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
