"""Proxies and certificates mean the same to the planner as to the executor."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from executor import Keychain, tls_context
from helpers.index import Index
from helpers.servers import CERTIFICATE, Connection, Proxy, Request, Server, file, raw
from helpers.surroundings import leave_plain
from planner.index.client import IndexClient
from planner.index.errors import IndexUnreachable, ProxyRefused
from planner.index.requester import ATTEMPTS
from schemas.errors import ExitCode, UsageError

CONTENT = b"a page"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    leave_plain(monkeypatch)
    yield
    tls_context.cache_clear()


def get(url: str, pauses: list[float] | None = None) -> bytes:
    pauses = [] if pauses is None else pauses
    with IndexClient(keychain=Keychain(environment={}), pause=pauses.append) as client:
        answer = client.get(url, accept="*/*", limit=1 << 20)
    assert answer is not None
    return answer.content


@pytest.mark.parametrize("tls", [False, True], ids=["forwarded", "tunnelled"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "https_proxy http_proxy"])
def test_requests_go_through_the_proxy_with_its_login(
    tls: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = "Basic " + base64.b64encode(b"user:p@ss").decode()
    with Server(tls=tls) as server, Proxy(login) as proxy:
        for name in variable.split():
            monkeypatch.setenv(name, proxy.url.replace("//", "//user:p%40ss@"))
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert get(server.script("/x", file(CONTENT))) == CONTENT
        assert len(proxy.requests) == 1
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert get(server.script("/x", file(CONTENT))) == CONTENT
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("tls", [False, True], ids=["forwarded", "tunnelled"])
def test_a_proxy_that_refuses_is_named_at_once(tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(tls=tls) as server, Proxy("Basic other") as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//user:secret@"))
        url, pauses = server.script("/x", file(CONTENT)), list[float]()
        with pytest.raises(ProxyRefused) as caught:
            get(url, pauses)
    assert str(caught.value) == f"{url}: the proxy {proxy.url} answers 407 {REASON}"
    assert "is not accepted" in caught.value.hint
    assert caught.value.exit_code is ExitCode.NETWORK
    assert (pauses, server.requests) == ([], [])


REASON = "Proxy Authentication Required"


@pytest.mark.parametrize("name", ["\udcff\udcfe", "a" * 70, "a..b"])
def test_a_proxy_whose_name_is_none_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable may hold any bytes."""
    monkeypatch.setenv("ALL_PROXY", f"http://user:secret@{name}:1")
    with pytest.raises(IndexUnreachable, match="cannot be reached") as caught:
        get("http://index.example/simple/demo/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://user:secret@127.0.0.1:1")
    pauses: list[float] = []
    with pytest.raises(IndexUnreachable) as caught:
        get(f"{scheme}://index.example/simple/demo/", pauses)
    assert str(caught.value) == (
        f"{scheme}://index.example/simple/demo/: the proxy http://127.0.0.1:1 cannot be reached: "
        f"Connection refused ({ATTEMPTS} attempts)"
    )
    assert len(pauses) == ATTEMPTS - 1


def test_a_proxy_that_cannot_connect_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: Request, connection: Connection) -> None:
        connection.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        connection.close()

    with Server() as proxy:
        proxy.script("/index.example:443", answer)
        proxy.script("index.example:443", answer)
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with pytest.raises(IndexUnreachable) as caught:
            get("https://index.example/simple/demo/")
    assert f"the proxy {proxy.origin} answers 502 Bad Gateway" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "problem", "hint"),
    [
        ("403 Blocked", "403 Blocked", "ask the owner of the proxy"),
        ("407 Log in", "407 Log in", "write its login"),
        (
            "407 Log in\r\nProxy-Authenticate: NTLM",
            "407 Log in, and wants a login of kind NTLM, not Basic",
            "write its login",
        ),
    ],
)
def test_the_hint_fits_the_refusal_of_a_proxy(
    head: str, problem: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as proxy:
        for name in ("/index.example:443", "index.example:443"):
            proxy.script(name, raw(f"HTTP/1.1 {head}\r\n\r\n".encode(), close=True))
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with pytest.raises(ProxyRefused) as caught:
            get("https://index.example/simple/demo/")
    assert str(caught.value).endswith(f"the proxy {proxy.origin} answers {problem}")
    assert hint in caught.value.hint


def test_a_connection_that_ends_behind_a_proxy_is_told_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Server() as proxy:
        for name in ("/index.example:443", "index.example:443"):
            proxy.script(name, raw(b"HTTP/1.1 200 Connected\r\n\r\n", close=True))
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with pytest.raises(IndexUnreachable) as caught:
            get("https://index.example/simple/demo/", [])
    assert f", through the proxy {proxy.origin}" in str(caught.value)
    assert "cannot be reached" not in str(caught.value)


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "socks4", "https"])
def test_a_kind_of_proxy_that_is_not_supported_is_named(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{kind}://user:secret@127.0.0.1:1")
    with pytest.raises(UsageError) as caught:
        get("https://index.example/simple/demo/")
    assert str(caught.value) == (
        f"the proxy for https is of kind {kind!r}, only http proxies are supported"
    )
    assert caught.value.hint == "set ALL_PROXY to an http:// address, or list the host in NO_PROXY"


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"]
)
def test_each_variable_names_authorities(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(CERTIFICATE))
    with Server(tls=True) as server:
        assert get(server.script("/x", file(CONTENT))) == CONTENT


def test_a_certificate_that_is_not_trusted_ends_the_request_at_once() -> None:
    pauses: list[float] = []
    with Server(tls=True) as server, pytest.raises(IndexUnreachable) as caught:
        get(server.script("/x", file(CONTENT)), pauses)
    assert "its certificate is not trusted: " in str(caught.value)
    assert caught.value.hint == "name your certificate authority with SSL_CERT_FILE"
    assert pauses == []


def test_plain_http_loads_no_authorities(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/absent")
    index.add_file("demo.bin", CONTENT)
    assert get(index.url_of("demo.bin")) == CONTENT
    with pytest.raises(UsageError, match="SSL_CERT_FILE names /absent"):
        get("https://127.0.0.1:1/")


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    def close(_: Request, connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        connection.close()

    with Server() as server:
        url = server.script("/x", close, file(CONTENT))
        pauses: list[float] = []
        with IndexClient(keychain=Keychain(environment={}), pause=pauses.append) as client:
            for content in (b"x", CONTENT):
                answer = client.get(url, accept="*/*", limit=9)
                assert answer is not None
                assert answer.content == content
        assert pauses == []


def test_a_connection_that_is_not_for_the_host_is_not_used_again() -> None:
    seen: list[Connection] = []

    def misdirected(_: Request, connection: Connection) -> None:
        seen.append(connection)
        connection.send(b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n")

    def page(request: Request, connection: Connection) -> None:
        seen.append(connection)
        file(CONTENT)(request, connection)

    with Server() as server:
        assert get(server.script("/x", misdirected, page)) == CONTENT
    assert len(seen) == 2
    assert seen[0] is not seen[1]


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"SSH-2.0-x\r\n", "its answer is not HTTP: SSH-2.0-x"),
        (b"", "the server closed the connection without an answer"),
    ],
)
def test_what_is_not_http_is_named(sent: bytes, problem: str) -> None:
    def answer(_: Request, connection: Connection) -> None:
        connection.send(sent)
        connection.close()

    with Server() as server:
        url = server.script("/x", *[answer] * ATTEMPTS)
        with pytest.raises(IndexUnreachable) as caught:
            get(url)
    assert str(caught.value).startswith(f"{url}: {problem}")


def test_a_page_that_is_not_there_does_not_cost_a_connection(index: Index) -> None:
    index.add_file("demo.bin", CONTENT)
    with IndexClient(keychain=Keychain(environment={})) as client:
        kept = []
        for name in ("demo.bin", "absent.bin", "demo.bin"):
            client.get(index.url_of(name), accept="*/*", limit=1 << 20)
            ((connection,),) = client._requester._connections._idle.values()
            kept.append(connection)
    assert kept[0] is kept[1] is kept[2]
