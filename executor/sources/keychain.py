"""Credentials by origin, from the places where users of pip and uv keep them.

A lock holds no credentials. They are looked up for each origin that receives a request, sent to
that origin only, and never written or shown. The order: the URL itself, known logins, variables of
an index by its name, the index URLs of the environment, netrc and, if allowed, the keyring program.
If a URL has a user but no password, the password of that user is looked up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from executor.files.regular import read_regular
from executor.files.user_folders import home_folder
from schemas.credentials import (
    INDEX_VARIABLES,
    Login,
    find_login,
    find_named_login,
    login_in,
    origin_of,
)

__all__ = ["Keychain"]


_MAX_NETRC = 1 << 20
"""Bytes of a netrc file; a line for each server has some hundred."""


_KEYRING_SECONDS = 20.0
"""Seconds for the keyring program, which may wait for input from a terminal that does not exist."""


class Keychain:
    """The logins of one run, found when they are needed and kept by origin."""

    def __init__(
        self,
        known: Mapping[str, Login] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        keyring: bool = False,
        indexes: Sequence[str] = (),
    ) -> None:
        """``known`` are logins by origin that come first; ``environment`` the variables to read
        (None: those of the process); ``keyring`` permits to run the program of that name;
        ``indexes`` are indexes with a name (``NAME=URL``).
        """
        self._indexes = tuple(indexes)
        self._known = dict(known or {})
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring
        self._found: dict[tuple[str, str], Login | None] = {}

    def login(self, url: str) -> Login | None:
        """Return the login for ``url``, or None."""
        own = login_in(urlsplit(url))
        if own and own.password:
            return own
        key = (origin_of(url), own.user if own else "")
        if key not in self._found:
            self._found[key] = self._look_up(*key) or own
        return self._found[key]

    @property
    def logins(self) -> dict[str, Login]:
        """The known logins and those found so far for URLs without a user, by origin."""
        found = {
            origin: login for (origin, user), login in self._found.items() if login and not user
        }
        return {**self._known, **found}

    @property
    def secrets(self) -> frozenset[str]:
        """The passwords and tokens that are known or were found so far; never show them."""
        logins = {*self._known.values(), *filter(None, self._found.values())}
        return frozenset(secret for login in logins for secret in login.secrets)

    def _look_up(self, origin: str, user: str) -> Login | None:
        known = self._known.get(origin)
        words = [
            word
            for variable in INDEX_VARIABLES
            for word in self._environment.get(variable, "").split()
        ]
        stated = known if known and user in {"", known.user} else None
        stated = (
            stated
            or find_named_login([*self._indexes, *words], origin, self._environment, user)
            or find_login(words, origin, user)
        )
        if stated and stated.password:
            return stated
        # A user without a password: it is looked up, unless the name is a token.
        user = stated.user if stated else user
        return (
            self._from_netrc(urlsplit(origin).hostname or "", user)
            or (self._from_keyring(origin, user) if self._keyring else None)
            or stated
        )

    def _from_netrc(self, host: str, user: str) -> Login | None:
        path = self._environment.get("NETRC")
        if not path:
            home = self._environment.get("HOME")
            if home is None and self._environment is os.environ:
                home = home_folder()
            path = os.path.join(home, ".netrc") if home else ""
        if not os.path.exists(path):
            return None
        import netrc  # noqa: PLC0415  # only if the file exists

        try:
            read_regular(path, _MAX_NETRC, follow=True)  # a pipe or a device might never end
            found = netrc.netrc(path).authenticators(host)
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
            return None
        if not found or user not in {"", found[0]}:
            return None
        return Login(found[0] or "", found[2] or "")

    @staticmethod
    def _from_keyring(origin: str, user: str) -> Login | None:
        # Users of pip and uv store a password for the URL, or for the host.
        services = (origin, urlsplit(origin).netloc)
        return next(filter(None, (_ask_keyring(service, user) for service in services)), None)


def _ask_keyring(service: str, user: str) -> Login | None:
    import subprocess  # noqa: PLC0415  # rarely needed, and 2 ms

    # For a given user every version of the program prints the password alone.
    mode = [] if user else ["--mode", "creds"]
    command = ["keyring", *mode, "get", service, user]
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
    output = run.stdout.decode(errors="replace").rstrip("\n")
    if run.returncode != 0 or not output:
        return None
    if user:
        return Login(user, output)
    user, newline, password = output.partition("\n")
    return Login(user, password) if newline else None
