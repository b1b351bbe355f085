"""The usual variables of proxies mean what they mean to other programs."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from executor.sources.client import HttpClient
from executor.sources.errors import Unreachable
from executor.sources.proxies import proxy_for
from executor.sources.tls import tls_context
from helpers.servers import CERTIFICATE, Connection, Proxy, Request, Server, cut, file, raw
from schemas.errors import ExitCode, UsageError

CONTENT = b"x" * 300_000
PATH = "/demo-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"REQUEST_METHOD", "REQUESTS_CA_BUNDLE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)


def address(scheme: str = "https", host: str = "example.com", port: int | None = None) -> str:
    proxy = proxy_for(scheme, host, port)
    return proxy.geturl() if proxy else "none"


class TestVariables:
    @pytest.mark.parametrize(
        ("variables", "scheme", "expected"),
        [
            ({}, "https", "none"),
            ({"https_proxy": "http://proxy:1"}, "https", "http://proxy:1"),
            ({"HTTPS_PROXY": "http://proxy:1"}, "https", "http://proxy:1"),
            (
                {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"},
                "https",
                "http://low:1",
            ),
            ({"HTTP_PROXY": "http://proxy:1"}, "https", "none"),
            ({"HTTP_PROXY": "http://proxy:1"}, "http", "http://proxy:1"),
            ({"all_proxy": "http://all:1"}, "http", "http://all:1"),
            ({"ALL_PROXY": "http://all:1", "http_proxy": "http://one:1"}, "http", "http://one:1"),
            ({"HTTPS_PROXY": "proxy:3128"}, "https", "http://proxy:3128"),
            ({"HTTPS_PROXY": "user:pass@proxy:3128"}, "https", "http://user:pass@proxy:3128"),
            ({"HTTPS_PROXY": ""}, "https", "none"),
            pytest.param(
                {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}, "http", "none", id="CGI"
            ),
            pytest.param(
                {"http_proxy": "http://proxy:1", "REQUEST_METHOD": "GET"},
                "http",
                "http://proxy:1",
                id="CGI, lower case",
            ),
        ],
    )
    def test_a_proxy_is_named_by_its_variable(
        self,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
        scheme: str,
        expected: str,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert address(scheme) == expected

    @pytest.mark.parametrize(
        ("exempt", "host", "port", "direct"),
        [
            ("*", "example.com", None, True),
            ("example.com", "example.com", None, True),
            ("example.com", "EXAMPLE.com", None, True),
            ("Example.com", "example.com", None, True),
            ("example.com", "files.example.com", None, True),
            (".example.com", "files.example.com", None, True),
            ("*.example.com", "files.example.com", None, True),
            ("other, example.com ,", "example.com", None, True),
            ("example.com", "badexample.com", None, False),
            ("example.com", "example.com.evil", None, False),
            ("files.example.com", "example.com", None, False),
            ("", "example.com", None, False),
            (" , ", "example.com", None, False),
            ("example.com:8443", "example.com", 8443, True),
            ("example.com:8443", "example.com", None, False),
            ("example.com:443", "example.com", None, True),
            ("10.0.0.0/8", "10.1.2.3", None, True),
            ("10.0.0.0/8", "11.1.2.3", None, False),
            ("10.0.0.1/8", "10.9.9.9", None, True),
            ("127.0.0.1", "127.0.0.1", 8080, True),
            ("::1", "::1", None, True),
            ("[::1]", "::1", None, True),
            ("fd00::/8", "fd12::1", None, True),
            ("not/a/network", "example.com", None, False),
        ],
    )
    def test_no_proxy_exempts_hosts(
        self,
        monkeypatch: pytest.MonkeyPatch,
        exempt: str,
        host: str,
        port: int | None,
        direct: bool,
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
        monkeypatch.setenv("NO_PROXY", exempt)
        assert address("https", host, port) == ("none" if direct else "http://proxy:1")

    @pytest.mark.parametrize("kind", ["socks5", "socks5h", "https"])
    def test_another_kind_of_proxy_is_refused_without_its_password(
        self, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"{kind}://user:secret@proxy:1")
        with pytest.raises(UsageError) as caught:
            proxy_for("https", "example.com", None)
        assert str(caught.value) == (
            f"the proxy for https is of kind {kind!r}, only http proxies are supported"
        )
        assert (
            caught.value.hint
            == "set HTTPS_PROXY to an http:// address, or list the host in NO_PROXY"
        )
        assert caught.value.exit_code is ExitCode.USAGE

    @pytest.mark.parametrize(
        "proxy",
        [
            "http://user:sec/ret@proxy:1",
            "http://user:sec#ret@proxy:1",
            "user:sec?ret@proxy",
            "http://proxy:port",
            "http://:3128",
            "http://[::1",
            "http://",
        ],
    )
    def test_what_is_no_address_is_refused_without_its_password(
        self, monkeypatch: pytest.MonkeyPatch, proxy: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(UsageError) as caught:
            proxy_for("https", "example.com", None)
        assert str(caught.value) == "the proxy for https is not an address"
        assert "sec" not in caught.value.hint


class TestTraffic:
    @pytest.fixture(name="client", autouse=True)
    def trusting_client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpClient]:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        tls_context.cache_clear()
        client = HttpClient()
        yield client
        client.close()
        tls_context.cache_clear()

    @pytest.mark.parametrize("tls", [True, False], ids=["tunnelled", "forwarded"])
    def test_a_file_comes_through_a_proxy_that_asks_for_a_password(
        self, monkeypatch: pytest.MonkeyPatch, client: HttpClient, tls: bool
    ) -> None:
        authorization = "Basic " + base64.b64encode(b"user:p@ss").decode()
        with Server(tls=tls) as server, Proxy(authorization) as proxy:
            monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//user:p%40ss@"))
            # The proxy knows the name, nobody else has to.
            url = server.script(PATH, cut(CONTENT, 1000), file(CONTENT))
            url = url.replace("127.0.0.1", "localhost" if tls else "files.invalid")
            assert b"".join(client.fetch(url, len(CONTENT))) == CONTENT
            client.close()
        methods = {request.method for request in proxy.requests}
        assert methods == {"CONNECT" if tls else "GET"}
        place = url.split("/")[2]
        assert proxy.requests[0].target == (place if tls else url)
        assert [request.target for request in server.requests] == [PATH, PATH]
        if tls:
            assert "proxy-authorization" not in server.requests[0].headers

    @pytest.mark.parametrize(
        ("tls", "message"),
        [
            (True, "the proxy {} answered 407"),
            (False, "the proxy {} answered 407 Proxy Authentication Required"),
        ],
        ids=["tunnelled", "forwarded"],
    )
    def test_a_password_that_the_proxy_refuses_is_told_and_not_shown(
        self, monkeypatch: pytest.MonkeyPatch, client: HttpClient, tls: bool, message: str
    ) -> None:
        with Server(tls=tls) as server, Proxy("Basic other") as proxy:
            monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//user:secret@"))
            url = server.script(PATH, file(CONTENT))
            with pytest.raises(Unreachable) as caught:
                list(client.fetch(url, len(CONTENT)))
            client.close()
        assert str(caught.value) == f"{url}: {message.format(proxy.url)}"
        assert "before its host in HTTP_PROXY or HTTPS_PROXY" in caught.value.hint
        assert "secret" not in f"{caught.value!r}"
        assert server.requests == []

    def test_credentials_of_a_url_pass_the_proxy_inside_of_the_tunnel(
        self, monkeypatch: pytest.MonkeyPatch, client: HttpClient
    ) -> None:
        with Server(tls=True) as server, Proxy() as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            url = server.script(PATH, file(CONTENT)).replace("//", "//user:secret@")
            assert b"".join(client.fetch(url, len(CONTENT))) == CONTENT
            client.close()
        assert "authorization" not in proxy.requests[0].headers
        assert "authorization" in server.requests[0].headers


class TestFailures:
    """A proxy that fails is named; the server is not blamed for it."""

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_one_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://user:secret@127.0.0.1:1")
        client = HttpClient()
        with pytest.raises(Unreachable) as caught:
            list(client.fetch(f"{scheme}://files.example/x", 1))
        client.close()
        assert caught.value.reason == (
            "the proxy http://127.0.0.1:1 cannot be reached: Connection refused"
        )
        assert caught.value.attempts == 5
        assert "secret" not in str(caught.value)

    def test_one_that_cannot_reach_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def answer(request: Request, connection: Connection) -> None:
            connection.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        with Server() as proxy:
            proxy.script("/x", answer)
            monkeypatch.setenv("HTTP_PROXY", proxy.origin)
            client = HttpClient()
            with pytest.raises(Unreachable) as caught:
                list(client.fetch("http://files.example/x", 1))
            client.close()
        assert caught.value.reason == (
            f"the server, or the proxy {proxy.origin}, answered 502 Bad Gateway"
        )


def test_what_fails_behind_a_proxy_is_told_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as proxy:
        for name in ("/files.example:443", "files.example:443"):
            proxy.script(name, raw(b"HTTP/1.1 200 Connected\r\n\r\n", close=True))
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        client = HttpClient()
        with pytest.raises(Unreachable) as caught:
            list(client.fetch("https://files.example/x", None))
        client.close()
    assert caught.value.reason.endswith(f", through the proxy {proxy.origin}")
