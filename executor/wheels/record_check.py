"""Check the files of a wheel against its RECORD, in any order and in constant memory.

"Installation will fail if any file in the archive is not both mentioned and correctly hashed in
RECORD" (https://packaging.python.org/specifications/binary-distribution-format/). If the user
waives the hashes, the manifest has none, but names and sizes are still compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from executor.files.path_set import PathSet
from executor.wheels.dist_info import DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.manifest import FileRecord, Manifest, ManifestRow
from executor.wheels.multiset_hash import MultisetHash
from executor.wheels.records import InvalidRecord, record_row
from executor.wheels.shipped_record import MAX_LINE, ShippedRecord
from schemas.digests import encode_digest

__all__ = ["hashed_files", "recorded_files", "verify_record"]


_MAX_REPEATED = 1000
"""Files listed twice whose rows are compared, to name one whose rows differ."""


_DIGEST = re.compile(rb",sha256=[\w-]{43},(?=[0-9]+$)", re.MULTILINE)
"""The SHA-256 in a row."""


_SPELLED = re.compile(
    r"^([^,\"\r\n]+),(?:sha256=[\w-]{42}[AEIMQUYcgkosw048],(0|[1-9][0-9]*)|,)\r?$",
    re.ASCII | re.MULTILINE,
)
"""A row spelled as ``record_row`` does, or one without digest and size: 32 bytes leave the last two
bits of their base64 unused."""


_ROWS = 8 << 10
"""Bytes of RECORD read at once; split into rows, they take three times that."""


def verify_record(info: DistInfo, manifest: Manifest) -> None:
    """Raise WheelRefused, and name the file, if RECORD and the files of the wheel differ."""
    shipped = ShippedRecord(info)
    try:
        # Most wheels spell all rows as record_row does, so they can be compared unparsed.
        if manifest.rows_hash == _rows_hash_as_spelled(shipped, manifest):
            return
        stated = _rows_hash_of_exempt(shipped, manifest)
        for path, sha256, size in shipped.stated(is_hashed=manifest.is_hashed):
            stated.add(record_row(path, encode_digest(sha256), size).encode())
    except InvalidRecord as error:
        raise info.refused(str(error), shipped.member) from None
    if manifest.rows_hash != stated:
        raise _find_fault(shipped, manifest)


def recorded_files(info: DistInfo) -> Iterator[FileRecord]:
    """Yield every file of a verified wheel except RECORD itself, in RECORD order.

    Digests come from RECORD; for the files that it may not state them of they are computed.
    """
    shipped = ShippedRecord(info)
    for path in shipped.exempt_files():
        if path != shipped.member:
            _, sha256, found = shipped.hashed(path)
            yield _file(path, sha256, found)
    with shipped.opened() as file:
        # Most rows are spelled as record_row does, and copied unparsed.
        yield from _files_as_spelled(file.buffer, shipped.exempt)
        for path, algorithm, digest, size in shipped.rows(file):
            # Folders need no row, and their files may have been removed by now.
            if not path.endswith("/"):
                found = shipped.size_of(path) if size is None else size
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
    shipped = ShippedRecord(info)
    for name, _, _ in manifest.records():
        _, sha256, size = shipped.hashed(name)
        yield _file(name, sha256, size)


def _file(path: str, digest: bytes, size: int, algorithm: str = "sha256") -> FileRecord:
    return path, record_row(path, encode_digest(digest), size, algorithm).encode(), size


def _rows_hash_of_exempt(shipped: ShippedRecord, manifest: Manifest) -> MultisetHash:
    """Return the hash of the rows of the files that RECORD need not state a hash of."""
    rows_hash = manifest.rows_hash.empty()
    for name in shipped.exempt_files():
        _, sha256, size = shipped.hashed(name)
        digest = encode_digest(sha256 if manifest.is_hashed else b"")
        rows_hash.add(record_row(name, digest, size).encode())
    return rows_hash


def _rows_hash_as_spelled(shipped: ShippedRecord, manifest: Manifest) -> MultisetHash | None:
    """Return the hash of the lines of RECORD as they are spelled, without those of exempt files.

    None if a line is too long, or has no digest though the manifest has none.
    """
    without = {b"", *(f"{name},,".encode() for name in shipped.exempt)}
    with shipped.opened() as text:
        file, rest = text.buffer, b""
        rows_hash = _rows_hash_of_exempt(shipped, manifest)
        while block := file.read(_ROWS):
            data, _, rest = (rest + block).replace(b"\r\n", b"\n").rpartition(b"\n")
            if len(rest) > MAX_LINE or not _add_rows(rows_hash, data, without, manifest):
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


def _find_fault(shipped: ShippedRecord, manifest: Manifest) -> WheelRefused:
    """Return the error that names the row that differs; it keeps 24 bytes per row meanwhile."""
    info, is_hashed = shipped.info, manifest.is_hashed
    rows, paths, held = PathSet(), PathSet(), PathSet()
    for path, sha256, size in shipped.stated(is_hashed=is_hashed):
        paths.add(path)
        rows.add(record_row(path, encode_digest(sha256), size))
    repeated = paths.repeated()
    first: dict[str, tuple[bytes, int]] = {}
    for path, sha256, size in shipped.stated(is_hashed=is_hashed) if repeated else ():
        known = path not in repeated or len(first) == _MAX_REPEATED
        if not known and first.setdefault(path, (sha256, size)) != (sha256, size):
            return info.refused(f"two rows for {path!r} differ", shipped.member)
    for row in manifest.files():
        if row.name in shipped.exempt:
            continue
        held.add(row.name)
        if row.name not in paths:
            return info.refused("RECORD does not list it", row.name)
        if row.record not in rows:
            return _describe_difference(shipped, manifest, row)
    for path, _, _ in shipped.stated(is_hashed=is_hashed):
        if path not in held:
            return info.refused(f"it lists what the wheel does not hold: {path!r}", shipped.member)
    return info.refused("it lists a file twice", shipped.member)


def _describe_difference(
    shipped: ShippedRecord, manifest: Manifest, row: ManifestRow
) -> WheelRefused:
    """Return the error that says how the last row of RECORD for a member differs from ``row``."""
    rows = shipped.stated(is_hashed=manifest.is_hashed)
    _, sha256, size = [found for found in rows if found[0] == row.name][-1]
    if size != row.size:
        rule = f"RECORD gives it {size} bytes, it has {row.size}"
    else:
        rule = f"its sha256 is {row.digest}, RECORD states {encode_digest(sha256)}"
    return shipped.info.refused(rule, row.name)
