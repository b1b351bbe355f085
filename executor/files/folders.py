"""Folders: that of a lock; one that is made with all above it, and taken away again where that was
for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["made_folder", "remove_tree", "write_spool"]


@contextmanager
def made_folder(path: str) -> Iterator[None]:
    """Make ``path``; if the body fails, remove those folders of it that were made and are empty.

    Raises OSError.
    """
    made = []
    missing = path
    while not os.path.lexists(missing):
        made.append(missing)
        missing = os.path.dirname(missing)
    try:
        os.makedirs(path, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):
                os.rmdir(folder)
        raise


def remove_tree(path: str) -> None:
    """Remove a folder of ours with all that is in it, as far as that is possible.

    It opens one folder at a time: ``shutil.rmtree`` opens one for each level, and gives up where
    too many open files were the reason to tidy up.
    """
    for place, folders, files in os.walk(path, topdown=False):
        for name in files:
            with suppress(OSError):
                os.unlink(os.path.join(place, name))
        for name in folders:
            folder = os.path.join(place, name)
            with suppress(OSError):
                (os.unlink if os.path.islink(folder) else os.rmdir)(folder)
    with suppress(OSError):
        os.rmdir(path)


def write_spool(path: str, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` to a new file. Raises OSError and what ``chunks`` raises."""
    with open(path, "xb", buffering=0) as file:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]
