"""Compare the entries of a central directory with the rows of the members, many at once.

Most entries state what the rows state, of regular files without extra fields; one loop compares
those as they are, without an object for an entry. It stops before any other entry, which the code
for all entries reads.
"""

from __future__ import annotations

import stat

from executor.archive.unzip import ForwardZip
from executor.files.held_folder import HeldFolder
from executor.wheels.manifest import ROW_SIZE, Manifest, ManifestRow, read_row, unpack_row
from executor.wheels.member_names import MemberNames, NameCollision
from schemas.zipformat import (
    CENTRAL_HEADER,
    CENTRAL_SIGNATURE,
    CREATED_ON_UNIX,
    UNKNOWN_32,
    VERSION_READABLE,
)

__all__ = ["PlainEntries"]


_HEADER_SIZE = CENTRAL_HEADER.size


_TYPE, _FILE, _EXECUTABLE = 0o170000, stat.S_IFREG, 0o111
"""The bits of a mode that tell the type, those of a regular file, and those to execute it."""


class PlainEntries:
    """The rows of a manifest, read along with the entries of its archive."""

    def __init__(
        self, archive: ForwardZip, manifest: Manifest, names: MemberNames, tree: HeldFolder
    ) -> None:
        """The files are unpacked in ``tree``. Close it when all entries are read."""
        self._archive = archive
        self._blocks = manifest.blocks()
        self._names = names
        self._tree = tree
        self._block = b""
        self._begin = 0
        self._folder = ""
        self._open: HeldFolder | None = None
        """The folder of the last file that was made executable: many libraries are in one."""

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def make_executable(self, name: str) -> None:
        """Let every user execute the file of a member. Raises OSError."""
        folder, _, last = name.rpartition("/")
        if self._open is None or folder != self._folder:
            self.close()
            self._folder, self._open = folder, self._tree.inner(folder)
        self._open.make_executable(last)

    def row(self) -> ManifestRow | None:
        """Return the row of the next member; None after the last."""
        if not self._has_row():
            return None
        row, self._begin = read_row(self._block, self._begin)
        return row

    def _has_row(self) -> bool:
        """Hold a block with the next row in it; return whether there is one."""
        while self._begin == len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block, self._begin = block, 0
        return True

    def pass_equal(self) -> None:
        """Read the entries at hand, and their rows, up to the first that is not plain or differs.

        Files that are executable are made so. Raises OSError.
        """
        chunk, start = self._archive.reader.chunk()
        at, size = start, len(chunk)
        prefix, cut = b"\0", 1
        block, begin, rows_end = self._block, self._begin, len(self._block)
        while at + _HEADER_SIZE <= size:
            if begin == rows_end:
                self._begin = begin
                if not self._has_row():
                    break
                block, begin, rows_end = self._block, 0, len(self._block)
            (
                signature, made_by, version, flags, method, _, _, crc, packed, unpacked,
                name_size, extra, comment, disk, _, attributes, offset,
            ) = CENTRAL_HEADER.unpack_from(chunk, at)  # fmt: skip
            *stated, record_size = unpack_row(block, begin)
            mode = attributes >> 16 if made_by >> 8 == CREATED_ON_UNIX else 0
            row_at = begin + ROW_SIZE
            name = chunk[at + _HEADER_SIZE : at + _HEADER_SIZE + name_size]
            if (
                stated != [crc, packed, unpacked, offset, flags, method, name_size]
                or name != block[row_at : row_at + name_size]
                or signature != CENTRAL_SIGNATURE or version & 0xFF > VERSION_READABLE
                or extra or comment or disk or name[-1:] == b"/"
                or UNKNOWN_32 in (packed, unpacked, offset) or mode & _TYPE not in (0, _FILE)
            ):  # fmt: skip
                break
            if name[:cut] != prefix or b"/" in name[cut:]:
                try:
                    self._names.check_folders(name.decode())
                except NameCollision:
                    break
                cut = name.rfind(b"/") + 1
                prefix = name[:cut]
            if mode & _EXECUTABLE:
                self.make_executable(name.decode())
            begin = row_at + record_size
            at += _HEADER_SIZE + name_size
            self._archive.count += 1
        self._begin = begin
        self._archive.reader.skip(at - start)
