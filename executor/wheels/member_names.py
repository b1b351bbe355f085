"""Member names of a wheel that are different, but name one file on some file systems.

macOS and Windows ignore case, and macOS takes a composed letter for the same as a letter followed
by its accent. There, the later of two such members would overwrite the earlier, and one lock would
give different trees.
"""

from __future__ import annotations

from collections.abc import Iterable

from executor.files.path_set import PathSet

__all__ = ["MemberNames", "NameCollision", "folded"]


class NameCollision(ValueError):
    """On some file systems two members have the same name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "another member has the same name, but for case or accents, or is below it as a folder"
        )
        self.name = name


class MemberNames:
    """The names of one wheel's files, in 8 bytes each."""

    def __init__(self, *, folds: bool = True) -> None:
        """Without ``folds``, only equal names are one, as on the file systems of Linux."""
        self._folds = folds
        self._key = folded if folds else str
        self._files = PathSet()
        self._folder = ""

    def add(self, name: str) -> None:
        """Add the name of a file."""
        self._files.add(self._key(name))

    def add_plain(self, names: Iterable[str]) -> None:
        """Add the names of files that have only ASCII characters."""
        self._files.add_all(map(str.lower, names) if self._folds else names)

    def check_files(self, names: Iterable[str]) -> None:
        """Raise NameCollision if two files have one name.

        ``names`` are all that were added, read again to find which they are.
        """
        if repeated := self._files.repeated():
            seen = set[str]()
            for name in names:
                key = self._key(name)
                if key in seen:
                    raise NameCollision(name)
                if key in repeated:
                    seen.add(key)

    def check_folders(self, name: str) -> None:
        """Raise NameCollision if a file has the name of a folder above the member ``name``.

        Members of one folder follow each other, so the folder that was checked last is not checked
        again.
        """
        folder = name.rpartition("/")[0]
        if folder != self._folder:
            last, above = f"{self._folder}/", folder
            while above and not last.startswith(f"{above}/"):
                if self._key(above) in self._files:
                    raise NameCollision(above)
                above = above.rpartition("/")[0]
            self._folder = folder


def folded(name: str) -> str:
    """Return a text that is equal for all names that some file system takes for one (canonical
    caseless matching, Unicode Standard, 3.13, D145).
    """
    if name.isascii():
        return name.lower()
    # Imported late: none of 994 real wheels has such a name.
    from unicodedata import normalize  # noqa: PLC0415

    return normalize("NFC", normalize("NFD", name).casefold())
