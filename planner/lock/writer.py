"""Render a lock and write it to disk.

The text depends on the packages alone: sorted, one block for each, without a count or a date. So
two branches that add different packages merge, and planning twice gives the same bytes.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import tomli_w
from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from executor import (
    NO_END,
    check_output_file,
    held_back,
    open_at_once,
    replaced_place,
    sync_descriptor,
    sync_folder,
)
from planner.lock.errors import SecretInLock
from schemas.errors import NotWritten

__all__ = ["check_output", "render_lock", "write_atomically", "write_lock"]


_HEADING = "[[packages]]\n"

_LONG = 1_000
"""Characters; tomli-w writes no table on one line that has as many."""


MIN_SECRET_SIZE = 8
"""Characters; a shorter secret may appear in a lock by chance."""


def render_lock(lock: Pylock, secrets: Collection[str] = ()) -> str:
    """Return the text of the lock.

    Raise PylockValidationError if it breaks a rule of the standard, and SecretInLock if one of
    ``secrets`` appears in it. No address should have carried it here, so this is the last check.
    """
    document = _table(lock)
    Pylock.from_dict(document)
    text = "\n".join(_blocks(document))
    if any(len(secret) >= MIN_SECRET_SIZE and secret in text for secret in secrets):
        raise SecretInLock
    return text


def _table(lock: object) -> dict[str, Any]:
    """Return what ``Pylock.to_dict`` does, in a tenth of the time: that copies each text."""
    return {
        field.name.replace("_", "-"): _value(content)
        for field in fields(lock)  # type: ignore[arg-type]  # each part is a dataclass
        if (content := getattr(lock, field.name)) is not None
    }


def _value(content: object) -> object:
    if is_dataclass(content):
        return _table(content)
    if isinstance(content, Version | Marker | SpecifierSet):
        return str(content)
    return [_value(each) for each in content] if isinstance(content, list | tuple) else content


def _blocks(document: dict[str, Any]) -> Iterator[str]:
    """Yield the header, then each package by itself, as the reader of the executor expects them."""
    packages = document.pop("packages")
    yield tomli_w.dumps(document if packages else {"packages": [], **document})
    for package in packages:
        block = tomli_w.dumps({"packages": [package]})
        if not block.startswith(_HEADING):
            # A short table would be written on one line, unless another one is long.
            both = tomli_w.dumps({"packages": [package, {"long": "-" * _LONG}]})
            block = both.rpartition(f"\n{_HEADING}")[0]
        assert block.startswith(_HEADING), block
        yield block


def check_output(path: str, inputs: Iterable[str] = ()) -> None:
    """Raise NotWritten if no lock can be written to ``path``, and UsageError if that is one of
    ``inputs``: it is known before the work.
    """
    check_output_file("--output", path, inputs)
    if os.path.islink(path) and not os.path.exists(path):
        nothing = FileNotFoundError(errno.ENOENT, NO_END)
        raise NotWritten(f"{path} cannot be written", nothing, hint="remove the link")


def write_lock(path: str, text: str) -> None:
    """Write a lock as ``write_atomically`` does. Raise NotWritten."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written", error) from None


def write_atomically(path: str, text: str) -> None:
    """Replace the file at ``path`` by one with this text, or leave it as it is.

    Links, devices and pipes are treated as ``replaced_place`` says; a device or a pipe gets the
    text. A file that is replaced keeps its permissions. Raise OSError.
    """
    place = replaced_place(path)
    if place is None:
        with open(path, "w", encoding="utf-8", newline="\n", opener=open_at_once) as file:
            file.write(text)
        return
    # A signal that ends the program at once would leave a part of the text in the folder.
    with held_back():
        _exchange(place, text)


def _exchange(path: str, text: str) -> None:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            with suppress(OSError):  # there is none yet, or the file system has no permissions
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            file.write(text)
            file.flush()
            sync_descriptor(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    # A power cut loses the rename itself unless its folder is written too.
    sync_folder(folder)
