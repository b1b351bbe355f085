"""The record of what a transaction will do, written before it does it.

Everything is staged below one folder in purelib, ``.lockstream``. A journal in it means: all of
this is verified, move it into place. It appears by one rename, so it is whole or absent, and every
entry of it can be repeated. So a run that finds a journal finishes it, and a run that finds none
may remove the staged files.

Paths in a journal are relative to purelib, so that a copied or moved environment is finished in its
new place. A checkout or an archive may have brought the folder, or another user may have made it:
it is used only if its owner is trusted with the environment, and ``journal_check`` judges a journal
of another run before it is obeyed.

From then on the folder is held open, and everything in it is reached through its descriptor, so
that a link that takes its place, or the place of a folder in it, leads nowhere.

What must be on disk before what: staged files before the journal; removals before the mark that
they are done; everything before the journal is removed. Each is one ``flush``.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedWriter, TextIOWrapper

from executor.environment.errors import EnvironmentBusy
from executor.environment.schemes import STAGING
from executor.files.durability import Durability, flush, sync_descriptor
from executor.files.folders import FOLDER, made_folder
from executor.files.held_folder import HeldFolder
from executor.files.locks import try_lock
from executor.transaction.errors import JournalRefused, Reached, StagingRefused
from executor.transaction.journal_entries import Move, Removal, entry_of, line_of

__all__ = ["Journal"]


_VERSION = 2
"""Version of the format. Increase it when entries change, so that other versions are refused."""


_NAME = "journal"


_REMOVED = "removed"
"""Name of the mark that all removals are done."""


_LONGEST = 16 << 20
"""Characters of a line that are read; the longest of ours list files that packages share."""


_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Journal:
    """The journal of the transactions on one purelib folder, owned by one execution at a time."""

    def __init__(self, packages: str, durability: Durability = "full") -> None:
        """``packages`` is the absolute path of purelib, which may be absent."""
        self.folder = os.path.join(packages, STAGING)
        self.is_durable = durability == "full"
        """Whether it waits for the disk."""
        self._packages = packages
        self._left: Collection[str] = ()
        self._path = os.path.join(self.folder, _NAME)
        self._held: HeldFolder | None = None
        self._has_committed = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep other executions out. At the end remove the folder, unless there is a journal to
        finish or something was left.

        Raises EnvironmentBusy, StagingRefused and OSError.
        """
        with made_folder(self._packages):
            self._held = held = HeldFolder(self.folder, self._lock())
            try:
                yield
                if not self.is_committed:
                    # Everything is done; the next run removes what cannot be removed now.
                    self._remove(held)
            except BaseException:
                if self._left:
                    self.clear(self._left)
                elif not self.is_committed:
                    self._remove(held)
                raise
            finally:
                self._held = None
                held.close()

    def _remove(self, held: HeldFolder) -> None:
        """Remove the folder, as far as that is possible; what took its place is left alone."""
        held.empty()
        with suppress(OSError):
            os.rmdir(self.folder)

    @property
    def held(self) -> HeldFolder | None:
        """Return the folder as long as it is open, which is then the way to what is in it."""
        return self._held

    @contextmanager
    def inside(self) -> Iterator[HeldFolder]:
        """Yield the folder, which is opened for a while if it is not open. Raises OSError."""
        if self._held is not None:
            yield self._held
        else:
            with HeldFolder.at(self.folder) as held:
                yield held

    @property
    def is_absent(self) -> bool:
        """Return whether no other execution is or was at work: the folder does not exist."""
        return not os.path.lexists(self.folder)

    def _lock(self) -> int:
        """Make and lock the folder, and return its descriptor."""
        while True:
            with suppress(FileNotFoundError):
                descriptor = self._open()
                try:
                    if not try_lock(descriptor):
                        os.close(descriptor)
                        raise EnvironmentBusy(self._packages)
                    # The last owner of the lock removes the folder: is it still there?
                    if os.path.samestat(os.fstat(descriptor), os.lstat(self.folder)):
                        return descriptor
                except FileNotFoundError:
                    pass
                os.close(descriptor)

    def _open(self) -> int:
        """Return a descriptor of the folder, which is made if it is absent."""
        with suppress(FileExistsError):
            rights = _rights_of_others(os.stat(self._packages)) & stat.S_IWGRP
            os.mkdir(self.folder, 0o755 | rights)
        try:
            descriptor = os.open(self.folder, FOLDER)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise StagingRefused(self.folder, "it is a link or a file") from None
            raise
        try:
            self._check_owner(self.folder, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check_owner(self, path: str, status: os.stat_result) -> None:
        """Raise StagingRefused if a user can have written something that may not do so in the
        environment: what is staged is moved there.
        """
        packages = os.stat(self._packages)
        if status.st_uid not in {0, os.geteuid(), packages.st_uid}:
            raise StagingRefused(path, f"it belongs to user {status.st_uid}")
        if status.st_mode & _OTHERS_WRITE & ~_rights_of_others(packages):
            raise StagingRefused(path, "other users may write to it")

    def leave(self, names: Collection[str]) -> None:
        """Leave ``names`` in the folder for the next run if the body of ``opened`` fails."""
        self._left = names

    def clear(self, keep: Collection[str] = ()) -> None:
        """Remove what is in the folder, except a journal and the names ``keep``. Raises OSError."""
        with self.inside() as held:
            for name in held.names():
                if name not in keep and name != _NAME:
                    held.remove(name)

    def commit(self, entries: Iterable[Removal | Move]) -> None:
        """Write down what will be done, removals first. From here on it will be.

        Raises StagingRefused if the folder was exchanged meanwhile, because the next run would not
        find the journal, and OSError; what was staged is on disk then, or not committed.
        """
        self.flush([self.folder])
        with self.inside() as held:
            if not held.is_in_place:
                raise StagingRefused(self.folder, "it was exchanged while it was in use")
            # Whatever the umask, only its owner may write it; what had its name is not opened.
            new = _NAME + ".new"
            held.remove(new)
            # A mark that an earlier commit has left would keep its removals from being done.
            held.remove(_REMOVED)
            raw = held.create(new, 0o644)
            with TextIOWrapper(BufferedWriter(raw), "utf-8", "surrogateescape", "\n") as file:
                file.write(json.dumps({"Journal": {"version": _VERSION}}) + "\n")
                file.writelines(line_of(entry, self._packages) + "\n" for entry in entries)
                file.flush()
                if self.is_durable:
                    sync_descriptor(raw.fileno())
            held.rename(new, _NAME)
        self._has_committed = True
        self._sync_folder()

    @property
    def reached(self) -> Reached:
        """Return how far the transaction came."""
        if self.is_committed:
            return "commit"
        return "end" if self._has_committed else "nothing"

    @property
    def is_committed(self) -> bool:
        """Return whether there is something to finish. Raises OSError."""
        return self._has(_NAME)

    def _has(self, name: str) -> bool:
        """Return whether there is an entry ``name`` in the folder, which may be absent."""
        if self._held is None:
            return os.path.lexists(os.path.join(self.folder, name))
        return self._held.exists(name)

    @property
    def path(self) -> str:
        """Return the path of the journal itself, which may be absent."""
        return self._path

    def check_files(self) -> None:
        """Check what a run finds that did not write it. Raises JournalRefused, StagingRefused and
        OSError.
        """
        with suppress(FileNotFoundError), self.inside() as held:
            for name in (_NAME, _REMOVED):
                with suppress(FileNotFoundError):
                    status, path = held.status(name), held.path_of(name)
                    if not stat.S_ISREG(status.st_mode):
                        raise JournalRefused(path, "it is not a file")
                    self._check_owner(path, status)

    def removals(self) -> Iterator[Removal]:
        """Yield the removals that were committed and may not be done. Raises JournalRefused."""
        for entry in self._entries():
            if not isinstance(entry, Removal):
                # The moves follow the removals.
                return
            yield entry

    def moves(self) -> Iterator[Move]:
        """Yield the moves that were committed and may not be done. Raises JournalRefused."""
        for entry in self._entries():
            if isinstance(entry, Move):
                yield entry

    def _entries(self) -> Iterator[Removal | Move]:
        with (
            suppress(FileNotFoundError),
            self.inside() as held,
            _opened(held) as file,
        ):
            before: Removal | Move | None = None
            for number, line in enumerate(iter(partial(file.readline, _LONGEST), "")):
                try:
                    ((kind, fields),) = json.loads(line).items()
                    if number == 0:
                        if (kind, fields["version"]) != ("Journal", _VERSION):
                            raise JournalRefused(self._path, "another version has written it")
                        continue
                    entry = entry_of(kind, fields, self._packages)
                    if isinstance(before, Move) and isinstance(entry, Removal):
                        raise TypeError
                    before = entry
                    yield entry
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                    raise JournalRefused(
                        self._path, f"line {number + 1} is not an entry of a journal"
                    ) from None

    @property
    def is_removed(self) -> bool:
        """Return whether all removals are done. They must not be repeated after the first move: a
        new file may have the path of an old one.
        """
        return self._has(_REMOVED)

    def removed(self, changed: Iterable[str] = ()) -> None:
        """Record that all removals are done, in the folders ``changed``. Raises OSError."""
        self.flush(changed)
        with self.inside() as held:
            held.create(_REMOVED, 0o644).close()
        self._sync_folder()

    def done(self, changed: Iterable[str] = ()) -> None:
        """Remove the journal: all moves are made, into the folders ``changed``. Raises OSError."""
        self.flush(changed)
        self._unlink()

    def withdraw(self) -> None:
        """Remove the journal, because nothing of it was done. Raises OSError."""
        self._unlink()
        self._has_committed = False

    def flush(self, folders: Iterable[str]) -> None:
        """Wait until all that was written on the file systems of ``folders`` is on disk, if the
        transaction is to survive the loss of power. Raises OSError.
        """
        if self.is_durable:
            flush(folders)

    def _unlink(self) -> None:
        with suppress(FileNotFoundError), self.inside() as held:
            held.unlink(_NAME)

    def _sync_folder(self) -> None:
        """Wait until the entries of the folder are on disk: the rename of the journal, above all.

        Raises OSError.
        """
        if self.is_durable:
            with self.inside() as held:
                sync_descriptor(held.descriptor)


@contextmanager
def _opened(held: HeldFolder) -> Iterator[TextIOWrapper]:
    """Yield the journal in a folder, open for reading. Raises OSError."""
    file = TextIOWrapper(held.open(_NAME), "utf-8", "replace")
    try:
        yield file
    finally:
        # What was read is right, whatever the end says; who reads no further learns of none.
        with suppress(OSError):
            file.close()


def _rights_of_others(packages: os.stat_result) -> int:
    """Return the rights to write that others have for the packages: who has them can change the
    environment anyway. Some file systems (vfat, shared folders of virtual machines) give all rights
    to everybody.
    """
    is_sticky = packages.st_mode & stat.S_ISVTX
    return 0 if is_sticky else packages.st_mode & _OTHERS_WRITE
