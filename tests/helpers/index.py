"""A package index over loopback HTTP, with the habits that real ones have.

::

    with Index() as index:
        index.add(build_wheel("demo", "1.0"))
        plan(inputs, target, index_url=index.url)
        assert index.paths("GET") == ["/simple/demo/", ...]

Its attributes may be changed at any time: ``index.form = "html"``.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from helpers.wheels import Wheel
from planner.index.pages import ProjectFile, parse_page

__all__ = ["Asked", "Index", "served"]

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the index got."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    entry: dict[str, Any]
    """Its entry on a JSON page, without the keys that depend on the habits of the index."""
    metadata: bytes | None


@dataclass(slots=True)
class Index:
    """A running index; ``url`` is what ``--default-index`` takes."""

    form: Literal["json", "html"] = "json"
    ranges: Literal["all", "no-suffix", "none"] = "all"
    metadata: bool = False
    """Whether it serves the METADATA of wheels separately (PEP 658)."""
    login: tuple[str, str] | None = None
    """User name and password without which it answers 401."""
    api_version: str = "1.1"
    status: dict[str, dict[str, str]] = field(default_factory=dict)
    """By project, what PEP 792 says of it."""
    headers: dict[str, str] = field(default_factory=dict)
    """The headers of its pages, such as Cache-Control."""
    etags: bool = False
    """Whether its pages have ETags, and are not sent again to who knows them."""
    lists_projects: bool = False
    """Whether its root has the list of its projects."""
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    """By path, answers given once each, in this order, before the true one."""
    asked: list[Asked] = field(default_factory=list)
    _files: dict[str, dict[str, _File]] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def origin(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/simple/"

    def url_of(self, filename: str) -> str:
        """Return the URL of a file."""
        return f"{self.origin}/files/{quote(filename)}"

    def paths(self, method: str | None = None) -> list[str]:
        """Return the requested paths, in order; those of one method, or all."""
        return [one.path for one in self.asked if method in {None, one.method}]

    def add(self, *wheels: Wheel, **told: Any) -> None:
        """Serve ``wheels``. ``told`` adds or replaces keys of their entries on the page, as
        JSON spells them with ``_`` for ``-``; a key that is None is left out.
        """
        for wheel in wheels:
            self.add_file(wheel.filename, wheel.content, metadata=wheel.metadata, **told)

    def add_file(
        self, filename: str, content: bytes = b"", *, metadata: bytes | None = None, **told: Any
    ) -> None:
        """Serve any file under ``filename``."""
        entry = {
            "filename": filename,
            "url": f"../../files/{quote(filename)}",
            "hashes": {"sha256": sha256(content).hexdigest()},
            "size": len(content),
            "yanked": False,
            **{key.replace("_", "-"): value for key, value in told.items()},
        }
        entry = {key: value for key, value in entry.items() if value is not None}
        project = self._files.setdefault(_project_of(filename), {})
        project[filename] = _File(content, entry, metadata)

    def page(self, project: str) -> tuple[str, bytes] | None:
        """Content type and content of the page of ``project``."""
        if not project and self.lists_projects:
            return self._project_list()
        if project not in self._files:
            return None
        entries = [self._entry(file) for file in self._files[project].values()]
        if self.form == "json":
            meta = {"api-version": self.api_version}
            page: dict[str, Any] = {"meta": meta, "name": project, "files": entries}
            if project in self.status:
                page["project-status"] = self.status[project]
            return JSON, json.dumps(page).encode()
        anchors = "".join(map(_anchor, entries))
        head = f'<meta name="pypi:repository-version" content="{self.api_version}">'
        for key, value in self.status.get(project, {}).items():
            name = "project-status" + ("-reason" if key == "reason" else "")
            head += f'<meta name="pypi:{name}" content="{html.escape(value)}">'
        page_text = f"<!DOCTYPE html><html><head>{head}</head><body>{anchors}</body></html>"
        return HTML, page_text.encode()

    def _project_list(self) -> tuple[str, bytes]:
        if self.form == "json":
            projects = [{"name": name} for name in self._files]
            return JSON, json.dumps({"meta": {"api-version": "1.1"}, "projects": projects}).encode()
        anchors = "".join(f'<a href="{name}/">{name}</a><br>' for name in self._files)
        return HTML, f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode()

    def file(self, filename: str) -> bytes | None:
        """Return the file of that name, or its metadata."""
        files = {name: file for project in self._files.values() for name, file in project.items()}
        if filename in files:
            return files[filename].content
        beside = files.get(filename.removesuffix(".metadata"))
        return beside.metadata if beside and self.metadata else None

    def _entry(self, file: _File) -> dict[str, Any]:
        if not self.metadata or file.metadata is None:
            return file.entry
        digest = sha256(file.metadata).hexdigest()
        return {"core-metadata": {"sha256": digest}, **file.entry}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, index: Index, *connection: Any) -> None:
        self.index = index
        super().__init__(*connection)

    def handle(self) -> None:
        # A client that has seen enough hangs up, which is not an error here.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass

    def _answer(self) -> None:
        index, path = self.index, self.path
        index.asked.append(Asked(self.command, path, dict(self.headers)))
        if prepared := index.answers.get(urlsplit(path).path):
            return self._send(*prepared.pop(0))
        if index.login and self.headers.get("Authorization") != _basic(index.login):
            return self._send(401, {"WWW-Authenticate": "Basic"}, b"who are you?")
        kind, _, name = urlsplit(path).path.strip("/").partition("/")
        if kind == "simple" and (page := index.page(unquote(name))):
            return self._send_page(*page)
        if kind == "files" and (content := index.file(unquote(name))) is not None:
            return self._send_file(content)
        return self._send(404, {}, b"not found")

    def _send_page(self, kind: str, content: bytes) -> None:
        headers = {"Content-Type": kind, **self.index.headers}
        if self.index.etags:
            headers["ETag"] = f'"{sha256(content).hexdigest()}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                return self._send(304, headers, b"")
        return self._send(200, headers, content)

    def _send_file(self, content: bytes) -> None:
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not found or self.index.ranges == "none":
            return self._send(200, {}, content)
        first, last = found.groups()
        if not first and self.index.ranges == "no-suffix":
            return self._send(501, {}, b"")
        start = int(first) if first else max(0, len(content) - int(last))
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        if start >= len(content):
            return self._send(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
        place = f"bytes {start}-{end}/{len(content)}"
        return self._send(206, {"Content-Range": place}, content[start : end + 1])

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _project_of(filename: str) -> str:
    if filename.endswith(".whl"):
        return parse_wheel_filename(filename)[0]
    if "-" in filename and filename.endswith((".tar.gz", ".zip")):
        return parse_sdist_filename(filename)[0]
    return canonicalize_name(filename.partition("-")[0])


def _anchor(entry: Mapping[str, Any]) -> str:
    """Return the entry of a file on an HTML page: without size and upload time."""
    hashes = "&".join(f"{kind}={digest}" for kind, digest in entry.get("hashes", {}).items())
    attributes = {"href": entry["url"] + (f"#{hashes}" if hashes else "")}
    if "requires-python" in entry:
        attributes["data-requires-python"] = entry["requires-python"]
    if entry["yanked"] is not False:
        attributes["data-yanked"] = "" if entry["yanked"] is True else entry["yanked"]
    if "core-metadata" in entry:
        attributes["data-core-metadata"] = f"sha256={entry['core-metadata']['sha256']}"
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{html.escape(entry['filename'])}</a><br>\n"


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def served(index: Index, wheel: Wheel) -> ProjectFile:
    """The file as the page of ``index`` has it."""
    page = index.page(wheel.name)
    assert page is not None
    files = parse_page(
        wheel.name,  # type: ignore[arg-type]
        page[1],
        content_type=page[0],
        url=f"{index.url}{wheel.name}/",
    ).files
    found = (file for group in files.values() for file in group)
    return next(file for file in found if file.filename == wheel.filename)
