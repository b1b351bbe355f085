"""Verify the files of a wheel against its RECORD, in any order and in constant memory.

"Installation will fail if any file in the archive is not both mentioned and correctly hashed in
RECORD" (https://packaging.python.org/specifications/binary-distribution-format/).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from executor.distinfo import DistInfo
from executor.errors import WheelRefused
from executor.ledger import Ledger, Row
from executor.pathset import PathSet
from executor.records import InvalidRecord, Promise, encode_digest, read_promises, record_row
from executor.tally import Tally
from executor.unzip import MAX_MEMBERS
from schemas.wheel import InvalidMemberName, check_member_name

__all__ = ["MAX_RECORD_SIZE", "verify_record"]

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

_BLOCK = 64 << 10
"""Bytes read at once of a file that is hashed."""

_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""What is the fault of the wheel; a disk that fails is not."""


def verify_record(info: DistInfo, ledger: Ledger) -> None:
    """Hold every file of the wheel to the row that RECORD has for it, and RECORD to the files.

    Raises WheelRefused and names the file.
    """
    member = info.member("RECORD")
    exempt = {info.member(name) for name in _SIGNATURES}
    try:
        # Most wheels spell all rows as we do, which need not be taken apart to be compared.
        if ledger.tally == _tally_as_spelled(info, ledger, exempt):
            return
        promised = _tally_of_exempt(info, ledger, exempt)
        for path, sha256, size in _promised_rows(info, exempt):
            promised.add(record_row(path, encode_digest(sha256), size))
    except InvalidRecord as error:
        raise info.refused(str(error), member) from None
    if ledger.tally != promised:
        raise _name_record_fault(info, ledger, exempt)


def _tally_of_exempt(info: DistInfo, ledger: Ledger, exempt: set[str]) -> Tally:
    """The tally of the files that RECORD need not promise."""
    tally = ledger.tally.empty()
    for name in exempt:
        if os.path.isfile(info.path(name)):
            _, sha256, size = _hash_staged(info, name, "sha256")
            tally.add(record_row(name, encode_digest(sha256), size))
    return tally


def _tally_as_spelled(info: DistInfo, ledger: Ledger, exempt: set[str]) -> Tally:
    """The tally of the lines of RECORD as they stand, but for those without a promise."""
    without = {f"{name},," for name in exempt}
    with _opened(info) as file:
        tally = _tally_of_exempt(info, ledger, exempt)
        for line in _lines(file):
            row = line.rstrip("\r\n")
            if row and row not in without:
                tally.add(row)
    return tally


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


def _promised_rows(info: DistInfo, exempt: set[str]) -> Iterator[tuple[str, bytes, int]]:
    """Path, SHA-256 and size of each row that RECORD promises.

    A row with another secure hash, or without a size, is compared with the staged file here.
    """
    member, rows = info.member("RECORD"), 0
    with _opened(info) as file:
        for promise in read_promises(_lines(file)):
            if (rows := rows + 1) > _MAX_ROWS:
                raise InvalidRecord(f"it has more than {_MAX_ROWS} rows")
            if promise.path in exempt:
                if promise.path == member and promise.algorithm:
                    raise InvalidRecord("it gives a hash of itself")
                continue
            if _is_for_folder(info, promise):
                continue
            if not promise.algorithm:
                raise InvalidRecord(f"its row for {promise.path!r} has no hash")
            digest, size = promise.digest, promise.size
            if promise.algorithm != "sha256" or size is None:
                same, sha256, found = _hash_staged(info, promise.path, promise.algorithm)
                if same != digest:
                    raise InvalidRecord(f"its {promise.algorithm} of {promise.path!r} differs")
                digest, size = sha256, found if size is None else size
            yield promise.path, digest, size


def _is_for_folder(info: DistInfo, promise: Promise) -> bool:
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
    try:
        # An absolute path, or one with "..", would be read outside of the wheel.
        check_member_name(path)
        with open(info.path(path), "rb") as file:
            while block := file.read(_BLOCK):
                wanted.update(block)
                sha256.update(block)
                size += len(block)
    except (*_NO_FILE, InvalidMemberName):
        raise InvalidRecord(f"its row for {path!r} is for no file of the wheel") from None
    return wanted.digest(), sha256.digest(), size


def _name_record_fault(info: DistInfo, ledger: Ledger, exempt: set[str]) -> WheelRefused:
    """Which row makes the tallies differ; 8 bytes are remembered of each, three times."""
    member = info.member("RECORD")
    rows, paths, held = PathSet(), PathSet(), PathSet()
    for path, sha256, size in _promised_rows(info, exempt):
        paths.add(path)
        rows.add(record_row(path, encode_digest(sha256), size))
    repeated = paths.repeated()
    first: dict[str, tuple[bytes, int]] = {}
    for path, sha256, size in _promised_rows(info, exempt) if repeated else ():
        known = hash(path) not in repeated or len(first) == _MAX_REPEATED
        if not known and first.setdefault(path, (sha256, size)) != (sha256, size):
            return info.refused(f"two rows for {path!r} differ", member)
    for row in ledger.rows():
        if row.is_directory or row.name in exempt:
            continue
        held.add(row.name)
        if row.name not in paths:
            return info.refused("RECORD does not list it", row.name)
        if row.record not in rows:
            return _name_difference(info, row, exempt)
    for path, _, _ in _promised_rows(info, exempt):
        if path not in held:
            return info.refused(f"it lists what the wheel does not hold: {path!r}", member)
    return info.refused("it lists a file twice", member)


def _name_difference(info: DistInfo, row: Row, exempt: set[str]) -> WheelRefused:
    """What the last row of RECORD for a member says otherwise."""
    found = [
        (sha256, size) for path, sha256, size in _promised_rows(info, exempt) if path == row.name
    ]
    sha256, size = found[-1]
    if size != row.size:
        return info.refused(f"RECORD gives it {size} bytes, it has {row.size}", row.name)
    return info.refused(
        f"its sha256 is {row.sha256}, RECORD promises {encode_digest(sha256)}",
        row.name,
    )
