"""Which packages of a lock some of them require, as far as the lock records it.

A lock of lockstream records the requirements of each package. Of another one the ``dependencies``
of PEP 751 are followed, or the requirements that PDM records; they name what any extra requires.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.markers import Marker
from packaging.pylock import Package, Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.lock.decided_marker import decided
from planner.metadata.core_metadata import parse_requirement
from planner.metadata.requirements_by_extra import RequirementsByExtra
from planner.model.dependencies import Identifier
from planner.review.graph import RequirementsUnknown
from planner.review.recorded import recorded_table
from planner.review.subset_choice import PLANNED, SUBSET
from schemas.data_class import with_fields
from schemas.markers import holds

__all__ = ["Closure", "ExtraUnknown", "Reached", "Records", "names_of"]


@with_fields
class ExtraUnknown(RequirementsUnknown):
    """The lock of another tool does not record what an extra of a package requires."""

    extra: str
    hint = "lockstream plan records it; PDM leaves it out of a pylock.toml"

    def __str__(self) -> str:
        return f"the lock does not record what the extra {self.extra} of {self.name} requires"


@dataclass(slots=True)
class Reached:
    """What a walk came to; the caller owns it."""

    identifiers: set[Identifier] = field(default_factory=set)
    edges: dict[NormalizedName, set[NormalizedName]] = field(default_factory=dict)
    lines: dict[NormalizedName, set[tuple[str, NormalizedName]]] = field(default_factory=dict)
    """The requirements of each package that count, with what each requires."""

    @property
    def names(self) -> set[NormalizedName]:
        return {one.name for one in self.identifiers}

    def within(self, names: Collection[NormalizedName]) -> Reached:
        """Return what lies between packages of these ``names``."""
        return Reached(
            {one for one in self.identifiers if one.name in names},
            {of: {one for one in found if one in names} for of, found in self.edges.items()},
            {of: {one for one in found if one[1] in names} for of, found in self.lines.items()},
        )


class Records:
    """What the packages of ``lock`` are recorded to require; shared by all environments."""

    def __init__(self, lock: Pylock) -> None:
        table = recorded_table(lock)
        self.is_ours = (
            recorded_table(lock, SUBSET).get(PLANNED) is True if SUBSET in table else bool(table)
        )
        """Whether a plan wrote the lock, or that which it is a subset of: then all is recorded."""
        self._names_any = any(one.dependencies for one in lock.packages)
        self._known: dict[int, RequirementsByExtra | None] = {}

    def of(self, package: Package) -> RequirementsByExtra | None:
        """Return the requirements of ``package``; None if only the names are recorded.

        Raises RequirementsUnknown.
        """
        key = id(package)
        if key not in self._known:
            lines = self._lines(package)
            try:
                found = None if lines is None else [parse_requirement(str(one)) for one in lines]
            except InvalidRequirement:
                raise RequirementsUnknown(package.name) from None
            self._known[key] = None if found is None else RequirementsByExtra(found)
        return self._known[key]

    def _lines(self, package: Package) -> Sequence[object] | None:
        pdm = (package.tool or {}).get("pdm")
        for table, name in ((recorded_table(package), "requires"), (pdm, "dependencies")):
            lines = table.get(name) if isinstance(table, Mapping) else None
            if isinstance(lines, list):
                return lines
        if self.is_ours:
            return []
        if self._names_any:
            return None
        raise RequirementsUnknown(package.name)


class Closure:
    """Follows what ``packages`` require of each other, for one environment of a lock.

    Without ``variables`` the environment is open, and what any environment requires is followed.
    """

    def __init__(
        self, packages: Iterable[Package], records: Records, variables: Mapping[str, str] | None
    ) -> None:
        self._records = records
        self._variables = variables
        self._verdicts: dict[tuple[str, NormalizedName | None], bool] = {}
        self.packages: dict[NormalizedName, list[Package]] = {}
        for package in packages:
            self.packages.setdefault(package.name, []).append(package)

    def reach(self, roots: Iterable[Identifier]) -> Reached:
        """Return what ``roots`` lead to, with themselves; those that are not there are left out.

        Raises RequirementsUnknown and MarkerUnusable.
        """
        reached = Reached()
        waiting = list(roots)
        for identifier in waiting:
            if identifier in reached.identifiers or identifier.name not in self.packages:
                continue
            reached.identifiers.add(identifier)
            for package in self.packages[identifier.name]:
                waiting += self._followed(package, identifier, reached)
        return reached

    def has_extra(self, name: NormalizedName, extra: NormalizedName) -> bool:
        """Return whether requirements may be recorded for this extra of the package ``name``."""
        for package in self.packages[name]:
            requirements = self._records.of(package)
            if requirements is None or extra in requirements.extras:
                return True
        return False

    def _followed(
        self, package: Package, identifier: Identifier, reached: Reached
    ) -> Iterator[Identifier]:
        requirements = self._records.of(package)
        listed = names_of(package)
        if requirements is None:
            for name in listed & self.packages.keys():
                reached.edges.setdefault(package.name, set()).add(name)
                yield Identifier(name)
            return
        extra = identifier.extra
        if extra and not self._records.is_ours and extra not in requirements.extras:
            raise ExtraUnknown(package.name, extra)
        for requirement in requirements.of(extra):
            name = canonicalize_name(requirement.name)
            # What an override or an exclude dropped is not among the dependencies.
            is_kept = name in listed or name == package.name or not self._records.is_ours
            is_here = name in self.packages and is_kept
            if not is_here or not self._applies(requirement, identifier, package):
                continue
            reached.lines.setdefault(package.name, set()).add((str(requirement), name))
            if name != package.name:
                reached.edges.setdefault(package.name, set()).add(name)
            yield Identifier(name)
            for name_of_extra in requirement.extras:
                yield Identifier(name, canonicalize_name(name_of_extra))

    def _applies(self, requirement: Requirement, of: Identifier, package: Package) -> bool:
        """Return whether ``requirement`` may apply for the extra, or without one."""
        marker = requirement.marker
        return marker is None or self._holds(marker, of.extra, package)

    def _holds(self, marker: Marker, extra: NormalizedName | None, package: Package) -> bool:
        key = str(marker), extra
        if key not in self._verdicts:
            self._verdicts[key] = self._evaluated(marker, extra, package)
        return self._verdicts[key]

    def _evaluated(self, marker: Marker, extra: NormalizedName | None, package: Package) -> bool:
        values: dict[str, Any] = {**(self._variables or {}), "extra": extra or ""}
        if self._variables is not None:
            return holds(marker, values, subject=package.name, context="requirement")

        def decide(comparison: Marker, variable: str) -> bool | None:
            if variable != "extra":
                return None
            return holds(comparison, values, subject=package.name, context="requirement")

        return decided(marker, decide) is not False


def names_of(package: Package) -> set[NormalizedName]:
    """Return the names in the ``dependencies`` of ``package``."""
    names = (one.get("name") for one in package.dependencies or ())
    return {canonicalize_name(name) for name in names if isinstance(name, str)}
