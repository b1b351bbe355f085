"""Check the files of a wheel against its RECORD, in any order and in constant memory.

"Installation will fail if any file in the archive is not both mentioned and correctly hashed in
RECORD" (https://packaging.python.org/specifications/binary-distribution-format/). If the user
waives the hashes, the manifest has none, but names and sizes are still compared.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, TextIO

from executor.archive.unzip import MAX_MEMBERS
from executor.files.path_set import PathSet
from executor.wheels.dist_info import DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.manifest import FileRecord, Manifest, ManifestRow
from executor.wheels.multiset_hash import MultisetHash
from executor.wheels.records import (
    InvalidRecord,
    RecordRow,
    read_rows,
    record_row,
)
from schemas.digests import encode_digest
from schemas.wheel import InvalidMemberName, check_member_name

__all__ = ["MAX_RECORD_SIZE", "hashed_files", "recorded_files", "verify_record"]


MAX_RECORD_SIZE = 64 << 20
"""Bytes; the largest real RECORD has 4.4 MB."""


_MAX_LINE = 4096
"""Characters of a line of RECORD: a name of 1024 bytes, a digest, a size, and quotes."""


_MAX_ROWS = MAX_MEMBERS + 10
"""More rows than a wheel may have members."""


_MAX_REPEATED = 1000
"""Files listed twice whose rows are compared, to name one whose rows differ."""


_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""The files that RECORD cannot state a hash of."""


_DIGEST = re.compile(rb",sha256=[\w-]{43},(?=[0-9]+$)", re.MULTILINE)
"""The SHA-256 in a row."""


_SPELLED = re.compile(
    r"^([^,\"\r\n]+),(?:sha256=[\w-]{42}[AEIMQUYcgkosw048],(0|[1-9][0-9]*)|,)\r?$",
    re.ASCII | re.MULTILINE,
)
"""A row spelled as ``record_row`` does, or one without digest and size: 32 bytes leave the last two
bits of their base64 unused."""


_BLOCK = 64 << 10
"""Bytes read at once of a file that is hashed."""


_ROWS = 8 << 10
"""Bytes of RECORD read at once; split into rows, they take three times that."""


_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors that are the fault of the wheel; a failing disk raises others."""


def verify_record(info: DistInfo, manifest: Manifest) -> None:
    """Raise WheelRefused, and name the file, if RECORD and the files of the wheel differ."""
    member, exempt = info.member("RECORD"), _exempt(info)
    try:
        # Most wheels spell all rows as record_row does, so they can be compared unparsed.
        if manifest.rows_hash == _rows_hash_as_spelled(info, manifest, exempt):
            return
        stated = _rows_hash_of_exempt(info, manifest)
        for path, sha256, size in _stated_rows(info, manifest, exempt):
            stated.add(record_row(path, encode_digest(sha256), size).encode())
    except InvalidRecord as error:
        raise info.refused(str(error), member) from None
    if manifest.rows_hash != stated:
        raise _find_fault(info, manifest, exempt)


def recorded_files(info: DistInfo) -> Iterator[FileRecord]:
    """Yield every file of a verified wheel except RECORD itself, in RECORD order.

    Digests come from RECORD; for the files that it may not state them of they are computed.
    """
    for path in _signatures_of(info):
        if path != info.member("RECORD") and info.tree.is_file(path):
            _, sha256, found = _hash_staged(info, path, "sha256")
            yield _file(path, sha256, found)
    exempt = _exempt(info)
    with _opened(info) as file:
        # Most rows are spelled as record_row does, and copied unparsed.
        yield from _files_as_spelled(file.buffer, exempt)
        for path, algorithm, digest, size in _rows_of_files(info, exempt, _lines(info, file)):
            # Folders need no row, and their files may have been removed by now.
            if not path.endswith("/"):
                found = _size_of_staged(info, path) if size is None else size
                yield _file(path, digest, found, algorithm)


def _files_as_spelled(record: BinaryIO, exempt: set[str]) -> Iterator[FileRecord]:
    """Yield the files of a verified RECORD but the ``exempt`` ones, many rows at once; leave it at
    the first row that is spelled otherwise, or at a row before that.
    """
    start, rest = 0, b""
    while block := record.read(_ROWS):
        data, end, rest = (rest + block).rpartition(b"\n")
        rows, found = data.split(b"\n"), _SPELLED.findall(data.decode())
        if len(found) < len(rows):
            break
        for row, (path, size) in zip(rows, found, strict=True):
            if size and path not in exempt and path[-1] != "/":
                yield path, row.rstrip(b"\r"), int(size)
        start += len(data) + len(end)
    record.seek(start)


def hashed_files(info: DistInfo, manifest: Manifest) -> Iterator[FileRecord]:
    """Yield every file of a wheel whose RECORD is wrong, with a computed digest."""
    for name, _, _ in manifest.records():
        _, sha256, size = _hash_staged(info, name, "sha256")
        yield _file(name, sha256, size)


def _file(path: str, digest: bytes, size: int, algorithm: str = "sha256") -> FileRecord:
    return path, record_row(path, encode_digest(digest), size, algorithm).encode(), size


def _exempt(info: DistInfo) -> set[str]:
    return {info.member(name) for name in _SIGNATURES}


def _signatures_of(info: DistInfo) -> list[str]:
    """Return those of the exempt names that the wheel has."""
    return [info.member(name) for name in _SIGNATURES if name in info.names]


def _rows_hash_of_exempt(info: DistInfo, manifest: Manifest) -> MultisetHash:
    """Return the hash of the rows of the files that RECORD need not state a hash of."""
    rows_hash = manifest.rows_hash.empty()
    for name in _signatures_of(info):
        if info.tree.is_file(name):
            _, sha256, size = _hash_staged(info, name, "sha256")
            digest = encode_digest(sha256 if manifest.is_hashed else b"")
            rows_hash.add(record_row(name, digest, size).encode())
    return rows_hash


def _rows_hash_as_spelled(
    info: DistInfo, manifest: Manifest, exempt: set[str]
) -> MultisetHash | None:
    """Return the hash of the lines of RECORD as they are spelled, without those of exempt files.

    None if a line is too long, or has no digest though the manifest has none.
    """
    without = {b"", *(f"{name},,".encode() for name in exempt)}
    with _opened(info) as text:
        file, rest = text.buffer, b""
        rows_hash = _rows_hash_of_exempt(info, manifest)
        while block := file.read(_ROWS):
            data, _, rest = (rest + block).replace(b"\r\n", b"\n").rpartition(b"\n")
            if len(rest) > _MAX_LINE or not _add_rows(rows_hash, data, without, manifest):
                return None
        return rows_hash if _add_rows(rows_hash, rest, without, manifest) else None


def _add_rows(
    rows_hash: MultisetHash, data: bytes, without: set[bytes], manifest: Manifest
) -> bool:
    """Add the rows of ``data`` but those that are in ``without``. If the manifest has no digests,
    leave out theirs, and return whether all of them have one.
    """
    digests = 0
    if not manifest.is_hashed:
        data, digests = _DIGEST.subn(b",sha256=,", data)
    rows = [row for row in data.split(b"\n") if row not in without]
    rows_hash.add_all(rows)
    return manifest.is_hashed or digests == len(rows)


@contextmanager
def _opened(info: DistInfo) -> Iterator[TextIO]:
    """Open RECORD for reading. Raises InvalidRecord if it is missing, too large, or not text."""
    try:
        content = _content(info, info.member("RECORD"))
    except _NO_FILE:
        raise InvalidRecord("it is missing") from None
    with TextIOWrapper(content, "utf-8", newline="") as file:
        held = info.record
        size = os.fstat(file.fileno()).st_size if held is None else len(held)
        if size > MAX_RECORD_SIZE:
            raise InvalidRecord(f"it is larger than {MAX_RECORD_SIZE} bytes")
        try:
            yield file
        except UnicodeDecodeError:
            raise InvalidRecord("it is not UTF-8 text") from None


def _content(info: DistInfo, path: str) -> BinaryIO:
    """Return a file of the wheel, open for reading. Raises OSError."""
    if info.record is not None and path == info.member("RECORD"):
        return BytesIO(info.record)
    return info.tree.open(path)


def _rows_of_files(info: DistInfo, exempt: set[str], lines: Iterable[str]) -> Iterator[RecordRow]:
    """Yield the rows of all files but the exempt ones, and of folders. Raises InvalidRecord."""
    member, rows = info.member("RECORD"), 0
    for row in read_rows(lines):
        if row.path in exempt:
            if row.path == member and row.algorithm:
                raise InvalidRecord("it gives a hash of itself")
            continue
        if (rows := rows + 1) > _MAX_ROWS:
            raise InvalidRecord(f"it has more than {_MAX_ROWS} rows")
        yield row


def _stated_rows(
    info: DistInfo, manifest: Manifest, exempt: set[str]
) -> Iterator[tuple[str, bytes, int]]:
    """Yield path, SHA-256 (empty if the manifest has no digests) and size of each row.

    A row with another secure hash, or without a size, is compared with the staged file here.
    """
    with _opened(info) as file:
        for row in _rows_of_files(info, exempt, _lines(info, file)):
            if _is_for_folder(info, row):
                continue
            path, algorithm, digest, size = row
            if not algorithm:
                raise InvalidRecord(f"its row for {path!r} has no hash")
            if not manifest.is_hashed:
                yield path, b"", _size_of_staged(info, path) if size is None else size
                continue
            if algorithm != "sha256" or size is None:
                same, sha256, found = _hash_staged(info, path, algorithm)
                if same != digest:
                    raise InvalidRecord(f"its {algorithm} of {path!r} differs")
                digest, size = sha256, found if size is None else size
            yield path, digest, size


def _is_for_folder(info: DistInfo, row: RecordRow) -> bool:
    """Return whether a row lists a folder of the wheel, which has no contents to compare.

    meshlib's wheels have such rows.
    """
    if not row.path.endswith("/") or row.size not in (None, 0):
        return False
    try:
        check_member_name(row.path, is_portable=False)
    except InvalidMemberName:
        return False
    return info.tree.is_folder(row.path.rstrip("/"))


def _lines(info: DistInfo, file: TextIO) -> Iterator[str]:
    """Return the lines of RECORD, which raise InvalidRecord if one is too long."""
    held = info.record
    if held is not None and max(map(len, held.split(b"\n"))) < _MAX_LINE - 1:
        return iter(file)
    return _bounded_lines(file)


def _bounded_lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a RECORD that is long, or has a long line."""
    while line := file.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise InvalidRecord(f"it has a line of more than {_MAX_LINE} characters")
        yield line


def _hash_staged(info: DistInfo, path: str, algorithm: str) -> tuple[bytes, bytes, int]:
    """Return the digest of a staged file by ``algorithm``, its SHA-256, and its size in bytes."""
    sha256, size = hashlib.sha256(), 0
    digest = sha256 if algorithm == "sha256" else hashlib.new(algorithm)
    with _staged(info, path) as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            if digest is not sha256:
                digest.update(block)
            size += len(block)
    return digest.digest(), sha256.digest(), size


def _size_of_staged(info: DistInfo, path: str) -> int:
    with _staged(info, path) as file:
        return os.fstat(file.fileno()).st_size


@contextmanager
def _staged(info: DistInfo, path: str) -> Iterator[BinaryIO]:
    """Open the file that a row of RECORD is for. Raises InvalidRecord if the wheel lacks it."""
    try:
        # An absolute path, or one with "..", would lead outside of the wheel.
        check_member_name(path, is_portable=False)
        with _content(info, path) as file:
            yield file
    except (*_NO_FILE, InvalidMemberName):
        raise InvalidRecord(f"its row for {path!r} is for no file of the wheel") from None


def _find_fault(info: DistInfo, manifest: Manifest, exempt: set[str]) -> WheelRefused:
    """Return the error that names the row that differs; it keeps 24 bytes per row meanwhile."""
    member = info.member("RECORD")
    rows, paths, held = PathSet(), PathSet(), PathSet()
    for path, sha256, size in _stated_rows(info, manifest, exempt):
        paths.add(path)
        rows.add(record_row(path, encode_digest(sha256), size))
    repeated = paths.repeated()
    first: dict[str, tuple[bytes, int]] = {}
    for path, sha256, size in _stated_rows(info, manifest, exempt) if repeated else ():
        known = path not in repeated or len(first) == _MAX_REPEATED
        if not known and first.setdefault(path, (sha256, size)) != (sha256, size):
            return info.refused(f"two rows for {path!r} differ", member)
    for row in manifest.files():
        if row.name in exempt:
            continue
        held.add(row.name)
        if row.name not in paths:
            return info.refused("RECORD does not list it", row.name)
        if row.record not in rows:
            return _describe_difference(info, manifest, row, exempt)
    for path, _, _ in _stated_rows(info, manifest, exempt):
        if path not in held:
            return info.refused(f"it lists what the wheel does not hold: {path!r}", member)
    return info.refused("it lists a file twice", member)


def _describe_difference(
    info: DistInfo, manifest: Manifest, row: ManifestRow, exempt: set[str]
) -> WheelRefused:
    """Return the error that says how the last row of RECORD for a member differs from ``row``."""
    stated = [found for found in _stated_rows(info, manifest, exempt) if found[0] == row.name]
    _, sha256, size = stated[-1]
    if size != row.size:
        return info.refused(f"RECORD gives it {size} bytes, it has {row.size}", row.name)
    return info.refused(
        f"its sha256 is {row.digest}, RECORD states {encode_digest(sha256)}",
        row.name,
    )
