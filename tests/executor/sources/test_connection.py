"""Connections lead to the server, or to the proxy that connects to it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from executor.sources.connection import HttpConnection, connect, request_target, while_waiting
from executor.sources.http1 import TunnelRefused
from executor.sources.retries import Pace
from helpers.answer_bytes import AnswerBytes

PROXY = urlsplit("http://user:p%40ss@proxy.example:3128")


def place(url: str, proxy: str = "") -> tuple[bool, str, int]:
    connection = connect(urlsplit(url), urlsplit(proxy) if proxy else None, 5.0)
    assert connection.timeout == 5.0
    return connection.context is not None, *connection.place


def test_without_a_proxy_it_leads_to_the_server() -> None:
    assert place("http://a.example/x") == (False, "a.example", 80)
    assert place("https://a.example/x") == (True, "a.example", 443)
    assert place("https://a.example:8443/x") == (True, "a.example", 8443)


def test_with_a_proxy_it_leads_to_the_proxy() -> None:
    assert place("http://a.example/x", "http://p.example:3128") == (False, "p.example", 3128)
    assert place("https://a.example/x", "http://p.example") == (True, "p.example", 80)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", "/"),
        ("https://a.example/a b?c=d#e", "/a%20b?c=d"),
        ("https://a.example/%C3%BC", "/%C3%BC"),
        ("https://user:secret@a.example/x", "/x"),
    ],
)
def test_a_request_names_path_and_query_alone(url: str, target: str) -> None:
    assert request_target(urlsplit(url)) == target


def test_the_time_of_connecting_counts_even_if_it_fails() -> None:
    pace = Pace(1e9, 15.0)

    def send() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        while_waiting(pace, send)
    assert pace.waited > 0


class Proxy(AnswerBytes):
    """A proxy that has answered already."""

    def setsockopt(self, *_: object) -> None:
        pass


def tunnelled(monkeypatch: pytest.MonkeyPatch, url: str, answer: bytes) -> bytes:
    """What a connection to ``url`` asks a proxy for that answers so."""
    sent: list[bytes] = []
    monkeypatch.setattr("executor.sources.connection.dial", lambda *_: Proxy(answer, sent))
    monkeypatch.setattr(HttpConnection, "secure", lambda _: iter(()))
    connection = connect(urlsplit(url), PROXY, 5.0)
    connection.pace = Pace(9e9, 15.0)
    try:
        connection.open()
    finally:
        assert len(sent) == 1
    return sent[0]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example/x", b"a.example:443"),
        ("https://a.example:8443/x", b"a.example:8443"),
        ("https://[::1]/x", b"[::1]:443"),
    ],
)
@pytest.mark.parametrize("answer", [b"200 OK\r\nContent-Length: 5\r\n", b"204 X\r\n"])
def test_a_proxy_is_asked_for_the_place_with_its_login_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, place: bytes, answer: bytes
) -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 " + answer + b"\r\n"
    assert tunnelled(monkeypatch, url, answer) == (
        b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
        % (place, place)
    )


def test_a_proxy_that_does_not_connect_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TunnelRefused) as caught:
        tunnelled(monkeypatch, "https://a.example/", b"HTTP/1.1 407 Log in\r\nA: b\r\n\r\nbody")
    assert (caught.value.status, caught.value.reason) == (407, "Log in")


def test_a_request_that_cannot_be_written_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    monkeypatch.setattr("executor.sources.connection.dial", lambda *_: Proxy(b"", sent))
    connection = connect(urlsplit("http://a.example/"), None, 5.0)
    with pytest.raises(ValueError, match="line break"):
        connection.request("GET", "/", {"X": "a\r\nY: b"})
    assert sent == []
