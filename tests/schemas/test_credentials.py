"""Credentials are separated from URLs, and belong to one origin."""

from __future__ import annotations

import base64

import pytest

from schemas.credentials import Login, find_login, origin_of, split_login

ONE = "https://one.example"


@pytest.mark.parametrize(
    ("url", "clean", "login"),
    [
        pytest.param(f"{ONE}/simple", f"{ONE}/simple", None, id="nothing to split"),
        pytest.param("https://ada:s3cret@one.example:8443/simple",
                     "https://one.example:8443/simple", ("ada", "s3cret"), id="user and password"),
        pytest.param("http://token@one.example/", "http://one.example/", ("token", ""),
                     id="a token alone"),
        pytest.param("https://a%40b:c%2Fd@one.example", ONE, ("a@b", "c/d"), id="escaped"),
        pytest.param("https://a@b:c@one.example", ONE, ("a@b", "c"), id="an at sign in the user"),
    ],
)  # fmt: skip
def test_a_login_is_split_from_the_address(
    url: str, clean: str, login: tuple[str, str] | None
) -> None:
    assert split_login(url) == (clean, login)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("HTTPS://Ada:x@One.Example:443/simple?q#f") == ONE
    assert origin_of("https://one.example:8443/") == f"{ONE}:8443"
    assert origin_of("http://one.example") == "http://one.example"


def test_a_login_is_found_for_its_origin_and_user() -> None:
    words = [
        "https://b:2@two.example/",
        "name=https://a:1@one.example/simple",
        "https://c:3@one.example",
    ]
    assert find_login(words, ONE) == Login("a", "1")
    assert find_login(words, ONE, "c") == Login("c", "3")
    assert find_login(words, "http://one.example") is None


def test_the_forms_of_a_secret_are_known() -> None:
    login = Login("ada", "s3/cret")
    assert login.authorization == "Basic YWRhOnMzL2NyZXQ="
    assert login.secrets == {"s3/cret", "s3%2Fcret", "YWRhOnMzL2NyZXQ="}
    assert "token" in Login("token", "").secrets


@pytest.mark.parametrize(
    ("password", "sent"),
    [("p\u00e9", b"u:p\xc3\xa9"), ("\udcff", b"u:\xff"), ("\ud800", b"u:?")],
)
def test_any_password_can_be_sent(password: str, sent: bytes) -> None:
    """A variable may hold any bytes; JSON half a character."""
    login = Login("u", password)
    assert base64.b64decode(login.authorization.removeprefix("Basic ")) == sent
    assert password in login.secrets
