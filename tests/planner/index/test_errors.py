"""Errors of indexes name the URL, the cause, and what to do."""

from __future__ import annotations

import pytest

from planner.index.errors import (
    FileMissing,
    IndexAnswer,
    IndexDenied,
    IndexUnreachable,
    NotCached,
    ProxyRefused,
    SignInPage,
)
from schemas.errors import ExitCode, NetworkError
from schemas.urls import hidden

URL = "https://index.example/simple/demo/"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (IndexAnswer(URL, "it is odd"), f"{URL}: it is odd"),
        (IndexDenied(URL, "the server answers 403", True), f"{URL}: the server answers 403"),
        (FileMissing(URL, "the server answers 404"), f"{URL}: the server answers 404"),
        (SignInPage(URL, "it has a form"), f"{URL}: it has a form"),
        (IndexUnreachable(URL, "no answer"), f"{URL}: no answer"),
        (NotCached(URL), f"{URL} is not in the cache, and --offline forbids to fetch it"),
        (
            ProxyRefused(URL, "http://proxy.example:1", "407 No"),
            f"{URL}: the proxy http://proxy.example:1 answers 407 No",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, NetworkError) else "",
)
def test_each_ends_as_a_failure_of_the_network(error: NetworkError, text: str) -> None:
    assert str(error) == text
    assert error.exit_code is ExitCode.NETWORK
    assert error.hint
    assert hidden(error.hint) == error.hint, "the last gate before a person changes it"


def test_hints_say_what_helps_for_the_kind_of_refusal() -> None:
    assert "LOCKSTREAM_INDEX_<NAME>_USERNAME" in IndexDenied(URL, "").hint
    assert "explicit" not in IndexDenied(URL, "").hint
    assert "explicit" in IndexDenied(URL, "", True).hint
    assert "has expired: renew it" in IndexDenied(URL, "", has_login=True).hint
    assert "/simple/" in IndexAnswer(URL, "").hint
    assert "NO_PROXY" in ProxyRefused(URL, "", "").hint
    assert IndexUnreachable(URL, "", hint="this").hint == "this"
