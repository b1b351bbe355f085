"""Places in an environment, however their paths are spelled.

``lib64`` is a link to ``lib`` in many environments, ``man`` one to ``share/man``, and a folder may
be mounted a second time elsewhere. So two paths are compared by the device and inode of their
folders, and a link to a folder counts as that folder if it stays inside of the environment.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["PlacedEntry", "Places", "Ways", "distinct_folders", "is_below"]


_OPEN_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""A folder is entered, never a link. ``O_PATH`` requires no permission to read it."""

_NO_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What a path gives that leads to no folder: it is absent, below a file, or a link to itself."""


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Return whether ``path`` is spelled as something below one of ``folders``."""
    return any(
        path.startswith(above := folder.rstrip(os.sep) + os.sep) and path != above
        for folder in folders
    )


def distinct_folders(paths: Iterable[str]) -> list[str]:
    """Return the first spelling of each folder among ``paths``, which may be absent."""
    places = Places()
    first: dict[str, str] = {}
    for path in paths:
        first.setdefault(places.of_folder(path), path)
    return list(first.values())


class Places:
    """Keys of paths that are equal for every spelling of one place.

    The folder of the last path is remembered, because the paths of a RECORD come folder by folder.
    """

    __slots__ = ("_folder", "_key")

    def __init__(self) -> None:
        self._folder: str | None = None
        self._key = ""

    def key(self, path: str) -> str:
        """Return the key of ``path``, absolute. Links before its last part are followed."""
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._folder, self._key = folder, self.of_folder(folder or "/")
        return f"{self._key}/{name}"

    @staticmethod
    def of_folder(path: str) -> str:
        """Return the key of a folder. If it is absent, the key begins with that of the nearest
        folder above it that exists.
        """
        missing = ""
        while True:
            try:
                status = os.stat(path)
            except OSError as error:
                if error.errno not in _NO_FOLDER:
                    raise
                path, name = os.path.split(path)
                missing = f"/{name}{missing}"
            else:
                return f"{status.st_dev}:{status.st_ino}{missing}"


class PlacedEntry(NamedTuple):
    """What a path in an environment stands for."""

    path: str
    """Its real path, with all ways followed."""
    leaves: bool
    """Whether it is not the path itself, but a link before it that leaves the environment."""


class Ways:
    """The folders that lead to the files of an environment, below its ``roots``.

    A link to a folder is a way if it stays below the roots. A link that leaves them is a file: what
    it leads to belongs to the user.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._spelled = [os.path.normpath(root) for root in roots]
        self.roots = [os.path.realpath(root) for root in roots]
        """Their real paths, and those of links that lead to one of them from another."""
        self._real = dict(zip(self._spelled, self.roots, strict=True))
        self.roots += map(os.path.realpath, filter(os.path.islink, self._between()))
        self.led = set[str]()
        """Real paths of the folders that links led to on the ways to entries."""
        self._folder: str | None = None
        self._way: str | None = None
        self._is_link = False

    def _between(self) -> Iterator[str]:
        """Yield the folders above each root that are below another one."""
        for root in self._spelled:
            folder = os.path.dirname(root)
            while is_below(folder, self._spelled):
                yield folder
                folder = os.path.dirname(folder)

    def is_way(self, path: str) -> bool:
        """Return whether ``path`` is a folder, or a link to one that stays below the roots."""
        if not os.path.isdir(path):
            return False
        return not os.path.islink(path) or self.may_lead(path)

    def may_lead(self, path: str) -> bool:
        """Return whether the link ``path`` leads to a folder below the roots, or to nothing there:
        a removal may have emptied the folder.
        """
        real = os.path.realpath(path)
        is_folder = os.path.isdir(real) or not os.path.lexists(real)
        return is_folder and any(_is_in(real, root) for root in self.roots)

    def entry(self, path: str) -> PlacedEntry | None:
        """Return the entry that ``path`` stands for; None if ``path`` is not below the roots.

        The last part of ``path`` is never followed. Whether the entry exists is not checked.
        """
        # Not os.path.split: this is done for every file of an environment.
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._folder = folder
            self._way, self._is_link = self._resolve(folder)
        if self._way is None:
            return None
        if self._is_link:
            return PlacedEntry(self._way, leaves=True)
        return PlacedEntry(f"{self._way}/{name}", leaves=False)

    def _resolve(self, folder: str) -> tuple[str | None, bool]:
        """Return the real path of ``folder``, or of the first link on it that leads outside, and
        whether it is that link.
        """
        root = max((r for r in self._starts() if _is_in(folder, r)), key=len, default=None)
        if root is None:
            return None, False
        place, rest = self._real.get(root, root), folder[len(root) :].strip(os.sep)
        for name in rest.split(os.sep) if rest else ():
            place = os.path.join(place, name)
            if os.path.islink(place):
                if not self.is_way(place):
                    return place, True
                place = os.path.realpath(place)
                self.led.add(place)
        return place, False

    def _starts(self) -> Iterator[str]:
        yield from self._spelled
        yield from self.roots

    @contextmanager
    def opened(self, folder: str) -> Iterator[int | None]:
        """Yield a descriptor of ``folder``, a real path below the roots or one of them; None if it
        is absent. No link is followed below the root. Raises OSError.
        """
        root = max((r for r in self.roots if _is_in(folder, r)), key=len)
        rest = folder[len(root) :].strip(os.sep)
        descriptor = _open_folder(root)
        try:
            for name in rest.split(os.sep) if rest else ():
                if descriptor is None:
                    break
                inner = _open_folder(name, descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _is_in(path: str, folder: str) -> bool:
    """Return whether ``path`` is spelled as ``folder`` or as something below it."""
    return path == folder or is_below(path, [folder])


def _open_folder(path: str, outer: int | None = None) -> int | None:
    """Return a descriptor of a folder in the folder ``outer``; None if it is absent or a link.

    Raises OSError.
    """
    try:
        return os.open(path, _OPEN_FOLDER, dir_fd=outer)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return None
        raise
