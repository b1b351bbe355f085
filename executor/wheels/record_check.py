"""Verify the files of a wheel against its RECORD, in any order and in constant memory.

"Installation will fail if any file in the archive is not both mentioned and correctly hashed in
RECORD" (https://packaging.python.org/specifications/binary-distribution-format/). Where the user
does without the hashes, the ledger has none: names and sizes are compared all the same.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import BinaryIO, TextIO

from executor.archive.unzip import MAX_MEMBERS
from executor.files.path_set import PathSet
from executor.wheels.dist_info import DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.manifest import Manifest, ManifestRow
from executor.wheels.multiset_hash import MultisetHash
from executor.wheels.records import (
    InvalidRecord,
    RecordRow,
    encode_digest,
    read_promises,
    record_row,
)
from schemas.wheel import InvalidMemberName, check_member_name

__all__ = ["MAX_RECORD_SIZE", "hashed_files", "promised_files", "verify_record"]


MAX_RECORD_SIZE = 64 << 20
"""Bytes; the largest real RECORD has 4.4 MB."""


_MAX_LINE = 4096
"""Characters of a line of RECORD: a name of 1024 bytes, a digest, a size, and quotes."""


_MAX_ROWS = MAX_MEMBERS + 10
"""More than a wheel may have members."""


_MAX_REPEATED = 1000
"""Files that are listed twice and compared, to tell one whose rows differ."""


_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""The files that RECORD cannot hold a hash of."""


_DIGEST = re.compile(r",sha256=[\w-]{43},(?=[0-9]+$)", re.ASCII)
"""The SHA-256 in a row, as it is spelled."""


_SPELLED = re.compile(r"([^,\"\r\n]+),sha256=[\w-]{42}[AEIMQUYcgkosw048],(0|[1-9][0-9]*)", re.ASCII)
"""A row that is spelled as we do: 32 bytes leave the last two bits of their base64 unused."""


_BLOCK = 64 << 10
"""Bytes read at once of a file that is hashed."""


_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""What is the fault of the wheel; a disk that fails is not."""


def verify_record(info: DistInfo, ledger: Manifest) -> None:
    """Hold every file of the wheel to the row that RECORD has for it, and RECORD to the files.

    Raises WheelRefused and names the file.
    """
    member, exempt = info.member("RECORD"), _exempt(info)
    try:
        # Most wheels spell all rows as we do, which need not be taken apart to be compared.
        if ledger.tally == _tally_as_spelled(info, ledger, exempt):
            return
        promised = _tally_of_exempt(info, ledger, exempt)
        for path, sha256, size in _promised_rows(info, ledger, exempt):
            promised.add(record_row(path, encode_digest(sha256), size))
    except InvalidRecord as error:
        raise info.refused(str(error), member) from None
    if ledger.tally != promised:
        raise _name_record_fault(info, ledger, exempt)


def promised_files(info: DistInfo) -> Iterator[ManifestRow]:
    """The files, but RECORD, of a wheel whose RECORD was held to its ledger, with the digests that
    it states, in its order. What it cannot state is computed; what only the archive tells is 0.
    """
    for path in map(info.member, _SIGNATURES[1:]):
        if os.path.isfile(info.path(path)):
            _, sha256, found = _hash_staged(info, path, "sha256")
            yield _file(path, sha256, found)
    exempt = _exempt(info)
    with _opened(info) as file:
        lines = _lines(file)
        for line in lines:
            row = line.rstrip("\r\n")
            # Most rows are spelled as we do, and taken over as they are.
            if not (spelled := _SPELLED.fullmatch(row)) or (path := spelled[1]) in exempt:
                lines = chain((line,), lines)
                break
            if not path.endswith("/"):
                yield ManifestRow(path, 0, 0, 0, 0, int(spelled[2]), 0, row)
        for path, algorithm, digest, size in _promises(info, exempt, lines):
            # Folders need no row, and what was in them may be removed by now.
            if not path.endswith("/"):
                found = _size_of_staged(info, path) if size is None else size
                yield _file(path, digest, found, algorithm)


def hashed_files(info: DistInfo, ledger: Manifest) -> Iterator[ManifestRow]:
    """The files of a wheel whose RECORD cannot be believed, with the digests that they have."""
    for row in ledger.files():
        _, sha256, size = _hash_staged(info, row.name, "sha256")
        yield _file(row.name, sha256, size)


def _file(path: str, digest: bytes, size: int, algorithm: str = "sha256") -> ManifestRow:
    record = record_row(path, encode_digest(digest), size, algorithm)
    return ManifestRow(path, 0, 0, 0, 0, size, 0, record)


def _exempt(info: DistInfo) -> set[str]:
    return {info.member(name) for name in _SIGNATURES}


def _tally_of_exempt(info: DistInfo, ledger: Manifest, exempt: set[str]) -> MultisetHash:
    """The tally of the files that RECORD need not promise."""
    tally = ledger.tally.empty()
    for name in exempt:
        if os.path.isfile(info.path(name)):
            _, sha256, size = _hash_staged(info, name, "sha256")
            digest = encode_digest(sha256 if ledger.is_hashed else b"")
            tally.add(record_row(name, digest, size))
    return tally


def _tally_as_spelled(info: DistInfo, ledger: Manifest, exempt: set[str]) -> MultisetHash:
    """The tally of the lines of RECORD as they stand, but for those without a promise."""
    without = {f"{name},," for name in exempt}
    with _opened(info) as file:
        tally = _tally_of_exempt(info, ledger, exempt)
        for line in _lines(file):
            row = line.rstrip("\r\n")
            if row and row not in without:
                tally.add(row if ledger.is_hashed else _without_digest(row))
    return tally


def _without_digest(row: str) -> str:
    """A row as the ledger has it of a file that was not hashed; nothing where it is spelled
    otherwise.
    """
    bare, digests = _DIGEST.subn(",sha256=,", row)
    return bare if digests else ""


@contextmanager
def _opened(info: DistInfo) -> Iterator[TextIO]:
    """RECORD for reading. Raises InvalidRecord where it cannot be, or is no text."""
    path = info.path(info.member("RECORD"))
    if not os.path.isfile(path):
        raise InvalidRecord("it is missing")
    if os.stat(path).st_size > MAX_RECORD_SIZE:
        raise InvalidRecord(f"it is larger than {MAX_RECORD_SIZE} bytes")
    with open(path, encoding="utf-8", newline="") as file:
        try:
            yield file
        except UnicodeDecodeError:
            raise InvalidRecord("it is not UTF-8 text") from None


def _promises(info: DistInfo, exempt: set[str], lines: Iterable[str]) -> Iterator[RecordRow]:
    """The rows for files that RECORD has to promise, and for folders."""
    member, rows = info.member("RECORD"), 0
    for promise in read_promises(lines):
        if promise.path in exempt:
            if promise.path == member and promise.algorithm:
                raise InvalidRecord("it gives a hash of itself")
            continue
        if (rows := rows + 1) > _MAX_ROWS:
            raise InvalidRecord(f"it has more than {_MAX_ROWS} rows")
        yield promise


def _promised_rows(
    info: DistInfo, ledger: Manifest, exempt: set[str]
) -> Iterator[tuple[str, bytes, int]]:
    """Path, SHA-256 and size of each row that RECORD promises; no bytes where the ledger has no
    digests.

    A row with another secure hash, or without a size, is compared with the staged file here.
    """
    with _opened(info) as file:
        for promise in _promises(info, exempt, _lines(file)):
            if _is_for_folder(info, promise):
                continue
            path, algorithm, digest, size = promise
            if not algorithm:
                raise InvalidRecord(f"its row for {path!r} has no hash")
            if not ledger.is_hashed:
                yield path, b"", _size_of_staged(info, path) if size is None else size
                continue
            if algorithm != "sha256" or size is None:
                same, sha256, found = _hash_staged(info, path, algorithm)
                if same != digest:
                    raise InvalidRecord(f"its {algorithm} of {path!r} differs")
                digest, size = sha256, found if size is None else size
            yield path, digest, size


def _is_for_folder(info: DistInfo, promise: RecordRow) -> bool:
    """Whether a row lists a folder of the wheel, as those of meshlib's wheels do; it holds nothing
    that could be another.
    """
    if not promise.path.endswith("/") or promise.size not in (None, 0):
        return False
    try:
        check_member_name(promise.path)
    except InvalidMemberName:
        return False
    return os.path.isdir(info.path(promise.path))


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_MAX_LINE):
        if len(line) == _MAX_LINE:
            raise InvalidRecord(f"it has a line of more than {_MAX_LINE} characters")
        yield line


def _hash_staged(info: DistInfo, path: str, algorithm: str) -> tuple[bytes, bytes, int]:
    wanted, sha256, size = hashlib.new(algorithm), hashlib.sha256(), 0
    with _staged(info, path) as file:
        while block := file.read(_BLOCK):
            wanted.update(block)
            sha256.update(block)
            size += len(block)
    return wanted.digest(), sha256.digest(), size


def _size_of_staged(info: DistInfo, path: str) -> int:
    with _staged(info, path) as file:
        return os.fstat(file.fileno()).st_size


@contextmanager
def _staged(info: DistInfo, path: str) -> Iterator[BinaryIO]:
    """The file that a row of RECORD is for. Raises InvalidRecord where there is none."""
    try:
        # An absolute path, or one with "..", would be read outside of the wheel.
        check_member_name(path)
        with open(info.path(path), "rb") as file:
            yield file
    except (*_NO_FILE, InvalidMemberName):
        raise InvalidRecord(f"its row for {path!r} is for no file of the wheel") from None


def _name_record_fault(info: DistInfo, ledger: Manifest, exempt: set[str]) -> WheelRefused:
    """Which row makes the tallies differ; 8 bytes are remembered of each, three times."""
    member = info.member("RECORD")
    rows, paths, held = PathSet(), PathSet(), PathSet()
    for path, sha256, size in _promised_rows(info, ledger, exempt):
        paths.add(path)
        rows.add(record_row(path, encode_digest(sha256), size))
    repeated = paths.repeated()
    first: dict[str, tuple[bytes, int]] = {}
    for path, sha256, size in _promised_rows(info, ledger, exempt) if repeated else ():
        known = hash(path) not in repeated or len(first) == _MAX_REPEATED
        if not known and first.setdefault(path, (sha256, size)) != (sha256, size):
            return info.refused(f"two rows for {path!r} differ", member)
    for row in ledger.files():
        if row.name in exempt:
            continue
        held.add(row.name)
        if row.name not in paths:
            return info.refused("RECORD does not list it", row.name)
        if row.record not in rows:
            return _name_difference(info, ledger, row, exempt)
    for path, _, _ in _promised_rows(info, ledger, exempt):
        if path not in held:
            return info.refused(f"it lists what the wheel does not hold: {path!r}", member)
    return info.refused("it lists a file twice", member)


def _name_difference(
    info: DistInfo, ledger: Manifest, row: ManifestRow, exempt: set[str]
) -> WheelRefused:
    """What the last row of RECORD for a member says otherwise."""
    found = [
        promised for promised in _promised_rows(info, ledger, exempt) if promised[0] == row.name
    ]
    _, sha256, size = found[-1]
    if size != row.size:
        return info.refused(f"RECORD gives it {size} bytes, it has {row.size}", row.name)
    return info.refused(
        f"its sha256 is {row.digest}, RECORD promises {encode_digest(sha256)}",
        row.name,
    )
