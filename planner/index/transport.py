"""How requests of the planner reach servers: proxies and certificates are those of the executor."""

from __future__ import annotations

import re
import ssl
from threading import Lock
from urllib.parse import SplitResult

import httpx

from executor import Arrival, proxy_for, proxy_name, tls_context
from planner.index.errors import ProxyRefused
from planner.index.paced_network import PacedBackend, held_to
from planner.index.response import reason_of

__all__ = ["ProxyTransport", "is_untrusted"]


_STATUS = re.compile(r"(4\d\d)\b")
"""The status in the message of an error with which a proxy refuses for good."""


class ProxyTransport(httpx.BaseTransport):
    """Sends each request directly, or through the proxy of its host; owned by the client.

    Certificates are loaded when the first https request is sent.
    """

    def __init__(self, limits: httpx.Limits, trusted_hosts: frozenset[str] = frozenset()) -> None:
        """``trusted_hosts`` are hosts, perhaps with a port, whose certificates are not verified."""
        self._limits = limits
        self._trusted_hosts = trusted_hosts
        self._transports: dict[tuple[bool, str], httpx.HTTPTransport] = {}
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response. Raises UsageError, ProxyRefused and httpx.TransportError."""
        arrival: Arrival | None = request.extensions.get("arrival")
        held_to(arrival)
        response = self._send(request)
        if arrival:
            arrival.begin_body()
        return response

    def _send(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = proxy_for(url.scheme, url.host, url.port)
        transport = self._transport(proxy, is_verified=self._is_verified(url))
        if proxy is None:
            return transport.handle_request(request)
        name = proxy_name(proxy)
        try:
            response = transport.handle_request(request)
        except httpx.ProxyError as error:
            if _STATUS.match(str(error)):
                raise ProxyRefused(str(url.copy_with(userinfo=b"")), name, str(error)) from None
            raise httpx.ProxyError(f"the proxy {name} answers {error}") from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if isinstance(error.__cause__, Exception) and is_untrusted(error):
                raise
            raise httpx.ConnectError(
                f"the proxy {name} cannot be reached: {reason_of(error)}"
            ) from error
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            response.close()
            reason = f"{response.status_code} {response.reason_phrase}"
            raise ProxyRefused(str(url.copy_with(userinfo=b"")), name, reason)
        return response

    def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            transport.close()

    def _is_verified(self, url: httpx.URL) -> bool:
        """Return whether the certificate of a server is verified. Plain http has none."""
        places = {url.host, f"[{url.host}]", url.netloc.decode("ascii")}
        return url.scheme == "https" and self._trusted_hosts.isdisjoint(places)

    def _transport(self, proxy: SplitResult | None, *, is_verified: bool) -> httpx.HTTPTransport:
        address = proxy.geturl() if proxy else ""
        key = is_verified, address
        with self._lock:
            if key not in self._transports:
                transport = self._transports[key] = httpx.HTTPTransport(
                    verify=tls_context() if is_verified else False,
                    limits=self._limits,
                    proxy=httpx.Proxy(address) if proxy else None,
                )
                # httpx has no option for it.
                transport._pool._network_backend = PacedBackend()  # noqa: SLF001
            return self._transports[key]


def is_untrusted(error: BaseException | None) -> bool:
    """Return whether an error of a connection is that the server's certificate is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
