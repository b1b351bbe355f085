"""Connections lead to the server, or to the proxy that connects to it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from executor.sources.connection import connect, request_target, while_waiting
from executor.sources.retries import Pace

PROXY = urlsplit("http://user:p%40ss@proxy.example:3128")


def place(url: str, proxy: str = "") -> tuple[type, str, int | None]:
    connection = connect(urlsplit(url), urlsplit(proxy) if proxy else None, 5.0)
    assert connection.timeout == 5.0
    return type(connection), connection.host, connection.port


def test_without_a_proxy_it_leads_to_the_server() -> None:
    assert place("http://a.example/x") == (http.client.HTTPConnection, "a.example", 80)
    assert place("https://a.example:8443/x") == (http.client.HTTPSConnection, "a.example", 8443)


def test_with_a_proxy_it_leads_to_the_proxy() -> None:
    assert place("http://a.example/x", "http://p.example:3128")[1:] == ("p.example", 3128)
    assert place("https://a.example/x", "http://p.example")[1:] == ("p.example", 80)


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
