"""Credentials by origin, from the places where users of pip and uv keep them.

A lock holds no credentials. They are looked up for each origin that receives a request, sent to
that origin only, and never written or shown. The order: the URL itself, known logins, variables of
an index by its name, the index URLs of the environment, netrc and, if allowed, the keyring program.
If a URL has a user but no password, the password of that user is looked up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from urllib.parse import urlsplit

from executor.files.child_output import NoAnswer, TooMuchOutput, output_of
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
from schemas.urls import without_credentials

__all__ = ["Keychain"]


_MAX_NETRC = 1 << 20
"""Bytes of a netrc file; a line for each server has some hundred."""


_KEYRING_SECONDS = 20.0
"""Seconds for the keyring program, which may wait for input from a terminal that does not exist."""


class Keychain:
    """The logins of one run, found when they are needed and kept by place: the origin, or of
    several indexes of one origin the one with which an address has the longest path in common.
    """

    def __init__(
        self,
        known: Mapping[str, Login] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        keyring: bool = False,
        indexes: Sequence[str] = (),
    ) -> None:
        """``known`` are logins by origin or by index that come first; ``environment`` the variables
        to read (None: those of the process); ``keyring`` permits to run the program of that name;
        ``indexes`` are indexes with a name (``NAME=URL``).
        """
        self._known = dict(known or {})
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring
        variables = (self._environment.get(name, "") for name in INDEX_VARIABLES)
        self._words = [*indexes, *(word for text in variables for word in text.split())]
        self._indexes: dict[str, list[str]] = {}
        for address in (*self._known, *map(_address_in, self._words)):
            with suppress(ValueError):  # of a variable that holds no URL
                of_origin = self._indexes.setdefault(origin_of(address), [])
                if address not in of_origin:
                    of_origin.append(address)
        self._found: dict[tuple[str, str], Login | None] = {}

    def login(self, url: str) -> Login | None:
        """Return the login for ``url``, or None."""
        own = login_in(urlsplit(url))
        if own and own.password:
            return own
        key = (self._place_of(url), own.user if own else "")
        if key not in self._found:
            self._found[key] = self._look_up(*key) or own
        return self._found[key]

    @property
    def logins(self) -> dict[str, Login]:
        """The known logins and those found so far for URLs without a user, by place."""
        found = {place: login for (place, user), login in self._found.items() if login and not user}
        return {**self._known, **found}

    @property
    def secrets(self) -> frozenset[str]:
        """The passwords and tokens that are known or were found so far; never show them."""
        logins = {*self._known.values(), *filter(None, self._found.values())}
        return frozenset(secret for login in logins for secret in login.secrets)

    def _place_of(self, url: str) -> str:
        origin = origin_of(url)
        indexes = self._indexes.get(origin, [])
        if len(indexes) < 2:
            return origin
        return max(indexes, key=lambda one: _common_parts(url, one))

    def _look_up(self, place: str, user: str) -> Login | None:
        origin = origin_of(place)
        near = [word for word in self._words if _address_in(word) == place]
        theirs = [self._known[one] for one in self._indexes.get(origin, ()) if one in self._known]
        stated = (
            _of_user([self._known[place]] if place in self._known else [], user)
            or self._in_words(near, origin, user)
            or _of_user(theirs, user)
            or self._in_words(self._words, origin, user)
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

    def _in_words(self, words: Sequence[str], origin: str, user: str) -> Login | None:
        return find_named_login(words, origin, self._environment, user) or find_login(
            words, origin, user
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


def _address_in(word: str) -> str:
    """Return the address of an index, which may have a name and a login."""
    url = word if word.startswith("http") else word.partition("=")[2]
    with suppress(ValueError):
        return without_credentials(url).rstrip("/")
    return ""


def _common_parts(one: str, other: str) -> int:
    """Return how many parts of their paths two addresses have in common."""
    paths = (urlsplit(url).path.strip("/").split("/") for url in (one, other))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*paths, strict=False)))


def _of_user(logins: Sequence[Login], user: str) -> Login | None:
    return next((one for one in logins if user in {"", one.user}), None)


def _ask_keyring(service: str, user: str) -> Login | None:
    # For a given user every version of the program prints the password alone.
    mode = [] if user else ["--mode", "creds"]
    try:
        run = output_of(["keyring", *mode, "get", service, user], _KEYRING_SECONDS)
    except (OSError, NoAnswer, TooMuchOutput):
        return None
    output = run.output.decode(errors="replace").replace("\r\n", "\n").rstrip("\n")
    if run.status != 0 or not output:
        return None
    if user:
        return Login(user, output)
    user, newline, password = output.partition("\n")
    return Login(user, password) if newline else None
