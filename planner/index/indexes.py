"""The indexes of a plan, and which of them are used for a project.

By default a project is taken from the first index that has it, and no other. A higher version of an
internal project that somebody publishes on a public index is then not used (dependency confusion).
Folders and pages of links come in addition to the indexes: the user has chosen each of their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from planner.model.conditions import Condition
from planner.model.environments import MarkerEnvironment
from schemas.credentials import Login, split_login
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import UNQUOTED_HINT, has_unquoted_login, redacted

__all__ = [
    "Index",
    "Indexes",
    "Links",
    "Pin",
    "Strategy",
    "parse_index",
    "parse_links_place",
]


class Strategy(StrEnum):
    """Which of the indexes that have a project are used for it."""

    FIRST_INDEX = "first-index"
    UNSAFE_BEST_MATCH = "unsafe-best-match"
    """All of them: the highest version is selected from any index, as pip does."""


@frozen(kw_only=True)
class Index:
    """A package index (https://packaging.python.org/specifications/simple-repository-api/)."""

    url: str
    """Without credentials and without a trailing slash."""
    name: str | None = None
    login: Login | None = field(default=None, repr=False)
    """The login in its URL."""
    explicit: bool = False
    """Whether only projects that are pinned to it are taken from it."""

    @property
    def folder(self) -> str | None:
        """Return its path if it is a folder of this machine, with a folder for each project."""
        parts = urlsplit(self.url)
        return unquote(parts.path) if parts.scheme == "file" else None


@frozen
class Pin:
    """The index that a project is taken from, and from no other, where the condition holds."""

    index: str
    """Its name."""
    where: Condition = field(default_factory=Condition)

    def to_value(self) -> str | dict[str, str]:
        """Return it as a lock records it."""
        if self.where == Condition():
            return self.index
        return {"index": self.index, "where": str(self.where)}


@frozen
class Links:
    """A folder with wheels, or a page with links to wheels."""

    place: str
    """A path, or a URL without credentials."""
    login: Login | None = field(default=None, repr=False)

    @property
    def is_page(self) -> bool:
        return "://" in self.place


def parse_index(text: str, *, named: bool = False) -> Index:
    """Return the index of ``URL``, or of ``NAME=URL`` if ``named``.

    Raises UsageError if it is not the address of an index.
    """
    text = text.strip()  # as a variable or a file may have it
    name, equals, url = text.partition("=")
    if not named or not equals or "/" in name or ":" in name:
        name, url = "", text
    clean, login = _split(url)
    parts = urlsplit(clean)
    if not (parts.hostname if parts.scheme in {"http", "https"} else parts.scheme == "file"):
        raise UsageError(
            f"the index {redacted(url)!r} is not an http, https or file address",
            hint="name it as https://index.example/simple/; it may stand on the command line, in a "
            "file of requirements or of settings, in PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, UV_INDEX, "
            "UV_INDEX_URL or UV_DEFAULT_INDEX, or in pip.conf",
        )
    clean = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return Index(url=clean, name=name or None, login=login)


def parse_links_place(text: str) -> Links:
    """Return the links of a path, a ``file:`` URL, or the URL of a page.

    Raises UsageError for other addresses.
    """
    clean, login = _split(text)
    parts = urlsplit(clean)
    if parts.scheme == "file" and parts.path:
        return Links(unquote(parts.path))
    if parts.scheme == "file" or not text:
        raise UsageError("--find-links names no place", hint="name a folder or a page with links")
    if "://" in text and parts.scheme not in {"http", "https"}:
        raise UsageError(
            f"--find-links {redacted(text)!r} is not a folder, an http or an https address",
            hint="name a folder, or a page with links such as https://host/wheels.html",
        )
    return Links(clean if login else text, login)


def _split(url: str) -> tuple[str, Login | None]:
    """Return what ``split_login`` returns, or an empty URL if it is malformed.

    Raises UsageError.
    """
    if has_unquoted_login(url):
        raise UsageError(f"{redacted(url)} has an unquoted login", hint=UNQUOTED_HINT)
    try:
        clean, login = split_login(url)
        _ = urlsplit(clean).port  # raises ValueError if it is not a port
    except ValueError:
        return "", None
    return clean, login


@frozen(kw_only=True)
class Indexes:
    """All places that files are taken from, in the order of their rank."""

    places: tuple[Links | Index, ...]
    strategy: Strategy = Strategy.FIRST_INDEX
    pins: Mapping[NormalizedName, tuple[Pin, ...]] = field(default_factory=dict)
    """For each project that is pinned, to which index where; elsewhere it is like others."""
    trusted_hosts: frozenset[str] = frozenset()
    """Hosts, perhaps with a port, whose certificates are not verified."""

    def __post_init__(self) -> None:
        names = {one.name for one in self.places if isinstance(one, Index) and one.name}
        for project, name in ((one, pin.index) for one in self.pins for pin in self.pins[one]):
            if name not in names:
                raise UsageError(
                    f"{project} is pinned to the index {name!r}, which is not known",
                    hint=f"name it (--index {name}=URL, or in the table of indexes beside that of "
                    "the source), or correct the name; known by name: "
                    f"{', '.join(sorted(names)) or 'none'}",
                )

    def logins(self) -> dict[str, Login]:
        """Return the logins of the indexes by address."""
        found: dict[str, Login] = {}
        for place in self.places:
            if place.login:
                address = place.url if isinstance(place, Index) else place.place
                found.setdefault(address.rstrip("/"), place.login)
        return found

    @property
    def divided(self) -> frozenset[NormalizedName]:
        """Return the projects that are not taken from the same places everywhere."""
        return frozenset(
            name
            for name, pins in self.pins.items()
            if any(pin.where != Condition() for pin in pins)
        )

    def pin_of(self, name: NormalizedName, environment: MarkerEnvironment) -> str | None:
        """Return the name of the index that ``name`` is pinned to in ``environment``, if it is.

        Raises UsageError if there are several.
        """
        pins = self.pins.get(name, ())
        found = list(dict.fromkeys(pin.index for pin in pins if pin.where.holds(environment)))
        if len(found) > 1:
            raise UsageError(
                f"{name} is pinned to several indexes for {environment}: {', '.join(found)}",
                hint="let their markers exclude each other; of extras and groups that do, require "
                "one, and say it in conflicts of [tool.lockstream] or [tool.uv]",
            )
        return found[0] if found else None

    def places_of(self, pin: str | None) -> tuple[Links | Index, ...]:
        """Return the places that a project is taken from that is pinned to the index ``pin``, or to
        none.
        """
        if pin is not None:
            return tuple(one for one in self.places if isinstance(one, Index) and one.name == pin)
        return tuple(one for one in self.places if not (isinstance(one, Index) and one.explicit))
