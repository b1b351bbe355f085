"""The RECORD that a wheel ships, read in bounded memory and compared with its unpacked files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, TextIO

from executor.archive.unzip import MAX_MEMBERS
from executor.files.regular import unmarked_text
from executor.wheels.dist_info import DistInfo
from executor.wheels.records import InvalidRecord, RecordRow, read_rows
from schemas.wheel import InvalidMemberName, check_member_name

__all__ = ["MAX_LINE", "MAX_RECORD_SIZE", "ShippedRecord"]


MAX_RECORD_SIZE = 64 << 20
"""Bytes; the largest real RECORD has 4.4 MB."""


MAX_LINE = 4096
"""Characters of a line of RECORD: a name of 1024 bytes, a digest, a size, and quotes."""


_MAX_ROWS = MAX_MEMBERS + 10
"""More rows than a wheel may have members."""


_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""The files that RECORD cannot state a hash of."""


_BLOCK = 64 << 10
"""Bytes read at once of a file that is hashed."""


_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors that are the fault of the wheel; a failing disk raises others."""


class ShippedRecord:
    """RECORD in the folder ``info`` of a wheel that is unpacked.

    Methods raise InvalidRecord if RECORD or one of its rows is wrong, and OSError.
    """

    def __init__(self, info: DistInfo) -> None:
        self.info = info
        self.member = info.member("RECORD")
        self.exempt = {info.member(name) for name in _SIGNATURES}
        """The files that need no row with a hash."""

    def exempt_files(self) -> list[str]:
        """Return those of the exempt files that the wheel has; RECORD is one if it is a file."""
        names = (self.info.member(name) for name in _SIGNATURES if name in self.info.names)
        return [name for name in names if self.info.tree.is_file(name)]

    @contextmanager
    def opened(self) -> Iterator[TextIO]:
        """Open RECORD for reading."""
        try:
            content = self._content(self.member)
        except _NO_FILE:
            raise InvalidRecord("it is missing") from None
        with unmarked_text(content) as file:
            held = self.info.record
            size = os.fstat(file.fileno()).st_size if held is None else len(held)
            if size > MAX_RECORD_SIZE:
                raise InvalidRecord(f"it is larger than {MAX_RECORD_SIZE} bytes")
            try:
                yield file
            except UnicodeDecodeError:
                raise InvalidRecord("it is not UTF-8 text") from None

    def rows(self, file: TextIO) -> Iterator[RecordRow]:
        """Yield the rows of all files but the exempt ones, and of folders, that follow in the open
        RECORD ``file``.
        """
        count = 0
        for row in read_rows(self._lines(file)):
            if row.path in self.exempt:
                if row.path == self.member and row.algorithm:
                    raise InvalidRecord("it gives a hash of itself")
                continue
            if (count := count + 1) > _MAX_ROWS:
                raise InvalidRecord(f"it has more than {_MAX_ROWS} rows")
            yield row

    def stated(self, *, is_hashed: bool) -> Iterator[tuple[str, bytes, int]]:
        """Yield path, SHA-256 (empty if not ``is_hashed``) and size of each row.

        A row with another secure hash, or without a size, is compared with the staged file here.
        """
        with self.opened() as file:
            for row in self.rows(file):
                if self._is_for_folder(row):
                    continue
                path, algorithm, digest, size = row
                if not algorithm:
                    raise InvalidRecord(f"its row for {path!r} has no hash")
                if not is_hashed:
                    yield path, b"", self.size_of(path) if size is None else size
                    continue
                if algorithm != "sha256" or size is None:
                    same, sha256, found = self.hashed(path, algorithm)
                    if same != digest:
                        raise InvalidRecord(f"its {algorithm} of {path!r} differs")
                    digest, size = sha256, found if size is None else size
                yield path, digest, size

    def hashed(self, path: str, algorithm: str = "sha256") -> tuple[bytes, bytes, int]:
        """Return the digest of a staged file by ``algorithm``, its SHA-256, its size in bytes."""
        sha256, size = hashlib.sha256(), 0
        digest = sha256 if algorithm == "sha256" else hashlib.new(algorithm)
        with self._staged(path) as file:
            while block := file.read(_BLOCK):
                sha256.update(block)
                if digest is not sha256:
                    digest.update(block)
                size += len(block)
        return digest.digest(), sha256.digest(), size

    def size_of(self, path: str) -> int:
        """Return the size of a staged file in bytes."""
        with self._staged(path) as file:
            return os.fstat(file.fileno()).st_size

    def _content(self, path: str) -> BinaryIO:
        """Return a file of the wheel, open for reading. Raises OSError."""
        if self.info.record is not None and path == self.member:
            return BytesIO(self.info.record)
        return self.info.tree.open(path)

    @contextmanager
    def _staged(self, path: str) -> Iterator[BinaryIO]:
        """Open the file that a row is for. Raises InvalidRecord if the wheel lacks it."""
        try:
            # An absolute path, or one with "..", would lead outside of the wheel.
            check_member_name(path, is_portable=False)
            with self._content(path) as file:
                yield file
        except (*_NO_FILE, InvalidMemberName):
            raise InvalidRecord(f"its row for {path!r} is for no file of the wheel") from None

    def _is_for_folder(self, row: RecordRow) -> bool:
        """Return whether a row lists a folder of the wheel, which has no contents to compare.

        meshlib's wheels have such rows.
        """
        if not row.path.endswith("/") or row.size not in (None, 0):
            return False
        try:
            check_member_name(row.path, is_portable=False)
        except InvalidMemberName:
            return False
        return self.info.tree.is_folder(row.path.rstrip("/"))

    def _lines(self, file: TextIO) -> Iterator[str]:
        """Return the lines of RECORD, which raise InvalidRecord if one is too long."""
        held = self.info.record
        if held is not None and max(map(len, held.split(b"\n"))) < MAX_LINE - 1:
            return iter(file)
        return _bounded_lines(file)


def _bounded_lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a RECORD that is long, or has a long line."""
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise InvalidRecord(f"it has a line of more than {MAX_LINE} characters")
        yield line
