"""The graph of a lock whose inputs are not at hand, such as in a job that has the lock alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, Pylock
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.conflicts import Conflicts
from planner.model.dependencies import Dependency, Identifier, Scope, expand
from planner.review.closure import Records, names_of
from planner.review.graph import Graph
from planner.review.recorded import recorded_table
from schemas.markers import holds

__all__ = ["LoneGraph", "recorded_conflicts", "recorded_scopes", "records_requirements"]


ORIGIN = "an input"
"""What stands for the line of an input that is not known."""


class LoneGraph(Graph):
    """The packages of ``lock`` in one environment, from what the lock records.

    What an override or an exclude dropped is not among the ``dependencies`` of a package.
    """

    def __init__(
        self, lock: Pylock, variables: Mapping[str, str], scopes: Collection[Scope]
    ) -> None:
        super().__init__(lock, variables, scopes)
        self._values = {
            **variables,
            **{
                kind: frozenset(one.name for one in scopes if one.variable == kind)
                for kind in ("extras", "dependency_groups")
            },
        }

    def dependencies(self, identifier: Identifier) -> tuple[Dependency, ...]:
        """Return what the package of ``identifier`` requires of the lock."""
        package = self.packages[identifier.name]
        kept = {package.name, *(names_of(package) & self.packages.keys())}
        return tuple(one for one in super().dependencies(identifier) if one.identifier.name in kept)

    def roots(self) -> list[Dependency]:
        """Return what the inputs must require: what no package requires, and of packages that
        require each other the first one. Raises RequirementsUnknown and MarkerUnusable.
        """
        nodes = [one for package in self.packages.values() for one in self._identifiers(package)]
        required = {
            dependency.identifier
            for node in nodes
            for dependency in self.dependencies(node)
            if dependency.identifier.name != node.name or dependency.identifier.extra
        }
        roots = _roots([one for one in nodes if one not in required])
        reached = self.reach(roots).keys()
        for node in nodes:
            if node not in reached:
                roots += _roots([node])
                reached = self.reach(roots).keys()
        return roots

    def _identifiers(self, package: Package) -> Iterator[Identifier]:
        """Yield the package, and those of its extras that are selected here."""
        plain = Identifier(package.name)
        yield plain
        recorded = recorded_table(package).get("extras")
        if isinstance(recorded, list):
            for line in map(str, recorded):
                name, _, limit = line.partition(";")
                if self._holds(limit.strip(), package.name):
                    yield Identifier(package.name, canonicalize_name(name.strip()))
            return
        # A subset does not record them: they are what adds to the dependencies.
        without = {one.identifier for one in self.dependencies(plain)}
        for extra in sorted(self.extras_of(package)):
            identifier = Identifier(package.name, extra)
            if any(one.identifier not in without for one in self.dependencies(identifier)):
                yield identifier

    def _holds(self, limit: str, name: NormalizedName) -> bool:
        try:
            return not limit or holds(Marker(limit), self._values, subject=name)
        except InvalidMarker:
            return False


def _roots(identifiers: Collection[Identifier]) -> list[Dependency]:
    extras: dict[NormalizedName, list[str]] = {}
    for one in identifiers:
        extras.setdefault(one.name, []).extend([one.extra] if one.extra else [])
    return [
        dependency
        for name, named in extras.items()
        for dependency in expand(
            Requirement(f"{name}[{','.join(named)}]" if named else name), origin=ORIGIN
        )
    ]


def records_requirements(lock: Pylock) -> bool:
    """Return whether a plan wrote the lock, or that which it is a subset of."""
    return Records(lock).is_ours


def recorded_scopes(lock: Pylock) -> frozenset[Scope]:
    """Return the extras and groups of ``lock``."""
    return frozenset(
        [
            *(Scope("extra", canonicalize_name(one)) for one in lock.extras or ()),
            *(Scope("group", canonicalize_name(one)) for one in lock.dependency_groups or ()),
        ]
    )


def recorded_conflicts(lock: Pylock) -> Conflicts:
    """Return the sets of extras and groups of which an installation selects at most one."""
    lines = recorded_table(lock, "policy").get("conflicts")
    known = {str(one): one for one in recorded_scopes(lock)}
    return tuple(
        frozenset(known[part] for part in str(line).split(" and ") if part in known)
        for line in (lines if isinstance(lines, list) else ())
    )
