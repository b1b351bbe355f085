"""Credentials as they stand in URLs and go into headers; where they are kept is not known here."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from schemas.urls import without_credentials

__all__ = ["INDEX_VARIABLES", "Login", "find_login", "login_in", "origin_of", "split_login"]

INDEX_VARIABLES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "PIP_INDEX_URL",
    "UV_INDEX",
    "UV_EXTRA_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
)
"""Variables that hold URLs of indexes, several of them divided by spaces, often with a token."""


class Login(NamedTuple):
    """Who asks, and how they prove it."""

    user: str
    password: str

    @property
    def authorization(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    @property
    def secrets(self) -> frozenset[str]:
        """The forms in which it must never be seen: as it is, in a URL, in a header. What stands
        without a password is a token.
        """
        secret = self.password or self.user
        token = self.authorization.removeprefix("Basic ")
        return frozenset({secret, quote(secret, safe=""), token})


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url``, lower-case: who gets the credentials for it."""
    parts = urlsplit(url)
    port = {"http": 80, "https": 443}.get(parts.scheme)
    suffix = "" if parts.port in {None, port} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{suffix}"


def login_in(parts: SplitResult) -> Login | None:
    """The user information of a URL; a token may stand without a password."""
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or ""))


def split_login(url: str) -> tuple[str, Login | None]:
    """``url`` without user information, and that information."""
    login = login_in(urlsplit(url))
    return (url if login is None else without_credentials(url)), login


def find_login(words: Iterable[str], origin: str, user: str | None = None) -> Login | None:
    """The login for ``origin`` in URLs of indexes, each perhaps with a name before it
    (``name=URL``); that of ``user`` only, where one is named.
    """
    for word in words:
        url = word if word.startswith("http") else word.partition("=")[2]
        _, login = split_login(url)
        if login and origin_of(url) == origin and user in {None, "", login.user}:
            return login
    return None
