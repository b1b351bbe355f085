"""The reader of locks, whichever tool wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from packaging.pylock import Package, Pylock

from planner.inputs.errors import UnreadableInput
from schemas.blocks import Block, scan_blocks
from schemas.errors import InvalidLockText
from schemas.lock import InvalidLock, parse_block, parse_header, parse_package

__all__ = ["parse_lock", "read_lock"]


_CHUNK_SIZE = 1 << 20


def read_lock(path: str) -> Pylock:
    """Return the lock at ``path``.

    Raise UnreadableInput, InvalidLock, UnsupportedLockVersion, LockNotText or LockTooLarge.
    """
    try:
        with open(path, "rb") as file:
            return _parse(iter(lambda: file.read(_CHUNK_SIZE), b""))
    except InvalidLockText as error:
        error.path = path
        raise
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from None


def parse_lock(text: str) -> Pylock:
    """Return the lock of this ``text``.

    Raise InvalidLock, UnsupportedLockVersion, LockNotText or LockTooLarge.
    """
    return _parse([text.encode()])


def _parse(chunks: Iterable[bytes]) -> Pylock:
    document: dict[str, Any] = {}
    packages: list[Package] = []
    for block in scan_blocks(chunks):
        table = parse_block(block)
        if not block.is_package:
            packages += _inline_packages(table, block)
            document.update(table)
        else:
            packages.append(parse_package(table, block.line))
    return replace(parse_header(document), packages=packages)


def _inline_packages(table: dict[str, Any], block: Block) -> Iterator[Package]:
    """Yield packages that are written as an inline array, as TOML allows and few lockers do."""
    tables = table.pop("packages", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise InvalidLock("packages is not an array of tables", block.line)
    for one in tables:
        yield parse_package(one, block.line)
