"""A request goes where it leads with the login of that place, and only to whom is trusted."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from executor.sources.client import HttpClient
from helpers.downloads import ATTEMPTS, CONTENT, HALF, PATH, failure, fetch
from helpers.servers import (
    CERTIFICATE,
    Answer,
    Server,
    cut,
    file,
    raw,
    redirect,
    status,
)
from schemas.errors import UsageError

pytestmark = pytest.mark.usefixtures("plain_surroundings", "pauses")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class TestRedirects:
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_they_are_followed(self, server: Server, client: HttpClient, code: int) -> None:
        server.script("/there", file(CONTENT))
        assert fetch(client, server.script(PATH, redirect("/there", code))) == CONTENT

    @pytest.mark.parametrize("location", ["there", "../files/there", "//{host}/files/there"])
    def test_they_may_be_relative(self, server: Server, client: HttpClient, location: str) -> None:
        server.script("/files/there", file(CONTENT))
        location = location.format(host=server.origin.removeprefix("http://"))
        assert fetch(client, server.script(PATH, redirect(location))) == CONTENT

    @pytest.mark.parametrize("sent", [b"/a b", "/ü".encode(), b"/%C3%BC?a=b c"])
    def test_they_may_name_what_no_url_may_hold(
        self, server: Server, client: HttpClient, sent: bytes
    ) -> None:
        asked = quote(sent, safe="/%?=").partition("?")[0]
        server.script(asked, file(CONTENT))
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        url = server.script(PATH, raw(head + sent + b"\r\n\r\n"))
        assert fetch(client, url) == CONTENT

    def test_a_file_that_breaks_off_is_asked_for_where_the_redirect_came_from(
        self, server: Server, client: HttpClient
    ) -> None:
        server.script("/there", cut(CONTENT, HALF), file(CONTENT))
        assert fetch(client, server.script(PATH, redirect("/there"))) == CONTENT
        assert [request.path for request in server.requests] == [PATH, "/there"] * 2
        assert server.requests[3].headers["range"] == f"bytes={HALF}-"

    def test_a_loop_ends_and_is_not_tried_again(
        self, server: Server, client: HttpClient, pauses: list[float]
    ) -> None:
        error = failure(client, server.script(PATH, redirect(PATH)))
        assert str(error) == f"{server.origin}{PATH}: the server redirects more than 10 times"
        assert len(server.requests) == 11
        assert pauses == []

    def test_the_server_that_it_led_to_is_named(self, server: Server, client: HttpClient) -> None:
        error = failure(client, server.script(PATH, redirect("http://127.0.0.1:1/x")))
        assert error.url == f"{server.origin}{PATH}"
        assert error.reason == "it redirects to 127.0.0.1:1: Connection refused"

    def test_one_without_a_place_is_told(self, server: Server, client: HttpClient) -> None:
        error = failure(client, server.script(PATH, status(302)))
        assert error.reason == "the server redirects (302) without a location"

    @pytest.mark.parametrize("location", ["http://[::1", "http://a:b/", "//:1/"])
    def test_one_to_a_malformed_place_is_told(
        self, server: Server, client: HttpClient, location: str
    ) -> None:
        error = failure(client, server.script(PATH, redirect(location)))
        assert error.reason == "the URL, or one that it redirects to, is malformed"

    @pytest.mark.parametrize("location", ["ftp://user:secret@example.com/x", "file://a/etc/passwd"])
    def test_one_to_another_protocol_is_not_followed(
        self, server: Server, client: HttpClient, location: str
    ) -> None:
        error = failure(client, server.script(PATH, redirect(location)))
        assert "which is not supported" in str(error)
        assert "secret" not in str(error)

    @pytest.mark.usefixtures("trust")
    def test_one_from_https_to_http_is_not_followed(self, server: Server) -> None:
        plain = server.script(PATH, file(CONTENT)) + "?token=secret"
        with Server(tls=True) as secure:
            client = HttpClient()
            error = failure(client, secure.script("/x", redirect(plain)))
            client.close()
        assert str(error) == (
            f"{secure.origin}/x: the server redirects to {server.origin}{PATH}, which is not secure"
        )
        assert server.requests == []

    @pytest.mark.usefixtures("trust")
    def test_one_from_http_to_https_is_followed(self, server: Server) -> None:
        with Server(tls=True) as secure:
            client = HttpClient()
            url = server.script("/x", redirect(secure.script(PATH, file(CONTENT))))
            assert fetch(client, url) == CONTENT
            client.close()


class TestCredentials:
    @staticmethod
    def with_login(url: str, login: str = "user:p%40ss") -> str:
        return url.replace("http://", f"http://{login}@")

    def test_those_of_the_url_are_sent(self, server: Server, client: HttpClient) -> None:
        fetch(client, self.with_login(server.script(PATH, file(CONTENT))))
        assert server.requests[0].headers["authorization"] == basic("user", "p@ss")
        assert server.requests[0].headers["host"] == server.origin.removeprefix("http://")

    def test_a_token_needs_no_password(self, server: Server, client: HttpClient) -> None:
        fetch(client, self.with_login(server.script(PATH, file(CONTENT)), "token"))
        assert server.requests[0].headers["authorization"] == basic("token", "")

    @pytest.mark.parametrize(
        "answer",
        [status(401), status(404), status(503), redirect(PATH), redirect("ftp://x/")],
        ids=["401", "404", "503", "loop", "ftp"],
    )
    def test_they_are_in_no_message(
        self, server: Server, client: HttpClient, answer: Answer
    ) -> None:
        url = self.with_login(server.script(PATH, answer)) + "?signature=hidden#fragment"
        error = failure(client, url)
        for secret in ("user", "p@ss", "p%40ss", "hidden", "fragment"):
            assert secret not in f"{error} {error!r} {error.url} {error.hint}"

    def test_another_server_does_not_get_them(self, server: Server, client: HttpClient) -> None:
        with Server() as other:
            there = other.script("/there", file(CONTENT))
            url = self.with_login(server.script(PATH, redirect(there)))
            assert fetch(client, url) == CONTENT
            assert "authorization" not in other.requests[0].headers
            client.close()

    @pytest.mark.parametrize("whole", [True, False], ids=["absolute", "relative"])
    def test_the_same_server_gets_them_again(
        self, server: Server, client: HttpClient, whole: bool
    ) -> None:
        there = server.script("/there", file(CONTENT))
        url = self.with_login(server.script(PATH, redirect(there if whole else "/there")))
        assert fetch(client, url) == CONTENT
        assert server.requests[1].headers["authorization"] == basic("user", "p@ss")

    def test_those_of_a_redirect_are_sent_to_where_it_leads(
        self, server: Server, client: HttpClient
    ) -> None:
        there = self.with_login(server.script("/there", file(CONTENT)), "other:one")
        url = self.with_login(server.script(PATH, redirect(there)))
        assert fetch(client, url) == CONTENT
        assert server.requests[1].headers["authorization"] == basic("other", "one")


class TestCertificates:
    @pytest.fixture(name="secure")
    def running_secure_server(self) -> Iterator[Server]:
        with Server(tls=True) as server:
            yield server

    def test_one_that_nobody_vouches_for_is_refused_at_once(
        self, secure: Server, pauses: list[float]
    ) -> None:
        error = failure(HttpClient(), secure.script(PATH, file(CONTENT)))
        assert error.reason.startswith("its certificate is not trusted: self-signed certificate")
        assert error.hint == "name your certificate authority with SSL_CERT_FILE"
        assert pauses == []
        assert secure.requests == []

    @pytest.mark.usefixtures("trust")
    def test_one_of_another_host_is_refused(self, secure: Server) -> None:
        url = secure.script(PATH, file(CONTENT)).replace("127.0.0.1", "[::ffff:127.0.0.1]")
        error = failure(HttpClient(), url)
        assert "is not valid for '::ffff:127.0.0.1'" in error.reason

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
    def test_the_user_may_name_who_vouches(
        self, secure: Server, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, str(CERTIFICATE))
        client = HttpClient()
        assert fetch(client, secure.script(PATH, file(CONTENT))) == CONTENT
        client.close()

    @pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CLIENT_CERT"])
    @pytest.mark.parametrize("content", [None, "no certificate"], ids=["absent", "something else"])
    def test_a_certificate_file_that_is_none_is_told_by_its_variable(
        self,
        secure: Server,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        variable: str,
        content: str | None,
    ) -> None:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_text(content)
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(UsageError) as caught:
            fetch(HttpClient(), secure.script(PATH, file(CONTENT)))
        assert str(caught.value).startswith(f"{variable} names {path}, which cannot be read: ")

    @pytest.mark.usefixtures("trust")
    def test_a_file_over_tls_is_resumed_too(self, secure: Server) -> None:
        client = HttpClient()
        url = secure.script(PATH, cut(CONTENT, HALF), file(CONTENT))
        assert fetch(client, url) == CONTENT
        client.close()

    def test_plain_http_behind_https_is_told(self, server: Server) -> None:
        url = server.origin.replace("http:", "https:") + PATH
        error = failure(HttpClient(), url)
        assert error.attempts == ATTEMPTS
