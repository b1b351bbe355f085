"""Connections that are held to a pace: whatever a server sends, and however slowly, a request ends.

httpx limits each read of a connection, so a byte in time keeps it reading for ever; and it passes
interim responses, chunk extensions and trailers over without a limit.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from executor import Arrival

__all__ = ["PacedBackend", "held_to"]


_CURRENT = threading.local()
"""The arrival of the response that a thread reads: httpx reads it in the thread that asked."""


def held_to(arrival: Arrival | None) -> None:
    """Hold what this thread reads from here on to ``arrival``, as the head of a response."""
    _CURRENT.arrival = arrival
    if arrival:
        arrival.begin_head()


class PacedBackend(httpcore.NetworkBackend):
    """Connects as httpcore does."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _PacedStream(
            self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        )


class _PacedStream(httpcore.NetworkStream):
    """A connection, which fails when its server keeps a thread waiting."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        arrival: Arrival | None = getattr(_CURRENT, "arrival", None)
        if arrival is None:
            return self._stream.read(max_bytes, timeout)
        if arrival.problem:
            raise httpcore.ReadError(arrival.problem)
        began, size = time.monotonic(), 0
        try:
            data = self._stream.read(max_bytes, timeout)
            size = len(data)
        finally:
            now = time.monotonic()
            arrival.add(size, now - began, now)
        if arrival.is_beyond_measure:
            raise httpcore.ReadError(arrival.problem)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _PacedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
