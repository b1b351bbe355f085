"""The list of what was read and written of one wheel, a row per member; many rows go to disk.

The rows are written in the order of the archive and read back in that order twice: to compare them
with the central directory, and to write the new RECORD. So a wheel of 100,000 members costs no more
memory than one of a thousand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from struct import Struct
from typing import BinaryIO, NamedTuple, Self

from executor.wheels.multiset_hash import MultisetHash
from executor.wheels.records import record_row
from schemas.zipformat import CentralEntry, InvalidZip

__all__ = ["MAX_HELD", "MAX_REPEATS", "Manifest", "ManifestRow"]


MAX_REPEATS = 1000
"""Members that a wheel may hold twice if the user waives that check; zeroconf 0.47.1 has 33."""


_ROW = Struct("<LQQQHHHH")


_BLOCK = 32 << 10
"""Bytes of rows read at once."""


MAX_HELD = 256 << 10
"""Bytes of rows that are held in memory, some 1,800 rows; 9 wheels of 10 have fewer. A short-lived
file is expensive on a file system that discards its blocks at once."""


class ManifestRow(NamedTuple):
    """One member as it was read."""

    name: str
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    offset: int
    record: str
    """The member's row in RECORD, as ``record_row`` returns it."""

    @property
    def is_directory(self) -> bool:
        return self.name.endswith("/")

    @property
    def digest(self) -> str:
        """The digest of its contents, as RECORD spells it after the name of the algorithm."""
        return self.record.rsplit(",", 2)[1].partition("=")[2]

    def at(self, path: str) -> str:
        """Return its row in RECORD for the file at another path."""
        _, digest, _ = self.record.rsplit(",", 2)
        algorithm, _, spelled = digest.partition("=")
        return record_row(path, spelled, self.size, algorithm)

    def difference(self, entry: CentralEntry) -> str | None:
        """Return the first difference to its central directory entry, as a sentence."""
        # Both have their fields in the same order, because there are many rows to compare.
        if self[:7] == entry[:7]:
            return None
        for what, here, there in (
            ("name", self.name, entry.name),
            ("compression method", self.method, entry.method),
            ("flags", self.flags, entry.flags),
            ("CRC", self.crc, entry.crc),
            ("compressed size", self.compressed_size, entry.compressed_size),
            ("size", self.size, entry.size),
            ("offset", self.offset, entry.offset),
        ):
            if here != there:
                return (
                    f"the central directory states {what} {_spelled(there)}, the archive has "
                    f"{_spelled(here)}"
                )
        return None


class Manifest:
    """The rows of one wheel, owned by the code that stages it. Use it as a context manager."""

    def __init__(self, path: str, *, is_hashed: bool = True) -> None:
        """``path`` is the file to create if the rows do not fit in memory; ``is_hashed`` says
        whether the rows have a digest.
        """
        self.is_hashed = is_hashed
        self.rows_hash = MultisetHash()
        """The hash of the RECORD rows of all files, each file once."""
        self._path = path
        self._file: BinaryIO = BytesIO()
        self._held = 0
        self._repeats: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def repeat(self, offset: int) -> None:
        """Note that the next row, of the member at ``offset``, is for the same file as an earlier
        one.

        Raises InvalidZip if there are too many of them.
        """
        if len(self._repeats) == MAX_REPEATS:
            raise InvalidZip(f"the wheel holds more than {MAX_REPEATS} files twice")
        self._repeats.add(offset)

    def append(self, row: ManifestRow) -> None:
        """Add the row of the next member."""
        name, flags, method, crc, compressed_size, size, offset, record = row
        if name[-1] != "/" and offset not in self._repeats:
            self.rows_hash.add(record)
        text = record.encode()
        written = self._file.write(
            _ROW.pack(
                crc, compressed_size, size, offset, flags, method, len(name), len(text)
            )
            + text
        )  # fmt: skip
        if self._held <= MAX_HELD:
            self._held += written
            if self._held > MAX_HELD:
                self._spill()

    def _spill(self) -> None:
        held, self._file = self._file, open(self._path, "w+b")  # noqa: SIM115  # closed by us
        # Without a name the file is removed however this process ends.
        os.unlink(self._path)
        held.seek(0)
        while block := held.read(_BLOCK):
            self._file.write(block)

    def files(self) -> Iterator[ManifestRow]:
        """Return the rows of all files, each file once."""
        repeats = self._repeats
        return (row for row in self.rows() if row[0][-1] != "/" and row[6] not in repeats)

    def rows(self) -> Iterator[ManifestRow]:
        """Yield all rows in the order of the archive. Do not append while this runs."""
        self._file.seek(0)
        rest, begin = b"", 0
        while block := self._file.read(_BLOCK):
            rest, begin = rest[begin:] + block, 0
            while len(rest) - begin >= _ROW.size:
                crc, compressed_size, size, offset, flags, method, length, text_size = (
                    _ROW.unpack_from(rest, begin)
                )
                end = begin + _ROW.size + text_size
                if end > len(rest):
                    break
                record = rest[begin + _ROW.size : end].decode()
                begin = end
                # A name may be in quotes, but never contains one.
                name = record[1 : length + 1] if record[0] == '"' else record[:length]
                yield ManifestRow(name, flags, method, crc, compressed_size, size, offset, record)


def _spelled(value: object) -> str:
    return repr(value) if isinstance(value, str) else f"{value:d}"
