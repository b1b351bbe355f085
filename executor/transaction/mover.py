"""Move staged folders into the folders of an environment, each reached through a descriptor.

The folder that a move ends in is that of a scheme, below one of the roots of the environment. From
that root on no link is followed but one that stays below the roots, as ``lib64`` does. So a folder
that is exchanged for a link meanwhile leads nowhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from executor.environment.places import Ways, is_below
from executor.files.copies import copy_file, copy_folder, remove_copied
from executor.files.held_folder import HeldFolder
from executor.transaction.staging import COMPLETE

__all__ = ["Mover"]


class Mover:
    """The moves of one commit, and the folders on other file systems that they have written to.

    Whoever makes it closes it.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._ways = Ways(roots)
        self.changed = set[str]()
        self._path = ""
        self._folder: HeldFolder | None = None
        """The folder at ``_path`` that was moved into last: most wheels go into one."""

    def leave(self) -> None:
        """Close the folder that was moved into last.

        Raises OSError if it was exchanged for something else: then its files are not where they
        have to be.
        """
        folder = self._folder
        if folder is not None and not folder.is_in_place:
            raise OSError(errno.ENOTDIR, "it was exchanged while files went there", folder.path)
        self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def make(self, staging: HeldFolder, source: str, destination: str, last: str | None) -> None:
        """Move the entries of the folder ``source`` in ``staging`` into the folder at
        ``destination``, ``last`` as the last of its wheel. Raises OSError.
        """
        wheel = source.rpartition("/")[0]
        if wheel and (outer := staging.found(wheel)) is not None:
            with outer:
                self._make(outer, source[len(wheel) + 1 :], destination, last)
            if last is not None:
                # If something is left in it, the whole staging folder is emptied in the end.
                with suppress(OSError):
                    staging.rmdir(wheel)
        elif not wheel:
            self._make(staging, source, destination, last)
        self.changed.add(destination)

    def _make(self, outer: HeldFolder, name: str, destination: str, last: str | None) -> None:
        """Move the entries of the folder ``name`` in ``outer``, as ``make`` does."""
        held = outer.found(name)
        if held is None:
            return
        with held:
            self._move_entries(held, self._destination(destination), last)
        outer.rmdir(name)
        if last is not None:
            # It is the journal that says by now that the wheel is whole.
            with suppress(OSError):
                outer.unlink(COMPLETE)

    def move(self, source: HeldFolder, name: str, folder: HeldFolder, new: str) -> None:
        """Move ``name`` in ``source`` to ``new`` in ``folder``: a file, or a folder, which may
        exist there already. Raises OSError.
        """
        try:
            source.rename(name, new, folder)
        except OSError as error:
            is_folder = source.is_folder(name)
            if is_folder:
                # Whatever the reason is: of a folder that has contents, file systems of other
                # machines say EPERM (sshfs) or EACCES (SMB).
                with self._met(folder, new) as there:
                    if there is not None:
                        self._merge(source, name, there)
                        return
            if error.errno != errno.EXDEV:
                raise
            self._copy(source, name, folder, new, is_folder=is_folder)

    def _move_entries(self, source: HeldFolder, folder: HeldFolder, last: str | None) -> None:
        names = [name for name, _ in source.entries_once()]
        for name in sorted(names, key=lambda name: (name == last, name)):
            self.move(source, name, folder, name)

    def _merge(self, source: HeldFolder, name: str, there: HeldFolder) -> None:
        """Move the entries of the folder ``name`` into the folder ``there``."""
        if os.fstat(source.descriptor).st_dev != os.fstat(there.descriptor).st_dev:
            self.changed.add(there.path)
        with source.inner(name) as held:
            self._move_entries(held, there, None)
        source.rmdir(name)

    def _copy(
        self, source: HeldFolder, name: str, folder: HeldFolder, new: str, *, is_folder: bool
    ) -> None:
        """Move to another file system: copy into its folder, then rename."""
        self.changed.add(folder.path)
        if is_folder:
            copy_folder(source, name, folder, new)
            remove_copied(source, name)
        else:
            copy_file(source, name, folder, new)
            source.unlink(name)

    @contextmanager
    def _met(self, folder: HeldFolder, name: str) -> Iterator[HeldFolder | None]:
        """Yield the folder ``name`` in ``folder``, or the one that a link of this name leads to
        below the roots; None if it is neither. What such a link leads to is made if it is absent:
        the removals may have emptied it.
        """
        if folder.is_folder(name):
            with folder.inner(name) as there:
                yield there
        elif folder.exists(name) and self._ways.may_lead(folder.path_of(name)):
            with self._opened(os.path.realpath(folder.path_of(name))) as there:
                yield there
        else:
            yield None

    def _destination(self, path: str) -> HeldFolder:
        """Return the folder at ``path``, which is made if it is absent, and stays open.

        It is a root of the environment or below one, but for the moves of an environment that was
        named without its roots.
        """
        if self._folder is not None and path == self._path:
            return self._folder
        self.leave()
        self._path, self._folder = path, self._opened(os.path.realpath(path))
        return self._folder

    def _opened(self, real: str) -> HeldFolder:
        """Return the folder at a real path, open. What is absent of it is made. Raises OSError."""
        outer = [root for root in self._ways.roots if real == root or is_below(real, [root])]
        root = max(outer, key=len, default=real)
        os.makedirs(root, exist_ok=True)
        folder = HeldFolder.at(root)
        rest = os.path.relpath(real, root)
        for name in () if rest == os.curdir else rest.split(os.sep):
            with folder as held:
                with suppress(FileExistsError):
                    held.make(name)
                folder = held.inner(name)
        return folder
