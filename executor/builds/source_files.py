"""The files of a source archive, written so that nothing lands outside of one folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

__all__ = ["MAX_DEPTH", "MAX_MEMBERS", "MAX_NAME", "MAX_NAMES", "MAX_SIZE", "SourceFiles", "Unsafe"]

MAX_SIZE = 8 << 30
"""Bytes of all files; the sdist of torch has 400 MiB unpacked."""

MAX_MEMBERS = 500_000
"""Files and folders; the most in a real sdist are some 60,000 (vendored C++ libraries)."""

MAX_NAMES = 256 << 20
"""Characters of all paths together, those of folders included, which are held in memory."""

MAX_NAME = 2048
"""Bytes of a member's path. Linux allows 4,096 for the whole path, the folder included."""

MAX_DEPTH = 200
"""Folders below each other. Programs that copy or search trees go as deep by recursion, and Python
allows 1,000 calls."""

_MAX_COMPONENT = 255
"""Bytes (NAME_MAX of Linux)."""


class Unsafe(ValueError):
    """A member may not be written."""


class SourceFiles:
    """Writes members below one empty folder, in the order of the archive.

    No member is written through a link, so that every path means what it says. A link leads up
    first and down then, and never above the folder: wherever it is and whatever other links it
    passes, it stays inside.
    """

    def __init__(self, folder: str) -> None:
        self._root = os.path.realpath(folder)
        self._folders = {""}
        self._links: set[str] = set()
        self._members = self._names = 0
        self._size = 0

    def folder(self, name: str) -> None:
        """Make a folder and those above it. Raises Unsafe and OSError."""
        self._make(self._inside(name))

    def file(self, name: str, content: Iterable[bytes], *, executable: bool) -> str:
        """Write a file and return its path; a later one of a name replaces the earlier one.

        Raises Unsafe, OSError, and what ``content`` raises.
        """
        path = self._place(self._inside(name))
        with open(path, "xb") as file:
            for piece in content:
                self._size += len(piece)
                if self._size > MAX_SIZE:
                    raise Unsafe(f"its members have more than {MAX_SIZE} bytes")
                file.write(piece)
        os.chmod(path, 0o755 if executable else 0o644)
        return path

    def symlink(self, name: str, target: str) -> None:
        """Make a symbolic link. Raises Unsafe and OSError."""
        inside = self._inside(name)
        if len(os.fsencode(target)) > MAX_NAME:
            raise Unsafe(
                f"{name!r} is a link to {target[:80]!r}..., which is longer than a path is"
            )
        parts = target.split("/")
        ups = 0
        while ups < len(parts) and parts[ups] == "..":
            ups += 1
        rest = parts[ups:]
        if not target or target.startswith("/") or ups > inside.count("/") or ".." in rest:
            raise Unsafe(f"{name!r} is a link that leads outside, to {target[:MAX_NAME]!r}")
        path = self._place(inside)
        os.symlink(target, path)
        self._links.add(inside)

    def hardlink(self, name: str, target: str) -> None:
        """Give an earlier file a second name. Raises Unsafe and OSError."""
        inside, earlier = self._inside(name), self._inside(target)
        source = os.path.join(self._root, earlier)
        self._check_way(earlier)
        if earlier in self._links or not os.path.isfile(source):
            raise Unsafe(f"{name!r} is a link to {target[:MAX_NAME]!r}, which is not a file of it")
        if inside != earlier:
            os.link(source, self._place(inside), follow_symlinks=False)

    def _inside(self, name: str) -> str:
        """Return ``name`` relative to the folder, without empty and ``.`` components."""
        self._count(name)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise Unsafe(f"{name[:MAX_NAME]!r} is outside")
        if len(os.fsencode(name)) > MAX_NAME or any(
            len(os.fsencode(part)) > _MAX_COMPONENT for part in parts
        ):
            raise Unsafe(f"{name[:80]!r}... is longer than a name may be")
        if len(parts) > MAX_DEPTH:
            raise Unsafe(f"{name[:80]!r}... is in more than {MAX_DEPTH} folders")
        if "\0" in name:
            raise Unsafe(f"{name!r} holds a zero byte")
        return "/".join(parts)

    def _count(self, name: str) -> None:
        self._members += 1
        self._names += len(name)
        if self._members > MAX_MEMBERS:
            raise Unsafe(f"it has more than {MAX_MEMBERS} members")
        if self._names > MAX_NAMES:
            raise Unsafe(f"the paths of its members have more than {MAX_NAMES} characters")

    def _check_way(self, inside: str) -> None:
        parent = inside.rpartition("/")[0]
        while parent not in self._folders:
            if parent in self._links:
                raise Unsafe(f"{inside!r} is reached through the link {parent!r}")
            parent = parent.rpartition("/")[0]

    def _make(self, inside: str) -> None:
        """Make a folder and those above it."""
        if inside in self._links:
            raise Unsafe(f"{inside!r} is a link, and then a folder")
        self._check_way(inside)
        missing = []
        while inside not in self._folders:
            missing.append(inside)
            inside = inside.rpartition("/")[0]
        for folder in missing[1:]:
            self._count(folder)
        for folder in reversed(missing):
            try:
                os.mkdir(os.path.join(self._root, folder))
            except FileExistsError:
                raise Unsafe(f"{folder!r} is a folder and a file") from None
            self._folders.add(folder)

    def _place(self, inside: str) -> str:
        """Return the free path of a member that is not a folder."""
        if not inside or inside in self._folders:
            raise Unsafe(f"{inside!r} is a folder and a file")
        self._make(inside.rpartition("/")[0])
        path = os.path.join(self._root, inside)
        self._links.discard(inside)
        with suppress(FileNotFoundError):
            os.unlink(path)
        return path
