"""Reading and writing RECORD files.

Source: https://packaging.python.org/specifications/recording-installed-packages/ (the RECORD file).
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedWriter
from typing import NamedTuple, Self

from executor.files.held_folder import HeldFolder
from schemas.digests import SECURE_ALGORITHMS, encode_digest

__all__ = [
    "NEW_SUFFIX",
    "InvalidRecord",
    "RecordRow",
    "RecordWriter",
    "moved_row",
    "read_rows",
    "record_row",
]


NEW_SUFFIX = ".lockstream"
"""Ends the name of a file that will replace another one once it is complete."""


_QUOTED = re.compile('[,"\r\n]')
"""Characters that only a quoted field can hold (https://www.rfc-editor.org/rfc/rfc4180)."""


_DIGEST_SIZES = {name: hashlib.new(name).digest_size for name in SECURE_ALGORITHMS}
"""Bytes, by algorithm."""


class InvalidRecord(ValueError):
    """The RECORD of a wheel is malformed."""


class RecordRow(NamedTuple):
    """One row of a RECORD: what it states about a file."""

    path: str
    algorithm: str
    """Empty if the row gives no digest."""
    digest: bytes
    size: int | None


def read_rows(lines: Iterable[str]) -> Iterator[RecordRow]:
    """Yield the rows of a wheel's RECORD. Raises InvalidRecord with the number of the row."""
    try:
        for number, row in enumerate(csv.reader(lines, strict=True), 1):
            if not row:
                continue
            if len(row) != 3:
                raise InvalidRecord(f"row {number} has {len(row)} fields, not 3")
            path, spelled, size = row
            algorithm, _, digest = spelled.partition("=")
            if spelled and algorithm not in _DIGEST_SIZES:
                raise InvalidRecord(
                    f"row {number} has a hash of {algorithm!r}, which is not secure"
                )
            if size and not (size.isascii() and size.isdigit()):
                raise InvalidRecord(f"row {number} has {size!r} where a size should be")
            found = _decode_digest(digest, algorithm, number)
            if algorithm and len(found) != _DIGEST_SIZES[algorithm]:
                raise InvalidRecord(f"row {number} has a {algorithm} of {len(found)} bytes")
            yield RecordRow(path, algorithm, found, int(size) if size else None)
    except csv.Error as error:
        raise InvalidRecord(f"it is not CSV: {error}") from None


def record_row(path: str, digest: str, size: int, algorithm: str = "sha256") -> str:
    """Return the row of a file in RECORD, without the end of the line.

    ``path`` and ``digest`` are spelled as in RECORD; ``size`` is in bytes.
    """
    return f"{_field(path)},{algorithm}={digest},{size}"


def moved_row(row: str, path: str) -> str:
    """Return a row that ``record_row`` has made, for the same file at another path."""
    return ",".join((_field(path), *row.rsplit(",", 2)[1:]))


def _field(path: str) -> str:
    """Return ``path`` as RECORD spells it."""
    return '"' + path.replace('"', '""') + '"' if _QUOTED.search(path) else path


def _decode_digest(text: str, algorithm: str, number: int) -> bytes:
    """Return the digest that row ``number`` spells as ``text``. Raises InvalidRecord.

    The standard requires URL-safe base64 without padding. gmsh's wheels have hexadecimal digits,
    which are told apart by their number.
    """
    try:
        if len(text) == 2 * _DIGEST_SIZES.get(algorithm, 0):
            return bytes.fromhex(text)
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRecord(f"row {number} has a hash that is not base64") from None


class RecordWriter:
    """A new RECORD, written row by row; it replaces a file of its name when it is complete.

    Use it as a context manager. If an error leaves it, the file before stays as it is.
    """

    def __init__(self, folder: HeldFolder, name: str) -> None:
        """``name`` is its name in ``folder``, under which it lists itself."""
        self.files = 0
        self.bytes = 0
        self._folder = folder
        self._name = name
        self._file = BufferedWriter(folder.create(name + NEW_SUFFIX))
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._write(f"{_field(self._name)},,\n".encode())
            self.files += 1
        self._file.close()
        if kind is None:
            self._folder.rename(self._name + NEW_SUFFIX, self._name)

    def add(self, path: str, sha256: bytes, size: int) -> None:
        """List a file: its path as RECORD spells it, digest of 32 bytes, and size in bytes."""
        self.add_row(record_row(path, encode_digest(sha256), size).encode(), size)

    def add_row(self, row: bytes, size: int) -> None:
        """List a file of ``size`` bytes with a row that ``record_row`` has made."""
        self._write(row + b"\n")
        self.files += 1
        self.bytes += size

    def add_rows(self, rows: Sequence[bytes], size: int) -> None:
        """List files of ``size`` bytes in all with such rows."""
        self._write(b"\n".join((*rows, b"")))
        self.files += len(rows)
        self.bytes += size

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    @property
    def digest(self) -> str:
        """The digest of all that was written, as RECORD spells it."""
        return f"sha256={encode_digest(self._digest.digest())}"
