"""The HTTP client of the executor: keeps connections, follows redirects, resumes broken downloads.

It speaks HTTP/1.1 by itself: httpx would cost 8 MiB of the 32 MiB that an execution may take, and
``http.client`` takes 10 ms to load. This is the one place where errors of connections become errors
of ours.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Generator, Iterator, Mapping
from functools import partial
from urllib.parse import SplitResult

from executor.sources.connection import (
    HttpConnection,
    connect,
    hold_to,
    request_target,
    while_waiting,
)
from executor.sources.download import Download, Progress
from executor.sources.errors import Unreachable
from executor.sources.http1 import PARTIAL, HttpError, TunnelRefused, Untrusted, range_headers
from executor.sources.keychain import Keychain
from executor.sources.prefetch import (
    MAX_REQUESTS,
    Coming,
    PendingResponse,
    Prefetch,
    Server,
    Upcoming,
)
from executor.sources.proxies import proxy_name
from executor.sources.redirects import LOCK_AGAIN, MALFORMED, following, led_to, split
from executor.sources.refusals import NO_SUCH_RANGE, proxy_of, refusal, refusal_of_proxy
from executor.sources.response import (
    PacedResponse,
    is_encoded,
    not_a_page,
    page_type,
    read_body,
    reason_of,
)
from executor.sources.retries import Pace, Retries, Retryable, Timeouts
from schemas.credentials import login_in
from schemas.urls import redacted
from schemas.version import USER_AGENT

__all__ = ["HttpClient"]


_MAX_REDIRECTS = 10
"""Redirects of one request; browsers allow 20, indexes need 1."""


_LOCAL_FAULTS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSYS}
"""Errors of connecting for which this machine is at fault, not the network. EPERM is also
the answer of a firewall."""


_REDIRECTS = {301, 302, 303, 307, 308}


_OK, _TRANSFORMED = 200, 203
"""A proxy that may have changed a file says 203 (RFC 9110, 15.3.4); its hash decides."""


_DIVISIBLE = 16 << 20
"""Bytes that must be to come of a file to be worth further connections."""


class HttpClient:
    """Fetches files for one lane, over one connection to each server. Not for several threads."""

    def __init__(
        self,
        keychain: Keychain | None = None,
        requests: int = MAX_REQUESTS,
        *,
        is_roomy: bool = False,
    ) -> None:
        """``keychain`` has the credentials that are not part of URLs; ``requests`` are how many
        files may be requested ahead at once. ``is_roomy``: memory is not short, and a slow file may
        come over several connections.
        """
        self._keychain = keychain or Keychain()
        self.waited = 0.0
        """Seconds spent on waiting for bytes and receiving them, over all files."""
        self._received = 0
        self._response: PacedResponse | None = None
        self._connections: dict[Server, HttpConnection] = {}
        self._timeouts: dict[str, Timeouts] = {}
        self._prefetch = Prefetch(requests)
        self._is_roomy = is_roomy
        self._has_ranges: dict[Server, bool] = {}
        """Of servers that were slow: whether they sent the ranges that were requested."""

    @property
    def received(self) -> int:
        """Bytes of bodies as they came over the network so far, over all files and attempts."""
        return self._received + (self._response.arrived if self._response else 0)

    def look_ahead(self, upcoming: Upcoming, coming: Coming | None = None) -> None:
        """From now on, request the files that ``upcoming`` returns before they are needed, over
        connections that are opened while a large file comes if ``coming`` says how many.
        """
        self._prefetch.upcoming, self._prefetch.coming = upcoming, coming

    def close(self) -> None:
        """Close all connections."""
        while self._connections:
            self._connections.popitem()[1].close()
        self._prefetch.close()

    def fetch(self, url: str, size: int | None) -> Download:
        """Return the bytes at ``url``, which are requested when the first is read.

        ``size`` is the expected number of bytes, if it is known: a shorter body is resumed. Reading
        raises Unreachable.
        """
        progress = Progress(url, size)
        return Download(progress, self._read(progress))

    def _read(self, progress: Progress) -> Generator[bytes]:
        began = time.monotonic()
        for chunk in self._all_attempts(progress):
            if progress.size is not None:
                self._prefetch.fill(progress.size - progress.received, self._begin)
            self.waited += time.monotonic() - began
            yield chunk
            began = time.monotonic()

    def _all_attempts(self, progress: Progress) -> Iterator[bytes]:
        url = progress.url
        server = split(url, url).netloc.rpartition("@")[2]
        timeouts = self._timeouts.setdefault(server, Timeouts())
        if timeouts.is_over:
            raise Unreachable(redacted(url), "its server was too slow before and was given up")
        retries = Retries(timeouts)
        while True:
            before, pace = progress.received, retries.begin()
            try:
                yield from self._attempt(progress, pace)
            except Retryable as problem:
                has_brought = progress.received > before
                if not retries.fail(has_brought=has_brought, requested=problem.pause):
                    reason = led_to(url, progress.at, str(problem))
                    raise Unreachable(redacted(url), reason, retries.in_a_row) from None
                if retries.has_hung and not has_brought:
                    self._prefetch.hold_back()
                time.sleep(retries.pause(problem.pause))
            else:
                retries.succeed()
                return

    def _attempt(self, progress: Progress, pace: Pace) -> Iterator[bytes]:
        """Yield the next bytes of the file. Raises Retryable, or Unreachable for good."""
        progress.is_doubtful = progress.is_doubtful or progress.received > 0
        response, parts = self._request(progress, pace)
        server = (parts.scheme, parts.netloc)
        complete = False
        self._response = response
        try:
            decode = is_encoded(response, progress.url, progress.size)
            skip = progress.resume_at(response.headers, is_partial=response.status == PARTIAL)
            if decode:
                # Positions in an encoded body are not positions in the file.
                progress.can_resume = False
                if response.status == PARTIAL:
                    raise Retryable("the server sent a part of an encoded file")
            body = progress.size and progress.size - progress.received + skip
            chunks = read_body(response, decode=decode, size=None if decode else body)
            if (kind := page_type(response)) and response.status == _OK:
                chunks = not_a_page(chunks, kind, progress.url)
            if self._may_divide(response, progress, server):
                chunks = self._divided(chunks, response, parts, progress, pace)
            for chunk in chunks:
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                progress.received += len(chunk) - skip
                yield chunk[skip:] if skip else chunk
                skip = 0
                if progress.received == progress.size and response.length is None:
                    # Whatever follows may have no end.
                    end = None if decode else response.end()
                    if end:
                        yield end
                    complete = end == b""
                    return
            size, received = progress.size, progress.received
            if size is not None and received < size:
                raise Retryable(f"the body ended after {received} of {size} bytes")
            progress.is_doubtful |= size is None and response.ends_anywhere
            complete = True
        finally:
            self._received, self._response = self.received, None
            if not complete or response.will_close or self._prefetch.is_alone:
                self._drop(server)

    def _may_divide(self, response: PacedResponse, progress: Progress, server: Server) -> bool:
        """Return whether the rest of a file may be requested in ranges while it comes."""
        left = (progress.size or 0) - progress.received
        # What is encoded, or skipped, or has an unknown end, has another length.
        return (
            self._is_roomy
            and left >= _DIVISIBLE
            and response.length == left
            and progress.can_resume
            and self._has_ranges.get(server, not self._prefetch.is_alone)
        )

    def _divided(
        self,
        chunks: Iterator[bytes],
        response: PacedResponse,
        parts: SplitResult,
        progress: Progress,
        pace: Pace,
    ) -> Iterator[bytes]:
        """Yield the rest of a file, in ranges over more connections if ``chunks`` come slowly."""
        from executor.sources.ranges import Ranges  # noqa: PLC0415  # only large files pay for it

        server = (parts.scheme, parts.netloc)

        def ask(start: int, stop: int) -> PendingResponse | None:
            progress.is_doubtful = True
            headers = self._headers(parts) | range_headers(start, stop, progress.etag)
            return self._ask(parts, headers)

        def leave() -> None:
            self._connections.pop(server).close()

        ranges = Ranges(ask, partial(self._prefetch.keep, server), pace, response)
        try:
            yield from ranges.divide(
                chunks,
                progress.received,
                progress.size or 0,
                leave,
                was_slow=server in self._has_ranges,
            )
        finally:
            if ranges.have_come is not None:
                self._has_ranges[server] = ranges.have_come
        if server not in self._connections and (kept := self._prefetch.spare(server)):
            self._connections[server] = kept

    def _begin(self, url: str) -> PendingResponse | None:
        """Return a request for ``url`` that is sent ahead; None if it must be sent when it is
        needed: to a server without a connection, through a proxy, or after an error.
        """
        try:
            parts = split(url, url)
        except Unreachable:
            return None
        return self._ask(parts, self._headers(parts))

    def _ask(self, parts: SplitResult, headers: Mapping[str, str]) -> PendingResponse | None:
        server = (parts.scheme, parts.netloc)
        if server not in self._prefetch.addresses or proxy_of(parts):
            return None
        begin = partial(connect, parts, None, None)
        return self._prefetch.ask(server, begin, request_target(parts), headers)

    def _request(self, progress: Progress, pace: Pace) -> tuple[PacedResponse, SplitResult]:
        """Return the response that has the body, after all redirects, and its URL."""
        url = progress.url
        for _ in range(_MAX_REDIRECTS + 1):
            parts = split(url, progress.url)
            progress.at = url
            server = (parts.scheme, parts.netloc)
            response = self._send(parts, server, progress, pace)
            if response.status not in _REDIRECTS:
                self._check_status(response, server, url, progress)
                return response, parts
            self._drop(server)
            url = following(parts, response.status, response.headers.get("location"), progress.url)
        raise Unreachable(
            redacted(progress.url), f"the server redirects more than {_MAX_REDIRECTS} times"
        )

    def _headers(self, parts: SplitResult, progress: Progress | None = None) -> dict[str, str]:
        headers = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            # A wheel is compressed already, and its hash is that of the bytes as they are stored.
            "Accept-Encoding": "identity",
        }
        # Looked up for each redirect: the login for one host is not sent to the next.
        if login := self._keychain.login(parts.geturl()):
            headers["Authorization"] = login.authorization
        if progress and progress.received and progress.can_resume:
            headers |= range_headers(progress.received, None, progress.etag)
        return headers

    def _send(
        self, parts: SplitResult, server: Server, progress: Progress, pace: Pace
    ) -> PacedResponse:
        proxy = proxy_of(parts)
        pending = None if progress.received else self._prefetch.take(progress.url)
        reused = pending is not None or server in self._connections
        try:
            if pending is not None:
                self._finish(pending, server, pace)
            else:
                self._send_now(parts, server, progress, pace, proxy)
            return self._connections[server].getresponse()
        except Retryable:
            self._drop(server)
            raise
        except Untrusted as error:
            self._drop(server)
            raise Unreachable(
                redacted(progress.at),
                f"its certificate is not trusted: {error.reason}",
                hint=error.hint,
            ) from None
        except ValueError:
            self._drop(server)
            raise Unreachable(redacted(progress.url), MALFORMED, hint=LOCK_AGAIN) from None
        except (OSError, HttpError) as error:
            connection = self._connections.get(server)
            is_connected = connection is not None and connection.sock is not None
            self._drop(server)
            if isinstance(error, OSError) and error.errno in _LOCAL_FAULTS:
                raise
            if proxy is not None and (isinstance(error, TunnelRefused) or not is_connected):
                raise refusal_of_proxy(error, proxy, progress.url) from None
            # The server may have closed a kept connection, which does not mean that it fails.
            pause = 0.0 if reused else None
            through = f", through the proxy {proxy_name(proxy)}" if proxy is not None else ""
            raise Retryable(f"{reason_of(error)}{through}", pause) from None

    def _send_now(
        self,
        parts: SplitResult,
        server: Server,
        progress: Progress,
        pace: Pace,
        proxy: SplitResult | None,
    ) -> None:
        """Send the request for a download, over the connection that is kept for ``server``."""
        headers, target = self._headers(parts, progress), request_target(parts)
        if proxy is not None and parts.scheme == "http":
            target = f"http://{headers['Host']}{target}"
            if login := login_in(proxy):
                headers["Proxy-Authorization"] = login.authorization
        left = None if progress.size is None else progress.size - progress.received
        if server not in self._connections:
            self._connections[server] = new = connect(parts, proxy, pace.idle)
            if proxy is None and left is not None:
                new.begun = partial(self._prefetch.fill_from, server, left, self._begin)
                new.failed = partial(self._prefetch.forget, server)
        connection = self._connections[server]
        hold_to(pace, connection)
        while_waiting(pace, partial(connection.request, "GET", target, headers))
        if left is not None:
            self._prefetch.connected(server, connection)
            self._prefetch.fill(left, self._begin)
            if proxy is None:
                self._prefetch.open_early(server, left, partial(connect, parts, None, None))
            while_waiting(pace, partial(self._prefetch.wait, connection, pace.idle))

    def _finish(self, pending: PendingResponse, server: Server, pace: Pace) -> None:
        """Complete a request that was sent ahead, and keep its connection from now on."""
        if server in self._connections:
            self._prefetch.keep(server, self._connections[server])
        self._connections[server] = connection = pending.connection
        while_waiting(pace, partial(self._prefetch.finish, pending, pace.idle))
        self._prefetch.connected(server, connection)
        hold_to(pace, connection)

    def _check_status(
        self, response: PacedResponse, server: Server, url: str, progress: Progress
    ) -> None:
        if response.status in {_OK, _TRANSFORMED, PARTIAL}:
            return
        self._drop(server)
        if response.status == NO_SUCH_RANGE:
            progress.can_resume = False
        raise refusal(response, url, has_login=self._keychain.login(url) is not None)

    def _drop(self, server: Server) -> None:
        self._prefetch.addresses.pop(server, None)
        connection = self._connections.pop(server, None)
        if connection is not None:
            connection.close()
