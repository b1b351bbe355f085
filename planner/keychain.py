"""Keychain: credentials by origin, from where pip's and uv's users keep them.

They are sent to their origin only, and never written or shown. The order: what stands in the URL
of an index, the variables of a named index, the index URLs of the environment, netrc, and, where it
is allowed, the keyring program.
"""

from __future__ import annotations

import netrc
import os
import re
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

from schemas.credentials import INDEX_VARIABLES, Login, find_login, origin_of

__all__ = ["Keychain", "login_of_index"]

KEYRING_SECONDS = 20.0
"""A keyring that asks for a password on a terminal that is not there is given up by then."""


def login_of_index(name: str, environment: Mapping[str, str]) -> Login | None:
    """The login of the index ``name``, from ``LOCKSTREAM_INDEX_<NAME>_USERNAME`` and
    ``_PASSWORD``, or from uv's variables of that kind.
    """
    middle = re.sub(r"[^A-Z0-9]", "_", name.upper())
    for prefix in ("LOCKSTREAM_INDEX", "UV_INDEX"):
        user = environment.get(f"{prefix}_{middle}_USERNAME")
        password = environment.get(f"{prefix}_{middle}_PASSWORD")
        if user or password:
            return Login(user or "", password or "")
    return None


class Keychain:
    """Finds the login for a URL, and remembers it by origin.

    ``known`` holds logins that are certain, by origin.
    """

    def __init__(
        self,
        known: Mapping[str, Login] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        keyring: bool = False,
    ) -> None:
        self._logins: dict[str, Login | None] = dict(known or {})
        self._environment = environment or {}
        self._keyring = keyring

    def login(self, url: str) -> Login | None:
        """The login for ``url``, if there is one."""
        origin = origin_of(url)
        if origin not in self._logins:
            self._logins[origin] = self._look_up(origin)
        return self._logins[origin]

    @property
    def logins(self) -> dict[str, Login]:
        """All that was found so far, by origin."""
        return {origin: login for origin, login in self._logins.items() if login}

    @property
    def secrets(self) -> frozenset[str]:
        """All that was found so far and must never be seen."""
        return frozenset(secret for login in self.logins.values() for secret in login.secrets)

    def _look_up(self, origin: str) -> Login | None:
        words = (
            word
            for variable in INDEX_VARIABLES
            for word in self._environment.get(variable, "").split()
        )
        return (
            find_login(words, origin)
            or self._from_netrc(urlsplit(origin).hostname or "")
            or (_from_keyring(origin) if self._keyring else None)
        )

    def _from_netrc(self, host: str) -> Login | None:
        home = self._environment.get("HOME", "")
        path = self._environment.get("NETRC") or (home and os.path.join(home, ".netrc"))
        if not path:
            return None
        try:
            found = netrc.netrc(path).authenticators(host)
        except (OSError, netrc.NetrcParseError):
            return None
        return Login(found[0] or "", found[2] or "") if found else None


def _from_keyring(origin: str) -> Login | None:
    command = ["keyring", "--mode", "creds", "get", origin, ""]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            timeout=KEYRING_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    user, newline, password = run.stdout.decode(errors="replace").rstrip("\n").partition("\n")
    return Login(user, password) if run.returncode == 0 and newline else None
