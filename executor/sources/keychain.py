"""Keychain: credentials by host, from where pip's and uv's users keep them.

A lock holds none. They are looked up for each host that is asked, sent to that host only, and never
printed. The order: the URL itself, the index URLs of the environment, netrc, the keyring program. A
URL that names a user and no password gets the password of that user.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from schemas.credentials import INDEX_VARIABLES, Login, origin_of

__all__ = ["Keychain", "basic_authorization"]

_KEYRING_SECONDS = 20.0
"""A keyring that asks for a password on a terminal that is not there is given up by then."""


class Keychain:
    """Finds the credentials for a URL, and remembers them by host."""

    def __init__(self, logins: Mapping[str, Login] | None = None, *, keyring: bool = False) -> None:
        """``logins`` are certain, by origin; ``keyring`` allows to run the program of that name."""
        self._logins = logins or {}
        self._keyring = keyring
        self._known: dict[str, str | None] = {}

    def authorization(self, parts: SplitResult) -> str | None:
        """The value of the Authorization header for a URL, or None."""
        if parts.password is not None:
            return basic_authorization(parts)
        known = f"{parts.scheme}://{parts.netloc}"
        if known not in self._known:
            # A token may stand alone, in the place of the user.
            self._known[known] = self._look_up(parts) or basic_authorization(parts)
        return self._known[known]

    def _look_up(self, parts: SplitResult) -> str | None:
        user = unquote(parts.username or "")
        login = self._logins.get(origin_of(parts.geturl()))
        if login and user in {"", login.user}:
            return login.authorization
        for variable in INDEX_VARIABLES:
            for word in os.environ.get(variable, "").split():
                # uv names an index so: name=URL.
                index = urlsplit(word if word.startswith("http") else word.partition("=")[2])
                if (
                    index.username is not None
                    and _same_origin(index, parts)
                    and user in {"", unquote(index.username)}
                ):
                    return basic_authorization(index)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return _from_netrc(parts.hostname or "", user) or (
            self._from_keyring(origin, user) if self._keyring else None
        )

    def _from_keyring(self, origin: str, user: str) -> str | None:
        # Who knows the user is answered with the password alone, by any version of the program.
        mode = [] if user else ["--mode", "creds"]
        command = ["keyring", *mode, "get", origin, user]
        try:
            run = subprocess.run(
                command,
                capture_output=True,
                timeout=_KEYRING_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        said = run.stdout.decode(errors="replace").rstrip("\n")
        if run.returncode != 0 or not said:
            return None
        if user:
            return Login(user, said).authorization
        found, newline, password = said.partition("\n")
        return Login(found, password).authorization if newline else None


def basic_authorization(parts: SplitResult) -> str | None:
    """The Authorization header's value for the user information of a URL, or None without any."""
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or "")).authorization


def _same_origin(one: SplitResult, other: SplitResult) -> bool:
    return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)


def _from_netrc(host: str, user: str) -> str | None:
    path = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    if not os.path.exists(path):
        return None
    import netrc  # noqa: PLC0415  # where there is one

    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    if not found or user not in {"", found[0]}:
        return None
    return Login(found[0], found[2]).authorization
