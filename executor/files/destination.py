"""The staging folder that the members of one wheel are written into.

Every file is created below a descriptor of its folder and never through a link
(``O_EXCL | O_NOFOLLOW``, https://man7.org/linux/man-pages/man2/open.2.html), so that nothing can be
written outside of the folder or twice. Descriptors are held for the folders of the current path
only: wheels are sorted by path, and the memory does not grow with their number.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from time import perf_counter
from typing import Self

from executor.files.block_thread import handed_over
from executor.files.file_digest import digest_of
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter

__all__ = ["Destination", "NameTaken", "PathTaken"]


_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PathTaken(ValueError):
    """A file of this name was written before, or one has the name of a folder of its path."""


class NameTaken(PathTaken):
    """A file was written before whose name is another one, but not for the file system."""


class Destination:
    """A folder, which must be empty. The unpacking of one wheel owns it.

    Use it as a context manager.
    """

    def __init__(
        self, folder: HeldFolder, writer: FileWriter | None = None, *, is_hashed: bool = True
    ) -> None:
        """``writer`` writes the files (None: one without a window). If ``is_hashed`` is false,
        methods return no bytes instead of a SHA-256.
        """
        self._top = folder
        self._is_hashed = is_hashed
        self.writer = writer or FileWriter(None)
        self._allowance = self.writer.allowance
        self._names: list[str] = []
        self._descriptors = [os.dup(folder.descriptor)]
        self.folder = ""
        """The folder that was entered last, relative to the first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.writer.flush()
        finally:
            self.writer.discard()
            while self._descriptors:
                os.close(self._descriptors.pop())

    def write_whole(self, name: str, content: bytes) -> bytes:
        """Write a new file at once and return its SHA-256 (32 bytes); ``name`` is a checked member
        name.

        Raises PathTaken, NoMemoryForFiles and OSError.
        """
        sha256 = hashlib.sha256(content).digest() if self._is_hashed else b""
        began = perf_counter()
        if self._allowance is not None:
            self._allowance.add_file(name, len(content))
        self.writer.write_whole(self._create(name), content)
        self.writer.seconds += perf_counter() - began
        return sha256

    def write_here(self, basename: str, content: bytes) -> None:
        """Write a new file, which is not hashed, into the folder that was entered last.

        Raises PathTaken, NoMemoryForFiles and OSError.
        """
        if self._allowance is not None:
            self._allowance.add_file(basename, len(content))
        self.writer.write_whole(self._create_here(basename), content)

    def write(self, name: str, pieces: Iterable[bytes], size: int | None = None) -> bytes:
        """Write a new file and return its SHA-256 (32 bytes; no bytes if contents are not hashed).

        ``name`` is a checked member name, ``size`` its stated size in bytes, if there is one.
        Raises PathTaken, NoMemoryForFiles, OSError, and what ``pieces`` raises.
        """
        began = perf_counter()
        grow = self._allowance.growing(name) if self._allowance else None
        descriptor = self._create(name)
        digest = hashlib.sha256()
        hashing = handed_over(
            digest.update if self._is_hashed else len,
            in_thread=self._is_hashed and self.writer.has_thread_for(size),
        )
        try:
            with hashing as hash_piece, self.writer.writing(descriptor, size) as file:
                spent = perf_counter() - began
                for piece in pieces:
                    hash_piece(piece)
                    if grow is not None:
                        grow(len(piece))
                    began = perf_counter()
                    file.write(piece)
                    self.writer.heap.passed(len(piece))
                    spent += perf_counter() - began
                began = perf_counter()
                file.finish()
        finally:
            os.close(descriptor)
        self.writer.seconds += spent + perf_counter() - began
        return digest.digest() if self._is_hashed else b""

    def digest(self, name: str) -> bytes | None:
        """Return the SHA-256 of a file that was written; None if there is no such file."""
        self.writer.flush()
        try:
            with self._top.open(name) as file:
                return digest_of(file).digest
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _create(self, name: str) -> int:
        """Create a file and return its descriptor. Raises PathTaken and OSError."""
        folder, _, basename = name.rpartition("/")
        if folder != self.folder:
            self.enter(folder)
        return self._create_here(basename)

    def _create_here(self, basename: str) -> int:
        try:
            return os.open(basename, _CREATE, 0o666, dir_fd=self._descriptors[-1])
        except FileExistsError:
            if basename in os.listdir(self._descriptors[-1]):
                raise PathTaken("a member before it has the same name") from None
            raise NameTaken(
                "a member before it has a name that this file system takes for the same"
            ) from None

    def enter(self, folder: str) -> None:
        """Open the folders of ``folder`` that are not open, making those that are absent.

        Raises PathTaken, NoMemoryForFiles and OSError.
        """
        names = folder.split("/") if folder else []
        common = 0
        for old, new in zip(self._names, names, strict=False):
            if old != new:
                break
            common += 1
        while len(self._names) > common:
            self._names.pop()
            os.close(self._descriptors.pop())
        for name in names[common:]:
            parent = self._descriptors[-1]
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=parent)
                self.writer.made_folder()
            try:
                self._descriptors.append(os.open(name, _FOLDER, dir_fd=parent))
            except NotADirectoryError:
                raise PathTaken(f"a member before it is a file named {name!r}") from None
            self._names.append(name)
        self.folder = folder
