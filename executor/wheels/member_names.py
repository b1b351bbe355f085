"""Names: two members of a wheel that some file system takes for one.

macOS and Windows do not tell upper case from lower, and macOS does not tell a composed letter from
one with its accent behind it; there, the later of two such members would overwrite the earlier, and
a lock would not mean the same tree everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from executor.files.path_set import PathSet

__all__ = ["MemberNames", "NameCollision", "folded"]


class NameCollision(ValueError):
    """A member has the name of another one on some file systems."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "another member has the same name, but for case or accents, or is below it as a folder"
        )
        self.name = name


class MemberNames:
    """The names of a wheel's files, in 8 bytes each."""

    def __init__(self) -> None:
        self._files = PathSet()
        self._folder = ""

    def add(self, name: str) -> None:
        """Add the name of a file."""
        self._files.add(name.lower() if name.isascii() else folded(name))

    def check_files(self, names: Iterable[str]) -> None:
        """Look for two files of one name; ``names`` are all that were added, to tell which.

        Raises NameCollision.
        """
        if repeated := self._files.repeated():
            seen: set[int] = set()
            for name in names:
                key = hash(folded(name))
                if key in seen:
                    raise NameCollision(name)
                if key in repeated:
                    seen.add(key)

    def check_folders(self, name: str) -> None:
        """Look for files that have the name of a folder that the member ``name`` is in, or is.

        Members of one folder follow each other; what was checked of it is not checked again.
        Raises NameCollision.
        """
        folder = name.rpartition("/")[0]
        if folder != self._folder:
            last, self._folder = f"{self._folder}/", folder
            while folder and not last.startswith(f"{folder}/"):
                if folded(folder) in self._files:
                    raise NameCollision(folder)
                folder = folder.rpartition("/")[0]


def folded(name: str) -> str:
    """The same for all names that some file system takes for one (caseless matching of the
    Unicode Standard, 3.13, D145).
    """
    if name.isascii():
        return name.lower()
    # Imported when met: none of 994 real wheels has such a name.
    from unicodedata import normalize  # noqa: PLC0415

    return normalize("NFC", normalize("NFD", name).casefold())
