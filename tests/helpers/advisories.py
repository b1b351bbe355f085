"""Advisories in OSV's format, databases of them, and a service on loopback that has them."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["AdvisoryServer", "advisory_server", "export_of", "record", "span"]


def record(
    name: str, *affected: dict[str, Any], about: str = "demo", **keys: Any
) -> dict[str, Any]:
    """A record with the id ``name``. ``affected`` are entries without their package, which is
    ``about``; ``keys`` are further ones of the record.
    """
    package = {"ecosystem": "PyPI", "name": about}
    entries = [{"package": package, **one} for one in affected or (span("0"),)]
    return {
        "schema_version": "1.7.3",
        "id": name,
        "modified": "2026-01-02T03:04:05Z",
        "affected": entries,
        **keys,
    }


def span(introduced: str, fixed: str = "", *, last: str = "", **keys: Any) -> dict[str, Any]:
    """An entry that is affected from ``introduced`` on, up to before ``fixed`` or to ``last``."""
    events = [{"introduced": introduced}]
    events += [{"fixed": fixed}] if fixed else []
    events += [{"last_affected": last}] if last else []
    return {"ranges": [{"type": "ECOSYSTEM", "events": events}], **keys}


def export_of(path: Path, records: Iterable[Mapping[str, Any]]) -> str:
    """Write an archive as OSV exports an ecosystem, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in records:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return str(path)


@dataclass
class AdvisoryServer:
    """What the service has, and how it behaves."""

    url: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id."""
    named: dict[str, list[str]] = field(default_factory=dict)
    """The ids that it names by project, whatever the version."""
    page_size: int = 1000
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    """Status, headers and body of the next answers, by path."""
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    """The queries of each request for ids."""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and authorization of each request."""

    def add(self, *records: dict[str, Any]) -> None:
        """Add records, which are named for every version of the projects they are about."""
        for one in records:
            self.records[one["id"]] = one
            for name in {entry["package"]["name"] for entry in one["affected"]}:
                self.named.setdefault(name, []).append(one["id"])

    def result(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one query: of a page, the ids from its token on."""
        ids = self.named.get(query["package"]["name"], [])
        start = int(query.get("page_token") or 0)
        page = [{"id": one, "modified": "2026-01-02T03:04:05Z"} for one in ids[start:]]
        if not page:
            return {}
        shown = {"vulns": page[: self.page_size]}
        end = start + self.page_size
        return {**shown, "next_page_token": str(end)} if end < len(ids) else shown


@contextmanager
def advisory_server() -> Iterator[AdvisoryServer]:
    """Run a service with the API of OSV, and yield it."""
    state = AdvisoryServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def reply(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers and "Connection" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def is_scripted(self) -> bool:
            state.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
            if not (scripted := state.answers.get(self.path)):
                return False
            status, headers, body = scripted.pop(0)
            self.reply(status, body, headers)
            return True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.is_scripted():
                return
            queries = json.loads(content)["queries"]
            state.batches.append(queries)
            results = [state.result(one) for one in queries]
            self.reply(200, json.dumps({"results": results}).encode())

        def do_GET(self) -> None:
            if self.is_scripted():
                return
            found = state.records.get(self.path.removeprefix("/v1/vulns/"))
            if found is None:
                self.reply(404, b'{"code": 5, "message": "Bug not found."}')
            else:
                self.reply(200, json.dumps(found).encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        serve = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        yield state
        server.shutdown()
