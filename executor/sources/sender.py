"""The requests of one lane: over a connection that is kept for each server, or sent ahead.

It speaks HTTP/1.1 by itself: httpx would cost 8 MiB of the 32 MiB that an execution may take, and
``http.client`` takes 10 ms to load. This is the one place where errors of connections become errors
of ours.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from functools import partial
from urllib.parse import SplitResult

from executor.sources.connection import (
    HttpConnection,
    connect,
    hold_to,
    request_target,
    while_waiting,
)
from executor.sources.download import Progress
from executor.sources.errors import Unreachable
from executor.sources.http1 import PARTIAL, HttpError, TunnelRefused, Untrusted, range_headers
from executor.sources.keychain import Keychain
from executor.sources.pending import PendingResponse
from executor.sources.prefetch import Prefetch, Server
from executor.sources.proxies import proxy_name
from executor.sources.redirects import LOCK_AGAIN, MALFORMED, following, split
from executor.sources.refusals import NO_SUCH_RANGE, proxy_of, refusal, refusal_of_proxy
from executor.sources.response import PacedResponse, reason_of
from executor.sources.retries import Pace, Retryable
from schemas.credentials import login_in
from schemas.urls import redacted
from schemas.version import USER_AGENT

__all__ = ["OK", "Sender"]


_MAX_REDIRECTS = 10
"""Redirects of one request; browsers allow 20, indexes need 1."""


_LOCAL_FAULTS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSYS}
"""Errors of connecting for which this machine is at fault, not the network. EPERM is also
the answer of a firewall."""


_REDIRECTS = {301, 302, 303, 307, 308}


OK, _TRANSFORMED = 200, 203
"""A proxy that may have changed a file says 203 (RFC 9110, 15.3.4); its hash decides."""


class Sender:
    """Sends requests for files, and follows redirects. Not for several threads."""

    __slots__ = ("_kept", "_keychain", "_prefetch")

    def __init__(self, keychain: Keychain, prefetch: Prefetch) -> None:
        """``keychain`` has the credentials that are not part of URLs; ``prefetch`` has the requests
        that were sent ahead.
        """
        self._keychain = keychain
        self._prefetch = prefetch
        self._kept: dict[Server, HttpConnection] = {}

    def request(self, progress: Progress, pace: Pace) -> tuple[PacedResponse, SplitResult]:
        """Return the response that has the body, after all redirects, and its URL.

        Raises Retryable, Unreachable for good, and OSError if this machine is at fault.
        """
        url = progress.url
        for _ in range(_MAX_REDIRECTS + 1):
            parts = split(url, progress.url)
            progress.at = url
            server = (parts.scheme, parts.netloc)
            response = self._send(parts, server, progress, pace)
            if response.status not in _REDIRECTS:
                self._check_status(response, server, url, progress)
                return response, parts
            self.drop(server)
            url = following(parts, response.status, response.headers.get("location"), progress.url)
        raise Unreachable(
            redacted(progress.url), f"the server redirects more than {_MAX_REDIRECTS} times"
        )

    def begin(self, url: str) -> PendingResponse | None:
        """Return a request for ``url`` that is sent ahead; None if it must be sent when it is
        needed: to a server without a connection, through a proxy, or after an error.
        """
        try:
            parts = split(url, url)
        except Unreachable:
            return None
        return self.ask(parts, {})

    def ask(self, parts: SplitResult, more: Mapping[str, str]) -> PendingResponse | None:
        """Return a request that is sent ahead as those of ``begin``, with ``more`` headers."""
        server = (parts.scheme, parts.netloc)
        if server not in self._prefetch.addresses or proxy_of(parts):
            return None
        begin = partial(connect, parts, None, None)
        headers = {**self._headers(parts), **more}
        return self._prefetch.ask(server, begin, request_target(parts), headers)

    def leave(self, server: Server) -> None:
        """Close the connection to ``server``, which goes on to be asked over others."""
        self._kept.pop(server).close()

    def take_spare(self, server: Server) -> None:
        """Keep a connection to ``server`` that was used for requests ahead, if none is kept."""
        if server not in self._kept and (spare := self._prefetch.spare(server)):
            self._kept[server] = spare

    def drop(self, server: Server) -> None:
        """Close the connection to ``server``, if one is kept, and forget where the server is."""
        self._prefetch.addresses.pop(server, None)
        connection = self._kept.pop(server, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        while self._kept:
            self._kept.popitem()[1].close()
        self._prefetch.close()

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
        reused = pending is not None or server in self._kept
        try:
            if pending is not None:
                self._finish(pending, server, pace)
            else:
                self._send_now(parts, server, progress, pace, proxy)
            return self._kept[server].getresponse()
        except Retryable:
            self.drop(server)
            raise
        except Untrusted as error:
            self.drop(server)
            raise Unreachable(
                redacted(progress.at),
                f"its certificate is not trusted: {error.reason}",
                hint=error.hint,
            ) from None
        except ValueError:
            self.drop(server)
            raise Unreachable(redacted(progress.url), MALFORMED, hint=LOCK_AGAIN) from None
        except (OSError, HttpError) as error:
            connection = self._kept.get(server)
            is_connected = connection is not None and connection.sock is not None
            self.drop(server)
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
        if server not in self._kept:
            self._kept[server] = new = connect(parts, proxy, pace.idle)
            if proxy is None and left is not None:
                new.begun = partial(self._prefetch.fill_from, server, left, self.begin)
                new.failed = partial(self._prefetch.forget, server)
        connection = self._kept[server]
        hold_to(pace, connection)
        while_waiting(pace, partial(connection.request, "GET", target, headers))
        if left is not None:
            self._prefetch.connected(server, connection)
            self._prefetch.fill(left, self.begin)
            if proxy is None:
                self._prefetch.open_early(server, left, partial(connect, parts, None, None))
            while_waiting(pace, partial(self._prefetch.wait, connection, pace.idle))

    def _finish(self, pending: PendingResponse, server: Server, pace: Pace) -> None:
        """Complete a request that was sent ahead, and keep its connection from now on."""
        if server in self._kept:
            self._prefetch.keep(server, self._kept[server])
        self._kept[server] = connection = pending.connection
        while_waiting(pace, partial(self._prefetch.finish, pending, pace.idle))
        self._prefetch.connected(server, connection)
        hold_to(pace, connection)

    def _check_status(
        self, response: PacedResponse, server: Server, url: str, progress: Progress
    ) -> None:
        if response.status in {OK, _TRANSFORMED, PARTIAL}:
            return
        self.drop(server)
        if response.status == NO_SUCH_RANGE:
            progress.can_resume = False
        raise refusal(response, url, has_login=self._keychain.login(url) is not None)
