"""Dependencies: what the resolver is asked for, one project or one extra of it at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urldefrag

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from schemas.urls import redacted, without_credentials

__all__ = ["Dependency", "Identifier", "Scope", "applies", "expand", "pinned_versions"]


class Scope(NamedTuple):
    """An extra or a dependency group of the project that is planned: what installs may choose."""

    kind: Literal["extra", "group"]
    name: NormalizedName

    @property
    def variable(self) -> str:
        """The marker variable of a lock that it is looked up in."""
        return "extras" if self.kind == "extra" else "dependency_groups"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Identifier(NamedTuple):
    """What the resolver chooses one candidate for.

    An extra is chosen by itself and depends on its project at the same version, so that
    ``demo[a,b]`` and ``demo[b]`` share what they have in common.
    """

    name: NormalizedName
    extra: NormalizedName | None = None
    refused: Version | None = None
    """Stands for what this version cannot have; nothing is ever found for it."""

    def __str__(self) -> str:
        return f"{self.name}[{self.extra}]" if self.extra else self.name


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dependency:
    """One edge of the graph that is resolved."""

    identifier: Identifier
    specifier: SpecifierSet
    text: str
    """The requirement as its author wrote it, or why there cannot be a solution."""
    origin: str | None = None
    """The place in the user's inputs; None where it is a distribution that asks."""
    scope: Scope | None = None
    """What it was asked for with; None where it counts always, or a distribution asks."""
    url: str | None = None
    """The address of the only file that will do, without credentials."""


def expand(
    requirement: Requirement, *, origin: str | None = None, scope: Scope | None = None
) -> Iterator[Dependency]:
    """A requirement as dependencies: on each of its extras, then on the project."""
    name = canonicalize_name(requirement.name)
    url = requirement.url and without_credentials(urldefrag(requirement.url).url)
    text = str(requirement)
    if requirement.url:
        # A password may stand in it.
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


def applies(
    marker: Marker | None, environment: Mapping[str, str], extra: NormalizedName | None = None
) -> bool:
    """Whether a requirement with ``marker`` counts, for ``extra`` or for the project itself."""
    return marker is None or marker.evaluate({**environment, "extra": extra or ""})


def pinned_versions(specifiers: Iterable[SpecifierSet]) -> Iterator[Version]:
    """The exact versions that ``specifiers`` name."""
    for specifier in specifiers:
        for part in specifier:
            if part.operator in {"==", "==="} and not part.version.endswith(".*"):
                # === compares texts, which need not be versions.
                with suppress(InvalidVersion):
                    yield Version(part.version)
