"""Redirects lead only to well-formed URLs that are at least as secure."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from executor.sources.errors import Unreachable
from executor.sources.redirects import following, led_to, split

START = "https://user:secret@a.example/simple/demo"


def follow(location: str | None, start: str = START) -> str:
    return following(urlsplit(start), 302, location, start)


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("https://b.example/x", "https://b.example/x"),
        ("/other", "https://user:secret@a.example/other"),
        ("more?a=1", "https://user:secret@a.example/simple/more?a=1"),
        ("https://a.example/y", "https://user:secret@a.example/y"),
        ("https://other:login@a.example/y", "https://other:login@a.example/y"),
        ("https://a.example:8443/y", "https://a.example:8443/y"),
        ("/a b", "https://user:secret@a.example/a%20b"),
        ("/\u00c3\u00bc", "https://user:secret@a.example/%C3%BC"),
    ],
)
def test_a_login_stays_with_its_origin(location: str, leads_to: str) -> None:
    assert follow(location) == leads_to


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (None, "the server redirects (302) without a location"),
        ("", "the server redirects (302) without a location"),
        (
            "http://user:secret@b.example/x",
            "the server redirects to http://b.example/x, which is not secure",
        ),
        ("ftp://b.example/x", "the server redirects to ftp://b.example/x, which is not supported"),
        ("file:///x", "the server redirects to file:///x, which is not supported"),
        ("data:,x", "the server redirects to data:,x, which is not supported"),
        ("https://[::1/x", "the URL, or one that it redirects to, is malformed"),
        ("https://b.example:port/", "the URL, or one that it redirects to, is malformed"),
    ],
)
def test_what_cannot_be_followed_is_named_without_secrets(
    location: str | None, reason: str
) -> None:
    with pytest.raises(Unreachable) as caught:
        follow(location)
    assert caught.value.reason == reason
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ("https://a.example/other", "refused"),
        ("https://user:secret@a.example/x?token=secret", "refused"),
        ("https://user:secret@b.example:8443/x", "it redirects to b.example:8443: refused"),
    ],
)
def test_a_problem_is_that_of_the_server_it_was_met_at(there: str, told: str) -> None:
    assert led_to(START, there, "refused") == told


def test_plain_http_may_lead_to_plain_http() -> None:
    assert follow("http://b.example/", "http://a.example/") == "http://b.example/"


@pytest.mark.parametrize("url", ["", "example.com/x", "https://a.example:0/x", "https://[::1/x"])
def test_only_a_url_with_a_host_can_be_requested(url: str) -> None:
    with pytest.raises(Unreachable):
        split(url, url)
