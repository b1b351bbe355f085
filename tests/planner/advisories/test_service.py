"""A service is asked for all releases at once; what it answers outside of its API is an error that
names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.advisories import AdvisoryServer, advisory_server, record
from helpers.servers import Proxy
from planner.advisories import service
from planner.advisories.advisory import Pin
from planner.advisories.errors import ServiceAnswer, ServiceUnreachable
from planner.advisories.service import AdvisoryService, ServiceContent
from planner.index.errors import ProxyRefused
from schemas.errors import UsageError

BATCH = "/v1/querybatch"
HINT = (
    "check that --service is the address of a service with OSV's API, without the /v1/ at its end, "
    "or give a copy of the database with --database"
)


def pin(name: str = "demo", version: str = "1.0") -> Pin:
    return canonicalize_name(name), Version(version)


@pytest.fixture(name="server")
def _server() -> Iterator[AdvisoryServer]:
    with advisory_server() as running:
        yield running


@pytest.fixture(name="pauses")
def _pauses() -> list[float]:
    return []


def ask(server: AdvisoryServer, pauses: list[float], *pins: Pin) -> ServiceContent:
    with AdvisoryService(server.url, pause=pauses.append) as opened:
        return opened.ask(pins or [pin()])


def ids_of(content: ServiceContent, one: Pin) -> list[str]:
    return [advisory.id for advisory in content.found[one]]


def test_all_releases_are_asked_for_at_once(server: AdvisoryServer, pauses: list[float]) -> None:
    server.add(record("GHSA-2"), record("GHSA-1"), record("PYSEC-1", about="other"))
    content = ask(server, pauses, pin(), pin("other", "2!1.0rc1"), pin("clean"))
    assert ids_of(content, pin()) == ["GHSA-1", "GHSA-2"]
    assert ids_of(content, pin("other", "2!1.0rc1")) == ["PYSEC-1"]
    assert ids_of(content, pin("clean")) == []
    assert server.batches == [
        [
            {"package": {"name": "demo", "ecosystem": "PyPI"}, "version": "1.0"},
            {"package": {"name": "other", "ecosystem": "PyPI"}, "version": "2!1.0rc1"},
            {"package": {"name": "clean", "ecosystem": "PyPI"}, "version": "1.0"},
        ]
    ]


def test_an_advisory_on_many_releases_is_read_once(
    server: AdvisoryServer, pauses: list[float]
) -> None:
    server.add(record("GHSA-1"))
    server.named["other"] = ["GHSA-1"]
    ask(server, pauses, pin(), pin("other"))
    assert [path for method, path, _ in server.seen if method == "GET"] == ["/v1/vulns/GHSA-1"]


def test_further_pages_are_asked_for(server: AdvisoryServer, pauses: list[float]) -> None:
    server.page_size = 2
    server.add(*(record(f"GHSA-{one}") for one in range(5)), record("PYSEC-1", about="other"))
    content = ask(server, pauses, pin("other"), pin())
    assert ids_of(content, pin()) == [f"GHSA-{one}" for one in range(5)]
    assert [[one.get("page_token") for one in batch] for batch in server.batches] == [
        [None, None],
        ["2"],
        ["4"],
    ]


def test_pages_without_end_are_refused(
    server: AdvisoryServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_PAGES", 3)
    answer = json.dumps({"results": [{"next_page_token": "again"}]}).encode()
    server.answers[BATCH] = [(200, {}, answer)] * 3
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert str(raised.value) == f"{server.url}{BATCH}: its answer has more than 3 pages"


def test_a_large_lock_is_asked_for_in_parts(
    server: AdvisoryServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_QUERIES", 2)
    server.add(record("GHSA-1", about="p4"))
    content = ask(server, pauses, *(pin(f"p{one}") for one in range(5)))
    assert [len(batch) for batch in server.batches] == [2, 2, 1]
    assert ids_of(content, pin("p4")) == ["GHSA-1"]


def test_a_build_with_a_label_is_asked_for_as_its_release(
    server: AdvisoryServer, pauses: list[float]
) -> None:
    ask(server, pauses, pin("torch", "2.0.0+cu118"))
    assert [one["version"] for one in server.batches[0]] == ["2.0.0", "2.0.0+cu118"]


def test_without_releases_nothing_is_sent(server: AdvisoryServer) -> None:
    with AdvisoryService(server.url) as opened:
        assert opened.ask([]).found == {}
    assert server.seen == []


def test_an_id_without_a_record_is_kept(server: AdvisoryServer, pauses: list[float]) -> None:
    server.named["demo"] = ["GHSA/../1?x"]
    content = ask(server, pauses)
    assert content.missing == ("GHSA/../1?x",)
    assert ids_of(content, pin()) == ["GHSA/../1?x"]
    assert server.seen[-1][1] == "/v1/vulns/GHSA%2F..%2F1%3Fx"


class TestABusyService:
    def test_is_asked_again(self, server: AdvisoryServer, pauses: list[float]) -> None:
        server.add(record("GHSA-1"))
        server.answers[BATCH] = [(503, {}, b""), (429, {"Retry-After": "7"}, b"")]
        server.answers["/v1/vulns/GHSA-1"] = [(500, {}, b"")]
        assert ids_of(ask(server, pauses), pin()) == ["GHSA-1"]
        assert pauses[1] == 7.0
        assert len(pauses) == 3

    def test_is_given_up_after_some_attempts(
        self, server: AdvisoryServer, pauses: list[float]
    ) -> None:
        server.answers[BATCH] = [(502, {}, b"")] * 5
        with pytest.raises(ServiceUnreachable) as raised:
            ask(server, pauses)
        assert str(raised.value) == (f"{server.url}{BATCH}: the server answers 502 (5 attempts)")
        assert raised.value.hint == (
            "check the network, the proxy and the address of the service, or give a copy of the "
            "database with --database"
        )

    def test_that_asks_for_an_hour_is_told(
        self, server: AdvisoryServer, pauses: list[float]
    ) -> None:
        server.answers[BATCH] = [(429, {"Retry-After": "3600"}, b"")]
        with pytest.raises(ServiceUnreachable) as raised:
            ask(server, pauses)
        assert "asks to come back in 3600 seconds" in str(raised.value)
        assert raised.value.hint == (
            "run it again after that time, or give a copy of the database with --database"
        )
        assert pauses == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<!doctype html><p>Sign in</p>", "it answers with a web page, not with JSON"),
        (b"", "it answers with something else, not with JSON"),
        (b'{"results": [{"vul', "it answers with something else, not with JSON"),
        (b"[" * 100_000, "it answers with something else, not with JSON"),
        (b"[]", "its answer has no list of results"),
        (b'{"code": 3, "message": "Invalid"}', "its answer has no list of results"),
        (b'{"results": {}}', "its answer has no list of results"),
        (b'{"results": []}', "it answers 1 queries with 0 results"),
        (b'{"results": [{}, {}]}', "it answers 1 queries with 2 results"),
        (b'{"results": [{"vulns": [{}]}]}', "its answer has an advisory without an id"),
        (b'{"results": [{"vulns": ["GHSA-1"]}]}', "its answer has an advisory without an id"),
        (b'{"results": [{"vulns": "GHSA-1"}]}', "its answer has an advisory without an id"),
        (b'{"results": [{"vulns": 7}]}', "its answer has an advisory without an id"),
        (b'{"results": [{"vulns": [{"id": 7}]}]}', "its answer has an advisory without an id"),
    ],
)
def test_an_answer_outside_of_the_api_is_an_error(
    server: AdvisoryServer, pauses: list[float], body: bytes, problem: str
) -> None:
    server.answers[BATCH] = [(200, {}, body)]
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert (str(raised.value), raised.value.hint) == (f"{server.url}{BATCH}: {problem}", HINT)
    assert pauses == []


@pytest.mark.parametrize("result", [b"null", b"7", b'{"vulns": null}', b'{"next_page_token": 7}'])
def test_a_result_without_ids_names_none(
    server: AdvisoryServer, pauses: list[float], result: bytes
) -> None:
    server.answers[BATCH] = [(200, {}, b'{"results": [%s]}' % result)]
    assert ids_of(ask(server, pauses), pin()) == []


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (400, "the server answers 400 Bad Request"),
        (404, "the server answers 404 Not Found"),
        (405, "the server answers 405 Method Not Allowed"),
    ],
)
def test_a_refused_question_is_an_error(
    server: AdvisoryServer, pauses: list[float], status: int, problem: str
) -> None:
    server.answers[BATCH] = [(status, {}, b"{}")]
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert str(raised.value) == f"{server.url}{BATCH}: {problem}"


def test_a_redirect_to_a_page_is_an_error(server: AdvisoryServer, pauses: list[float]) -> None:
    server.answers[BATCH] = [(302, {"Location": "/login"}, b"")]
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert str(raised.value) == f"{server.url}{BATCH}: it answers POST with a page (302 Found)"


def test_a_redirect_of_the_question_is_followed(
    server: AdvisoryServer, pauses: list[float]
) -> None:
    server.add(record("GHSA-1"))
    server.answers[BATCH] = [(308, {"Location": "/moved/v1/querybatch"}, b"")]
    assert ids_of(ask(server, pauses), pin()) == ["GHSA-1"]
    assert len(server.batches) == 1


def test_an_answer_without_end_is_left(
    server: AdvisoryServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_ANSWER_SIZE", 1000)
    server.answers[BATCH] = [(200, {"Connection": "close"}, b" " * 100_000)]
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert str(raised.value) == f"{server.url}{BATCH}: the response has more than 1000 bytes"


def test_an_answer_that_ends_early_is_asked_for_again(
    server: AdvisoryServer, pauses: list[float]
) -> None:
    server.add(record("GHSA-1"))
    cut: Any = (200, {"Content-Length": "4200", "Connection": "close"}, b'{"results": [')
    server.answers[BATCH] = [cut]
    assert ids_of(ask(server, pauses), pin()) == ["GHSA-1"]
    assert len(pauses) == 1


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]"])
def test_a_record_outside_of_the_format_is_an_error(
    server: AdvisoryServer, pauses: list[float], body: bytes
) -> None:
    server.add(record("GHSA-1"))
    server.answers["/v1/vulns/GHSA-1"] = [(200, {}, body)]
    with pytest.raises(ServiceAnswer) as raised:
        ask(server, pauses)
    assert str(raised.value).startswith(f"{server.url}/v1/vulns/GHSA-1: it ")
    assert str(raised.value).endswith(", so it is no record of OSV")


def test_nobody_at_the_address(pauses: list[float]) -> None:
    with (
        pytest.raises(ServiceUnreachable),
        AdvisoryService("http://127.0.0.1:1", pause=pauses.append) as opened,
    ):
        opened.ask([pin()])


class TestALogin:
    def test_stands_in_the_address(self, server: AdvisoryServer, pauses: list[float]) -> None:
        server.answers[BATCH] = [(401, {}, b"")]
        with AdvisoryService(
            server.url.replace("://", "://user:s3cret@") + "/", pause=pauses.append
        ) as opened:
            assert opened.name == server.url
            with pytest.raises(ServiceAnswer) as raised:
                opened.ask([pin()])
        assert server.seen == [("POST", BATCH, "Basic dXNlcjpzM2NyZXQ=")]
        assert str(raised.value) == f"{server.url}{BATCH}: the server answers 401 Unauthorized"
        assert raised.value.hint == (
            "give its login in a netrc file or with --keyring, or as user:password@ before the "
            "host in the variable LOCKSTREAM_SERVICE"
        )

    def test_stands_in_netrc(
        self,
        server: AdvisoryServer,
        pauses: list[float],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login user password s3cret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        ask(server, pauses)
        assert server.seen[0][2] == "Basic dXNlcjpzM2NyZXQ="


def test_the_proxy_of_the_environment_is_used(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(authorization="Basic wanted") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with (
            pytest.raises(ProxyRefused) as raised,
            AdvisoryService("http://service.example", pause=pauses.append) as opened,
        ):
            opened.ask([pin()])
    assert proxy.requests[0].target == f"http://service.example{BATCH}"
    assert raised.value.hint == (
        "write its login, user:password@, before its host in HTTP_PROXY or HTTPS_PROXY, or list "
        "the host in NO_PROXY"
    )


@pytest.mark.parametrize(
    "url",
    ["service.example", "ftp://service.example", "https://", "https://a b", "https://[::1",
     "https://service.example/?token=s3cret", "https://service.example/#x", "https:///v1",
     "https://user:s3cret@service.example:port", "https://service.example:port"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        AdvisoryService(url)
    assert "s3cret" not in str(raised.value)
    assert str(raised.value).endswith(" is not the address of a service")
