"""The list of what was read and written of one wheel, a row per member; many rows go to disk.

The rows are written in the order of the archive and read back in that order twice: to compare them
with the central directory, and to write the new RECORD. So a wheel of 100,000 members costs no more
memory than one of a thousand.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from io import BufferedRandom, BytesIO
from itertools import chain, pairwise
from struct import Struct
from typing import BinaryIO, NamedTuple, Self

from executor.files.held_folder import HeldFolder
from executor.wheels.multiset_hash import MultisetHash
from schemas.zipformat import CentralEntry, InvalidZip

__all__ = [
    "MAX_HELD",
    "MAX_REPEATS",
    "ROW_SIZE",
    "FileRecord",
    "Manifest",
    "ManifestRow",
    "pack_row",
    "read_row",
    "unpack_row",
]


FileRecord = tuple[str, bytes, int]
"""A file, its row in RECORD as ``record_row`` spells it, and its size in bytes."""


MAX_REPEATS = 1000
"""Members that a wheel may hold twice if the user waives that check; zeroconf 0.47.1 has 33."""


_ROW = Struct("<LQQQHHHH")


_QUOTE = ord('"')


_NAME = "manifest"
"""Name of the file for as long as it has one."""


_BLOCK = 32 << 10
"""Bytes of rows that are read at once, and those of the last member."""


ROW_SIZE = _ROW.size
"""Bytes of a packed row before its record."""


unpack_row = _ROW.unpack_from
"""Returns the fields of a packed row: CRC, compressed size, size, offset, flags, method, and two
lengths in bytes: of the name, as its record spells it between quotes, and of the record."""


pack_row = _ROW.pack
"""Takes the same fields, and returns the packed row without its record."""


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

    def __init__(self, folder: HeldFolder, *, is_hashed: bool = True) -> None:
        """``folder`` gets a file without a name if the rows do not fit in memory; ``is_hashed``
        says whether the rows have a digest.
        """
        self.is_hashed = is_hashed
        self.rows_hash = MultisetHash()
        """The hash of the RECORD rows of all files, each file once."""
        self._folder = folder
        self._file: BinaryIO = BytesIO()
        self._size = 0
        self._ends = array("Q", [0])
        """Where blocks of rows begin and end in the file."""
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
        name, flags, method, crc, compressed_size, size, offset, text = row
        record = text.encode()
        if name[-1] != "/" and offset not in self._repeats:
            self.rows_hash.add(record)
        length = len(name.replace('"', '""').encode())
        self._write(
            pack_row(crc, compressed_size, size, offset, flags, method, length, len(record))
            + record
        )

    def append_files(self, packed: Sequence[bytes], records: Sequence[bytes]) -> None:
        """Add the rows of further files, none of which is a repeat: as ``pack_row`` packs them,
        each with its record, and the records alone.
        """
        self.rows_hash.add_all(records)
        self._write(b"".join(packed))

    def _write(self, rows: bytes) -> None:
        self._file.write(rows)
        was_held = self._size <= MAX_HELD
        self._size += len(rows)
        if self._size - self._ends[-1] >= _BLOCK:
            self._ends.append(self._size)
        if was_held and self._size > MAX_HELD:
            self._spill()

    def _spill(self) -> None:
        held, self._file = self._file, BufferedRandom(self._folder.create(_NAME))
        # Without a name the file is removed however this process ends.
        self._folder.unlink(_NAME)
        held.seek(0)
        while block := held.read(_BLOCK):
            self._file.write(block)

    def files(self) -> Iterator[ManifestRow]:
        """Return the rows of all files, each file once."""
        repeats = self._repeats
        return (row for row in self.rows() if row[0][-1] != "/" and row[6] not in repeats)

    def records(self) -> Iterator[FileRecord]:
        """Yield name, row in RECORD and size of all files, each file once."""
        repeats = self._repeats
        for block in self.blocks():
            begin, end = 0, len(block)
            while begin < end:
                _, _, size, offset, _, _, length, record_size = unpack_row(block, begin)
                at = begin + ROW_SIZE
                begin = at + record_size
                record = block[at:begin]
                # A quoted name is cut elsewhere, which may be within a character.
                is_quoted = record[0] == _QUOTE
                name = _name_in(record, length) if is_quoted else record[:length].decode()
                if name[-1] != "/" and offset not in repeats:
                    yield name, record, size

    def rows(self) -> Iterator[ManifestRow]:
        """Yield all rows in the order of the archive. Do not append while this runs."""
        for block in self.blocks():
            begin = 0
            while begin < len(block):
                row, begin = read_row(block, begin)
                yield row

    def blocks(self) -> Iterator[bytes]:
        """Yield all rows in the order of the archive, packed, in blocks of whole rows.

        Do not append while this runs.
        """
        self._file.seek(0)
        for begin, end in pairwise(chain(self._ends, [self._size])):
            yield self._file.read(end - begin)


def read_row(block: bytes, begin: int) -> tuple[ManifestRow, int]:
    """Return the row that is packed in ``block`` at ``begin``, and where the next one begins."""
    crc, compressed_size, size, offset, flags, method, length, record_size = unpack_row(
        block, begin
    )
    at = begin + ROW_SIZE
    record = block[at : at + record_size]
    name = _name_in(record, length)
    row = ManifestRow(
        name, flags, method, crc, compressed_size, size, offset, record.decode()
    )  # fmt: skip
    return row, at + record_size


def _name_in(record: bytes, length: int) -> str:
    """Return the name that a row in RECORD begins with, spelled there in ``length`` bytes."""
    if record[0] != _QUOTE:
        return record[:length].decode()
    return record[1 : length + 1].decode().replace('""', '"')


def _spelled(value: object) -> str:
    return repr(value) if isinstance(value, str) else f"{value:d}"
