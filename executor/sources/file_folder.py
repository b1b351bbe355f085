"""A folder with files of a lock, from which ``--find-links`` takes them without a network."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO

from executor.files.folders import made_folder, write_spool
from executor.files.held_folder import HeldFolder
from executor.files.locks import try_lock
from executor.lock.step import Step
from executor.sources.errors import FolderBusy, InTheWay
from executor.sources.local_file import holds_file

__all__ = ["FileFolder"]


_PART = ".fetching"
"""How the name of the file begins that is being written. If a fetch was killed, the next one
removes it. The rest differs, as on NFS two machines may both hold the lock of a folder.
"""


_PARTS = re.compile(rf"{re.escape(_PART)}(-[0-9a-f]{{16}})?")


_ARCHIVES = (".whl", ".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
"""How the names of files end that may be replaced."""


_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
"""How the names of the files end that ``prune`` may remove."""


class FileFolder:
    """An open folder that one process adds files to. Methods raise OSError."""

    def __init__(self, folder: HeldFolder) -> None:
        self.folder = folder
        self.part = f"{_PART}-{os.urandom(8).hex()}"

    @classmethod
    @contextmanager
    def opened(cls, path: str) -> Iterator[FileFolder]:
        """Yield the folder at ``path``, which is made if it is not there, and kept from others.

        Raises FolderBusy and OSError.
        """
        place = os.path.abspath(path)
        with made_folder(place), HeldFolder.at(os.path.realpath(place)) as folder:
            if not try_lock(folder.descriptor):
                raise FolderBusy(path)
            for name in folder.names():
                if _PARTS.fullmatch(name):
                    with suppress(FileNotFoundError, PermissionError):  # of another user, in /tmp
                        folder.unlink(name)
            opened = cls(folder)
            try:
                yield opened
            finally:
                opened._clean()

    def _clean(self) -> None:
        with suppress(FileNotFoundError):
            self.folder.unlink(self.part)

    def has(self, step: Step) -> bool:
        """Return whether the file of ``step`` is there, whole."""
        return holds_file(self.folder.path_of(step.filename), step.size, step.hashes)

    def check(self, step: Step) -> None:
        """Raise InTheWay if a file is in the place of that of ``step`` which may be something else:
        the author of a lock chooses the names of archives (``Makefile``).
        """
        name = step.filename
        if not name.endswith(_ARCHIVES) and self.folder.is_file(name):
            raise InTheWay(self.folder.path_of(name))

    def add(self, step: Step, chunks: Iterable[bytes]) -> int:
        """Write the file of ``step``, in the place of another one of its name. It has its name when
        the last of the chunks has come. Return its bytes. Raises also what ``chunks`` raises.
        """
        with self.replaced(step.filename) as file:
            write_spool(file, chunks)
            return file.tell()

    @contextmanager
    def replaced(self, name: str) -> Iterator[FileIO]:
        """Yield a new file, which takes the place of ``name`` when the body ends without an error.

        It is closed by then.
        """
        self._clean()
        with self.folder.create(self.part) as file:
            yield file
        try:
            self.folder.rename(self.part, name)
        except OSError as error:
            error.filename = self.folder.path_of(name)
            raise

    def prune(self, kept: Collection[str]) -> list[str]:
        """Remove distributions whose names are not among ``kept``; return their names, sorted."""
        # Some file systems find a file by a name in other case, and list it as it was written.
        spelled = {name.lower() for name in kept}
        names = (name for name in self.folder.names() if name.lower() not in spelled)
        found = sorted(name for name in names if name.endswith(_DISTRIBUTIONS))
        removed = [name for name in found if self.folder.is_file(name)]
        for name in removed:
            self.folder.unlink(name)
        return removed
