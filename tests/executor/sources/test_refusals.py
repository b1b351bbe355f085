"""An answer without the file is final or not, names who gave it, and says what helps."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

import pytest

from executor.sources.errors import Unreachable
from executor.sources.http1 import HttpError, TunnelRefused
from executor.sources.refusals import refusal, refusal_of_proxy
from executor.sources.response import PacedResponse
from executor.sources.retries import Pace, Retryable
from helpers.answer_bytes import AnswerBytes
from helpers.surroundings import leave_plain
from schemas.urls import hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

URL = "http://files.example/demo-1.0-py3-none-any.whl"
NAME = "http://proxy.example:3128"
PROXY = urlsplit("http://user:secret@proxy.example:3128")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)


def answer(status: int, headers: str = "") -> PacedResponse:
    head = f"HTTP/1.1 {status} Words\r\nContent-Length: 0\r\n{headers}\r\n".encode()
    response = PacedResponse(Pace(9e9, 15.0), cast("socket.socket", AnswerBytes(head)))
    response.begin()
    return response


@pytest.mark.parametrize("status", [408, 416, 421, 425, 429, 500, 502, 503, 504, 520, 522, 530])
def test_a_later_attempt_may_not_meet_a_status_of_the_moment(status: int) -> None:
    error = refusal(answer(status), URL)
    assert isinstance(error, Retryable)
    assert str(error) == f"the server answered {status} Words"


@pytest.mark.parametrize(
    ("stated", "pause"),
    [("7", 7.0), ("", None), ("soon", None), ("-1", None), ("1.5", None), ("\u0662", None)],
)
def test_a_pause_is_a_number_of_seconds(stated: str, pause: float | None) -> None:
    error = refusal(answer(503, f"Retry-After: {stated}\r\n"), URL)
    assert isinstance(error, Retryable)
    assert error.pause == pause


@pytest.mark.parametrize("status", [202, 204, 400, 401, 403, 404, 407, 410, 501])
def test_other_statuses_are_final(status: int) -> None:
    error = refusal(answer(status), URL)
    assert isinstance(error, Unreachable)
    assert str(error) == f"{URL}: the server answered {status} Words"


@pytest.mark.parametrize("status", [401, 403, 404, 407, 511])
def test_the_last_gate_before_a_person_leaves_a_hint_as_it_is(status: int) -> None:
    error = refusal(answer(status), URL)
    assert isinstance(error, Unreachable)
    assert hidden(error.hint) == error.hint


def test_a_login_that_is_not_accepted_is_not_asked_for_again() -> None:
    hints = []
    for has_login in (False, True):
        error = refusal(answer(401), URL, has_login=has_login)
        assert isinstance(error, Unreachable)
        hints.append(error.hint.partition(":")[0])
    assert hints == [
        "give credentials for its host",
        "the login that was sent is not accepted, or has expired",
    ]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("Basic realm=x", ""),
        ("Bearer, BASIC realm=x", ""),
        ('Digest realm="x", qop="auth"', ", and wants a login of kind Digest, not Basic"),
        ("NTLM", ", and wants a login of kind NTLM, not Basic"),
    ],
)
def test_a_login_of_another_kind_is_named(wanted: str, told: str) -> None:
    error = refusal(answer(401, f"WWW-Authenticate: {wanted}\r\n"), URL)
    assert str(error) == f"{URL}: the server answered 401 Words{told}"


@pytest.mark.parametrize(
    ("status", "who"),
    [
        (404, f"the server, or the proxy {NAME},"),
        (407, f"the proxy {NAME}"),
    ],
)
def test_behind_a_proxy_both_may_have_answered(
    monkeypatch: pytest.MonkeyPatch, status: int, who: str
) -> None:
    monkeypatch.setenv("http_proxy", PROXY.geturl())
    assert str(refusal(answer(status), URL)) == f"{URL}: {who} answered {status} Words"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            TimeoutError(),
            f"the proxy {NAME} cannot be reached: no answer in time",
        ),
        (HttpError("broken"), f"the proxy {NAME} cannot be reached: broken"),
        (TunnelRefused(503, "", {}), f"the proxy {NAME} answered 503"),
        (TunnelRefused(599, "", {}), f"the proxy {NAME} answered 599"),
    ],
)
def test_a_proxy_may_be_there_later(error: Exception, expected: str) -> None:
    found = refusal_of_proxy(error, PROXY, URL)
    assert isinstance(found, Retryable)
    assert str(found) == expected


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_forbids_is_final(status: int) -> None:
    found = refusal_of_proxy(TunnelRefused(status, "", {}), PROXY, URL)
    assert isinstance(found, Unreachable)
    assert str(found) == f"{URL}: the proxy {NAME} answered {status}"


@pytest.mark.parametrize(
    ("wanted", "told", "login", "hint"),
    [
        ("Basic", "", "", "write its login, user:password@,"),
        ("Negotiate", ", and wants a login of kind Negotiate, not Basic", "", "write its login"),
        ("Basic realm=x", "", "user:secret@", "is not accepted: set another one there"),
    ],
)
def test_a_login_that_a_proxy_does_not_accept_is_not_asked_for_again(
    wanted: str, told: str, login: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://{login}proxy.example:3128"
    monkeypatch.setenv("http_proxy", proxy)
    headers = {"proxy-authenticate": wanted}
    answers = (
        refusal_of_proxy(TunnelRefused(407, "", headers), urlsplit(proxy), URL),
        refusal(answer(407, f"Proxy-Authenticate: {wanted}\r\n"), "http://a.example/x"),
    )
    for found in answers:
        assert isinstance(found, Unreachable)
        assert found.reason.endswith(f"407{told}") or found.reason.endswith(f"407 Words{told}")
        assert hint in found.hint
