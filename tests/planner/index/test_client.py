"""The client tries again if that may help, and names the failure if it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor import Keychain, Recorder
from helpers.index import Index
from helpers.servers import Server, redirect, without_ranges
from planner.index.client import ATTEMPTS, IndexClient, Part
from planner.index.errors import FileMissing, IndexAnswer, IndexDenied, IndexUnreachable
from schemas.credentials import Login

CONTENT = bytes(range(256)) * 16
PATH = "/files/demo.bin"


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses: list[float]) -> Iterator[IndexClient]:
    with IndexClient(pause=pauses.append) as running:
        yield running


@pytest.fixture(autouse=True)
def _served(index: Index) -> None:
    index.add_file("demo.bin", CONTENT)


def get(client: IndexClient, url: str, limit: int = 1 << 20) -> bytes | None:
    answer = client.get(url, accept="*/*", limit=limit)
    return answer.content if answer else None


def test_a_document_is_got_whole(index: Index, client: IndexClient) -> None:
    assert get(client, index.url_of("demo.bin")) == CONTENT


def test_what_does_not_exist_is_no_error(index: Index, client: IndexClient) -> None:
    assert get(client, index.url_of("other.bin")) is None


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        pytest.param(0, 10, Part(0, CONTENT[:10], len(CONTENT)), id="the beginning"),
        pytest.param(100, 50, Part(100, CONTENT[100:150], len(CONTENT)), id="the middle"),
        pytest.param(4090, 50, Part(4090, CONTENT[4090:], len(CONTENT)), id="beyond the end"),
        pytest.param(None, 10, Part(4086, CONTENT[-10:], len(CONTENT)), id="the end"),
        pytest.param(None, 9999, Part(0, CONTENT, len(CONTENT)), id="all of it, as a suffix"),
    ],
)
def test_a_part_is_the_part_that_was_asked_for(
    index: Index, client: IndexClient, offset: int | None, length: int, expected: Part
) -> None:
    assert client.get_part(index.url_of("demo.bin"), offset=offset, length=length) == expected


def test_a_server_that_breaks_on_a_suffix_is_asked_for_a_part_by_its_position(
    index: Index, client: IndexClient, pauses: list[float]
) -> None:
    url = index.url_of("demo.bin")
    index.answers[PATH] = [(500, {}, b""), (500, {}, b"")]
    assert client.get_part(url, offset=None, length=9999) is None
    assert not pauses
    assert client.get_part(url, offset=0, length=9) == Part(0, CONTENT[:9], len(CONTENT))
    assert len(pauses) == 1, "elsewhere 500 may be of the moment"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, {}, CONTENT, id="the whole file"),
        pytest.param(416, {}, b"", id="not satisfiable"),
        pytest.param(501, {}, b"", id="not implemented"),
        pytest.param(206, {}, b"ab", id="without Content-Range"),
        pytest.param(206, {"Content-Range": "bytes 5-14/4096"}, b"0123456789", id="another part"),
        pytest.param(206, {"Content-Range": "bytes 0-9/*"}, b"0123456789", id="of unknown size"),
        pytest.param(206, {"Content-Range": "bytes 0-9/4096", "Content-Encoding": "identity"},
                     b"0123456789", id="encoded"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_part_is_none(
    index: Index, client: IndexClient, status: int, headers: dict[str, str], body: bytes
) -> None:
    index.answers[PATH] = [(status, headers, body)]
    assert client.get_part(index.url_of("demo.bin"), offset=0, length=10) is None


def test_a_size_is_asked_for_without_the_file(index: Index, client: IndexClient) -> None:
    assert client.get_size(index.url_of("demo.bin")) == len(CONTENT)
    assert index.paths("GET") == []


def test_a_file_is_downloaded_to_disk(index: Index, client: IndexClient) -> None:
    with client.download(index.url_of("demo.bin"), limit=len(CONTENT)) as file:
        file.seek(0)
        assert file.read() == CONTENT


def test_more_than_was_announced_is_not_taken(index: Index, client: IndexClient) -> None:
    with pytest.raises(IndexAnswer, match="the response has more than 4095 bytes"):
        client.download(index.url_of("demo.bin"), limit=len(CONTENT) - 1)
    with pytest.raises(IndexAnswer, match="the response has more than 10 bytes"):
        get(client, index.url_of("demo.bin"), limit=10)


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
    index.answers[PATH] = [(200, {"Content-Length": "4096", "Connection": "close"}, CONTENT[:99])]
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
    with pytest.raises(IndexUnreachable, match="asks to come back in 86400 seconds"):
        get(client, index.url_of("demo.bin"))
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


def test_a_part_is_not_taken_for_a_page_or_a_file(index: Index, client: IndexClient) -> None:
    part = (206, {"Content-Range": f"bytes 0-9/{len(CONTENT)}"}, CONTENT[:10])
    index.answers[PATH] = [part]
    with pytest.raises(IndexAnswer, match="a part that was not requested"):
        get(client, index.url_of("demo.bin"))
    index.answers[PATH] = [part]
    with pytest.raises(IndexAnswer, match="a part that was not requested"):
        client.download(index.url_of("demo.bin"), limit=len(CONTENT))


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


def test_the_certificate_of_a_trusted_host_is_not_verified(pauses: list[float]) -> None:
    with Server(tls=True) as server:
        url = server.script("/demo.bin", without_ranges(CONTENT))
        with (
            IndexClient(pause=pauses.append) as client,
            pytest.raises(IndexUnreachable, match="not trusted: self-signed certificate"),
        ):
            get(client, url)
        host = f"127.0.0.1:{server.port}"
        with IndexClient(pause=pauses.append, trusted_hosts=[host]) as client:
            assert get(client, url) == CONTENT


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


@pytest.mark.parametrize("status", [400, 403, 405, 406, 501])
def test_head_and_ranges_may_be_refused(index: Index, client: IndexClient, status: int) -> None:
    index.answers[PATH] = [(status, {}, b""), (status, {}, b"")]
    assert client.get_size(index.url_of("demo.bin")) is None
    assert client.get_part(index.url_of("demo.bin"), offset=0, length=10) is None


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_missing(index: Index, client: IndexClient, status: int) -> None:
    url = index.url_of("demo.bin")
    index.answers[PATH] = [(status, {}, b"")] * 3
    for read in (
        lambda: client.get_size(url),
        lambda: client.get_part(url, offset=0, length=10),
        lambda: client.download(url, limit=10),
    ):
        with pytest.raises(FileMissing, match=f"the server answers {status}"):
            read()


@pytest.mark.parametrize("host", ["xn--zzzzz--", "a" * 64 + ".example", "ex..ample"])
def test_a_host_name_that_is_malformed_is_an_error(client: IndexClient, host: str) -> None:
    with pytest.raises((IndexAnswer, IndexUnreachable)) as caught:
        get(client, f"http://{host}/simple/demo/")
    assert str(caught.value).startswith(f"http://{host}/simple/demo/: ")
