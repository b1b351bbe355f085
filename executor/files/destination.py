"""Destination: a staging folder that the members of one wheel are written into.

Every file is created below a descriptor of its folder and never through a link
(``O_EXCL | O_NOFOLLOW``, https://man7.org/linux/man-pages/man2/open.2.html), so that nothing can be
written outside of the folder or twice. Descriptors are held for the folders of the current path
only: wheels come sorted, and the memory does not grow with their number.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from time import perf_counter
from typing import Self

from executor.files.file_digest import digest_file
from executor.files.writer import FileWriter

__all__ = ["Destination", "PathTaken"]


_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PathTaken(ValueError):
    """A file of this name was written before, or a file stands where a folder should."""


class Destination:
    """The folder ``path``, which must exist and be empty. Use it as a context manager."""

    def __init__(
        self, path: str, cache: FileWriter | None = None, *, is_hashed: bool = True
    ) -> None:
        """``cache`` writes the files (None: one that keeps nothing back). With
        ``is_hashed`` false, no bytes are told in the place of the SHA-256 of each.
        """
        self.path = path
        self._is_hashed = is_hashed
        self._cache = cache or FileWriter(None)
        self._names: list[str] = []
        self._descriptors = [os.open(path, _FOLDER)]
        self._folder = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._cache.flush()
        finally:
            self._cache.discard()
            while self._descriptors:
                os.close(self._descriptors.pop())

    def write_whole(self, name: str, content: bytes) -> bytes:
        """Write a new file at once; ``name`` is a checked member name.

        Returns its SHA-256 (32 bytes). Raises PathTaken and OSError.
        """
        sha256 = hashlib.sha256(content).digest() if self._is_hashed else b""
        began = perf_counter()
        self._cache.write_whole(self._create(name), content)
        self._cache.seconds += perf_counter() - began
        return sha256

    def write(self, name: str, pieces: Iterable[bytes], size: int | None = None) -> bytes:
        """Write a new file; ``name`` is a checked member name, ``size`` how many bytes it is said
        to have, where that is known.

        Returns its SHA-256 (32 bytes), or nothing where contents are not hashed. Raises PathTaken,
        OSError, and whatever ``pieces`` raises.
        """
        began = perf_counter()
        descriptor = self._create(name)
        digest = hashlib.sha256()
        try:
            with self._cache.writing(descriptor, size) as file:
                spent = perf_counter() - began
                for piece in pieces:
                    if self._is_hashed:
                        digest.update(piece)
                    began = perf_counter()
                    file.write(piece)
                    spent += perf_counter() - began
                began = perf_counter()
                file.finish()
        finally:
            os.close(descriptor)
        self._cache.seconds += spent + perf_counter() - began
        return digest.digest() if self._is_hashed else b""

    def digest(self, name: str) -> bytes | None:
        """The SHA-256 of a file that was written; None where there is no such file."""
        self._cache.flush()
        try:
            return digest_file(os.path.join(self.path, name)).digest
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _create(self, name: str) -> int:
        folder, _, basename = name.rpartition("/")
        if folder != self._folder:
            self._enter(folder)
        try:
            return os.open(basename, _CREATE, 0o666, dir_fd=self._descriptors[-1])
        except FileExistsError:
            raise PathTaken("a member before it has the same name") from None

    def _enter(self, folder: str) -> None:
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
                self._cache.made_folder()
            try:
                self._descriptors.append(os.open(name, _FOLDER, dir_fd=parent))
            except NotADirectoryError:
                raise PathTaken(f"a member before it is a file named {name!r}") from None
            self._names.append(name)
        self._folder = folder
