"""Which package of a lock requires which, in one environment.

The requirements of each package are in its tool table, because the standard's own ``dependencies``
hold names only. So a lock can be followed from its inputs to its last package without any index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from packaging.pylock import Package, Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.metadata.core_metadata import InvalidMetadata, parse_requirement, select
from planner.metadata.requirements_by_extra import RequirementsByExtra
from planner.model.dependencies import Dependency, Identifier, MarkerEvaluator, Scope
from planner.resolver.overrides import Overrides
from planner.review.verdicts import Verdicts
from schemas.data_class import with_fields
from schemas.errors import Refused
from schemas.hints import TOOL_NAME

__all__ = ["Edge", "Graph", "KnownRequirements", "NotInLock", "RequirementsUnknown"]


@with_fields
class NotInLock(Refused):
    """The user names a package that the lock does not have."""

    lock: str
    name: str
    hint: str

    def __str__(self) -> str:
        return f"{self.lock} does not have {self.name}"


@with_fields
class RequirementsUnknown(Refused):
    """The lock does not record the requirements of a package."""

    name: str
    hint = "only locks that lockstream wrote record them; write it again with lockstream plan"

    def __str__(self) -> str:
        return f"the lock does not record the requirements of {self.name}"


class Edge(NamedTuple):
    """A requirement and the package that has it; part of a ``Graph``. There are very many."""

    parent: Identifier | None
    """None for a requirement of the inputs."""
    version: Version | None
    """The version of the parent."""
    dependency: Dependency

    def __str__(self) -> str:
        if self.parent is None:
            return f"{self.dependency.origin} requires {self.dependency.text}"
        return f"{self.parent} {self.version} requires {self.dependency.text}"


KnownRequirements = dict[tuple[int, NormalizedName | None], tuple[Dependency, ...]]
"""The requirements that were read in one environment, by the id of a package and the extra."""


class Graph:
    """The packages of ``lock`` that are installed in one environment, and their requirements.

    ``variables`` are the marker variables of the environment, ``scopes`` the extras and dependency
    groups that are chosen. ``overrides`` replace requirements of packages. ``known`` and
    ``verdicts`` are shared by the graphs of one lock and environment, which differ in their scopes:
    reading requirements takes longest, and then evaluating markers.
    """

    def __init__(
        self,
        lock: Pylock,
        variables: Mapping[str, str],
        scopes: Collection[Scope] = (),
        overrides: Overrides | None = None,
        known: KnownRequirements | None = None,
        verdicts: Verdicts | None = None,
    ) -> None:
        self._markers = MarkerEvaluator(variables)
        self._overrides = overrides
        self._known: KnownRequirements = {} if known is None else known
        self._requires: dict[int, RequirementsByExtra] = {}
        """What each package requires, by its id."""
        self.packages: dict[NormalizedName, Package] = {}
        self.doubled: list[Package] = []
        """Packages with the name of another one, of which only one can be installed."""
        for package in (verdicts or Verdicts(lock.packages, variables)).installed(scopes):
            if package.name in self.packages:
                self.doubled.append(package)
            else:
                self.packages[package.name] = package

    def dependencies(self, identifier: Identifier) -> tuple[Dependency, ...]:
        """Return what the package of ``identifier`` requires; for an extra, what that adds.

        Raises RequirementsUnknown.
        """
        package = self.packages[identifier.name]
        key = id(package), identifier.extra
        if key not in self._known:
            self._known[key] = self._read(package, identifier)
        return self._known[key]

    def reach(self, roots: Iterable[Dependency]) -> dict[Identifier, list[Edge]]:
        """Return everything that ``roots`` lead to, in order of discovery, with the edges to it.

        Raises RequirementsUnknown.
        """
        edges: dict[Identifier, list[Edge]] = {}
        waiting = [Edge(None, None, root) for root in roots]
        for edge in waiting:
            identifier = edge.dependency.identifier
            known = edges.setdefault(identifier, [])
            if not known and identifier.name in self.packages:
                version = self.packages[identifier.name].version
                waiting += (Edge(identifier, version, one) for one in self.dependencies(identifier))
            known.append(edge)
        return edges

    def extras_of(self, package: Package) -> frozenset[NormalizedName]:
        """Return the extras for which ``package`` requires anything. Raises RequirementsUnknown."""
        return frozenset(self._requirements_of(package).extras)

    def _read(self, package: Package, identifier: Identifier) -> tuple[Dependency, ...]:
        requirements = self._requirements_of(package).of(identifier.extra)
        try:
            found = select(requirements, self._markers, identifier.extra)
            return tuple(self._overrides.apply(found) if self._overrides else found)
        except InvalidMetadata:
            raise RequirementsUnknown(package.name) from None

    def _requirements_of(self, package: Package) -> RequirementsByExtra:
        if id(package) not in self._requires:
            try:
                self._requires[id(package)] = RequirementsByExtra(_requirements(package))
            except InvalidRequirement:
                raise RequirementsUnknown(package.name) from None
        return self._requires[id(package)]


def _requirements(package: Package) -> list[Requirement]:
    """Return what the lock records that ``package`` requires.

    Raises RequirementsUnknown and InvalidRequirement.
    """
    table = (package.tool or {}).get(TOOL_NAME)
    lines = table.get("requires", []) if isinstance(table, Mapping) else None
    if not isinstance(lines, list):
        raise RequirementsUnknown(package.name)
    return [parse_requirement(str(line)) for line in lines]
