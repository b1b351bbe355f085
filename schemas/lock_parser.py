"""Read a lock in one pass: its header first, then its packages one at a time.

Source: https://packaging.python.org/specifications/pylock-toml/. Both phases read locks with it, so
the planner never accepts a lock that the executor refuses. At most one package is in memory, unless
the caller keeps more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from packaging.pylock import Package, Pylock

from schemas.blocks import Block, scan_blocks
from schemas.lock import InvalidLock, parse_block, parse_header, parse_package

__all__ = ["LockParser", "parse_whole"]


class LockParser:
    """One lock that is being read; the caller owns it and reads its packages once.

    ``chunks`` are the bytes of the lock, cut anywhere. With ``keep_tool``, the tool tables that
    follow a package are kept for ``tool``; otherwise they are checked and dropped.

    The constructor and ``packages`` raise InvalidLock, UnsupportedLockVersion, LockNotText and
    LockTooLarge.
    """

    def __init__(self, chunks: Iterable[bytes], *, keep_tool: bool = False) -> None:
        self._blocks = scan_blocks(chunks)
        document = parse_block(next(self._blocks))
        self.header: Pylock = parse_header(document)
        self.tool: dict[str, Any] = dict(self.header.tool or {})
        """The tool table of the lock; complete after the last package."""
        self._keep_tool = keep_tool
        self._inline: Any = document.get("packages")

    def packages(self) -> Iterator[tuple[Package, int]]:
        """Yield the packages in the order of the lock, each with the line at which it begins."""
        in_one_array = self._inline is not None
        empty = not in_one_array
        for table in self._inline_tables():
            yield parse_package(table, 1), 1
        for block in self._blocks:
            table = parse_block(block)
            if block.is_package:
                if in_one_array:
                    # In TOML, nothing can be added to an inline array.
                    raise InvalidLock("it has two packages arrays", block.line)
                empty = False
                yield parse_package(table, block.line), block.line
            else:
                self._add_tool(table, block)
        if empty:
            raise InvalidLock("it has no packages array", line=1)

    def _inline_tables(self) -> list[dict[str, Any]]:
        tables = [] if self._inline is None else self._inline
        if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
            raise InvalidLock("packages is not an array of tables", line=1)
        self._inline = []
        return tables

    def _add_tool(self, table: dict[str, Any], block: Block) -> None:
        """Check a table that follows a package. It may only be ``tool`` (PEP 751)."""
        unknown = sorted(set(table) - {"tool"})
        if unknown:
            raise InvalidLock(f"a lock must not have the table {unknown[0]!r}", block.line)
        tool = table.get("tool", {})
        if not isinstance(tool, dict):
            raise InvalidLock("tool is not a table", block.line)
        if self._keep_tool:
            self.tool = _merged(self.tool, tool, "tool", block.line)


def parse_whole(chunks: Iterable[bytes]) -> Pylock:
    """Return the whole lock. Raises what ``LockParser`` raises."""
    parser = LockParser(chunks, keep_tool=True)
    packages = [package for package, _ in parser.packages()]
    return replace(parser.header, packages=packages, tool=parser.tool or parser.header.tool)


def _merged(
    first: Mapping[str, Any], second: Mapping[str, Any], name: str, line: int
) -> dict[str, Any]:
    """Return the table that both parts of a TOML document define together.

    Raises InvalidLock if both define one value, as TOML demands.
    """
    merged = dict(first)
    for key, value in second.items():
        place = f"{name}.{key}"
        known = merged.get(key)
        if known is None:
            merged[key] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            merged[key] = _merged(known, value, place, line)
        elif isinstance(known, list) and isinstance(value, list):
            merged[key] = [*known, *value]
        else:
            raise InvalidLock(f"not valid TOML: {place} is defined twice", line)
    return merged
