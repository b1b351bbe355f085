"""Credentials in URLs and in headers of requests."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from schemas.urls import without_credentials

__all__ = [
    "INDEX_VARIABLES",
    "Login",
    "find_login",
    "find_named_login",
    "has_named_logins",
    "login_in",
    "login_of_index",
    "origin_of",
    "split_login",
]

INDEX_VARIABLES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "PIP_INDEX_URL",
    "UV_INDEX",
    "UV_EXTRA_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
)
"""Variables with URLs of indexes, separated by spaces, which often include a token."""

_NAMED = r"(?a)(?:LOCKSTREAM|UV)_INDEX_\w+_(?:USERNAME|PASSWORD)"
"""Variables with the login of an index that has a name."""


class Login(NamedTuple):
    """A user name with a password; a token may stand in either of them alone."""

    user: str
    password: str

    @property
    def authorization(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return (
            "Basic "
            + binascii.b2a_base64(_sent(f"{self.user}:{self.password}"), newline=False).decode()
        )

    @property
    def secrets(self) -> frozenset[str]:
        """The forms in which the secret must never be shown: as it is, in a URL, in a header. A
        user name without a password is a token.
        """
        secret = self.password or self.user
        token = self.authorization.removeprefix("Basic ")
        return frozenset({secret, quote(_sent(secret), safe=""), token})


def _sent(text: str) -> bytes:
    """Return the bytes of a user name or password. A variable may hold others than UTF-8, and a URL
    in JSON may have half a character.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def origin_of(url: str) -> str:
    """Return scheme, host and port of ``url``, lower-case: the server that receives its
    credentials.
    """
    parts = urlsplit(url)
    port = {"http": 80, "https": 443}.get(parts.scheme)
    suffix = "" if parts.port in {None, port} else f":{parts.port}"
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{suffix}"


def login_in(parts: SplitResult) -> Login | None:
    """Return the user information of a URL; a token may stand without a password."""
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or ""))


def split_login(url: str) -> tuple[str, Login | None]:
    """Return ``url`` without user information, and that information."""
    login = login_in(urlsplit(url))
    return (url if login is None else without_credentials(url)), login


def find_login(words: Iterable[str], origin: str, user: str | None = None) -> Login | None:
    """Return the login for ``origin`` in URLs of indexes, which may have a name (``name=URL``); if
    ``user`` is given, only a login of that user.
    """
    for word in words:
        url = word if word.startswith("http") else word.partition("=")[2]
        _, login = split_login(url)
        if login and origin_of(url) == origin and user in {None, "", login.user}:
            return login
    return None


def has_named_logins(environ: Iterable[str]) -> bool:
    """Return whether a variable has the login of an index by its name."""
    return any("_INDEX_" in name and re.fullmatch(_NAMED, name) for name in environ)


def find_named_login(
    words: Iterable[str], origin: str, environ: Mapping[str, str], user: str | None = None
) -> Login | None:
    """Return the login for ``origin`` in the variables of an index with a name.

    ``words`` are indexes (``NAME=URL``). If ``user`` is given, only a login of that user counts.
    """
    for word in words:
        name, _, url = word.partition("=")
        if "/" in name or ":" in name or not url or origin_of(url.split()[0]) != origin:
            continue
        login = login_of_index(name, environ)
        if login and user in {None, "", login.user}:
            return login
    return None


def login_of_index(name: str, environ: Mapping[str, str]) -> Login | None:
    """Return the login of the index ``name``, from ``LOCKSTREAM_INDEX_<NAME>_USERNAME`` and
    ``_PASSWORD``, or from the variables of uv (``UV_INDEX_...``). None if there is not one.
    """
    middle = re.sub(r"[^A-Z0-9]", "_", name.upper())
    for prefix in ("LOCKSTREAM_INDEX", "UV_INDEX"):
        user = environ.get(f"{prefix}_{middle}_USERNAME")
        password = environ.get(f"{prefix}_{middle}_PASSWORD")
        if user or password:
            return Login(user or "", password or "")
    return None
