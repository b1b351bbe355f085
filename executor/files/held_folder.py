"""A folder that is held open, so that all that is done in it is done there.

A path is looked up anew at each call, and who may write to a folder above it can exchange a part of
it for a link between two calls. So a folder that others could reach is opened once, without
following a link, and everything in it is named relative to its descriptor; each folder on the way
is opened without following a link too (``openat``, ``O_NOFOLLOW``,
https://man7.org/linux/man-pages/man2/open.2.html).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from typing import BinaryIO, Self

from executor.files.folders import FOLDER, empty_folder, entries_of, entries_once, remove_tree
from executor.files.regular import open_regular, read_regular

__all__ = ["HeldFolder"]


_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_ABSENT = frozenset({
    errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG,
})  # fmt: skip
"""What a name gives of which a folder on the way is absent, a file or a link, or which leads up, or
that no file can have."""


_NOT_IN_NAMES = frozenset({"", os.curdir, os.pardir})


class HeldFolder:
    """An open folder; who opens it closes it. A fork has it too.

    Names are relative, with slashes, and have no part ``.`` or ``..``; "" is the folder itself. No
    link is followed, neither on the way nor at the end. Methods raise OSError with the whole path,
    and ENOTDIR if a folder on the way is something else.
    """

    __slots__ = ("descriptor", "kept", "kept_name", "path")

    def __init__(self, path: str, descriptor: int) -> None:
        """``path`` is the absolute path that messages name it by."""
        self.path = path
        self.descriptor = descriptor
        self.kept_name = ""
        """The folder in it that ``keep`` holds open, and its descriptor."""
        self.kept = -1

    @classmethod
    def at(cls, path: str) -> HeldFolder:
        """Open the folder at ``path``; links before its last part are followed."""
        return cls(path, os.open(path, FOLDER))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.release()
        # It was only read: a failure says nothing of what was written.
        with suppress(OSError):
            os.close(self.descriptor)

    def keep(self, name: str) -> None:
        """Hold the folder ``name`` open too, until ``release`` or another ``keep``, so that what is
        in it is reached at once. What takes its name meanwhile is not seen.
        """
        inner = self.inner(name)
        self.release()
        self.kept, self.kept_name = inner.descriptor, name

    def release(self) -> None:
        """Close the folder that ``keep`` holds open, if there is one."""
        descriptor, self.kept, self.kept_name = self.kept, -1, ""
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    @property
    def is_in_place(self) -> bool:
        """Return whether the open folder is what its path leads to, without a link at the end."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), os.lstat(self.path))
        except OSError as error:
            if error.errno in _ABSENT:
                return False
            raise

    def path_of(self, name: str) -> str:
        """Return the absolute path of ``name``, for messages."""
        # Not os.path.join: this is called for everything that is looked for and is not there.
        return f"{self.path.rstrip('/')}/{name}" if name else self.path

    def parent(self, name: str) -> _Parent:
        """Return a context of a descriptor of the folder that ``name`` is in, and the last part of
        ``name``.
        """
        return _Parent(self, name)

    def descend(self, folder: str) -> int:
        """Return a new descriptor of the folder ``folder``, which the caller closes."""
        current = self.descriptor
        for part in folder.split("/"):
            try:
                if part in _NOT_IN_NAMES:
                    raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
                inner = os.open(part, FOLDER, dir_fd=current)
            finally:
                if current != self.descriptor:
                    os.close(current)
            current = inner
        return current

    def inner(self, name: str) -> HeldFolder:
        """Open the folder ``name``."""
        if not name:
            return HeldFolder(self.path, os.dup(self.descriptor))
        with _Parent(self, name) as (folder, last):
            return HeldFolder(self.path_of(name), os.open(last, FOLDER, dir_fd=folder))

    def found(self, name: str) -> HeldFolder | None:
        """Open the folder ``name``; return None if there is none."""
        try:
            return self.inner(name)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def status(self, name: str) -> os.stat_result:
        """Return the status of ``name`` itself, which may be a link."""
        with _Parent(self, name) as (folder, last):
            return os.stat(last, dir_fd=folder, follow_symlinks=False)

    def exists(self, name: str) -> bool:
        """Return whether ``name`` exists, be it a file, a folder or a link."""
        return self._mode(name) is not None

    def is_folder(self, name: str) -> bool:
        return stat.S_ISDIR(self._mode(name) or 0)

    def is_file(self, name: str) -> bool:
        """Return whether ``name`` is a regular file."""
        return stat.S_ISREG(self._mode(name) or 0)

    def _mode(self, name: str) -> int | None:
        try:
            return self.status(name).st_mode
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise

    def entries(self, name: str = "") -> list[tuple[str, bool]]:
        """Return the names in the folder ``name``, each with whether it is a folder."""
        if not name:
            return entries_of(self.descriptor)
        if name == self.kept_name:
            return entries_of(self.kept)
        with self.inner(name) as inner:
            return inner.entries_once()

    def entries_once(self) -> list[tuple[str, bool]]:
        """Return what ``entries`` does, of a folder that was opened just now, and is asked once."""
        return entries_once(self.descriptor)

    def names(self, name: str = "") -> list[str]:
        """Return the names in the folder ``name``."""
        return [entry for entry, _ in self.entries(name)]

    def each_name(self, name: str) -> Iterator[str]:
        """Yield the names in the folder ``name`` one by one, as ``names`` has them all at once."""
        with self.inner(name) as inner, os.scandir(inner.descriptor) as entries:
            yield from (entry.name for entry in entries)

    def open(self, name: str) -> BinaryIO:
        """Return the regular file ``name``, open for reading."""
        with _Parent(self, name) as (folder, last):
            return open_regular(last, dir_fd=folder)

    def read(self, name: str, limit: int) -> bytes:
        """Return the contents of the regular file ``name``, of at most ``limit`` bytes."""
        with _Parent(self, name) as (folder, last):
            return read_regular(last, limit, dir_fd=folder)

    def create(self, name: str, mode: int = 0o666) -> FileIO:
        """Return the new file ``name``, open for reading and writing, without a buffer.

        Raises FileExistsError, whatever has that name.
        """
        with _Parent(self, name) as (folder, last):
            return FileIO(os.open(last, _CREATE, mode, dir_fd=folder), "r+")

    def write(self, name: str, content: bytes) -> None:
        """Make the new file ``name`` with these contents. Raises FileExistsError, whatever has that
        name.
        """
        with _Parent(self, name) as (folder, last):
            descriptor = os.open(last, _CREATE, 0o666, dir_fd=folder)
            try:
                rest = memoryview(content)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            finally:
                os.close(descriptor)

    def make(self, name: str, mode: int = 0o777) -> None:
        """Make the folder ``name``. Raises FileExistsError if there is something."""
        with _Parent(self, name) as (folder, last):
            os.mkdir(last, mode, dir_fd=folder)

    def unlink(self, name: str) -> None:
        with _Parent(self, name) as (folder, last):
            os.unlink(last, dir_fd=folder)

    def rmdir(self, name: str) -> None:
        with _Parent(self, name) as (folder, last):
            os.rmdir(last, dir_fd=folder)

    def rename(self, name: str, new: str, to: HeldFolder | None = None) -> None:
        """Rename ``name`` to ``new``, a name in the folder ``to`` (None: in this one)."""
        with _Parent(to or self, new) as (there, new_last), _Parent(self, name) as (here, last):
            os.rename(last, new_last, src_dir_fd=here, dst_dir_fd=there)

    def make_executable(self, name: str) -> None:
        """Let every user execute a file, as pip and uv do; the umask decides who may read it."""
        with _Parent(self, name) as (folder, last):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(last, flags, dir_fd=folder)
            try:
                os.fchmod(descriptor, (os.fstat(descriptor).st_mode & 0o777) | 0o111)
            finally:
                os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove ``name``, a folder with everything in it as far as that is possible."""
        with suppress(FileNotFoundError), _Parent(self, name) as (folder, last):
            if stat.S_ISDIR(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                remove_tree(last, dir_fd=folder)
            else:
                os.unlink(last, dir_fd=folder)

    def empty(self) -> None:
        """Remove everything in the folder, as far as that is possible."""
        with suppress(OSError):
            empty_folder(self.descriptor)


class _Parent:
    """The folder that a name of a held folder is in, which stays open meanwhile.

    A class, and not a generator: ``contextlib`` would make three times as many calls, and each
    wheel has some 80 of these.
    """

    __slots__ = ("_held", "_name", "_opened")

    def __init__(self, held: HeldFolder, name: str) -> None:
        self._held = held
        self._name = name
        self._opened = -1

    def __enter__(self) -> tuple[int, str]:
        held = self._held
        folder, slash, last = self._name.rpartition("/")
        try:
            if last in _NOT_IN_NAMES or (slash and not folder):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not folder:
                return held.descriptor, last
            if folder == held.kept_name:
                return held.kept, last
            self._opened = held.descend(folder)
        except OSError as error:
            self._locate(error)
            raise
        return self._opened, last

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if self._opened >= 0:
            os.close(self._opened)
        if error is not None and isinstance(error, OSError):
            self._locate(error)

    def _locate(self, error: OSError) -> None:
        if not str(error.filename).startswith("/"):
            error.filename = self._held.path_of(self._name)
