"""IndexClient: the one place where planning meets the network.

Everything else asks it for the bytes of a page, of a part of a file or of a whole file, and meets
no error of httpx: those are translated here, with addresses that carry no credentials.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Self, TypeVar

import httpx

from executor import Keychain
from planner.index.cache import Cache
from planner.index.errors import IndexAnswer, IndexDenied, IndexUnreachable, NotCached
from planner.index.http_cache import HttpCache, KeptAnswer
from schemas.urls import redacted
from schemas.version import USER_AGENT

__all__ = ["CONNECTIONS", "Answer", "IndexClient", "Part"]


T = TypeVar("T")


CONNECTIONS = 16
"""Requests in flight. Planning waits for round trips, not for bytes; indexes begin to answer 429
where one client asks for much more at once."""


TIMEOUT_SECONDS = 30.0


CONNECT_TIMEOUT_SECONDS = 10.0


ATTEMPTS = 5
"""Of one request; with the pauses between them a proxy can restart meanwhile."""


FIRST_PAUSE_SECONDS = 0.25


MAX_PAUSE_SECONDS = 60.0
"""However long a server asks us to wait."""


MAX_REDIRECTS = 10


CHUNK_SIZE = 256 << 10


_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole document."""

    url: str
    """Where it was found, after redirects: relative links in it start from here."""
    content_type: str
    content: bytes
    digest: str = ""
    """SHA-256 of what the server sent, which ``content`` may be an extract of."""
    fresh_until: float = 0.0
    """Seconds since the epoch; until then the server need not be asked again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file."""

    offset: int
    """Of the first byte of ``content`` in the file."""
    content: bytes
    total: int
    """Size of the whole file, in bytes."""


@dataclass
class _Unavailable(Exception):
    """The server says that asking again later may help."""

    status: int
    pause_seconds: float | None


class IndexClient:
    """Reads from package indexes over one pool of connections; safe to use from many threads.

    ``cache`` keeps documents; with ``offline``, only what it has can be read, however old; with
    ``refresh``, the server is asked whether each is still the same.
    """

    def __init__(
        self,
        *,
        keychain: Keychain | None = None,
        cache: Cache | None = None,
        offline: bool = False,
        refresh: bool = False,
        trusted_hosts: Iterable[str] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.keychain = keychain or Keychain(environment={})
        self.cache = cache
        self._pages = HttpCache(cache, refresh=refresh)
        self._offline = offline
        self._asked: set[tuple[str, str]] = set()
        """Documents that were asked for: one plan sees one state of its indexes."""
        self.requests = 0
        """How many were sent, roughly: threads do not wait for each other to count."""
        self._pause = pause
        self._http = httpx.Client(
            auth=self._authorize,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            headers={"User-Agent": USER_AGENT},
            mounts={f"https://{one}": httpx.HTTPTransport(verify=False) for one in trusted_hosts},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int,
        shorten: Callable[[Answer], Answer] | None = None,
    ) -> Answer | None:
        """The document at ``url``, of at most ``limit`` bytes; None where there is none (404).
        With ``shorten``, what it makes of the document is kept and returned.

        Raises Offline, IndexUnreachable, IndexAnswer, IndexDenied, and what ``shorten`` raises.
        """
        kept = self._pages.find(url, accept)
        if kept and (self._offline or self._is_known(url, accept, kept)):
            return _to_answer(kept)

        def read(response: httpx.Response) -> Answer | None:
            if response.status_code in {404, 410}:
                return None
            content, digest = b"", ""
            if response.status_code != 304 or kept is None:
                _check_status(response)
                content = b"".join(_iterate_body(response, limit))
                digest = sha256(content).hexdigest()
            # Not every server can say that nothing changed; then the document itself does.
            if kept and digest in {"", kept.digest}:
                return _to_answer(self._pages.renew(url, accept, kept, response.headers))
            answer = Answer(str(response.url), response.headers.get("Content-Type", ""), content)
            if shorten:
                answer = shorten(answer)
            found = _to_kept(answer, digest)
            return _to_answer(self._pages.keep(url, accept, found, response.headers))

        headers = {"Accept": accept, **(kept.conditions if kept else {})}
        answer = self._request("GET", url, headers, read)
        self._asked.add((url, accept))
        return answer

    def _is_known(self, url: str, accept: str, kept: KeptAnswer) -> bool:
        return (url, accept) in self._asked or self._pages.is_fresh(kept)

    def get_part(self, url: str, *, offset: int | None, length: int) -> Part | None:
        """``length`` bytes of the file at ``url`` from ``offset``, or its last ``length`` bytes
        where ``offset`` is None; fewer where the file ends. None where the server answers with
        anything but that part, as RFC 9110 (14.2) allows.

        Raises IndexUnreachable, IndexAnswer and IndexDenied.
        """
        wanted = f"-{length}" if offset is None else f"{offset}-{offset + length - 1}"

        def read(response: httpx.Response) -> Part | None:
            # 416: the file is shorter than the suffix; 400, 405 and 501: no suffixes here.
            if response.status_code in {200, 400, 405, 416, 501}:
                return None
            _check_status(response)
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if not found or "Content-Encoding" in response.headers:
                return None
            first, last, total = (int(number) for number in found.groups())
            start = max(0, total - length) if offset is None else offset
            if (first, last) != (start, min(start + length, total) - 1):
                return None
            content = b"".join(_iterate_body(response, length))
            if len(content) != last - first + 1:
                raise httpx.ReadError("the answer ends before its last byte")
            return Part(first, content, total)

        # A part of a compressed body would be a part of something else.
        headers = {"Range": f"bytes={wanted}", "Accept-Encoding": "identity"}
        return self._request("GET", url, headers, read)

    def get_size(self, url: str) -> int | None:
        """The size in bytes that the server gives for the file at ``url``, if it gives one.

        Raises IndexUnreachable, IndexAnswer and IndexDenied.
        """

        def read(response: httpx.Response) -> int | None:
            if response.status_code in {405, 501}:
                return None
            _check_status(response)
            length: str = response.headers.get("Content-Length", "")
            return int(length) if length.isdecimal() else None

        return self._request("HEAD", url, {"Accept-Encoding": "identity"}, read)

    def download(self, url: str, *, limit: int) -> IO[bytes]:
        """The whole file at ``url``, of at most ``limit`` bytes, in an unnamed file on disk.

        Raises IndexUnreachable, IndexAnswer and IndexDenied.
        """

        def read(response: httpx.Response) -> IO[bytes]:
            _check_status(response)
            file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
            try:
                for chunk in _iterate_body(response, limit):
                    file.write(chunk)
            except BaseException:
                file.close()
                raise
            return file

        return self._request("GET", url, {"Accept-Encoding": "identity"}, read)

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        read: Callable[[httpx.Response], T],
    ) -> T:
        """Send a request and let ``read`` take the answer, again where a second try may help."""
        if self._offline:
            raise NotCached(redacted(url))
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            wait = pause
            self.requests += 1
            try:
                with self._http.stream(method, url, headers=headers) as response:
                    _check_redirects(url, response)
                    if response.status_code in _RETRIED_STATUS:
                        raise _Unavailable(response.status_code, _retry_after(response))
                    return read(response)
            except _Unavailable as unavailable:
                problem = f"the server answers {unavailable.status}"
                wait = unavailable.pause_seconds or pause
            except httpx.TooManyRedirects:
                raise IndexAnswer(redacted(url), f"more than {MAX_REDIRECTS} redirects") from None
            except (httpx.UnsupportedProtocol, httpx.DecodingError, httpx.InvalidURL) as error:
                raise IndexAnswer(redacted(url), str(error)) from None
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            if attempt < ATTEMPTS:
                self._pause(min(wait, MAX_PAUSE_SECONDS))
                pause *= 2
        raise IndexUnreachable(redacted(url), f"{problem} ({ATTEMPTS} attempts)")

    def _authorize(self, request: httpx.Request) -> httpx.Request:
        if login := self.keychain.login(str(request.url)):
            request.headers["Authorization"] = login.authorization
        return request


def _to_answer(kept: KeptAnswer) -> Answer:
    return Answer(kept.url, kept.content_type, kept.content, kept.digest, kept.fresh_until)


def _to_kept(answer: Answer, digest: str) -> KeptAnswer:
    return KeptAnswer(
        url=answer.url,
        content_type=answer.content_type,
        content=answer.content,
        digest=digest,
        etag="",
        last_modified="",
        fresh_until=0,
    )


def _check_redirects(url: str, response: httpx.Response) -> None:
    """What was asked for in secret is not taken from where anybody may answer."""
    hops = [past.url.scheme for past in response.history]
    if "https" in hops and response.url.scheme != "https":
        raise IndexAnswer(
            redacted(url), f"it redirects from https to {redacted(str(response.url))}"
        )


def _check_status(response: httpx.Response) -> None:
    if not response.is_success:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        kind = IndexDenied if response.status_code in {401, 403} else IndexAnswer
        raise kind(redacted(str(response.url)), f"the server answers {status}")


def _iterate_body(response: httpx.Response, limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_bytes(CHUNK_SIZE):
        size += len(chunk)
        if size > limit:
            raise IndexAnswer(
                redacted(str(response.url)), f"the answer has more than {limit} bytes"
            )
        yield chunk


def _retry_after(response: httpx.Response) -> float | None:
    """RFC 9110, 10.2.3; its other form, a date, is as good as none for the pauses we make."""
    seconds: str = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None
