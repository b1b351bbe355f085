"""Digests of source folders, by which a change of their content shows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

from executor import digest_file, left_out_of

__all__ = ["digest_of_tree"]


def digest_of_tree(folder: str) -> str:
    """Return the SHA-256 of the names, modes and contents of the files that a build reads.

    Raises OSError.
    """
    digest = hashlib.sha256()
    for path in _files(folder):
        described = f"{os.path.relpath(path, folder)}\0{os.access(path, os.X_OK)}\0"
        if os.path.islink(path):
            digest.update(os.fsencode(described + os.readlink(path)))
        elif os.path.isfile(path):  # no socket or pipe; a build does not see them
            digest.update(os.fsencode(described))
            with suppress(PermissionError):
                digest.update(digest_file(path).digest)
    return digest.hexdigest()


def _files(folder: str) -> Iterator[str]:
    is_left_out = left_out_of(folder)
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git" and not is_left_out(name))
        yield from (os.path.join(place, name) for name in sorted(names))
