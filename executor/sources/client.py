"""HTTP: one file over a connection that is kept for the next, resumed where it breaks off.

``http.client`` and not a larger library: httpx costs 8 MiB of the 32 that an execution may take,
and copies every chunk twice. This is the one place where its errors become ours.
"""

from __future__ import annotations

import errno
import http.client
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, quote, urlunsplit

from executor.sources.errors import Replaced, Unreachable
from executor.sources.keychain import Keychain
from executor.sources.prefetch import PendingResponse, Prefetch, Server, Upcoming
from executor.sources.proxies import proxy_for
from executor.sources.redirects import LOCK_AGAIN, MALFORMED, URL_CHARACTERS, following, split
from executor.sources.response import (
    PacedResponse,
    check_type,
    is_encoded,
    printable,
    read_body,
    reason_of,
)
from executor.sources.retries import Pace, Retries, Retryable, Timeouts, clock
from executor.sources.tls import tls_context
from schemas.credentials import login_in
from schemas.urls import redacted
from schemas.version import USER_AGENT

__all__ = ["HttpClient", "tls_context"]


_MAX_REDIRECTS = 10
"""Hops; browsers allow 20, indexes need 1."""


_OUR_OWN = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
"""What keeps us from connecting and is no fault of the network."""


_REDIRECTS = {301, 302, 303, 307, 308}


_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""Statuses that a later attempt may not meet (https://www.rfc-editor.org/rfc/rfc9110#section-15)."""


_STATUS_HINTS = {
    401: "give credentials for its host: in a netrc file, UV_INDEX_URL or PIP_INDEX_URL",
    403: "the credentials for its host do not allow it, or the proxy forbids it",
    404: "the file is gone from its index; lock again",
    407: "give credentials for the proxy in its variable: http://user:password@host:port",
}


_TUNNEL = re.compile(r"Tunnel connection failed: (4\d\d)\b")
"""How http.client tells that a proxy does not connect us."""


_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d+/(?:\d+|\*)", re.ASCII)


@dataclass(slots=True)
class _Body:
    """What is known of the file that is being read, over all attempts."""

    url: str
    received: int = 0
    etag: str | None = None
    can_resume: bool = True
    """Whether to ask for the rest only; else what came before is passed over."""


class HttpClient:
    """Keeps one connection to each server. Not for several threads: each lane has its own."""

    def __init__(self, keychain: Keychain | None = None) -> None:
        """``keychain`` has the credentials that URLs do not hold themselves."""
        self._keychain = keychain or Keychain()
        self.was_pieced = False
        """Whether the last file came in parts, which may be those of two files."""
        self.waited = 0.0
        """Seconds spent on getting bytes so far."""
        self._connections: dict[Server, http.client.HTTPConnection] = {}
        self._patience: dict[str, Timeouts] = {}
        self._ahead = Prefetch()

    def look_ahead(self, upcoming: Upcoming) -> None:
        """From now on, begin to ask for small files before they are wanted."""
        self._ahead.upcoming = upcoming

    def close(self) -> None:
        """Close all connections."""
        while self._connections:
            self._connections.popitem()[1].close()
        self._ahead.close()

    def chunks(self, url: str, size: int | None) -> Iterator[bytes]:
        """The bytes at ``url``, each of them once, however often the connection breaks.

        ``size`` is how many there must be, where that is known: a body that ends before is
        taken up again. Raises Unreachable.
        """
        asked, received = time.monotonic(), 0
        for chunk in self._all_attempts(url, size):
            received += len(chunk)
            if size is not None:
                self._ahead.fill(size - received, self._begin)
            self.waited += time.monotonic() - asked
            yield chunk
            asked = time.monotonic()

    def _all_attempts(self, url: str, size: int | None) -> Iterator[bytes]:
        body = _Body(url)
        self.was_pieced = False
        server = split(url, url).netloc.rpartition("@")[2]
        patience = self._patience.setdefault(server, Timeouts())
        if patience.is_over:
            raise Unreachable(redacted(url), "its server has kept us waiting for too long before")
        attempts = Retries(patience)
        while True:
            before, pace = body.received, attempts.begin()
            try:
                yield from self._attempt(body, size, pace)
            except Retryable as problem:
                if not attempts.fail(has_brought=body.received > before):
                    raise Unreachable(redacted(url), str(problem), attempts.in_a_row) from None
                time.sleep(attempts.pause(problem.pause))
            else:
                attempts.succeed()
                return

    def _attempt(self, body: _Body, size: int | None, pace: Pace) -> Iterator[bytes]:
        """Read on from where the body is. Raises Retryable, or Unreachable for good."""
        self.was_pieced = self.was_pieced or body.received > 0
        response, key = self._request(body, pace)
        complete = False
        try:
            check_type(response, redacted(body.url))
            decode = is_encoded(response, redacted(body.url))
            skip = self._resume_at(body, response)
            if decode:
                # Places in what is sent are none in the file.
                body.can_resume = False
                if response.status == http.client.PARTIAL_CONTENT:
                    raise Retryable("it sends a part of an encoded file")
            for chunk in read_body(response, decode=decode):
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                body.received += len(chunk) - skip
                yield chunk[skip:] if skip else chunk
                skip = 0
            if size is not None and body.received < size:
                raise Retryable(f"the body ended after {body.received} of {size} bytes")
            complete = True
        finally:
            response.close()
            if not complete or response.will_close:
                self._drop(key)

    def _resume_at(self, body: _Body, response: http.client.HTTPResponse) -> int:
        """How many bytes of this response were received before, by an earlier attempt."""
        etag = response.getheader("ETag")
        # A server that tells no tag has said nothing of the file; the hash will.
        if body.received and etag and body.etag and etag != body.etag:
            raise Replaced(redacted(body.url), "the file was replaced while it was being read")
        body.etag = etag or body.etag
        if response.status == http.client.PARTIAL_CONTENT:
            found = _CONTENT_RANGE.fullmatch(response.getheader("Content-Range", ""))
            if found is None or int(found[1]) != body.received:
                body.can_resume = False
                raise Retryable(f"asked for byte {body.received} on, the server sent others")
            return 0
        return body.received

    def _begin(self, url: str) -> PendingResponse | None:
        """A request for ``url`` that nobody waits for yet; None where it has to be made when it is
        wanted: to a server that we do not know yet, through a proxy, or in vain.
        """
        try:
            parts = split(url, url)
        except Unreachable:
            return None
        server = (parts.scheme, parts.netloc)
        known = self._connections.get(server)
        if known is None or known.sock is None or _proxy_of(parts):
            return None
        connection = self._ahead.spare(server) or self._connect(parts, None, None)
        try:
            return PendingResponse(
                connection, known.sock, _target(parts), self._headers(parts, _Body(url))
            )
        except (OSError, http.client.HTTPException):
            connection.close()
            return None

    def _request(self, body: _Body, pace: Pace) -> tuple[http.client.HTTPResponse, Server]:
        """The response that holds the body, with redirects followed."""
        url = body.url
        for _ in range(_MAX_REDIRECTS + 1):
            parts = split(url, body.url)
            key = (parts.scheme, parts.netloc)
            response = self._send(parts, key, body, pace)
            if response.status not in _REDIRECTS:
                self._check_status(response, key, url, body)
                return response, key
            response.close()
            self._drop(key)
            url = following(parts, response.status, response.getheader("Location"), body.url)
        raise Unreachable(redacted(body.url), f"it redirects more than {_MAX_REDIRECTS} times")

    def _headers(self, parts: SplitResult, body: _Body) -> dict[str, str]:
        headers = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            # A wheel is compressed already, and its hash is that of the bytes as they are stored.
            "Accept-Encoding": "identity",
        }
        # Looked up for each hop: what one host is told is not told to the next.
        if login := self._keychain.login(parts.geturl()):
            headers["Authorization"] = login.authorization
        if body.received and body.can_resume:
            headers["Range"] = f"bytes={body.received}-"
            if body.etag and not body.etag.startswith("W/"):
                headers["If-Range"] = body.etag
        return headers

    def _send(
        self, parts: SplitResult, key: Server, body: _Body, pace: Pace
    ) -> http.client.HTTPResponse:
        early = None if body.received else self._ahead.take(body.url)
        reused = early is not None or key in self._connections
        try:
            if early is not None:
                self._finish(early, key, pace)
            else:
                self._ask(parts, key, body, pace)
            return self._connections[key].getresponse()
        except Retryable:
            self._drop(key)
            raise
        except ssl.SSLCertVerificationError as error:
            self._drop(key)
            raise Unreachable(
                redacted(body.url),
                f"its certificate is not trusted: {error.verify_message}",
                hint="name your certificate authority with SSL_CERT_FILE",
            ) from None
        except (ValueError, http.client.InvalidURL):
            self._drop(key)
            raise Unreachable(redacted(body.url), MALFORMED, hint=LOCK_AGAIN) from None
        except (OSError, http.client.HTTPException) as error:
            self._drop(key)
            if isinstance(error, OSError) and error.errno in _OUR_OWN:
                raise
            _check_tunnel(error, body.url)
            # A kept connection that the server has closed meanwhile says nothing of the server.
            pause = 0.0 if reused else None
            raise Retryable(reason_of(error), pause) from None

    def _ask(self, parts: SplitResult, key: Server, body: _Body, pace: Pace) -> None:
        """Send the request for a body, over the connection that is kept for ``key``."""
        headers, target, proxy = self._headers(parts, body), _target(parts), _proxy_of(parts)
        if proxy is not None and parts.scheme == "http":
            target = f"http://{headers['Host']}{target}"
            if login := login_in(proxy):
                headers["Proxy-Authorization"] = login.authorization
        if key not in self._connections:
            self._connections[key] = self._connect(parts, proxy, pace.idle)
        connection = self._connections[key]
        _hold_to(pace, connection)
        _while_waiting(pace, partial(connection.request, "GET", target, headers=headers))

    def _finish(self, early: PendingResponse, key: Server, pace: Pace) -> None:
        """Have a request made that is under way, over a connection that is kept from now on."""
        if key in self._connections:
            self._ahead.keep(key, self._connections[key])
        self._connections[key] = connection = early.connection
        _while_waiting(pace, partial(early.finish, pace.idle))
        _hold_to(pace, connection)

    def _connect(
        self, parts: SplitResult, proxy: SplitResult | None, idle: float | None
    ) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            if proxy is not None:
                host, port = proxy.hostname or "", proxy.port or 80
            return http.client.HTTPConnection(host, port, timeout=idle)
        context = tls_context()
        if proxy is None:
            return http.client.HTTPSConnection(host, port, timeout=idle, context=context)
        connection = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=idle, context=context
        )
        login = login_in(proxy)
        connection.set_tunnel(
            host, port, {"Proxy-Authorization": login.authorization} if login else None
        )
        return connection

    def _check_status(
        self, response: http.client.HTTPResponse, key: tuple[str, str], url: str, body: _Body
    ) -> None:
        status = response.status
        if status in {http.client.OK, http.client.PARTIAL_CONTENT}:
            return
        pause = _retry_after(response)
        self._drop(key)
        if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            body.can_resume = False
        reason = f"the server answered {status} {printable(response.reason)}"
        if status in _TRANSIENT or status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise Retryable(reason, pause)
        raise Unreachable(redacted(url), reason, hint=_STATUS_HINTS.get(status, Unreachable.hint))

    def _drop(self, key: tuple[str, str]) -> None:
        connection = self._connections.pop(key, None)
        if connection is not None:
            connection.close()


def _proxy_of(parts: SplitResult) -> SplitResult | None:
    return proxy_for(parts.scheme, parts.hostname or "", parts.port)


def _target(parts: SplitResult) -> str:
    """What a request names (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1)."""
    return quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), URL_CHARACTERS)


def _hold_to(pace: Pace, connection: http.client.HTTPConnection) -> None:
    """Let the next response over ``connection`` be waited for as long as the pace allows."""
    connection.response_class = partial(PacedResponse, pace)  # type: ignore[assignment]
    if connection.sock is not None:
        connection.sock.settimeout(pace.idle)


def _while_waiting(pace: Pace, ask: Callable[[], None]) -> None:
    """Send a request. Connecting is waiting, too; what a proxy says meanwhile counts itself."""
    began, before = clock(), pace.waited
    try:
        ask()
    finally:
        now = clock()
        pace.add(0, max(0.0, now - began - (pace.waited - before)), now)


def _check_tunnel(error: Exception, url: str) -> None:
    """Give up where a proxy refuses for good. Raises Unreachable."""
    refused = _TUNNEL.search(str(error))
    if refused is not None and int(refused[1]) not in _TRANSIENT:
        hint = _STATUS_HINTS.get(int(refused[1]), Unreachable.hint)
        raise Unreachable(redacted(url), f"the proxy answered {refused[1]}", hint=hint) from None


def _retry_after(response: http.client.HTTPResponse) -> float | None:
    value = response.getheader("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
