"""The readers of untrusted bytes, and what must hold for any bytes.

Each takes any bytes. It raises AssertionError if an invariant is broken, and lets everything
through that is not the error it is documented to raise. ``make`` makes bytes that are nearly right.
"""

from __future__ import annotations

import ast
import csv
import io
import struct
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from unicodedata import normalize
from unittest.mock import patch

from executor.archive import unzip
from executor.archive.chunk_reader import Truncated
from executor.archive.unzip import ForwardZip
from executor.sources.client import HttpClient
from executor.sources.connection import HttpConnection
from executor.sources.errors import Unreachable
from executor.wheels.manifest import ManifestRow
from executor.wheels.records import InvalidRecord, read_rows
from executor.wheels.scripts import InvalidEntryPoint, check_script_name, read_entry_points, wrapper
from helpers import (
    advisory_readers,
    build_readers,
    client_readers,
    input_readers,
    response_readers,
    service_readers,
    state_readers,
)
from helpers.answer_bytes import BETWEEN, AnswerBytes
from helpers.archives import Descriptor, Member, build_archive, zip64_extra
from helpers.environments import chunked
from schemas.blocks import scan_blocks
from schemas.errors import InvalidLockText
from schemas.lock import parse_block, parse_header, parse_package
from schemas.zipformat import InvalidZip

__all__ = ["READERS", "Reader"]

MOST = 4 << 20
"""Bytes that are unpacked of one archive."""


@dataclass(frozen=True, slots=True)
class Reader:
    name: str
    read: Callable[[bytes], None]
    make: Callable[[Random], bytes]
    cases: int = 1500
    """Cases of the suite; fewer for a reader that writes files."""


# Archives.


def _unzipped(chunks: Iterable[bytes]) -> list[tuple[str, bytes]] | None:
    """Return the members; None if the archive is refused, or unpacks to too much for a test."""
    archive, found, rows, total = ForwardZip(chunks), [], [], 0
    try:
        for member in archive.members():
            content = member.whole()
            pieces = []
            for piece in member.pieces() if content is None else [content]:
                total += len(piece)
                if total > MOST:
                    return None
                pieces.append(piece)
            found.append((member.name, b"".join(pieces)))
            rows.append(_row_of(member))
        entries = list(archive.central_entries())
        assert len(entries) == len(found)
    except (InvalidZip, Truncated):  # NotStreamable is an InvalidZip
        return None
    if any(row.difference(entry) for row, entry in zip(rows, entries, strict=True)):
        return None
    return found


def _row_of(member: unzip.Member) -> ManifestRow:
    header = member.header
    return ManifestRow(
        member.name, header.flags, header.method, member.crc, member.compressed_size, member.size,
        member.offset, "",
    )  # fmt: skip


def read_archive(data: bytes) -> None:
    """However it arrives it is read the same; and what is accepted, zipfile reads the same."""
    found = _unzipped(iter([data]))
    assert _unzipped(chunked(data, 1 + len(data) % 61)) == found
    if found is None:
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        assert [info.filename.partition("\0")[0] for info in infos] == [
            name.partition("\0")[0] for name, _ in found
        ]
        for info, (_, content) in zip(infos, found, strict=True):
            if info.compress_type != 93:  # not before Python 3.14
                assert archive.read(info) == content


_NUMBERS = (0, 1, 2, 8, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_FIELDS = (
    "flags",
    "method",
    "crc",
    "compressed_size",
    "size",
    "version",
    "name_size",
    "extra_size",
)
_EXTRAS = (
    b"", b"\0", zip64_extra(3, 3), zip64_extra(3), struct.pack("<HHB", 0x7075, 1, 1),
    struct.pack("<HH", 0x5455, 9), struct.pack("<HH", 0xCAFE, 0),
)  # fmt: skip


def make_archive(rng: Random) -> bytes:
    """Members of all forms, with up to three lies, and now and then a byte of noise."""
    members = [_member(rng, number) for number in range(rng.randrange(4))]
    options: dict[str, object] = {}
    if rng.random() < 0.3:
        options["zip64"] = True
    for _ in range(rng.randrange(4)):
        _lie(rng, members, options)
    archive = build_archive(members, **options)  # type: ignore[arg-type]
    return _damaged(rng, archive) if rng.random() < 0.3 else archive


def _member(rng: Random, number: int) -> Member:
    name = rng.choice(["a", "b/", "c/d.py", "\u00e4", "a", f"m{number}"])
    data = b"" if name.endswith("/") else rng.choice([b"", b"abc", bytes(300), rng.randbytes(40)])
    descriptor = None
    if rng.random() < 0.3:
        descriptor = Descriptor(signed=rng.random() < 0.5, wide=rng.random() < 0.3)
    mode = 0o040755 if name.endswith("/") else 0o100644
    method = rng.choice([0, 8, 8, 93])
    return Member(name, data, method, mode, descriptor=descriptor, zip64=rng.random() < 0.2)


def _lie(rng: Random, members: list[Member], options: dict[str, object]) -> None:
    value = rng.choice(_NUMBERS)
    if members and rng.random() < 0.7:
        place = rng.randrange(len(members))
        where = rng.choice(["headers", "local", "central"])
        field = rng.choice([*_FIELDS, "offset", "disk", "extra", "external"])
        lie: object = rng.choice(_EXTRAS) if field == "extra" else value
        if field in {"flags", "method", "version", "name_size", "extra_size", "disk"}:
            lie = value & 0xFFFF
        lies: dict[str, Any] = {where: {field: lie}}
        members[place] = replace(members[place], **lies)
        return
    kind = rng.choice(["prefix", "gap", "suffix", "comment", "end", "zip64_end", "locator"])
    if kind in {"prefix", "gap", "suffix", "comment"}:
        options[kind] = rng.choice([b"\0", b"PK\x03\x04", b"PK\x05\x06", bytes(64), b"x"])
    elif kind == "locator":
        options[kind] = {rng.choice(["offset", "disk", "disks"]): value}
    else:
        field = rng.choice(["entries", "entries_here", "size", "offset", "disk"])
        options[kind] = {field: value & 0xFFFF}


def _damaged(rng: Random, data: bytes) -> bytes:
    if not data:
        return b"PK"
    place = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        case 2:
            return data[:place] + rng.randbytes(3) + data[place:]
        case _:
            return data[:place] + data[place + rng.randrange(1, 9) :]


# RECORD.


def read_record(data: bytes) -> None:
    """Its rows are those that the csv module finds."""
    text = data.decode(errors="replace")
    try:
        rows = list(read_rows(io.StringIO(text, newline="")))
    except InvalidRecord:
        return
    found = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    assert [row.path for row in rows] == [row[0] for row in found]
    for row in rows:
        assert row.size is None or row.size >= 0
        assert bool(row.algorithm) == bool(row.digest)


def make_record(rng: Random) -> bytes:
    """Rows with good and bad hashes."""
    return _lines(rng, [
        "a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0",
        '"a,b",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,',
        "x/RECORD,,", "/a,,", "../a,md5=AAAA,1", 'a"b,,', '"', "", "a", "a,b,c,d", "a,sha256,1",
        "a,sha256=,1", "a,=,1", "a,sha256=!,\u0661", "a,,-1", "a,,1e9", "a,,\u00b2",
        "a,sha512=" + "A" * 86 + ",7", "\0,,", "\ufeffa,,",
    ])  # fmt: skip


# Entry points.


def read_scripts(data: bytes) -> None:
    """Commands have names that stay in their folder, and their scripts do one call."""
    try:
        entries = list(read_entry_points(data.decode(errors="replace")))
    except InvalidEntryPoint:
        return
    for entry in entries:
        check_script_name(entry.name)
        assert "/" not in entry.name
        assert "\\" not in entry.name
        tree = ast.parse(wrapper(entry, "/bin/python"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        # As Python reads identifiers (https://docs.python.org/3/reference/lexical_analysis.html).
        assert [node.module for node in imports] == [normalize("NFKC", entry.module)]
        assert len(list(ast.walk(tree))) < 60 + 4 * entry.attribute.count(".")


def make_scripts(rng: Random) -> bytes:
    """Sections and lines of all kinds."""
    return _lines(rng, [
        "[console_scripts]", "[gui_scripts]", "[DEFAULT]", "[x", "[]", "a = b:c", "a=b:c [x]",
        "a = b.c:d.e", "a: b:c", "../a = b:c", "a = b", "a = :", "a = b:c;d", " b:c", "\ta = b:c",
        "a = import:b", "a = b:c()", "python = a:b", "%(x)s = a:b", "a = %(b)s:c", "# a", "; a",
        "a = b:c ; d", "a", "= b", "a = \u00e9:\u00e8", "a = \ufb01:b", "a\0 = b:c", "[[a]]",
    ])  # fmt: skip


# Blocks of a lock.


def read_lock(data: bytes) -> None:
    """Check that the blocks hold what tomllib finds in the whole, and that errors are our own."""
    whole: dict[str, object] | None
    try:
        whole = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        whole = None
    try:
        blocks = list(scan_blocks(chunked(data, 1 + len(data) % 61)))
        header, *others = map(parse_block, blocks)
    except InvalidLockText:
        return
    tables = [table for table, block in zip(others, blocks[1:], strict=True) if block.is_package]
    if any(set(table) - {"tool"} for table in others if table not in tables):
        return  # LockReader refuses it
    for table in tables:
        try:
            parse_package(table, 1)
        except InvalidLockText:
            continue
    with suppress(InvalidLockText):
        parse_header(header)
    if whole is not None and "packages" not in header:
        assert tables == whole.get("packages", [])


_LOCK = """\
lock-version = "1.0"
environments = ["os_name == 'x'"]
requires-python = ">=3.9"
extras = ["e"]
dependency-groups = ["g"]
default-groups = ["g"]
created-by = "x"

[[packages]]
name = "a"
version = "1.0"
marker = "'e' in extras"
requires-python = ">=3.9"
dependencies = [{name = "b"}]
index = "https://x.example/simple"
attestation-identities = [{kind = "GitHub", repository = "a/a"}]
sdist = {name = "a-1.0.tar.gz", url = "https://x.example/a-1.0.tar.gz", hashes = {sha256 = "00"}}
wheels = [
  {name = "a-1.0-py3-none-any.whl", url = "https://x.example/w", size = 3, hashes = {sha256 = "0"}},
  {path = "a-1.0-1-cp312-abi3-linux_x86_64.whl", upload-time = 2026-01-01T00:00:00Z, hashes = {}},
  {url = "https://x.example/a-1.0-py3-none-any-cuda13.whl", hashes = {sha256 = "0"}},
]
[packages.tool.lockstream]
wheels = {"a-1.0-py3-none-any.whl" = {unpacked-size = 9, files = 1}}

[[packages]]
name = "b"
[packages.vcs]
type = "git"
url = "https://x.example/b.git"
requested-revision = "main"
commit-id = "1111111111111111111111111111111111111111"
subdirectory = "s"

[[packages]]
name = "c"
directory = {path = "../c", editable = true}

[[packages]]
name = "d"
[packages.archive]
url = "https://x.example/d.zip"
size = 5
hashes = {sha256 = "00", md5 = "1"}

[tool.lockstream]
inputs = {"requirements.in" = "sha256:00"}
"""


def make_lock(rng: Random) -> bytes:
    """Lines of locks in no order, or a lock with some lines that are missing, twice or others."""
    if rng.random() < 0.5:
        return _lines(rng, _LOCK_LINES)
    lines = []
    for line in _LOCK.splitlines():
        lot = rng.random()
        if lot < 0.06:
            lines.append(rng.choice(_LOCK_LINES))
        if lot > 0.03:
            lines.append(line)
        if lot > 0.98:
            lines.append(line)
    data = "\n".join(lines).encode()
    return _damaged(rng, data) if rng.random() < 0.3 else data


_LOCK_LINES = (
    'lock-version = "1.0"', 'created-by = "x"', "[[packages]]", "[[ 'packages' ]] # x",
    'name = "a"', 'version = "1"', "[packages.archive]", "[[packages.wheels]]", "[tool.x]",
    'url = "https://x.example/a-1-py3-none-any.whl"', "size = 3", "size = -3", "size = 3.0",
    'hashes = {sha256 = "00"}', "hashes = {}", '"""', "'''", 'x = """', "x = [", "]", "{", "}",
    "packages = []", "packages = [{name = 'a'}]", "a.b = 1", 'marker = "os_name == \'x\'"',
    "[[packages]", "[packages]", "x = 1979-05-27", "x = 99999999999999999999", "x = inf",
    'requires-python = ">=3"', 'wheels = [{name = "a-1-py3-none-any.whl", size = -1}]',
    "environments = [\"os_name == 'y'\"]", "x = '\\u0000'", "\ufeff", "x = 1\r",
)  # fmt: skip


def _lines(rng: Random, lines: Sequence[str]) -> bytes:
    end = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    data = "".join(rng.choice(lines) + end for _ in range(rng.randrange(9))).encode()
    return _damaged(rng, data) if rng.random() < 0.3 else data


# Answers to a request and to its continuations.

CONTENT = bytes(range(100))


def read_answers(data: bytes) -> None:
    """Bytes come at most once and in their order, or there is an error of ours."""
    answers: Iterator[bytes] = iter(data.split(BETWEEN))

    class Connection(HttpConnection):
        def open(self) -> None:
            self.sock = AnswerBytes(next(answers, b""))

    client = HttpClient()
    received = b""
    with (
        patch("executor.sources.sender.connect", lambda *_: Connection(("x.example", 80), None)),
        patch("time.sleep"),
    ):
        try:
            for chunk in client.fetch("http://x.example/x", len(CONTENT)):
                received += chunk
                if len(received) > len(CONTENT):
                    return  # whoever counts stops here
            assert len(received) == len(CONTENT)
        except Unreachable:
            assert len(received) <= len(CONTENT)
    client.close()


def make_answers(rng: Random) -> bytes:
    """Yield up to four answers; each mostly starts at a place at which the one before might end."""
    return BETWEEN.join(_answer(rng) for _ in range(rng.randrange(1, 5)))


def _answer(rng: Random) -> bytes:
    start = rng.choice([0, 0, 10, 50, 99, 100, 101])
    status = rng.choice([200, 200, 206, 206, 206, 204, 301, 302, 304, 404, 416, 429, 503, 999])
    heads = [
        f"Content-Length: {rng.choice([0, 100 - start, 100, 5, 10**30, -1])}",
        f"Content-Range: bytes {start}-99/100",
        f"Content-Range: bytes {start}-{rng.choice([0, 99, 10**40])}/*",
        "Content-Range: bytes " + "9" * 5000 + "-99/100",
        "Content-Range: bytes */100",
        'ETag: "1"', 'ETag: W/"1"', 'ETag: "2"', "Content-Encoding: gzip", "Content-Encoding: br",
        "Transfer-Encoding: chunked", "Location: /y", "Location: //[", "Location: ",
        "Retry-After: 1", "Retry-After: " + "9" * 999, "Connection: close",
        "Content-Type: text/html",
        "Content-Length: 100\r\nContent-Length: 5", " folded", "no colon", "X: " + "x" * 70000,
    ]  # fmt: skip
    chosen = rng.sample(heads, rng.randrange(5))
    end = rng.choice([100, 100, 100, 50, 99, start])
    body = CONTENT[start:end]
    if "Transfer-Encoding: chunked" in chosen and rng.random() < 0.7:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = "\r\n".join([f"HTTP/1.1 {status} X", *chosen, "", ""]).encode()
    answer = head + body
    return _damaged(rng, answer) if rng.random() < 0.2 else answer


READERS = (
    Reader("archive", read_archive, make_archive),
    Reader("record", read_record, make_record),
    Reader("entry points", read_scripts, make_scripts),
    Reader("lock", read_lock, make_lock),
    Reader("answers", read_answers, make_answers),
    Reader("response", response_readers.read_response, response_readers.make_response),
    Reader(
        "index answers", client_readers.read_index_answers, client_readers.make_index_answers, 400
    ),
    Reader(
        "requirements file", input_readers.read_requirements_file, input_readers.make_requirements
    ),
    Reader("project", input_readers.read_project, input_readers.make_project),
    Reader("script", input_readers.read_script, input_readers.make_script),
    Reader("journal", state_readers.read_journal, state_readers.make_journal, 400),
    Reader("staged wheel", state_readers.read_staged, state_readers.make_staged, 400),
    Reader("run log", state_readers.read_run_log, state_readers.make_run_log, 400),
    Reader("cache entry", state_readers.read_cache_entry, state_readers.make_cache_entry, 400),
    Reader("source archive", build_readers.read_source, build_readers.make_source, 400),
    Reader("hook answer", build_readers.read_answer, build_readers.make_answer, 400),
    Reader("page", service_readers.read_page, service_readers.make_page, 400),
    Reader("metadata", service_readers.read_metadata, service_readers.make_metadata, 400),
    Reader("address", service_readers.read_address, service_readers.make_address, 400),
    Reader(
        "configuration", service_readers.read_configuration, service_readers.make_configuration, 100
    ),
    Reader("advisory", advisory_readers.read_advisory, advisory_readers.make_advisory),
    Reader("advisories", advisory_readers.read_database_file, advisory_readers.make_database, 400),
    Reader("foreign lock", service_readers.read_foreign_lock, make_lock, 400),
)
