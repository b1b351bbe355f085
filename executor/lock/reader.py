"""Read a lock from disk, one package at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from packaging.pylock import Package, Pylock

from executor.lock.errors import LockUnreadable
from schemas.blocks import Block, scan_blocks
from schemas.errors import InvalidLockText
from schemas.lock import InvalidLock, parse_block, parse_header, parse_package

__all__ = ["LockReader"]


_CHUNK = 64 << 10
"""Bytes read at once; a block is larger only if a package lists more than 200 files."""


class LockReader:
    """The lock at ``path``: its ``header``, and its ``packages``, which can be read once.

    The constructor and ``packages`` raise LockUnreadable and InvalidLockText.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._blocks = scan_blocks(self._chunks())
        with self._located():
            document = parse_block(next(self._blocks))
            self.header: Pylock = parse_header(document)
        self._inline: Any = document.get("packages")

    def packages(self) -> Iterator[tuple[Package, int]]:
        """Yield the packages in the order of the lock, each with the line at which it begins."""
        with self._located():
            in_one_piece = self._inline is not None
            empty = not in_one_piece
            for table in self._inline_tables():
                yield parse_package(table, 1), 1
            for block in self._blocks:
                table = parse_block(block)
                if block.is_package:
                    if in_one_piece:
                        # In TOML, nothing can be added to an inline array.
                        raise InvalidLock("it has two packages arrays", block.line)
                    empty = False
                    yield parse_package(table, block.line), block.line
                else:
                    _check_is_tool(table, block)
            if empty:
                raise InvalidLock("it has no packages array", line=1)

    def _inline_tables(self) -> list[dict[str, Any]]:
        tables = [] if self._inline is None else self._inline
        if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
            raise InvalidLock("packages is not an array of tables", line=1)
        self._inline = []
        return tables

    def _chunks(self) -> Iterator[bytes]:
        try:
            with open(self.path, "rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise LockUnreadable(self.path, os.strerror(error.errno or 0)) from None

    @contextmanager
    def _located(self) -> Iterator[None]:
        try:
            yield
        except InvalidLockText as error:
            error.path = self.path
            raise


def _check_is_tool(table: dict[str, Any], block: Block) -> None:
    """Raise InvalidLock if a table after the packages is not ``tool``, the only one of PEP 751."""
    unknown = sorted(set(table) - {"tool"})
    if unknown:
        raise InvalidLock(f"a lock must not have the table {unknown[0]!r}", block.line)
