"""Readers of what an earlier run left on disk, or what came with a checkout: journals, staged
wheels, logs, and entries of caches.

Whatever the bytes are, they are used, refused by an error of lockstream, or count as missing; and
nothing outside of the environment changes.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from unittest.mock import patch

import zstandard
from packaging.utils import canonicalize_name

from executor.builds.wheel_cache import WheelCache
from executor.environment.schemes import Schemes
from executor.files.held_folder import HeldFolder
from executor.lock.step import Step
from executor.transaction.commit import apply, moves_of
from executor.transaction.journal import Journal
from executor.transaction.journal_check import check_journal
from executor.transaction.run_log import RunLog
from executor.transaction.staging import Staging, _digest
from executor.wheels.rules import Rules
from helpers.trees import IN_MEMORY
from planner.index.cache import Cache, PageSeen
from planner.index.http_cache import HttpCache
from planner.index.page_extract import parse_condensed
from planner.metadata.collisions import find_collisions
from planner.metadata.core_metadata import InvalidMetadata, parse_metadata
from planner.metadata.listing import Listing
from planner.metadata.remote_metadata import SizedFile
from planner.planning.answer_cache import AnswerCache, Remembered
from planner.planning.reporter import Reporter, tell
from schemas.errors import LockstreamError
from schemas.text import printable

__all__ = [
    "make_cache_entry",
    "make_journal",
    "make_run_log",
    "make_staged",
    "read_cache_entry",
    "read_journal",
    "read_run_log",
    "read_staged",
]

_ROOT = Path(tempfile.mkdtemp(prefix="readers-", dir=IN_MEMORY))
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)

_SITE = _ROOT / "env" / "site"
_STAGING = _SITE / ".lockstream"
_OUTSIDE = _ROOT / "outside"
_SCHEMES = Schemes(
    purelib=str(_SITE),
    platlib=str(_SITE),
    scripts=str(_ROOT / "env" / "bin"),
    data=str(_ROOT / "env" / "data"),
    headers=str(_ROOT / "env" / "include"),
    executable=str(_ROOT / "env" / "bin" / "python"),
)
_STAGED = "0" * 32


def _fresh_environment() -> None:
    """An environment with one distribution and one staged wheel, next to a folder of somebody's."""
    shutil.rmtree(_ROOT / "env", ignore_errors=True)
    for folder in ("env/bin", "env/data", "env/include", "outside/x-1.dist-info"):
        (_ROOT / folder).mkdir(parents=True, exist_ok=True)
    for path, text in (
        (_OUTSIDE / "file", "kept"),
        (_OUTSIDE / "x-1.dist-info" / "RECORD", "../file,,\nx-1.dist-info/RECORD,,\n"),
        (
            _SITE / "x-1.dist-info" / "RECORD",
            "x.py,,\n../../outside/file,,\n",
        ),
        (_SITE / "x.py", ""),
        (_STAGING / _STAGED / "tree" / "y.py", ""),
        (_STAGING / _STAGED / "tree" / "y-1.dist-info" / "RECORD", "y.py,,\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (_SITE / "away").symlink_to(_OUTSIDE)
    (_STAGING / "way").symlink_to(_OUTSIDE)


def _others() -> dict[str, bytes]:
    """What is next to the environment."""
    found: dict[str, bytes] = {}
    for place, folders, files in os.walk(_OUTSIDE):
        found |= {os.path.join(place, name): b"" for name in folders}
        found |= {os.path.join(place, name): Path(place, name).read_bytes() for name in files}
    return {**found, **{os.path.join(_ROOT, name): b"" for name in os.listdir(_ROOT)}}


# Journals.


def read_journal(data: bytes) -> None:
    """A journal is finished or refused; nothing outside of the environment changes."""
    _fresh_environment()
    before = _others()
    (_STAGING / "journal").write_bytes(data)
    journal = Journal(str(_SITE), "kill")
    with suppress(LockstreamError, OSError), journal.opened():
        check_journal(journal, _SCHEMES)
        apply(journal, _SCHEMES.roots)
    assert _others() == before


_PLACES = (
    "x-1.dist-info", ".", "..", "../..", "../../outside", "away", "away/x-1.dist-info", "../bin",
    "/", "/nonexistent", str(_OUTSIDE), "x.py", "", "\0", "\ud800", "a" * 300, ".lockstream",
    "../../outside/x-1.dist-info", "away/..", "x-1.dist-info/..",
)  # fmt: skip
_SOURCES = (
    f"{_STAGED}/tree", _STAGED, ".", "", "..", "way", "way/x-1.dist-info", "/", str(_OUTSIDE),
    "journal", "aside/0", "\0", f"{_STAGED}/tree/../../way", "\ud800", "../x.py",
)  # fmt: skip
_ODD: tuple[object, ...] = (None, 0, -1, 1e999, True, [], {}, "", [[]], [None], "x" * 99, {"a": []})


def make_journal(rng: Random) -> bytes:
    """Lines of a journal, some of which leave the environment or are none."""
    lines: list[object] = [{"Journal": {"version": 2}}]
    for _ in range(rng.randrange(1, 4)):
        places = [rng.choice(_PLACES) for _ in range(rng.randrange(3))]
        entry: dict[str, object] = (
            {"dist_info": rng.choice(_PLACES), "aside": rng.choice(_SOURCES), "roots": places,
             "keep": [rng.choice(_PLACES)]}
            if rng.random() < 0.5
            else {"source": rng.choice(_SOURCES), "destination": rng.choice(_PLACES),
                  "last": rng.choice([None, "y-1.dist-info", "..", "/"])}
        )  # fmt: skip
        if rng.random() < 0.3:
            entry[rng.choice([*entry, "more"])] = rng.choice(_ODD)
        kind = "Removal" if "aside" in entry else "Move"
        lines.append({kind: entry} if rng.random() > 0.05 else rng.choice(_ODD))
    return _damaged(rng, b"".join(_spelled(line) + b"\n" for line in lines))


# Staged wheels.

_FILENAME = "y-1-py3-none-any.whl"
_BETWEEN = b"\n--\n"


def read_staged(data: bytes) -> None:
    """A staged wheel that is used installs into the environment alone."""
    _fresh_environment()
    with HeldFolder.at(str(_STAGING)) as held:
        _read_staged(data, held)


def _read_staged(data: bytes, held: HeldFolder) -> None:
    staging = Staging(held, _SCHEMES, Rules())
    step = Step(
        name="y", version="1", filename=_FILENAME, url=None, path=None, size=None,
        hashes=(("sha256", "0" * 64),), hints=None, is_direct=False,
    )  # fmt: skip
    folder = _STAGING / staging.name(step)
    (_STAGING / _STAGED).rename(folder)
    complete, _, record = data.partition(_BETWEEN)
    if record:
        (folder / "tree" / "y-1.dist-info" / "RECORD").write_bytes(record)
    # What only this program knows is as it should be, so that what is behind it is read too.
    digest, _ = _digest(held, f"{folder.name}/tree/y-1.dist-info/RECORD")
    (folder / "complete").write_bytes(complete.replace(b'"@"', json.dumps(digest).encode()))
    with patch("executor.transaction.staging.seal_of", lambda _, **__: "seal"):
        wheel = staging.find(step)
    if wheel is None:
        return
    for move in moves_of(wheel, _SCHEMES, held):
        assert any(os.path.commonpath([root, move.destination]) == root for root in _SCHEMES.roots)
        source = os.path.normpath(_STAGING / move.source)
        assert os.path.commonpath([folder, source]) == str(folder)


def make_staged(rng: Random) -> bytes:
    """The facts of a staged wheel, with its RECORD."""
    facts: dict[str, object] = {
        "filename": _FILENAME, "dist_info": "y-1.dist-info", "root": "purelib", "files": 2,
        "bytes": 0, "startup": [], "warnings": [], "is_reused": False, "record": "@",
        "seal": "seal",
    }  # fmt: skip
    for _ in range(rng.randrange(3)):
        facts[rng.choice([*facts, "more"])] = rng.choice([*_ODD, *_PLACES, "shake_128=x", "data"])
    if rng.random() < 0.1:
        del facts[rng.choice([*facts])]
    whole = _spelled(facts if rng.random() > 0.05 else rng.choice(_ODD))
    rows = [
        "y.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0", "y.py,shake_128=x,0",
        "y.py,sha256=x," + "9" * 5000, '"', "y.py,,", "a,b,c,d", "../../../../outside/file,x=,",
        "\0,,", "y-1.dist-info/RECORD,,", "\ud800,,",
    ]  # fmt: skip
    record = "\n".join(rng.choice(rows) for _ in range(rng.randrange(3)))
    return _damaged(rng, whole + _BETWEEN + record.encode(errors="surrogatepass"))


# The log of the last run.


def read_run_log(data: bytes) -> None:
    """It gives one sentence, in bounded time."""
    _STAGING.mkdir(parents=True, exist_ok=True)
    (_STAGING / RunLog.name).write_bytes(data)
    with HeldFolder.at(str(_STAGING)) as held:
        sentence = RunLog(held).last()
    assert sentence is not None
    assert printable(sentence).replace("\n", "").isprintable()


def make_run_log(rng: Random) -> bytes:
    """Lines of logs in no order."""
    lines = [b"began now", b"wheels 3", b"begins a.whl", b"staged a.whl", b"commits", b"ended x",
             b"", b" ", b"\x1b[2J", b"\xff", b"begins " + b"x" * 999, b"\r", b"\0"]  # fmt: skip
    return _damaged(rng, b"".join(rng.choice(lines) + b"\n" for _ in range(rng.randrange(9))))


# Entries of caches.


class _Silent(Reporter):
    """Hears everything and says nothing."""


def _read_page(content: bytes) -> None:
    class Kept(Cache):
        def read(self, kind: object, key: str) -> bytes | None:
            return content

    cache = HttpCache(Kept(str(_ROOT / "cache")), now=lambda: 0.0)
    if (found := cache.find("https://x.example/", "*/*")) is None:
        return
    cache.is_fresh(found)
    assert all(isinstance(value, str) for value in found.conditions.values())
    with suppress(LockstreamError):
        page = parse_condensed(canonicalize_name("x"), found.content, index="https://x.example")
        for files in page.files.values():
            for file in files:
                _ = (file.url, file.hashes, file.size, file.upload_time, file.requires_python)
                _ = (file.yanked, file.metadata_hashes)


def _read_plan(content: bytes) -> None:
    class Kept(Cache):
        def read(self, kind: object, key: str) -> bytes | None:
            return content

        def write(self, kind: object, key: str, content: bytes) -> None:
            assert Remembered.from_bytes(content) is not None

    memo = AnswerCache(Kept(str(_ROOT / "cache")), ["question"], now=lambda: 0.0)
    for found in (memo.recall(), memo.confirm(lambda index, name: PageSeen(index, name, "", 1.0))):
        if found is not None:
            tell(found.remarks, _Silent())


def _read_sizes(content: bytes) -> None:
    found = SizedFile.from_bytes(content)
    assert found is None or (found.size >= 0 and found.hints.files >= 0)


def _read_listing(content: bytes) -> None:
    if (listing := Listing.from_bytes(content)) is not None:
        find_collisions([("a", listing), ("b", Listing.of([], []))])


def _read_metadata(content: bytes) -> None:
    with suppress(InvalidMetadata):
        parse_metadata(content)


def _read_file(content: bytes) -> None:
    """The compressed file of an entry."""
    cache = Cache(str(_ROOT / "cache"))
    cache.write("pages", "key", b"x")
    (path,) = (_ROOT / "cache").glob("*/pages/*/*")
    path.write_bytes(content)
    path.chmod(0o600)
    cache.read("pages", "key")


def _read_built(content: bytes) -> None:
    """The digest of a built wheel, and the names of the files next to it."""
    shutil.rmtree(_ROOT / "built", ignore_errors=True)
    cache = WheelCache(str(_ROOT / "built"))
    wheel = _ROOT / "a.whl"
    wheel.write_bytes(b"wheel")
    cache.keep("key", str(wheel))
    assert cache.find("key") is not None
    if content[:1] == b"2":
        (_ROOT / "built" / "key" / "b.whl").write_bytes(b"another")
    (_ROOT / "built" / "key" / "sha256").write_bytes(content)
    # A fuzzer finds the digest itself, which is no damage.
    is_right = content == hashlib.sha256(b"wheel").hexdigest().encode()
    assert (cache.find("key") is not None) == is_right


_ENTRIES: Sequence[Callable[[bytes], None]] = (
    _read_page, _read_plan, _read_sizes, _read_listing, _read_metadata, _read_file, _read_built,
)  # fmt: skip


def read_cache_entry(data: bytes) -> None:
    """The first byte says of which kind; what cannot be read counts as missing."""
    if data:
        _ENTRIES[data[0] % len(_ENTRIES)](data[1:])


def make_cache_entry(rng: Random) -> bytes:
    """An entry of one of the kinds, with odd values."""
    number = rng.randrange(len(_ENTRIES))
    return bytes([number]) + _damaged(rng, _MAKERS[number](rng))


def _with_odd(rng: Random, fields: dict[str, object]) -> dict[str, object]:
    for _ in range(rng.randrange(3)):
        fields[rng.choice([*fields, "more"])] = rng.choice(_ODD)
    return fields


def _make_page(rng: Random) -> bytes:
    header = _with_odd(rng, {
        "url": "https://x.example/x/", "content-type": "text/html", "digest": "0", "etag": '"1"',
        "last-modified": "", "fresh-until": 1.0,
    })  # fmt: skip
    if rng.random() < 0.5:
        header["fresh-until"] = rng.choice(["nan", "1e999", "-1", "x", "9" * 5000])
    file = b'{"filename":"x-1-py3-none-any.whl","url":"x-1-py3-none-any.whl","size":1}'
    body = rng.choice([b"", b"[" * 9999, b"{}", b'{"meta":1}\n' + file, file, b"x 1 2\n" + file])
    return _spelled(header) + b"\n" + body


def _make_plan(rng: Random) -> bytes:
    page = _with_odd(rng, {
        "index": "https://x.example", "project": "x", "digest": "", "fresh_until": 1.0,
    })  # fmt: skip
    remarks: list[object] = [
        [
            rng.choice(["passed_over", "yanked", "__init__", "watch", "", "x"]),
            ["a", "b", "c"],
        ],
        rng.choice(_ODD),
    ]
    header = _with_odd(rng, {"remarks": remarks[: rng.randrange(3)], "pages": [page]})
    return _spelled(header) + b"\n" + rng.choice([b"", b'lock-version = "1.0"\n', b"\xff"])


def _make_sizes(rng: Random) -> bytes:
    hints = _with_odd(rng, {"unpacked-size": 1, "files": 1, "largest-file": 1})
    fields = _with_odd(rng, {"size": 1, "digests": {"sha256": "0"}, "hints": hints})
    return _spelled(fields)


def _make_listing(rng: Random) -> bytes:
    lines = ["00000000 1 lib/a", "0 0 ", "x", "", "0 0 lib/\ud800", "0" * 99 + " 1 lib/a", "\r"]
    text = "\n".join(rng.choice(lines) for _ in range(rng.randrange(5)))
    return zstandard.ZstdCompressor().compress(text.encode(errors="surrogatepass"))


def _make_metadata(rng: Random) -> bytes:
    lines = ["Metadata-Version: 2.1", "Name: x", "Version: 1", "Requires-Dist: y>=1", "Name: \x1b",
             "Requires-Dist: " + "(" * 99, "Requires-Python: >=" + "9" * 5000, "", " x", ":", "\r",
             "Requires-Dist: y; extra == 'a'", "Provides-Extra: a", "Dynamic: x"]  # fmt: skip
    return "\n".join(rng.choice(lines) for _ in range(rng.randrange(9))).encode()


def _make_file(rng: Random) -> bytes:
    packer = zstandard.ZstdCompressor(level=1, write_checksum=rng.random() < 0.5)
    return packer.compress(rng.choice([b"", b"x", bytes(1 << 16)])) + rng.choice([b"", b"x"])


def _make_built(rng: Random) -> bytes:
    return rng.choice([b"", b"2", b"\xff", b"0" * 64, b"0" * 65, b"2" + b"0" * 64, b"\0"])


_MAKERS: Sequence[Callable[[Random], bytes]] = (
    _make_page, _make_plan, _make_sizes, _make_listing, _make_metadata, _make_file, _make_built,
)  # fmt: skip


def _spelled(value: object) -> bytes:
    return json.dumps(value).encode()


def _damaged(rng: Random, data: bytes) -> bytes:
    """Return the data, now and then with a part missing, other, or nested without end."""
    if rng.random() > 0.3 or not data:
        return data
    place = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        case 2:
            return data[:place] + b"[" * 100_000 + data[place:]
        case _:
            return data[:place] + rng.choice([b"\0", b"\xff", b"9" * 5000, b"\n"]) + data[place:]
