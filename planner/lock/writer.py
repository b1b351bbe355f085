"""The text of a lock, and how it gets onto disk.

The text is a function of the packages alone: sorted, one block for each, with nothing that counts
or dates them all. So two branches that add different packages merge, and planning twice gives the
same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import tomli_w
from packaging.pylock import Pylock

from planner.lock.errors import SecretInLock

__all__ = ["render_lock", "write_atomically"]


MIN_SECRET_SIZE = 8
"""Characters; what is shorter may stand in a lock by chance."""


def render_lock(lock: Pylock, secrets: Collection[str] = ()) -> str:
    """The text of the lock.

    Raises SecretInLock where one of ``secrets`` would stand in it: nothing should have brought
    them here, so this is the last door.
    """
    text = "\n".join(_blocks(dict(lock.to_dict())))
    if any(len(secret) >= MIN_SECRET_SIZE and secret in text for secret in secrets):
        raise SecretInLock
    return text


def _blocks(document: dict[str, Any]) -> Iterator[str]:
    """The header, then each package by itself, as the reader of the executor takes them."""
    packages = document.pop("packages")
    yield tomli_w.dumps(document if packages else {"packages": [], **document})
    for package in packages:
        block = tomli_w.dumps({"packages": [package]})
        assert block.startswith("[[packages]]\n"), block
        yield block


def write_atomically(path: str, text: str) -> None:
    """Replace the file at ``path`` by one with this text, or leave it as it is.

    Raises OSError.
    """
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    # The rename itself is lost in a power cut unless its folder is written too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
