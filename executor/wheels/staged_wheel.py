"""Staged wheel."""

from __future__ import annotations

import os
from dataclasses import dataclass

from executor.wheels.layout import Layout
from schemas.wheel import Scheme

__all__ = ["TREE", "StagedWheel"]


TREE = "tree"


_DATA = "data"
"""The folders of a staged wheel."""


@dataclass(frozen=True, slots=True)
class StagedWheel:
    """A wheel that is complete on the target's file system and only has to be moved into place."""

    filename: str
    folder: str
    """Absolute path of the folder that holds it."""
    dist_info: str
    """Name of its dist-info folder below ``tree``."""
    root: Scheme
    """The scheme that everything outside of the data folder belongs to."""
    files: int
    bytes: int
    """Number and size of all files that will be installed."""
    startup: tuple[str, ...] = ()
    """Names of its files that make Python run code whenever it starts (``.pth``)."""
    warnings: tuple[str, ...] = ()
    """What the user should know of it, as sentences."""
    is_reused: bool = False
    """Whether an earlier run has staged it."""

    # What follows from its fields is not kept: there may be a thousand of them.

    @property
    def layout(self) -> Layout:
        """What its file name promises."""
        return Layout.of(self.filename)

    @property
    def tree(self) -> str:
        """Absolute path of the folder that holds what goes to the root scheme."""
        return os.path.join(self.folder, TREE)

    @property
    def data(self) -> str:
        """Absolute path of the folder of one folder for each other scheme; it may be absent."""
        return os.path.join(self.folder, _DATA)
