"""A copy of a project's folder for a build, with the version history that belongs to it.

Projects read their version from git (setuptools-scm, hatch-vcs), also in a subfolder of a
repository or in a submodule, whose history lies outside of the folder. Sources:
https://git-scm.com/docs/gitrepository-layout and https://git-scm.com/docs/git-update-index.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress

from executor.builds.errors import RepositoryUnusable
from executor.builds.git import Git
from executor.files.regular import open_regular
from schemas.data_class import frozen

__all__ = ["copy_project"]


_SHARED = ("packed-refs", "shallow")
"""Files of a repository that all its worktrees share, apart from objects and refs."""


def copy_project(package: str, source: str, folder: str, is_left_out: Callable[[str], bool]) -> str:
    """Copy the folder ``source`` below ``folder``, which must not exist; return the copy's path.

    Entries whose name ``is_left_out`` are not copied, and neither are sockets, pipes, devices, and
    folders that this user may not read: a build cannot use them either. If the history of the
    folder is outside of it, the copy is in the same place of a small repository in ``folder``.
    Raises OSError.
    """
    repository = _Repository.around(source)
    if repository is None:
        _copy_folder(source, folder, is_left_out)
        return folder
    inner = os.path.relpath(os.path.realpath(source), repository.top)
    copy = os.path.normpath(os.path.join(folder, inner))
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    _copy_folder(source, copy, is_left_out)
    with suppress(RepositoryUnusable, OSError):  # without git there is no version to read either
        repository.show_in(package, folder, inner)
    return copy


@frozen
class _Repository:
    """The repository around a folder, as its files say."""

    top: str
    """The top folder of its working tree; a real path."""
    own: str
    """The folder of this working tree's HEAD and index."""
    common: str
    """The folder of objects and references."""

    @classmethod
    def around(cls, folder: str) -> _Repository | None:
        """Return the repository of ``folder``; None if its history is in the folder itself, or if
        it has none.
        """
        top = os.path.realpath(folder)
        if os.path.isdir(os.path.join(top, ".git")):
            return None
        while not os.path.lexists(os.path.join(top, ".git")):
            if top == os.path.dirname(top):
                return None
            top = os.path.dirname(top)
        own = os.path.join(top, ".git")
        if os.path.isfile(own):
            prefix, _, path = _first_line(own).partition(": ")
            if prefix != "gitdir":
                return None
            own = os.path.normpath(os.path.join(top, path))
        shared = _first_line(os.path.join(own, "commondir"))
        return cls(top, own, os.path.normpath(os.path.join(own, shared)))

    def show_in(self, package: str, folder: str, inner: str) -> None:
        """Make ``folder`` a working tree at the same commit, of which only ``inner`` is there.

        It borrows the objects. Files outside of ``inner`` do not count as deleted. Raises OSError
        and RepositoryUnusable.
        """
        git = Git(package, self.top, folder)
        link = os.path.join(folder, ".git")
        if os.path.lexists(link):
            os.unlink(link)
        git.run("init", "--quiet", "--template=", folder)
        made = os.path.join(folder, ".git")
        with open(os.path.join(made, "objects", "info", "alternates"), "wb") as file:
            file.write(os.fsencode(os.path.join(self.common, "objects")) + b"\n")
        for name in _SHARED:
            with suppress(FileNotFoundError):
                _copy_content(os.path.join(self.common, name), os.path.join(made, name))
        shutil.copytree(
            os.path.join(self.common, "refs"), os.path.join(made, "refs"), dirs_exist_ok=True
        )
        for name in os.listdir(self.own):
            if name in {"HEAD", "index"} or name.startswith("sharedindex."):
                _copy_content(os.path.join(self.own, name), os.path.join(made, name))
        if inner != ".":
            paths = git.inside("ls-files", "-z").split("\0")
            absent = [path for path in paths if path and not path.startswith(f"{inner}/")]
            words = ("update-index", "-z", "--skip-worktree", "--stdin")
            git.inside(*words, stdin="\0".join(absent))


def _copy_content(source: str, path: str) -> None:
    with open_regular(source) as file, open(path, "wb") as copy:
        shutil.copyfileobj(file, copy)


def _first_line(path: str) -> str:
    """Return the first line of a file of a repository; empty if it cannot be read."""
    with suppress(OSError), open_regular(path) as file:
        return os.fsdecode(file.readline(1 << 16).rstrip(b"\r\n"))
    return ""


def _copy_folder(source: str, folder: str, is_left_out: Callable[[str], bool]) -> None:
    """Copy files, links and folders below ``source``. Raises OSError."""
    os.mkdir(folder)
    # The copy may be made inside of the project, if TMPDIR is there.
    own = os.stat(os.path.dirname(os.path.abspath(folder)))
    waiting = [(source, folder)]
    while waiting:
        place, copy = waiting.pop()
        with suppress(PermissionError, FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                if is_left_out(entry.name):
                    continue
                found = entry.stat(follow_symlinks=False)
                path = os.path.join(copy, entry.name)
                if stat.S_ISLNK(found.st_mode):
                    os.symlink(os.readlink(entry.path), path)
                elif stat.S_ISREG(found.st_mode):
                    _copy_file(entry.path, path)
                elif stat.S_ISDIR(found.st_mode) and not os.path.samestat(found, own):
                    os.mkdir(path)
                    waiting.append((entry.path, path))


def _copy_file(source: str, path: str) -> None:
    """Copy one file; one that may not be read becomes one that may not be read."""
    try:
        shutil.copy2(source, path)
    except PermissionError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0))
