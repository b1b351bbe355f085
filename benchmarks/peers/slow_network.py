"""Installations from a server that is far away or slow, which a relay on loopback imitates.

The relay delays all bytes by half a round trip, and the first ones of a connection by another whole
one, as its handshake would.

    python -m benchmarks.peers.slow_network PORT SECONDS RATE

relays to PORT of this machine with round trips of SECONDS, on each connection at most RATE bytes a
second, and prints the port that it listens on.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.mirror import Mirror
from benchmarks.peers.measurements import in_turn
from benchmarks.peers.runs import Bench, Run

__all__ = ["ROUND_TRIPS", "latency", "narrow"]

ROUND_TRIPS = (1, 20, 100)
"""Milliseconds: to a mirror in the house, to an index in the country, to one across an ocean."""

NARROW = 10_000_000
"""Bytes a second of one connection, with round trips of 20 ms."""

HELD = 256 << 10
"""Bytes that the relay holds of a connection before it stops to read."""


def latency(bench: Bench, corpus: str, rounds: int, milliseconds: int) -> Iterator[Run]:
    """All installers, in turn, without a limit."""
    with relayed(bench.mirror.url, milliseconds / 1000) as url:
        lock = lock_from(url, bench, corpus, f"latency-{milliseconds}")
        yield from in_turn(bench, lock, rounds)


def narrow(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """All installers, in turn, without a limit, from a server that is slow on each connection."""
    with relayed(bench.mirror.url, 0.02, NARROW) as url:
        yield from in_turn(bench, lock_from(url, bench, corpus, "narrow"), rounds)


def lock_from(url: str, bench: Bench, corpus: str, name: str) -> Path:
    """Return a lock, in the folder ``name``, whose wheels are fetched from ``url``."""
    folder = bench.work / name
    folder.mkdir(exist_ok=True)
    return Mirror(bench.mirror.root, url).lock_of(corpus, folder)


@contextlib.contextmanager
def relayed(url: str, seconds: float, rate: float = inf) -> Iterator[str]:
    """Yield the URL of a relay to ``url`` with round trips of ``seconds``, and ``rate`` bytes a
    second on each connection.
    """
    figures = [str(urlsplit(url).port), str(seconds), str(rate)]
    command = [sys.executable, "-m", "benchmarks.peers.slow_network", *figures]
    root = Path(__file__).parents[2]
    relay = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert relay.stdout is not None
        yield f"http://127.0.0.1:{int(relay.stdout.readline())}"
    finally:
        relay.terminate()
        relay.wait()


class Way(asyncio.Protocol):
    """One direction of a relayed connection: sends on what one end sends, later."""

    def __init__(self, seconds: float, handshake: float = 0.0, rate: float = inf) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Way | None = None
        self._seconds = seconds
        self._free_at = asyncio.get_running_loop().time() + handshake
        self._held: deque[bytes | None] = deque()
        self._rate = rate
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        if self._rate < inf and self._size > HELD and self.transport is not None:
            self.transport.pause_reading()
        self._hold(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._hold(None)

    def _hold(self, data: bytes | None) -> None:
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time() + self._seconds)
        self._free_at += len(data or b"") / self._rate
        self._held.append(data)
        loop.call_at(self._free_at, self._pass_on)

    def _pass_on(self) -> None:
        if self.other is None or self.other.transport is None:
            # The server is not connected yet.
            asyncio.get_running_loop().call_later(self._seconds, self._pass_on)
            return
        data = self._held.popleft()
        self._size -= len(data or b"")
        if self._size <= HELD and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
        if data is None:
            self.other.transport.close()
        elif not self.other.transport.is_closing():
            self.other.transport.write(data)


async def relay(port: int, seconds: float, rate: float) -> None:
    loop = asyncio.get_running_loop()
    connecting: set[asyncio.Task[None]] = set()

    async def connect(near: Way) -> None:
        far = Way(seconds / 2, rate=rate)
        far.other, near.other = near, far
        await loop.create_connection(lambda: far, "127.0.0.1", port)

    def accept() -> Way:
        near = Way(seconds / 2, handshake=seconds * 3 / 2)
        task = loop.create_task(connect(near))
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return near

    server = await loop.create_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
