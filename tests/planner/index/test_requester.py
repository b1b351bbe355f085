"""A request is sent again if that may help, follows redirects with the right login, and its failure
names the server that failed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from executor import Keychain, Recorder
from helpers.index import Index
from helpers.servers import Server, redirect, without_ranges
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer, IndexDenied, IndexUnreachable
from planner.index.requester import ATTEMPTS
from schemas.credentials import Login

CONTENT = b"a page" * 700
PATH = "/files/demo.bin"


@pytest.fixture(autouse=True)
def _page(index: Index) -> None:
    index.add_file("demo.bin", CONTENT)


def get(client: IndexClient, url: str) -> bytes:
    answer = client.get(url, accept="*/*", limit=len(CONTENT))
    assert answer is not None
    return answer.content


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520, 530])
def test_a_server_that_is_busy_is_asked_again(
    index: Index, client: IndexClient, pauses: list[float], status: int
) -> None:
    index.answers[PATH] = [(status, {}, b""), (status, {"Retry-After": "7"}, b"")]
    assert get(client, index.url_of("demo.bin")) == CONTENT
    assert 0.25 <= pauses[0] <= 0.5
    assert pauses[1:] == [7.0]


def test_a_body_that_ends_early_is_asked_for_again(
    index: Index, client: IndexClient, pauses: list[float]
) -> None:
    index.answers[PATH] = [(200, {"Content-Length": "4200", "Connection": "close"}, CONTENT[:99])]
    assert get(client, index.url_of("demo.bin")) == CONTENT
    assert len(pauses) == 1


def test_nobody_waits_for_ever(index: Index, client: IndexClient, pauses: list[float]) -> None:
    index.answers[PATH] = [(503, {"Retry-After": "60"}, b"")] * ATTEMPTS
    with pytest.raises(IndexUnreachable) as raised:
        get(client, index.url_of("demo.bin") + "?token=s3cret")
    assert str(raised.value) == f"{index.url_of('demo.bin')}: the server answers 503 (5 attempts)"
    assert pauses == [60.0] * (ATTEMPTS - 1)


def test_a_server_that_asks_for_too_long_a_pause_is_given_up_at_once(
    index: Index, client: IndexClient, pauses: list[float]
) -> None:
    index.answers[PATH] = [(429, {"Retry-After": "86400"}, b"")]
    with pytest.raises(IndexUnreachable, match="asks to come back in 86400 seconds") as raised:
        get(client, index.url_of("demo.bin"))
    assert raised.value.hint == "plan again after that time, or with another index"
    assert not pauses


def test_each_pause_is_told(index: Index) -> None:
    index.answers[PATH] = [(503, {"Retry-After": "30"}, b"")]
    recorder, told = Recorder(), []
    recorder.listener = lambda kind, facts: told.append((kind, dict(facts)))
    with IndexClient(pause=lambda _: None, recorder=recorder) as client:
        get(client, url := index.url_of("demo.bin"))
    facts = {"url": url, "problem": "the server answers 503", "seconds": 30.0}
    assert [facts for kind, facts in told if kind == "pausing"] == [facts]


def test_a_server_that_is_not_there_is_unreachable(client: IndexClient) -> None:
    with pytest.raises(IndexUnreachable, match=r"http://127\.0\.0\.1:1/: .*\(5 attempts\)"):
        get(client, "http://127.0.0.1:1/")


def test_the_server_that_a_redirect_led_to_is_named(index: Index, client: IndexClient) -> None:
    index.answers[PATH] = [(302, {"Location": "http://user:secret@127.0.0.1:1/"}, b"")] * 5
    with pytest.raises(IndexUnreachable) as raised:
        get(client, url := index.url_of("demo.bin"))
    assert str(raised.value).startswith(f"{url}: it redirects to 127.0.0.1:1: ")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "data:,x"])
def test_a_redirect_to_another_protocol_is_told_with_the_page(
    index: Index, client: IndexClient, location: str
) -> None:
    index.answers[PATH] = [(302, {"Location": location}, b"")]
    with pytest.raises(IndexAnswer) as raised:
        get(client, url := index.url_of("demo.bin"))
    assert str(raised.value) == f"{url}: it redirects to {location}, not supported"


@pytest.mark.parametrize(
    ("status", "kind", "problem"),
    [
        (400, IndexAnswer, "the server answers 400 Bad Request"),
        (401, IndexDenied, "the server answers 401 Unauthorized"),
        (403, IndexDenied, "the server answers 403 Forbidden"),
    ],
)
def test_a_refusal_is_told_at_once(
    index: Index,
    client: IndexClient,
    pauses: list[float],
    status: int,
    kind: type[IndexAnswer],
    problem: str,
) -> None:
    index.answers[PATH] = [(status, {}, b"")]
    with pytest.raises(kind) as raised:
        get(client, index.url_of("demo.bin") + "?token=s3cret")
    assert str(raised.value) == f"{index.url_of('demo.bin')}: {problem}"
    assert pauses == []


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_login_that_was_refused_is_to_be_renewed_not_given(index: Index, is_sent: bool) -> None:
    index.answers[PATH] = [(401, {}, b"")]
    logins = {index.origin: Login("ada", "of last year")} if is_sent else {}
    client = IndexClient(keychain=Keychain(logins))
    with client, pytest.raises(IndexDenied) as raised:
        get(client, index.url_of("demo.bin"))
    assert ("has expired" in raised.value.hint) is is_sent
    assert ("give user name and password" in raised.value.hint) is not is_sent


def _with_login(index: Index) -> IndexClient:
    assert index.login
    return IndexClient(keychain=Keychain({index.origin: Login(*index.login)}))


def test_credentials_go_to_their_origin_only(index: Index) -> None:
    index.login = ("ada", "s3cret:é")
    with Index() as other, _with_login(index) as client:
        other.add_file("demo.bin", CONTENT)
        index.answers["/files/moved"] = [(302, {"Location": other.url_of("demo.bin")}, b"")]
        assert get(client, index.url_of("demo.bin")) == CONTENT
        assert get(client, index.url_of("moved")) == CONTENT
        assert get(client, other.url_of("demo.bin")) == CONTENT
        assert not any("Authorization" in asked.headers for asked in other.asked)


def test_redirects_end(index: Index, client: IndexClient, pauses: list[float]) -> None:
    index.answers[PATH] = [(302, {"Location": index.url_of("demo.bin")}, b"")] * 20
    with pytest.raises(IndexAnswer, match="more than 10 redirects"):
        get(client, index.url_of("demo.bin"))
    assert pauses == []


def test_an_address_of_another_kind_is_refused(client: IndexClient, pauses: list[float]) -> None:
    with pytest.raises(IndexAnswer, match="missing an 'http://' or 'https://' protocol"):
        get(client, "file:///etc/passwd")
    assert pauses == []


def test_a_redirect_gets_the_login_of_the_host_that_it_leads_to(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.login = ("ada", "s3cret")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password s3cret\n")
    with Server() as first, IndexClient(keychain=Keychain(environment={"NETRC": str(netrc)})) as c:
        # Another host name for the same machine: netrc has no login for it.
        there = index.url_of("demo.bin")
        start = first.script("/moved", redirect(there)).replace("127.0.0.1", "localhost")
        assert get(c, start) == CONTENT
        assert "authorization" not in first.requests[0].headers
        back = first.script("/back", redirect(first.script("/end", without_ranges(CONTENT))))
        away = back.replace("127.0.0.1", "localhost")
        index.answers[PATH] = [(302, {"Location": away}, b"")]
        index.login = None
        assert get(c, there) == CONTENT
        told = {r.path: "authorization" in r.headers for r in first.requests[1:]}
    assert told == {"/back": False, "/end": True}


@pytest.mark.parametrize("host", ["xn--zzzzz--", "a" * 64 + ".example", "ex..ample"])
def test_a_host_name_that_is_malformed_is_an_error(client: IndexClient, host: str) -> None:
    with pytest.raises((IndexAnswer, IndexUnreachable)) as caught:
        get(client, f"http://{host}/simple/demo/")
    assert str(caught.value).startswith(f"http://{host}/simple/demo/: ")
