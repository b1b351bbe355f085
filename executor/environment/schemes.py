"""The folders of an environment, one for each scheme of the wheel format.

Source: https://packaging.python.org/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from executor.environment.errors import FolderLeaves
from executor.environment.places import distinct_folders, is_below
from schemas.data_class import frozen
from schemas.wheel import SCHEME_NAMES, Scheme

__all__ = ["STAGING", "Schemes", "record_prefixes"]


STAGING = ".lockstream"
"""Name of the folder in purelib that wheels are staged in. A name that begins with a dot cannot be
imported, and ``importlib.metadata`` ignores one that does not end in ``.dist-info``."""


@frozen
class Schemes:
    """The folders of one environment, as absolute paths. An Interpreter owns them."""

    purelib: str
    platlib: str
    scripts: str
    data: str
    headers: str
    """Each distribution has a folder of its own below it."""
    executable: str
    """The interpreter."""
    launcher: str | None = None
    """The kind of launcher that commands need, such as ``win-amd64``; None if the first line of a
    script is enough."""
    script_python: str = ""
    """The interpreter as scripts name it in their first line, if that is not its path: a name alone
    stands for the program of that name next to the script."""

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the folders that an installation writes below, and that it does not own."""
        return (self.purelib, self.platlib, self.scripts, self.data, self.headers)

    @property
    def packages(self) -> list[str]:
        """Return the folders that hold distributions: purelib, and platlib if it is another place.

        ``lib64`` is a link to ``lib`` in the virtual environments of Fedora, openSUSE and others.
        """
        return distinct_folders((self.purelib, self.platlib))

    @property
    def real(self) -> Schemes:
        """Return the same folders with their real paths, links followed."""
        return replace(
            self,
            purelib=os.path.realpath(self.purelib),
            platlib=os.path.realpath(self.platlib),
            scripts=os.path.realpath(self.scripts),
            data=os.path.realpath(self.data),
            headers=os.path.realpath(self.headers),
        )

    def check(self) -> None:
        """Raise FolderLeaves if a folder that is named below the data folder is in fact elsewhere:
        a link of a checkout would lead wheels to other places of the user.
        """
        data = os.path.realpath(self.data)
        for root in self.roots:
            if is_below(root, [self.data]) and not is_below(real := os.path.realpath(root), [data]):
                raise FolderLeaves(root, f"leads to {real}, which is outside of {self.data}")

    def folder(self, scheme: Scheme, distribution: str) -> str:
        """Return the folder of a scheme for one distribution, whose name is that in its wheel's."""
        if scheme == "headers":
            return os.path.join(self.headers, distribution)
        path: str = getattr(self, scheme)
        return path


def record_prefixes(schemes: Schemes, root: Scheme, distribution: str) -> Mapping[Scheme, str]:
    """Return what a path in RECORD begins with for each scheme. Paths in RECORD are relative to the
    folder of the scheme ``root``, purelib or platlib.
    """
    start = schemes.folder(root, distribution)
    prefixes: dict[Scheme, str] = {
        scheme: _prefix(getattr(schemes, scheme), start) for scheme in SCHEME_NAMES
    }
    prefixes["headers"] += f"{distribution}/"
    return prefixes


# All wheels of an environment have the same few.
@lru_cache(maxsize=16)
def _prefix(folder: str, start: str) -> str:
    """Return what the paths below ``folder`` begin with, relative to the folder ``start``."""
    relative = os.path.relpath(folder, start)
    return "" if relative == os.curdir else relative.replace(os.sep, "/") + "/"
