"""A wheel that is unpacked and finished on the target's file system."""

from __future__ import annotations

import os
from dataclasses import field

from executor.wheels.layout import Layout
from schemas.data_class import frozen
from schemas.wheel import Scheme

__all__ = ["DATA", "TREE", "StagedWheel"]


TREE = "tree"
"""The folder of a staged wheel that holds the files of its root scheme."""


DATA = "data"
"""The folder of a staged wheel that holds a folder for each other scheme."""


@frozen
class StagedWheel:
    """A wheel that only has to be moved into place. A transaction owns it and its folder."""

    filename: str
    folder: str
    """Absolute path of the folder that holds it."""
    dist_info: str
    """Name of its dist-info folder below ``tree``."""
    root: Scheme
    """The scheme of everything outside of the data folder."""
    files: int
    bytes: int
    """Number and total size of the files to install."""
    startup: tuple[str, ...] = ()
    """Names of its ``.pth`` files, which make Python run code whenever it starts."""
    warnings: tuple[str, ...] = ()
    """Warnings for the user, as sentences."""
    has_data: bool = False
    """Whether there is a folder with a folder for each other scheme."""
    record: str = field(default="", compare=False)
    """Digest of its RECORD, as RECORD spells digests."""
    seal: str = field(default="", compare=False)
    """Seal of its RECORD (``files.seals``), by which it is known that this program wrote it."""
    is_reused: bool = False
    """Whether an earlier run staged it."""

    # Everything below is computed, not stored: there may be a thousand staged wheels.

    @property
    def name(self) -> str:
        """The name of its folder."""
        return os.path.basename(self.folder)

    @property
    def layout(self) -> Layout:
        """The layout that follows from its file name."""
        return Layout.of(self.filename)

    @property
    def tree(self) -> str:
        """Absolute path of the folder that holds the files of the root scheme."""
        return os.path.join(self.folder, TREE)

    @property
    def data(self) -> str:
        """Absolute path of the folder with a folder for each other scheme; it may be absent."""
        return os.path.join(self.folder, DATA)
