"""Origin: what a direct reference leads to where that is no distribution: an archive, a repository,
a folder.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from executor import LEFT_OUT

__all__ = ["Fetched"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The source, on this machine."""

    path: str
    """Of an archive or a folder."""
    digest: str
    """SHA-256 of an archive or of all that is in a folder, or the name of a commit."""


def _digest_of_tree(folder: str) -> str:
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(f"{os.path.relpath(path, folder)}\0{os.access(path, os.X_OK)}\0".encode())
        if os.path.islink(path):
            digest.update(os.readlink(path).encode())
            continue
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in {*LEFT_OUT, ".git"})
        yield from (os.path.join(place, name) for name in sorted(names))
