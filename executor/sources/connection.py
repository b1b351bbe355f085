"""Connections to a server, direct or through a proxy, and the time that they take."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from functools import partial
from urllib.parse import SplitResult, quote, urlunsplit

from executor.sources.redirects import URL_CHARACTERS
from executor.sources.response import PacedResponse
from executor.sources.retries import Pace, clock
from executor.sources.tls import tls_context
from schemas.credentials import login_in

__all__ = ["connect", "hold_to", "request_target", "while_waiting"]


def connect(
    parts: SplitResult,
    proxy: SplitResult | None,
    idle: float | None,
    context: ssl.SSLContext | None = None,
) -> http.client.HTTPConnection:
    """Return a connection for a URL, which is opened when it is used first.

    ``idle`` is how many seconds it waits for the server; None if it does not. ``context`` is for
    TLS; None for that of all connections.
    """
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        if proxy is not None:
            host, port = proxy.hostname or "", proxy.port or 80
        return http.client.HTTPConnection(host, port, timeout=idle)
    context = context or tls_context()
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


def request_target(parts: SplitResult) -> str:
    """Return what a request names (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1)."""
    return quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), URL_CHARACTERS)


def hold_to(pace: Pace, connection: http.client.HTTPConnection) -> None:
    """Hold the next response over ``connection`` to a pace."""
    connection.response_class = partial(PacedResponse, pace)  # type: ignore[assignment]
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
