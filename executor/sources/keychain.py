"""Keychain: credentials by origin, from where pip's and uv's users keep them.

A lock holds none. They are looked up for each origin that is asked, sent to it only, and never
written or shown. The order: the URL itself, logins that are certain, the index URLs of the
environment, netrc, and, where it is allowed, the keyring program. A URL that names a user and no
password gets the password of that user.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

from schemas.credentials import INDEX_VARIABLES, Login, find_login, login_in, origin_of

__all__ = ["Keychain"]


_KEYRING_SECONDS = 20.0
"""A keyring that asks for a password on a terminal that is not there is given up by then."""


class Keychain:
    """Finds the login for a URL, and remembers it by origin."""

    def __init__(
        self,
        known: Mapping[str, Login] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        keyring: bool = False,
    ) -> None:
        """``known`` are logins that are certain, by origin; ``environment`` the variables to look
        at (None: those of the process); ``keyring`` allows to run the program of that name.
        """
        self._known = dict(known or {})
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring
        self._found: dict[tuple[str, str], Login | None] = {}

    def login(self, url: str) -> Login | None:
        """The login for ``url``, if there is one."""
        own = login_in(urlsplit(url))
        if own and own.password:
            return own
        asked = (origin_of(url), own.user if own else "")
        if asked not in self._found:
            self._found[asked] = self._look_up(*asked) or own
        return self._found[asked]

    @property
    def logins(self) -> dict[str, Login]:
        """All that is known, or was found so far for nobody in particular, by origin."""
        found = {
            origin: login for (origin, user), login in self._found.items() if login and not user
        }
        return {**self._known, **found}

    @property
    def secrets(self) -> frozenset[str]:
        """All that is known, or was found so far, and must never be seen."""
        logins = {*self._known.values(), *filter(None, self._found.values())}
        return frozenset(secret for login in logins for secret in login.secrets)

    def _look_up(self, origin: str, user: str) -> Login | None:
        certain = self._known.get(origin)
        if certain and user in {"", certain.user}:
            return certain
        words = (
            word
            for variable in INDEX_VARIABLES
            for word in self._environment.get(variable, "").split()
        )
        return (
            find_login(words, origin, user)
            or self._from_netrc(urlsplit(origin).hostname or "", user)
            or (_from_keyring(origin, user) if self._keyring else None)
        )

    def _from_netrc(self, host: str, user: str) -> Login | None:
        path = self._environment.get("NETRC")
        if not path:
            home = self._environment.get("HOME")
            if home is None and self._environment is os.environ:
                home = os.path.expanduser("~")
            path = os.path.join(home, ".netrc") if home else ""
        if not os.path.exists(path):
            return None
        import netrc  # noqa: PLC0415  # where there is one

        try:
            found = netrc.netrc(path).authenticators(host)
        except (OSError, netrc.NetrcParseError):
            return None
        if not found or user not in {"", found[0]}:
            return None
        return Login(found[0] or "", found[2] or "")


def _from_keyring(origin: str, user: str) -> Login | None:
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
        return Login(user, said)
    found, newline, password = said.partition("\n")
    return Login(found, password) if newline else None
