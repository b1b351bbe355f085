"""Connections of the planner to servers, kept for the next request and shared by its threads.

Proxies, certificates and the pace that a response is held to are those of the executor.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import SplitResult

from executor import (
    HttpConnection,
    HttpError,
    Pace,
    PacedResponse,
    Retryable,
    TunnelRefused,
    Untrusted,
    connect,
    other_login,
    proxy_for,
    proxy_name,
    reason_of,
    request_target,
    while_waiting,
)
from planner.index.errors import (
    PROXY_FORBIDS,
    PROXY_LOGIN_MISSING,
    PROXY_LOGIN_WRONG,
    ProxyRefused,
)
from planner.index.request import Request
from planner.index.response import Response, untrusted
from schemas.credentials import login_in
from schemas.urls import redacted

if TYPE_CHECKING:
    import ssl

__all__ = ["Connections"]


_PROXY_LOGIN = 407


_MISDIRECTED = 421
"""The status of a connection that is not for the host of the request (RFC 9110, 15.5.20)."""


_DRAINED = 64 << 10
"""Bytes of an unwanted body that are read at most, so that the connection can be kept."""


_Key = tuple[str, str, str]


class Connections:
    """The connections of one client. Many threads may use it.

    Certificates are loaded when the first https request is sent.
    """

    def __init__(
        self, trusted_hosts: Iterable[str] = (), *, connect_seconds: float, idle_seconds: float
    ) -> None:
        """``trusted_hosts`` are hosts, perhaps with a port, whose certificates are not verified.
        Connecting takes at most ``connect_seconds``, and each byte ``idle_seconds``.
        """
        self._trusted_hosts = frozenset(trusted_hosts)
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._idle: dict[_Key, list[HttpConnection]] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Close all connections that are not in use."""
        with self._lock:
            while self._idle:
                for connection in self._idle.popitem()[1]:
                    connection.close()

    def send(self, request: Request, pace: Pace) -> Exchange:
        """Send a request, and return its response when the head is there.

        Raises UsageError, ProxyRefused, IndexUnreachable if the server is not trusted, and
        Retryable.
        """
        try:
            return self._send(request, pace)
        except Untrusted as error:
            raise untrusted(request.url, error) from None
        except (OSError, HttpError, ValueError) as error:
            raise Retryable(reason_of(error)) from None

    def _send(self, request: Request, pace: Pace) -> Exchange:
        parts = request.parts
        proxy = proxy_for(parts.scheme, parts.hostname or "", parts.port)
        host = parts.netloc.rpartition("@")[2]
        key = (parts.scheme, host, proxy.geturl() if proxy else "")
        if (kept := self._take(key)) is not None:
            try:
                return self._exchange(kept, key, request, proxy, pace)
            except (ConnectionError, HttpError):
                # The server may have closed it meanwhile, which does not mean that it fails.
                if request.content is not None:
                    raise
        return self._exchange(self._connected(parts, proxy, pace), key, request, proxy, pace)

    def keep(self, key: _Key, connection: HttpConnection) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            self._idle.setdefault(key, []).append(connection)

    def _take(self, key: _Key) -> HttpConnection | None:
        """Return a connection that is kept and still open."""
        while True:
            with self._lock:
                kept = self._idle.get(key)
                if not kept:
                    return None
                connection = kept.pop()
            if connection.sock is not None and _is_silent(connection.sock):
                return connection
            connection.close()

    def _exchange(
        self,
        connection: HttpConnection,
        key: _Key,
        request: Request,
        proxy: SplitResult | None,
        pace: Pace,
    ) -> Exchange:
        try:
            connection.sock.settimeout(self._idle_seconds)
            connection.pace = pace
            while_waiting(pace, partial(_write, connection, request, proxy))
            raw = connection.getresponse()
            if raw.status == _PROXY_LOGIN and proxy is not None:
                _refuse(request.url, proxy, raw)
        except BaseException:
            connection.close()
            raise
        has_login = "Authorization" in request.headers
        response = Response(request.method, request.url, raw, has_login=has_login)
        return Exchange(self, key, connection, response, raw)

    def _connected(
        self, parts: SplitResult, proxy: SplitResult | None, pace: Pace
    ) -> HttpConnection:
        context = None if self._is_verified(parts) else self._unverified
        connection = connect(parts, proxy, self._connect_seconds, context)
        connection.pace = pace
        try:
            while_waiting(pace, connection.open)
        except Untrusted:
            connection.close()
            raise
        except (OSError, HttpError, ValueError) as error:
            # A name of a proxy that is none is known when it is looked up (UnicodeError).
            is_reached = connection.sock is not None
            connection.close()
            if proxy is not None:
                _raise_for_proxy(error, proxy, parts.geturl(), is_reached=is_reached)
            raise
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_verified(self, parts: SplitResult) -> bool:
        """Return whether the certificate of a server is verified. Plain http has none."""
        host = parts.hostname or ""
        places = {host, f"[{host}]", parts.netloc.rpartition("@")[2], f"{host}:{parts.port or 443}"}
        return parts.scheme != "https" or self._trusted_hosts.isdisjoint(places)

    @cached_property
    def _unverified(self) -> ssl.SSLContext:
        import ssl  # noqa: PLC0415  # only https pays for it

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


class Exchange:
    """A response with its connection; the sender of the request owns it, and closes it."""

    def __init__(
        self,
        connections: Connections,
        key: _Key,
        connection: HttpConnection,
        response: Response,
        raw: PacedResponse,
    ) -> None:
        self.response = response
        self._connections = connections
        self._key = key
        self._connection = connection
        self._raw = raw

    def close(self) -> None:
        """Keep the connection if the body was read, or is short, and it is one for this server;
        else close it.
        """
        raw = self._raw
        try:
            while 0 < (raw.length or 0) <= _DRAINED and raw.read1(_DRAINED):
                pass
        except (OSError, HttpError, Retryable):
            pass
        if raw.is_complete and not raw.will_close and raw.status != _MISDIRECTED:
            self._connections.keep(self._key, self._connection)
        else:
            self._connection.close()


def _write(connection: HttpConnection, request: Request, proxy: SplitResult | None) -> None:
    parts = request.parts
    host = parts.netloc.rpartition("@")[2]
    target, headers = request_target(parts), {"Host": host, **request.headers}
    if proxy is not None and parts.scheme == "http":
        target = f"http://{host}{target}"
        if login := login_in(proxy):
            headers["Proxy-Authorization"] = login.authorization
    try:
        connection.request(request.method, target, headers, request.content or ())
    except (BrokenPipeError, ConnectionResetError):
        # A server may refuse an upload before it has read all of it, and says why.
        if request.content is None:
            raise


def _is_silent(connection: socket.socket) -> bool:
    """Return whether an idle connection is open: one that has something to read was closed."""
    try:
        connection.settimeout(0.0)
        # That of the base class looks at the bytes of TLS, too.
        socket.socket.recv(connection, 1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _raise_for_proxy(
    error: Exception, proxy: SplitResult, url: str, *, is_reached: bool
) -> NoReturn:
    """Raise the error of a proxy that cannot be reached or does not connect to the server, or of a
    connection through it.
    """
    name = proxy_name(proxy)
    if isinstance(error, TunnelRefused):
        if error.status < 500:
            _refuse(url, proxy, error)
        status = f"{error.status} {error.reason}".strip()
        raise Retryable(f"the proxy {name} answers {status}") from None
    reason = reason_of(error)
    if is_reached:
        raise Retryable(f"{reason}, through the proxy {name}") from None
    raise Retryable(f"the proxy {name} cannot be reached: {reason}") from None


def _refuse(url: str, proxy: SplitResult, answer: TunnelRefused | PacedResponse) -> NoReturn:
    status = f"{answer.status} {answer.reason}".strip()
    hint = PROXY_FORBIDS
    if answer.status == _PROXY_LOGIN:
        status += other_login(answer.headers)
        hint = PROXY_LOGIN_WRONG if login_in(proxy) else PROXY_LOGIN_MISSING
    raise ProxyRefused(redacted(url), proxy_name(proxy), status, hint) from None
