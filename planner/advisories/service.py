"""A service of advisories that has the API of OSV: which are about these releases.

It is asked for all releases at once, and answers with ids; each advisory is then read once. The
names and versions of the releases are all that is sent.

Source: https://google.github.io/osv.dev/post-v1-querybatch/ and
https://google.github.io/osv.dev/get-v1-vulns/
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Self, TypeVar
from urllib.parse import quote

from executor import Keychain
from planner.advisories.advisory import (
    MAX_RECORD_SIZE,
    Advisory,
    NotARecord,
    Pin,
    parse_advisory,
)
from planner.advisories.errors import ServiceAnswer, ServiceUnreachable
from planner.index.errors import (
    ASK_LATER,
    CHECK_INDEX,
    IndexAnswer,
    IndexDenied,
    IndexUnreachable,
)
from planner.index.request_pool import RequestPool
from planner.index.requester import CONNECTIONS, Requester
from planner.index.response import MISSING_STATUS, Response, check_document, iterate_body
from planner.index.upload import Upload
from schemas.credentials import Login, origin_of, split_login
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import redacted

__all__ = ["PUBLIC_SERVICE", "AdvisoryService", "ServiceContent"]


T = TypeVar("T")
"""What is made of a response."""


PUBLIC_SERVICE = "https://" + "api.osv" + ".dev"
"""The service of OSV: https://google.github.io/osv.dev/api/"""


MAX_QUERIES = 1000
"""Releases that one request asks about; OSV's service refuses more."""


MAX_PAGES = 100
"""Pages of one answer. A page has up to 1,000 ids, and no project 100,000 advisories."""


MAX_ANSWER_SIZE = 16 << 20
"""Bytes of one answer. An id takes 80, and a lock of 1,000 packages has some hundred."""


SECONDS = 600.0
"""For one request with all its attempts, as for a page of an index."""


_ECOSYSTEM = "PyPI"


_LOGIN = (
    "give its login in a netrc file or with --keyring, or as user:password@ before the host in the "
    "variable LOCKSTREAM_SERVICE"
)


_ADVICE = {
    CHECK_INDEX: ServiceUnreachable.hint,
    ASK_LATER: "run it again after that time, or give a copy of the database with --database",
}
"""What to do about a service, in the place of hints about indexes."""


@frozen
class _Query:
    """A question about one release, or for a further page of its answer."""

    pin: Pin
    version: str
    page_token: str = ""

    def to_json(self) -> dict[str, Any]:
        package = {"name": self.pin[0], "ecosystem": _ECOSYSTEM}
        token = {"page_token": self.page_token} if self.page_token else {}
        return {"package": package, "version": self.version, **token}


@frozen
class ServiceContent:
    """What a service answers; whoever asks owns it."""

    found: dict[Pin, tuple[Advisory, ...]]
    """The advisories of each release that has any."""
    missing: tuple[str, ...]
    """The ids of which the service has no record, though it named them; their advisories have no
    more than that."""


class AdvisoryService:
    """A service at one address. Whoever opens it as a context owns it."""

    def __init__(
        self,
        url: str,
        *,
        keyring: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``keyring`` permits to run the keyring program for a login. Raises UsageError."""
        address, known = _address_of(url)
        self.name = address.rstrip("/")
        """Its address, without a login."""
        self._requester = Requester(
            Keychain(known, environment=os.environ, keyring=keyring), pause=pause
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._requester.close()

    def ask(self, pins: Sequence[Pin]) -> ServiceContent:
        """Return what the service knows of the releases ``pins``.

        Raises ServiceUnreachable, ServiceAnswer and ProxyRefused.
        """
        ids = self._find_ids(pins)
        wanted = sorted({one for found in ids.values() for one in found})
        with RequestPool(CONNECTIONS) as pool:
            records = dict(zip(wanted, pool.ask_all(self._read, wanted), strict=True))
        advisories = {one: record or _unknown(one) for one, record in records.items()}
        return ServiceContent(
            {pin: tuple(advisories[one] for one in sorted(found)) for pin, found in ids.items()},
            tuple(one for one, record in records.items() if record is None),
        )

    def _find_ids(self, pins: Iterable[Pin]) -> dict[Pin, set[str]]:
        found: dict[Pin, set[str]] = {pin: set() for pin in pins}
        # A build with a local label is a build of the public release, which is what services know.
        pending = [
            _Query(pin, text) for pin in found for text in sorted({pin[1].public, str(pin[1])})
        ]
        for _ in range(MAX_PAGES):
            further: list[_Query] = []
            for start in range(0, len(pending), MAX_QUERIES):
                batch = pending[start : start + MAX_QUERIES]
                for query, result in zip(batch, self._query(batch), strict=True):
                    found[query.pin].update(self._ids_in(result))
                    token = result.get("next_page_token")
                    if isinstance(token, str) and token:
                        further.append(_Query(query.pin, query.version, token))
            if not further:
                return found
            pending = further
        raise ServiceAnswer(self._query_url, f"its answer has more than {MAX_PAGES} pages")

    @property
    def _query_url(self) -> str:
        return f"{self.name}/v1/querybatch"

    def _query(self, batch: Sequence[_Query]) -> list[dict[str, Any]]:
        """Return the result of each query, in their order."""
        body = json.dumps({"queries": [one.to_json() for one in batch]}).encode()

        def read(response: Response) -> object:
            check_document(response)
            content = b"".join(iterate_body(response, MAX_ANSWER_SIZE))
            try:
                return json.loads(content)
            except (ValueError, RecursionError):
                raise self._no_json(self._query_url, content) from None

        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        answer = self._request("POST", self._query_url, headers, read, Upload.of(BytesIO(body)))
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list):
            raise ServiceAnswer(self._query_url, "its answer has no list of results")
        if len(results) != len(batch):
            raise ServiceAnswer(
                self._query_url, f"it answers {len(batch)} queries with {len(results)} results"
            )
        return [one if isinstance(one, dict) else {} for one in results]

    def _ids_in(self, result: dict[str, Any]) -> Iterator[str]:
        named = result.get("vulns") or []
        for one in named if isinstance(named, list) else [named]:
            if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not one["id"]:
                raise ServiceAnswer(self._query_url, "its answer has an advisory without an id")
            yield one["id"]

    def _read(self, name: str) -> Advisory | None:
        """Return the advisory with the id ``name``; None if the service does not have it."""
        url = f"{self.name}/v1/vulns/{quote(name, safe='')}"

        def read(response: Response) -> Advisory | None:
            if response.status in MISSING_STATUS:
                return None
            check_document(response)
            content = b"".join(iterate_body(response, MAX_RECORD_SIZE))
            try:
                return parse_advisory(content)
            except NotARecord as error:
                raise ServiceAnswer(redacted(url), f"{error}, so it is no record of OSV") from None

        return self._request("GET", url, {}, read)

    def _request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        read: Callable[[Response], T],
        content: Upload | None = None,
    ) -> T:
        with _as_service():
            return self._requester.request(
                method,
                url,
                {"Accept": "application/json", **headers},
                read,
                seconds=SECONDS,
                content=content,
            )

    @staticmethod
    def _no_json(url: str, content: bytes) -> ServiceAnswer:
        kind = "a web page" if content.lstrip()[:1] == b"<" else "something else"
        return ServiceAnswer(redacted(url), f"it answers with {kind}, not with JSON")


def _address_of(url: str) -> tuple[str, dict[str, Login]]:
    """Return ``url`` without its login, and that login by origin. Raises UsageError."""
    try:
        address, login = split_login(url)
        origin = origin_of(address)
        if re.fullmatch(r"https?://[^/?#\s][^?#\s]*", address):
            return address, {origin: login} if login else {}
    except ValueError:
        pass
    raise UsageError(
        f"--service {redacted(url)} is not the address of a service",
        hint=f"an address begins with https://, and has no query, such as {PUBLIC_SERVICE}",
    )


@contextmanager
def _as_service() -> Iterator[None]:
    """Tell errors of requests as those of a service, which is no package index."""
    try:
        yield
    except IndexUnreachable as error:
        hint = _ADVICE.get(error.hint, error.hint)
        raise ServiceUnreachable(error.url, error.problem, hint) from None
    except IndexDenied as error:
        raise ServiceAnswer(error.url, error.problem, hint=_LOGIN) from None
    except IndexAnswer as error:
        raise ServiceAnswer(error.url, error.problem) from None


def _unknown(name: str) -> Advisory:
    return Advisory(id=name, aliases=(), modified="", is_withdrawn=False, summary="", affected=())
