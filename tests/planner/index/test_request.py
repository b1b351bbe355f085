"""URLs are sent in one form, and those that cannot be sent are refused."""

from __future__ import annotations

import pytest

from planner.index.errors import IndexAnswer
from planner.index.request import Request, split_url


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://index.example/simple/a/", "https://index.example/simple/a/"),
        ("HTTPS://Index.Example:443/Simple", "https://index.example/Simple"),
        ("http://index.example:80/", "http://index.example/"),
        ("https://index.example:80/", "https://index.example:80/"),
        ("http://user:word@INDEX.example:8080/x?y=Z", "http://user:word@index.example:8080/x?y=Z"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_url_has_one_form(url: str, sent: str) -> None:
    request = Request("GET", split_url(url), {})
    assert request.url == sent
    assert split_url(request.url) == request.parts


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("file:///etc/passwd", "it is missing an 'http://' or 'https://' protocol"),
        ("index.example/simple", "it is missing an 'http://' or 'https://' protocol"),
        ("https:///simple", "it is missing an 'http://' or 'https://' protocol"),
        ("https://index.example:0/", "its port is 0"),
        ("https://index.example:99999/", "Port out of range 0-65535"),
        ("https://in dex.example/", "its host name is malformed"),
        ("https://ex..ample/", "its host name is malformed"),
        (f"https://{'a' * 64}.example/", "its host name is malformed"),
    ],
)
def test_what_cannot_be_requested_is_refused(url: str, problem: str) -> None:
    with pytest.raises(IndexAnswer) as caught:
        split_url(url)
    assert caught.value.problem == problem
