"""Others learn where a connection leads to before it is made, and that it leads nowhere."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from executor.sources.connection import HttpConnection
from executor.sources.dialing import Address, address_of, ascii_name


@pytest.fixture(name="listening")
def one_that_listens() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture(name="closed_port")
def a_port_that_nobody_listens_on() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Dialed:
    """A connection, and what others were told of it."""

    def __init__(self, port: int, host: str = "127.0.0.1", seconds: float = 5.0) -> None:
        self.told: list[Address | None] = []
        self.open_when_told: list[bool] = []
        self.connection = HttpConnection((host, port), seconds)
        self.connection.begun = self._begun
        self.connection.failed = lambda: self.told.append(None)

    def _begun(self, address: Address) -> None:
        self.told.append(address)
        self.open_when_told.append(self.connection.sock is not None)

    def open(self) -> Address:
        with closing(self.connection):
            self.connection.open()
            assert self.connection.sock is not None
            assert self.connection.sock.gettimeout() == self.connection.timeout
            return address_of(self.connection.sock)


def found(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    """Let every host have these addresses."""
    real = socket.getaddrinfo

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [one for place in places for one in real(*place, 0, socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_the_address_is_told_before_the_connection_is_made(listening: socket.socket) -> None:
    dialed = Dialed(listening.getsockname()[1])
    place = Address(socket.AF_INET, listening.getsockname())
    assert dialed.open() == place
    assert dialed.told == [place]
    assert dialed.open_when_told == [False]


def test_an_address_that_refuses_is_taken_back(closed_port: int) -> None:
    dialed = Dialed(closed_port)
    with pytest.raises(ConnectionRefusedError):
        dialed.open()
    assert dialed.told[-1] is None


def test_the_next_address_is_tried(
    listening: socket.socket, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ("127.0.0.1", closed_port), listening.getsockname())
    dialed = Dialed(1, "index.example")
    assert dialed.open().place == listening.getsockname()
    assert dialed.told[-2:] == [None, Address(socket.AF_INET, listening.getsockname())]


def test_one_that_does_not_answer_is_waited_for_shortly_if_there_are_others(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executor.sources.dialing._PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:  # a full queue drops whoever comes then
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        found(monkeypatch, full.getsockname(), listening.getsockname())
        dialed = Dialed(1, "index.example", seconds=60)
        began = time.monotonic()
        assert dialed.open().place == listening.getsockname()
        assert time.monotonic() - began < 30
        places = [place and place.place for place in dialed.told]
        assert places == [full.getsockname(), None, listening.getsockname()]
        for sock in waiting:
            sock.close()


def test_a_signal_does_not_wait_for_a_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def getaddrinfo(*_: Any) -> list[Any]:
        assert threading.current_thread() is not threading.main_thread()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Dialed(1, "index.example").open()
    over.set()
    assert time.monotonic() - began < 30


def test_what_a_name_server_answers_is_raised() -> None:
    with pytest.raises(socket.gaierror):
        Dialed(1, "index.invalid").open()


@pytest.mark.parametrize("limits", ["processes", "memory"])
def test_a_name_is_looked_up_without_a_thread_where_none_fits(
    limits: str, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise RuntimeError("can't start new thread")

    if limits == "processes":
        monkeypatch.setattr("_thread.start_new_thread", refuse)
    else:
        monkeypatch.setattr("executor.sources.dialing.counts_what_is_reserved", lambda: True)
    threads = []
    real = socket.getaddrinfo

    def getaddrinfo(*arguments: Any) -> list[Any]:
        threads.append(threading.current_thread())
        return real(*arguments)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    Dialed(listening.getsockname()[1], "localhost").open()
    assert threads == [threading.main_thread()]


def test_one_without_others_is_waited_for_as_long_as_the_caller_says() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        dialed = Dialed(full.getsockname()[1], seconds=0.05)
        with pytest.raises(TimeoutError):
            dialed.open()
        assert dialed.told[-1] is None
        for sock in waiting:
            sock.close()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("files.example", b"files.example"),
        ("files.example.", b"files.example."),
        ("fe80::1%eth0", b"fe80::1%eth0"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}.example", b"xn--tda.example"),
    ],
)
def test_a_host_has_a_name_of_ascii(host: str, name: bytes) -> None:
    assert ascii_name(host) == name


@pytest.mark.parametrize("host", ["", "a..b", "a" * 64, "a b", "a\0b", "\udcff", "a\r\nb"])
def test_what_is_no_name_of_a_host_is_an_error(host: str) -> None:
    with pytest.raises(UnicodeError):
        ascii_name(host)


def test_a_name_of_ascii_loads_no_tables() -> None:
    program = (
        "import sys; from executor.sources.dialing import dial\n"
        "try: dial(('127.0.0.1', 1), 1.0, lambda _: None, lambda: None)\n"
        "except OSError: print(*{'encodings.idna', 'stringprep'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []
