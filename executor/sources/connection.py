"""Connections to a server, direct or through a proxy, and the time that they take."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlunsplit

from executor.sources.dialing import Address, ascii_name, dial
from executor.sources.http1 import TunnelRefused, request_head
from executor.sources.redirects import URL_CHARACTERS
from executor.sources.response import PacedResponse
from executor.sources.retries import Pace, clock
from schemas.credentials import login_in
from schemas.data_class import frozen

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpConnection", "connect", "hold_to", "request_target", "while_waiting"]


_BLOCK = 16 << 10
"""Bytes of a record of TLS."""


@frozen
class _Tunnel:
    """What a proxy is to connect to (RFC 9110, 9.3.6)."""

    place: str
    """Host and port."""
    headers: dict[str, str]


class HttpConnection:
    """A connection that sends one request after the other. Its maker owns it and closes it."""

    def __init__(
        self,
        place: tuple[str, int],
        timeout: float | None,
        context: ssl.SSLContext | None = None,
        server: str = "",
        tunnel: _Tunnel | None = None,
    ) -> None:
        """``place``, host and port, is where it leads, and ``timeout`` how many seconds it waits.
        With a ``context`` it speaks TLS with ``server``, behind the ``tunnel`` if there is one.
        """
        self.place = place
        self.timeout = timeout
        self.context = context
        self.sock: socket.socket | Any = None
        """None unless it is open, or about to be."""
        self.pace: Pace | None = None
        """What the next response is held to."""
        self.begun: Callable[[Address], None] = _ignored
        """Called when it opens with each address that it is about to reach."""
        self.failed: Callable[[], None] = _ignored
        """Called if that does not answer."""
        self._server = server
        self._tunnel = tunnel
        self._method = ""
        self._answer = b""
        """What of the answer has been read."""

    def open(self) -> None:
        """Connect to the server. Raises OSError, UnicodeError, HttpError and Retryable; it must be
        closed then.
        """
        assert self.timeout is not None
        self.sock = dial(self.place, self.timeout, self.begun, self.failed)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tunnel is not None:
            self._send("CONNECT", self._tunnel.place, self._tunnel.headers)
            head = self._response().read_head()
            if not 200 <= head.status < 300:
                raise TunnelRefused(head.status, head.reason, head.headers)
        for _ in self.secure():
            raise AssertionError  # it waits by itself

    def secure(self) -> Iterator[int]:
        """Begin TLS over the open connection, if it is to have that; yield the event of poll(2)
        that has to be awaited whenever it would block. Raises OSError, ValueError and HttpError.
        """
        if self.context is not None:
            from executor.sources.tls import shake_hands  # noqa: PLC0415  # only https pays for it

            self.sock = secured = self.context.wrap_socket(
                self.sock,
                server_hostname=ascii_name(self._server),
                do_handshake_on_connect=False,
            )
            yield from shake_hands(secured)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: Iterable[bytes] = (),
    ) -> None:
        """Send a request; ``headers`` say how long its ``content`` is. Raises what ``open`` raises,
        and ValueError if it cannot be sent.
        """
        if self.sock is None:
            self.open()
        self._send(method, target, headers)
        for piece in content:
            self.sock.sendall(piece)

    def getresponse(self) -> PacedResponse:
        """Return the response to the last request, once its head is there.

        Raises OSError, HttpError and Retryable.
        """
        response = self._response()
        response.begin()
        return response

    def has_answer(self) -> bool:
        """Return whether what can be read of the open connection is of an answer, or is its end.

        Over TLS, the server sends tickets for later connections first (RFC 8446, 4.6.1). Raises
        OSError.
        """
        if self.context is None:
            return True
        from ssl import SSLWantReadError  # noqa: PLC0415  # only https pays for it

        seconds = self.sock.gettimeout()
        self.sock.setblocking(False)
        try:
            self._answer = self.sock.recv(_BLOCK)
        except SSLWantReadError:
            return False
        finally:
            self.sock.settimeout(seconds)
        return True

    def close(self) -> None:
        """Close it; it may be used again."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        self._answer = b""

    def _send(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        self.sock.sendall(request_head(method, target, headers))
        self._method = method

    def _response(self) -> PacedResponse:
        assert self.pace is not None
        answer, self._answer = self._answer, b""
        return PacedResponse(self.pace, self.sock, self._method, answer)


def _ignored(*_: object) -> None:
    """Do nothing."""


def connect(
    parts: SplitResult,
    proxy: SplitResult | None,
    idle: float | None,
    context: ssl.SSLContext | None = None,
) -> HttpConnection:
    """Return a connection for a URL, which is opened when it is used first.

    ``idle`` is how many seconds it waits for the server; None if it does not. ``context`` is for
    TLS; None for that of all connections.
    """
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    place = (host, port) if proxy is None else (proxy.hostname or "", proxy.port or 80)
    if not is_secure:
        return HttpConnection(place, idle)
    if context is None:
        from executor.sources.tls import tls_context  # noqa: PLC0415  # only https pays for it

        context = tls_context()
    if proxy is None:
        return HttpConnection(place, idle, context, host)
    behind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    login = login_in(proxy)
    headers = {"Host": behind} | ({"Proxy-Authorization": login.authorization} if login else {})
    return HttpConnection(place, idle, context, host, _Tunnel(behind, headers))


def request_target(parts: SplitResult) -> str:
    """Return what a request names (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1)."""
    return quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), URL_CHARACTERS)


def hold_to(pace: Pace, connection: HttpConnection) -> None:
    """Hold the next response over ``connection`` to a pace."""
    connection.pace = pace
    if connection.sock is not None:
        connection.sock.settimeout(pace.idle)


def while_waiting(pace: Pace, send: Callable[[], None]) -> None:
    """Send a request, and count the time: connecting is waiting too.

    The response of a proxy, which is read meanwhile, counts itself.
    """
    began, before = clock(), pace.waited
    try:
        send()
    finally:
        now = clock()
        pace.add(0, max(0.0, now - began - (pace.waited - before)), now)
