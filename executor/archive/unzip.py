"""Read a zip archive forwards, once: its members in their order, then the central directory.

The archive must be ``local header + data`` from its first byte on, without gaps, then the central
directory, then the end records, then nothing. All of 994 real wheels have this shape, and two
unzip programs could read any other shape differently. Source: PKWARE APPNOTE 6.3.10, 4.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct

from executor.archive.chunk_reader import ChunkReader
from executor.archive.inflate import MAX_OUTPUT, contents, crc32, whole
from executor.budget.budget import History
from schemas.zip_end import (
    END_RECORD,
    END_SIGNATURE,
    ZIP64_END_RECORD,
    ZIP64_END_SIGNATURE,
    ZIP64_LOCATOR,
    EndRecord,
    parse_end_record,
    parse_zip64_end_record,
    parse_zip64_locator,
)
from schemas.zipformat import (
    CENTRAL_FIELDS,
    CENTRAL_SIGNATURE,
    DESCRIPTOR_SIGNATURE,
    LOCAL_FIELDS,
    LOCAL_SIGNATURE,
    CentralEntry,
    InvalidZip,
    LocalHeader,
    central_entry,
    local_header,
)

__all__ = [
    "MAX_MEMBERS",
    "MAX_TRAILING_ZEROS",
    "ForwardZip",
    "Member",
    "read_central_entry",
    "resolve_end",
]


MAX_MEMBERS = 200_000
"""The largest real wheel has 39,913 (homeassistant 2025.1.4)."""


MAX_TRAILING_ZEROS = 64
"""Bytes of padding that some private indexes append to the archive (astral-sh/uv#15451)."""


_DESCRIPTOR_32 = Struct("<LLL")


_DESCRIPTOR_64 = Struct("<LQQ")


class Member:
    """One member: its header, and its contents, which are read once, before the next member.

    The ``ForwardZip`` that yields it owns it.
    """

    __slots__ = (
        "_entry", "_history", "_reader", "compressed_size", "crc", "finished", "header", "offset",
        "size",
    )  # fmt: skip

    def __init__(
        self,
        reader: ChunkReader,
        header: LocalHeader,
        offset: int,
        entry: CentralEntry | None = None,
        history: History | None = None,
    ) -> None:
        """``entry`` is its entry of the central directory, if that was read before; ``history``
        limits the memory that reading it takes.
        """
        self._reader = reader
        self._history = history
        self._entry = entry if entry is not None and entry.offset == offset else None
        self.header = header
        self.offset = offset
        """Of the local header, in bytes from the start of the archive."""
        self.crc = self.size = self.compressed_size = 0
        """CRC and sizes (bytes) of what was really read; complete once all is read."""
        self.finished = False
        """Whether all contents were read and checked."""

    @property
    def name(self) -> str:
        """The path inside of the archive."""
        return self.header.name

    def whole(self) -> bytes | None:
        """Return the contents at once if they are small, in one chunk and intact, as most are.

        None if ``pieces`` must be read instead.
        """
        header = self.header
        _, _, method, crc, compressed_size, size = header
        if size > MAX_OUTPUT or header.has_descriptor:
            return None
        data = self._reader.at_hand(compressed_size)
        content = None if data is None else whole(data, method, size)
        if content is None or crc32(content, 0) != crc:
            return None
        self._reader.skip(compressed_size)
        self.crc, self.size, self.compressed_size = crc, size, compressed_size
        self.finished = True
        return content

    def pieces(self) -> Iterator[bytes]:
        """Yield the contents, and at their end check them against what the archive states.

        Raises InvalidZip, WindowTooLarge and Truncated.
        """
        header, reader = self.header, self._reader
        start = reader.offset
        expected = None if header.has_descriptor else header.size
        compressed_size = None if header.has_descriptor else header.compressed_size
        if compressed_size is None and self._entry is not None:
            compressed_size = self._entry.compressed_size
        crc, size = 0, 0
        for piece in contents(reader, header.method, compressed_size, self._history):
            size += len(piece)
            if expected is not None and size > expected:
                raise InvalidZip(f"it unpacks to more than the {expected} bytes it states")
            crc = crc32(piece, crc)
            yield piece
        self.crc, self.size, self.compressed_size = crc, size, reader.offset - start
        if header.has_descriptor:
            self._check_descriptor()
        elif size != header.size:
            raise InvalidZip(f"it unpacks to {size} bytes, not to the {header.size} it states")
        elif crc != header.crc:
            raise InvalidZip(f"its CRC is {crc:08x}, not the {header.crc:08x} it states")
        self.finished = True

    def _check_descriptor(self) -> None:
        """Check the data descriptor, which has a signature or none, and sizes of four or of eight
        bytes (APPNOTE 4.3.9): of these forms, the one that states what was read.

        The local header states zeros (4.4.4) or the same figures; otherwise a program that trusts
        the header would read another member. Raises InvalidZip and Truncated.
        """
        reader, header = self._reader, self.header
        found = (self.crc, self.compressed_size, self.size)
        stated = (header.crc, header.compressed_size, header.size)
        if any(told not in (0, read) for told, read in zip(stated, found, strict=True)):
            raise InvalidZip("its header and its data descriptor state different figures")
        data = reader.exactly(_DESCRIPTOR_32.size)
        if data[:4] == DESCRIPTOR_SIGNATURE:
            # Without a signature, data[:4] is a CRC that may look like one.
            if _DESCRIPTOR_32.unpack(data) == found:
                return
            data = data[4:] + reader.exactly(4)
        for form in (_DESCRIPTOR_32, _DESCRIPTOR_64):
            if len(data) < form.size:
                data += reader.exactly(form.size - len(data))
            if form.unpack(data) == found:
                if form is _DESCRIPTOR_32 and self.size == 0:
                    self._skip_rest_of_descriptor()
                return
        raise InvalidZip("its data descriptor does not state what was read")

    def _skip_rest_of_descriptor(self) -> None:
        """Read the rest of a long descriptor of an empty member, if it is a long one.

        It begins like the short form; then come zeros, which no signature begins with.
        """
        ahead = self._reader.exactly(4)
        if ahead == bytes(4):
            ahead = self._reader.exactly(4)
            if ahead != bytes(4):
                raise InvalidZip("its data descriptor does not state what was read")
        else:
            self._reader.give_back(ahead)


class ForwardZip:
    """A zip archive that is read from ``chunks`` in one pass; the unpacking of one wheel owns it.

    Read all ``members``, each one's pieces to the end, then all ``central_entries``. Both raise
    InvalidZip if the archive breaks a rule, NotStreamable if a member cannot be read without its
    central entry, and Truncated if the archive is cut short.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        directory: Iterable[CentralEntry] | None = None,
        history: History | None = None,
    ) -> None:
        """``directory`` are the central entries, if they could be read before; ``history`` limits
        the memory that reading a member takes.
        """
        self._history = history
        self.reader = ChunkReader(chunks)
        """Of the bytes of the archive, for code that reads members or entries itself."""
        self._directory = iter(() if directory is None else directory)
        self.count = 0
        """Of the members, then of the entries, that were read."""
        self._members = 0
        self._signature = b""
        self._directory_offset = 0

    @property
    def offset(self) -> int:
        """The number of bytes read so far."""
        return self.reader.offset

    def members(self) -> Iterator[Member]:
        """Yield the members in the order of the archive."""
        reader = self.reader
        while True:
            offset = reader.offset
            self._signature = reader.exactly(4)
            if self._signature != LOCAL_SIGNATURE:
                reader.give_back(self._signature)
                break
            if self.count >= MAX_MEMBERS:
                raise InvalidZip(f"it holds more than {MAX_MEMBERS} members")
            self.count += 1
            fields = reader.fields(LOCAL_FIELDS)
            name = reader.exactly(fields[8])
            extra = reader.exactly(fields[9]) if fields[9] else b""
            entry = next(self._directory, None)
            header = local_header(fields, name, extra)
            member = Member(reader, header, offset, entry, self._history)
            yield member
            if not member.finished:
                for _ in member.pieces():
                    pass
        self._directory_offset = offset
        self._members, self.count = self.count, 0

    def central_entries(self) -> Iterator[CentralEntry]:
        """Yield the entries of the central directory in its order; after the last one, check the
        end of the archive.
        """
        reader = self.reader
        while (signature := reader.exactly(4)) == CENTRAL_SIGNATURE:
            self.count += 1
            yield read_central_entry(reader)
        self._signature = signature
        if self._signature not in (ZIP64_END_SIGNATURE, END_SIGNATURE):
            raise self._misplaced()
        if self.count != self._members:
            raise InvalidZip(
                f"it holds {self._members} members, but its central directory lists {self.count}"
            )
        self._read_end(
            EndRecord(
                self._members, reader.offset - 4 - self._directory_offset, self._directory_offset
            )
        )

    def _read_end(self, found: EndRecord) -> None:
        reader = self.reader
        zip64: EndRecord | None = None
        if self._signature == ZIP64_END_SIGNATURE:
            offset = reader.offset - 4
            zip64 = parse_zip64_end_record(
                ZIP64_END_SIGNATURE + reader.exactly(ZIP64_END_RECORD.size - 4)
            )
            if parse_zip64_locator(reader.exactly(ZIP64_LOCATOR.size)) != offset:
                raise InvalidZip("the locator of the ZIP64 end record points elsewhere")
            self._signature = reader.exactly(4)
        if self._signature != END_SIGNATURE:
            raise self._misplaced()
        end = parse_end_record(END_SIGNATURE + reader.exactly(END_RECORD.size - 4))
        stated = resolve_end(end, zip64)
        if stated != (found.entries, found.directory_size, found.directory_offset):
            raise InvalidZip("its end record does not describe the central directory before it")
        if b"PK" in reader.exactly(end.comment_size):
            raise InvalidZip("its comment could be read as another archive")
        self._check_nothing_follows()

    def _misplaced(self) -> InvalidZip:
        return InvalidZip(
            f"expected a member, an entry or the end at byte {self.reader.offset - 4}, "
            f"found {self._signature!r}"
        )

    def _check_nothing_follows(self) -> None:
        trailing = 0
        while piece := self.reader.some(MAX_TRAILING_ZEROS + 1):
            trailing += len(piece)
            if trailing > MAX_TRAILING_ZEROS or any(piece):
                raise InvalidZip("bytes follow its end")


def read_central_entry(reader: ChunkReader) -> CentralEntry:
    """Read the entry whose signature was just read. Raises InvalidZip and Truncated."""
    fields = reader.fields(CENTRAL_FIELDS)
    name_size, extra_size, comment_size = fields[9:12]
    name = reader.exactly(name_size)
    extra = reader.exactly(extra_size) if extra_size else b""
    if comment_size:
        reader.exactly(comment_size)
    return central_entry(fields, name, extra)


def resolve_end(end: EndRecord, zip64: EndRecord | None) -> tuple[int, int, int]:
    """Return the number of entries, and size and offset of the central directory in bytes, which
    the end records state together (APPNOTE 4.4.1.4). Raises InvalidZip if they contradict.
    """
    if zip64 is None:
        if end.needs_zip64:
            raise InvalidZip("its end record leaves sizes to a ZIP64 end record that is missing")
        return end.entries, end.directory_size, end.directory_offset
    for small, large, unknown in (
        (end.entries, zip64.entries, 0xFFFF),
        (end.directory_size, zip64.directory_size, 0xFFFFFFFF),
        (end.directory_offset, zip64.directory_offset, 0xFFFFFFFF),
    ):
        if small not in (unknown, large):
            raise InvalidZip("its two end records contradict each other")
    return zip64.entries, zip64.directory_size, zip64.directory_offset
