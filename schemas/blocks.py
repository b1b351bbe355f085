"""Split a lock into its header and its ``[[packages]]`` blocks while reading it.

Tables of TOML begin on lines of their own, so a lock can be cut at the lines ``[[packages]]``
without parsing what is between them; only strings and arrays that run over several lines must be
seen as such (https://toml.io/en/v1.0.0#array-of-tables). Each block is then parsed alone, and the
memory a lock costs is that of its largest block, however many it has.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

from schemas.data_class import frozen, with_fields
from schemas.errors import InvalidLockText

__all__ = ["MAX_BLOCK_SIZE", "Block", "LockNotText", "LockTooLarge", "scan_blocks"]

MAX_BLOCK_SIZE = 4 << 20
"""Bytes of one block. The largest real package (grpcio, 400 files a release) takes 0.2 MB; a
lock that lists all packages in one inline array is one block and so may be this large."""

_PACKAGE = re.compile(r"""\s*\[\[\s*(?:packages|"packages"|'packages')\s*\]\]\s*(?:#.*)?$""")
_BELOW_PACKAGE = re.compile(r"""\s*\[\[?\s*(?:packages|"packages"|'packages')\s*\.""")
# A string that is not closed ends with its line: another search must not begin in it.
_TOKEN = re.compile(
    r'"""|' + r"'''" + r'|"(?:[^"\\]|\\.)*+(?:"|$)|' + r"'[^']*(?:'|$)" + r"|#.*|[\[\]{}]"
)
_NESTING = re.compile(r"""[\[\]{}]|\"{3}|'{3}""")
# Up to two quotes may stand before the three that close. Possessive: a long line must not pile up
# places to return to.
_END_OF_BASIC = re.compile(r'(?:[^"\\]|\\.|"(?!""))*+"{3,5}')
_END_OF_LITERAL = re.compile(r"(?:[^']|'(?!''))*+'{3,5}")


@frozen
class Block:
    """A part of a lock that is TOML by itself; yielded by ``scan_blocks``."""

    text: str
    line: int
    """The line of the lock that ``text`` begins with, from 1."""
    is_package: bool
    """Whether it is one ``[[packages]]`` entry; otherwise it is a part of the lock around them."""


@with_fields
class LockNotText(InvalidLockText):
    """A line of the lock is not UTF-8, which TOML requires."""

    line: int
    hint = "TOML files are UTF-8 text; save the file in that encoding"

    def describe(self) -> str:
        return f"line {self.line} is not UTF-8 text"


@with_fields
class LockTooLarge(InvalidLockText):
    """A block is larger than any lock needs."""

    line: int
    limit: int

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the limit
        return (
            "write each package as its own [[packages]] table; "
            f"an inline array is read only up to {self.limit >> 20} MiB"
        )

    def describe(self) -> str:
        return f"the block that begins at line {self.line} is larger than {self.limit} bytes"


def scan_blocks(chunks: Iterable[bytes], *, limit: int = MAX_BLOCK_SIZE) -> Iterator[Block]:
    """Yield the blocks of a lock, in the order of the file.

    ``chunks`` are the bytes of the file, cut anywhere. The first block is always the header, which
    is empty if the file begins with a package. Tables after a package are further blocks.

    Raises LockNotText and LockTooLarge.
    """
    lines: list[str] = []
    size = 0
    first_line = 1
    is_package = False
    nesting = _Nesting()
    for number, raw in _lines(chunks, limit):
        # PowerShell begins a file so, and uv reads it.
        line = _decode(raw.removeprefix(BOM_UTF8) if number == 1 else raw, number)
        if nesting.closed and line.lstrip().startswith("["):
            begins_package = _PACKAGE.match(line) is not None
            # Keys of the header may not follow a package, but other tables may.
            leaves_package = is_package and not begins_package and not _BELOW_PACKAGE.match(line)
            if begins_package or leaves_package:
                yield Block("".join(lines), first_line, is_package)
                lines, size, first_line, is_package = [], 0, number, begins_package
        nesting.read(line)
        lines.append(line)
        size += len(raw)
        if size > limit:
            raise LockTooLarge(first_line, limit)
    yield Block("".join(lines), first_line, is_package)


def _lines(chunks: Iterable[bytes], limit: int) -> Iterator[tuple[int, bytes]]:
    number = 0
    rest = b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            number += 1
            yield number, line + b"\n"
        if len(rest) > limit:
            raise LockTooLarge(number + 1, limit)
    if rest:
        yield number + 1, rest


def _decode(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise LockNotText(number) from None


class _Nesting:
    """The strings and arrays that are open at the end of a line; owned by ``scan_blocks``."""

    def __init__(self) -> None:
        self._depth = 0
        self._quotes = ""

    @property
    def closed(self) -> bool:
        return self._depth == 0 and not self._quotes

    def read(self, line: str) -> None:
        # Nearly all lines of a lock are `key = "value"`: they open nothing.
        if self.closed and not _NESTING.search(line):
            return
        position = 0
        while position < len(line):
            if self._quotes:
                end = self._end_of_string(line, position)
                if end < 0:
                    return
                self._quotes, position = "", end
                continue
            token = _TOKEN.search(line, position)
            if token is None:
                return
            position = token.end()
            match token[0]:
                case '"""' | "'''":
                    self._quotes = token[0]
                case "[" | "{":
                    self._depth += 1
                case "]" | "}":
                    self._depth = max(0, self._depth - 1)

    def _end_of_string(self, line: str, position: int) -> int:
        end = _END_OF_BASIC if self._quotes == '"""' else _END_OF_LITERAL
        closing = end.match(line, position)
        return closing.end() if closing else -1
