"""The edges of the graph that the resolver works on, one project or one of its extras at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urldefrag

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from schemas.urls import redacted, without_credentials

__all__ = [
    "Dependency",
    "Identifier",
    "MarkerEvaluator",
    "Scope",
    "applies",
    "expand",
    "expand_required",
    "pinned_versions",
    "scopes_of",
]


class Scope(NamedTuple):
    """An extra or a dependency group of the planned project, which an installation may select."""

    kind: Literal["extra", "group"]
    name: NormalizedName

    @property
    def variable(self) -> str:
        """Return the marker variable of a lock that holds it."""
        return "extras" if self.kind == "extra" else "dependency_groups"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def scopes_of(extras: Iterable[str] | None, groups: Iterable[str] | None) -> list[Scope]:
    """Return the scopes of extras and dependency groups, as a lock or a user names them."""
    return [
        *(Scope("extra", canonicalize_name(name)) for name in extras or ()),
        *(Scope("group", canonicalize_name(name)) for name in groups or ()),
    ]


class Identifier(NamedTuple):
    """A project or one of its extras: the resolver selects one candidate for each.

    An extra has candidates of its own, which depend on the project at the same version, so that
    ``demo[a,b]`` and ``demo[b]`` share what they have in common.
    """

    name: NormalizedName
    extra: NormalizedName | None = None
    refused: Version | None = None
    """A version that cannot be used. An identifier with it never has a candidate."""

    def __str__(self) -> str:
        return f"{self.name}[{self.extra}]" if self.extra else self.name


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dependency:
    """One edge of the graph: a requirement on a project or on one of its extras."""

    identifier: Identifier
    specifier: SpecifierSet
    text: str
    """The requirement as its author wrote it, or the reason why no solution can exist."""
    origin: str | None = None
    """The place in the user's inputs; None if a distribution requires it."""
    scope: Scope | None = None
    """The extra or group that it belongs to; None if it applies always, or is of a distribution."""
    url: str | None = None
    """The address of the only file that is allowed, without credentials; None if any file is."""
    is_damage: bool = False
    """Whether ``text`` says why a file cannot be read."""


def expand(
    requirement: Requirement, *, origin: str | None = None, scope: Scope | None = None
) -> Iterator[Dependency]:
    """Yield a requirement as dependencies: on each of its extras, then on the project."""
    name = canonicalize_name(requirement.name)
    url = requirement.url and without_credentials(urldefrag(requirement.url).url)
    text = str(requirement)
    if requirement.url:
        # It may hold a password.
        text = f"{requirement.name} @ {redacted(requirement.url)}"
    extras = sorted(canonicalize_name(extra) for extra in requirement.extras)
    for extra in (*extras, None):
        yield Dependency(
            identifier=Identifier(name, extra),
            specifier=requirement.specifier,
            text=text,
            origin=origin,
            scope=scope,
            url=url,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A requirement that is equal only to itself: comparing texts would cost what is saved."""

    requirement: Requirement

    def __hash__(self) -> int:
        return id(self.requirement)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.requirement is self.requirement


@lru_cache(maxsize=1 << 15)
def _expanded(same: _Same) -> tuple[Dependency, ...]:
    return tuple(expand(same.requirement))


def expand_required(requirement: Requirement) -> tuple[Dependency, ...]:
    """Return what ``expand`` yields for a requirement of a distribution, from a cache: each target
    and each release that has it gives the same object.
    """
    return _expanded(_Same(requirement))


def applies(
    marker: Marker | None, environment: Mapping[str, str], extra: NormalizedName | None = None
) -> bool:
    """Return if a requirement with ``marker`` applies, for ``extra`` or for the project itself."""
    return marker is None or marker.evaluate({**environment, "extra": extra or ""})


class MarkerEvaluator:
    """An evaluator of markers in one environment, which remembers its results: there are thousands
    of requirements, with a few markers in all. Several threads may call it.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._known: dict[tuple[str, NormalizedName | None], bool] = {}

    def applies(self, marker: Marker | None, extra: NormalizedName | None = None) -> bool:
        """Return if a requirement with ``marker`` applies, for ``extra`` or for the project itself.

        Raise what ``Marker.evaluate`` raises.
        """
        if marker is None:
            return True
        key = str(marker), extra
        if key not in self._known:
            self._known[key] = applies(marker, self._variables, extra)
        return self._known[key]


def pinned_versions(specifiers: Iterable[SpecifierSet]) -> Iterator[Version]:
    """Yield the exact versions that ``specifiers`` name."""
    for specifier in specifiers:
        for part in specifier:
            if part.operator in {"==", "==="} and not part.version.endswith(".*"):
                # === compares strings, which need not be versions.
                with suppress(InvalidVersion):
                    yield Version(part.version)
