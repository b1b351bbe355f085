"""Readers of what servers answer, and of what a machine or another tool has written: pages of
indexes, metadata of wheels, addresses, configurations, and locks.

Whatever the bytes are, they are read or refused by an error of lockstream.
"""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from executor import Keychain
from planner.index.client import Answer
from planner.index.indexes import Index, Indexes, parse_index, parse_links_place
from planner.index.pages import parse_links
from planner.index.reader import IndexReader
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, index_table
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.targets import TargetRequest, targets_for
from planner.lock.built import known_builds
from planner.lock.reader import parse_lock
from planner.metadata.core_metadata import InvalidMetadata, parse_metadata, select
from planner.model.dependencies import MarkerEvaluator
from planner.model.direct_reference import DirectReference
from planner.model.environments import group_targets
from planner.model.policy import UploadLimits, parse_moment
from planner.resolver.candidates import ReleaseJudge
from planner.resolver.evaluator import FileEvaluator, FileRules
from planner.resolver.releases import Project
from planner.review.cost import cost_of
from planner.review.diff import compare
from planner.review.recorded import recorded_indexes, recorded_sources
from schemas.credentials import split_login
from schemas.errors import LockstreamError
from schemas.lock import recorded_targets
from schemas.target import Target
from schemas.urls import redacted, storable

__all__ = [
    "make_address",
    "make_configuration",
    "make_metadata",
    "make_page",
    "read_address",
    "read_configuration",
    "read_foreign_lock",
    "read_metadata",
    "read_page",
]

NAME = canonicalize_name("demo")
URL = "https://index.example/simple/demo/"
TYPES = (
    *("application/vnd.pypi.simple.v1+json", "text/html", "text/plain", ""),
    *("application/vnd.pypi.simple.v1+html; charset=x", "application/json", "text/html;charset"),
)
TARGET = Target.named("3.12", "linux")
(ENVIRONMENT,) = group_targets([TARGET])
JUDGE = (
    FileEvaluator(TARGET, FileRules()),
    FileEvaluator(
        TARGET,
        FileRules(
            uploads=UploadLimits(default=datetime(2026, 1, 1, tzinfo=UTC)),
            hosts=frozenset({"f.example"}),
        ),
    ),
)

_FOLDER = Path(mkdtemp(prefix="readers-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


class _Client:
    """A client that has one answer to everything."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def get(
        self, _url: str, *, shorten: Callable[[Answer], Answer] | None = None, **_: object
    ) -> Answer:
        return shorten(self._answer) if shorten else self._answer


def read_page(data: bytes) -> None:
    """The page of a project, with the judgement on each of its files; the first byte chooses the
    media type.
    """
    content = data[1:]
    media_type = TYPES[data[0] % len(TYPES)] if data else ""
    client: Any = _Client(Answer(URL, media_type, content))
    indexes = Indexes(places=(Index(url="https://index.example/simple"),))
    with suppress(LockstreamError):
        parse_links(content, url=URL)
    with suppress(LockstreamError):
        page = IndexReader(indexes, client).page(NAME)
        project = Project(page)
        for evaluator in JUDGE:
            judge = ReleaseJudge([evaluator])
            for release in project.releases:
                for rejection in judge.judge(release).rejections:
                    assert rejection.reason
        for file in (file for files in page.files.values() for file in files):
            assert urlsplit(file.url).scheme in {"http", "https"}


def read_metadata(data: bytes) -> None:
    """The metadata of a wheel."""
    with suppress(InvalidMetadata):
        metadata = parse_metadata(data)
        for extra in (None, *metadata.extras):
            list(select(metadata.requires, MarkerEvaluator(ENVIRONMENT.variables), extra))


def read_address(data: bytes) -> None:
    """An address where an index, a page of links, a source or a moment may stand; of what may be
    stored and shown, no password is left.
    """
    text = data.decode(errors="replace")
    for parse in (
        lambda: parse_index(text, named=True),
        lambda: parse_links_place(text),
        lambda: parse_moment(text, datetime(2026, 1, 1, tzinfo=UTC)),
        lambda: DirectReference.parse(parse_requirement(text, "here").url or "file:///x"),
        lambda: DirectReference.parse(parse_requirement(f"demo @ {text}", "here").url or ""),
        lambda: index_table(IndexRequest(indexes=(text,)).resolve(Inputs(), {}), str(_FOLDER)),
    ):
        with suppress(LockstreamError):
            parse()
    redacted(text)
    try:
        clean, login = split_login(text)
        stored = storable(text)
    except ValueError:
        return
    if login and login.password and "://" in text:
        assert f":{login.password}@" not in urlsplit(clean).netloc
        assert f":{login.password}@" not in urlsplit(stored).netloc


def read_configuration(data: bytes) -> None:
    """Bytes as ``pip.conf``, netrc, ``.python-version`` and ``pyvenv.cfg``, and as variables."""
    for name in ("pip.conf", "netrc", ".python-version", ".venv/pyvenv.cfg"):
        path = _FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    environment = {"PIP_CONFIG_FILE": str(_FOLDER / "pip.conf"), "NETRC": str(_FOLDER / "netrc")}
    text = data.replace(b"\0", b"").decode(errors="replace")
    for variables in (environment, {"UV_INDEX": text, "PIP_FIND_LINKS": text}):
        with suppress(LockstreamError):
            IndexRequest().resolve(Inputs(), {"PIP_CONFIG_FILE": "/dev/null", **variables}).logins()
    with suppress(LockstreamError):
        Keychain(environment=environment).login("https://index.example/simple/")
    with suppress(LockstreamError):
        targets_for(Inputs(), TargetRequest(folder=str(_FOLDER)))


def read_foreign_lock(data: bytes) -> None:
    """A lock, with everything that a plan takes over from it and that the commands show of it."""
    try:
        lock = parse_lock(data.decode(errors="replace"))
    except LockstreamError:
        return
    for use in (
        lambda: recorded_targets(lock),
        lambda: recorded_indexes(lock, str(_FOLDER)),
        lambda: recorded_sources(lock, str(_FOLDER / "pylock.toml")),
        lambda: known_builds(lock, str(_FOLDER)),
        lambda: cost_of(lock, TARGET),
        lambda: compare(lock, lock),
    ):
        with suppress(LockstreamError):
            use()


_HREFS = (
    "demo-1.0-py3-none-any.whl", "../../f/demo-1.0.tar.gz#sha256=ab", "//f.example/demo-1.whl",
    "https://f.example/demo-2.0-py3-none-any.whl#md5=x&egg=demo", "https://f.example:x/a.whl",
    "http://[::1/demo-1.whl", "file:///etc/passwd", "javascript:x", "", "#", "?", "demo-1.whl?a=b",
    "%00.whl", "%2e%2e/demo-1.0-py3-none-any.whl", "demo-1.0-cp312-cp312-linux_x86_64.whl",
    "demo-1.0-1-py2.py3-none-any.whl", "demo-x-py3-none-any.whl", "demo-1!1.0.post1.tar.gz",
    "demo-" + "9" * 5000 + ".zip", "demo-1.0-" + ".".join(["py3"] * 40) + "-none-any.whl",
)  # fmt: skip
_ATTRIBUTES = (
    'data-requires-python="&gt;=3.8"', "data-requires-python='>=3.6.*'", "data-yanked",
    'data-yanked="why"', 'data-core-metadata="sha256=ab"', "data-dist-info-metadata=true",
    'data-core-metadata="x', "href", "rel=internal",
)  # fmt: skip
_TAGS = (
    '<base href="https://f.example/">', '<base href="http://[">', "<!-- ", " -->", "<![x", "<?x",
    '<meta name="pypi:repository-version" content="1.4">', '<meta name="pypi:repository-version">',
    '<meta name="pypi:project-status" content="archived">', "</a>", "<a", "&#xD800;", "\0",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", "x", [], {}, ["x"], {"sha256": "ab"}, {"sha256": 1},
    "2024-01-01T00:00:00Z", "2024-13-01", "9999-12-31T23:59:59+99:99", ">=3.8", ">=3.6.*", "\ud800",
)  # fmt: skip
_KEYS = (
    *("filename", "url", "hashes", "requires-python", "size", "upload-time", "yanked"),
    *("core-metadata", "dist-info-metadata", "gpg-sig", "provenance"),
)


def make_page(rng: Random) -> bytes:
    """A page in HTML or JSON with entries that are nearly right."""
    if rng.random() < 0.5:
        parts = [_anchor(rng) if rng.random() < 0.7 else rng.choice(_TAGS) for _ in range(5)]
        page = "".join(parts)
        kind = rng.choice([1, 1, 2, 4, 6])
    else:
        entries = [_entry(rng) for _ in range(rng.randrange(5))]
        document: Any = {"meta": {"api-version": "1.1"}, "name": "demo", "files": entries}
        if rng.random() < 0.2:
            document[rng.choice([*document, "project-status", "versions"])] = rng.choice(_VALUES)
        page = json.dumps(document)
        kind = rng.choice([0, 0, 0, 2, 3, 5])
    return bytes([kind]) + noisy(rng, page.encode("utf-8", "replace"))


def _anchor(rng: Random) -> str:
    quote = rng.choice(['"', "'", ""])
    more = " ".join(rng.sample(_ATTRIBUTES, rng.randrange(3)))
    return f"<a href={quote}{rng.choice(_HREFS)}{quote} {more}>{rng.choice(_HREFS)}</a>"


def _entry(rng: Random) -> object:
    if rng.random() < 0.1:
        return rng.choice(_VALUES)
    href = rng.choice(_HREFS)
    entry: dict[str, object] = {
        "filename": href.rpartition("/")[2].partition("#")[0],
        "url": href,
        "hashes": {"sha256": "ab" * 32},
    }
    for _ in range(rng.randrange(4)):
        entry[rng.choice(_KEYS)] = rng.choice(_VALUES)
    return entry


_HEADERS = (
    "Metadata-Version: 2.1", "Metadata-Version: 9", "Name: demo", "Name: De.mo", "Version: 1.0",
    "Version: x", "Requires-Python: >=3.8", "Requires-Python: >=3.6.*", "Provides-Extra: x",
    "Requires-Dist: a", "Requires-Dist: a (>=1.0.*)", "Requires-Dist: a>=1 <2",
    "Requires-Dist: a ; extra == 'x'", "Requires-Dist: a[y]>1;python_version<'3'",
    "Requires-Dist: a @ http://[::1/x", "Requires-Dist:", " folded", "\tx", "", "x", ": y",
    "Dynamic: Requires-Dist", "Requires-Dist: a ; sys.platform == 'win32'", "Description: \xe9",
    "Requires-Dist: a>=" + "9" * 5000, "Requires-Dist: a ; os_name == \"", "Name:", "\0",
)  # fmt: skip


def make_metadata(rng: Random) -> bytes:
    """Headers in no order, after some that are right more often than not."""
    lines = ["Metadata-Version: 2.1", "Name: demo", "Version: 1.0"] if rng.random() < 0.7 else []
    lines += (rng.choice(_HEADERS) for _ in range(rng.randrange(6)))
    end = rng.choice(["\n", "\n", "\r\n", "\r"])
    return noisy(rng, end.join(lines).encode(rng.choice(["utf-8", "latin-1"]), "replace"))


_SCHEMES = ("https://", "http://", "file://", "file:", "git+https://", "git+ssh://", "//", "x:", "")
_HOSTS = ("i.example", "u:p@i.example", "u@i.example:80", "[::1]:99999", "[", "@", ":", "%", "a b")
_PATHS = (
    "/simple/", "/a.whl", "/demo-1.0-py3-none-any.whl", "/demo-1.0.tar.gz", "/r.git@v1", "/%zz",
    "/../..", "?token=x", "#sha256=ab", "#egg=demo&subdirectory=../x", ";x", "\\", "/\0", " ; x",
)  # fmt: skip
_MOMENTS = ("7 days", "P7D", "2026-03-01", "-1 weeks", "99999999999 days", "2026-03-01T25:00Z", "P")


def make_address(rng: Random) -> bytes:
    """A scheme, a host and paths that are nearly right, or a moment."""
    if rng.random() < 0.1:
        return noisy(rng, rng.choice(_MOMENTS).encode())
    parts = [rng.choice(["", "", "name=", "demo @ "]), rng.choice(_SCHEMES), rng.choice(_HOSTS)]
    parts += (rng.choice(_PATHS) for _ in range(rng.randrange(3)))
    return noisy(rng, "".join(parts).encode())


_SETTINGS = (
    "[global]", "[install]", "[DEFAULT]", "[", "index-url = https://u:p@i.example/simple",
    "index_url: %(x)s", "extra-index-url =\n  https://a.example\n  https://b.example:x",
    "find-links = links", "find-links = https://[::1/", "no-index = yes", "no-index = maybe",
    "trusted-host = i.example", "machine index.example login u password p", "machine", "default",
    "machine index.example login", "login x password", "macdef init\n  x\n", "password \xe9",
    "3.12", "3.13t", "pypy3.10", "3", "3.999999999999", "cpython-3.11.2-linux", "system", "# x",
    "version = 3.11.2", "version_info = 3.12", "implementation = PyPy", "= 3", "version = 3.\u0663",
)  # fmt: skip


def make_configuration(rng: Random) -> bytes:
    """Lines of all of them in no order."""
    lines = [rng.choice(_SETTINGS) for _ in range(rng.randrange(7))]
    return noisy(rng, rng.choice(["\n", "\r\n"]).join(lines).encode())


def noisy(rng: Random, data: bytes) -> bytes:
    """The bytes, one time in four with some that are others, missing or twice."""
    if not data or rng.random() < 0.75:
        return data
    at = rng.randrange(len(data))
    new: Mapping[int, bytes] = {0: b"", 1: rng.randbytes(1), 2: data[at : at + 9] * 2}
    return data[:at] + new[rng.randrange(3)] + data[at + 1 :]
