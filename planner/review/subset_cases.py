"""What a choice selects of a lock, for each environment of a subset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.pylock import Package, Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.inputs import Inputs
from planner.lock.decided_marker import Decide, decided
from planner.model.dependencies import Dependency, Identifier, expand, scopes_of
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.review.closure import Closure, Reached, Records
from planner.review.graph import RequirementsUnknown
from planner.review.subset_choice import SubsetChoice
from planner.review.subset_targets import deciding
from schemas.data_class import with_fields
from schemas.errors import InvalidInput, Refused, UsageError

__all__ = ["Case", "DoubleSelection", "Unlocked", "select_cases"]


_SCOPE = re.compile(r'"([^"]+)" in (extras|dependency_groups)')


@with_fields
class Unlocked(Refused):
    """A project requires what the lock does not have."""

    requirement: str
    """Such as ``api/pyproject.toml requires demo>=2``."""
    found: str
    hint = "plan the lock again, with this project among its inputs"

    def __str__(self) -> str:
        return f"{self.requirement}; the lock has {self.found}"


@with_fields
class DoubleSelection(InvalidInput):
    """A selection has two packages of one name."""

    name: str
    where: str
    hint = "select extras and groups that do not exclude each other"

    def __str__(self) -> str:
        return f"the lock has two packages {self.name} for {self.where}, with this selection"


@dataclass(slots=True)
class Case:
    """One environment and what is selected in it; owned by the subset that is made."""

    environment: MarkerEnvironment | None
    """None if it is open: the lock records no targets, and none are named."""
    decide: Decide
    """Decides the comparisons of markers that have one answer in it."""
    decide_choice: Decide
    """Decides only those with extras and groups."""
    packages: list[Package]
    reached: Reached | None
    """What of the packages requires what; None if the lock does not record it."""
    _ids: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = {id(package) for package in self.packages}

    def has(self, package: Package) -> bool:
        """Return whether ``package``, of the same lock, is selected."""
        return id(package) in self._ids


def select_cases(
    lock: Pylock,
    choice: SubsetChoice,
    environments: Sequence[MarkerEnvironment | None],
    projects: Inputs | None,
) -> list[Case]:
    """Return what ``choice`` selects of ``lock`` in each of ``environments``; ``projects`` are the
    inputs of those that it names.

    Raises UnknownName, Excluding, UsageError, Unlocked, DoubleSelection, RequirementsUnknown and
    MarkerUnusable.
    """
    walk = _Walk(lock, choice, projects)
    found = [walk.select(environment) for environment in environments]
    walk.check_names()
    return found


class _Walk:
    """The selections of one call of ``select_cases``."""

    def __init__(self, lock: Pylock, choice: SubsetChoice, projects: Inputs | None) -> None:
        self._lock = lock
        self._records = Records(lock)
        self._chosen = choice.select.variables(lock)
        self._named = _identifiers("--package", choice.packages)
        self._without = _identifiers("--without", choice.without)
        self._projects = projects
        self._met: set[NormalizedName] = set()
        """Names that were selected in some environment."""

    def select(self, environment: MarkerEnvironment | None) -> Case:
        """Return what is selected in ``environment``."""
        decide = deciding(environment, self._chosen)
        left = [(one, _left(one.marker, decide)) for one in self._lock.packages]
        packages = [package for package, verdict in left if verdict is not False]
        if environment is not None:
            _check_once([one for one, verdict in left if verdict is True], environment)
        self._met.update(package.name for package in packages)
        variables = environment.variables if environment else None
        closure = Closure(packages, self._records, variables)
        self._check_extras(closure)
        is_limited = bool(self._named) or self._projects is not None
        roots = [*self._named, *self._roots(closure, environment)]
        try:
            kept = closure.reach(roots).names if is_limited else set(closure.packages)
            kept -= closure.reach(self._without).names
            roots = roots if is_limited else [Identifier(name) for name in sorted(kept)]
            reached = closure.reach(roots).within(kept)
        except RequirementsUnknown:
            if is_limited or self._without:
                raise
            reached = None
        kept_packages = [package for package in packages if package.name in kept]
        choice = deciding(None, self._chosen)
        return Case(environment, decide, choice, kept_packages, reached)

    def check_names(self) -> None:
        """Raise UsageError for a name that the lock does not have, or that is not selected."""
        known = {package.name: package for package in self._lock.packages}
        for option, identifiers in (("--package", self._named), ("--without", self._without)):
            for one in identifiers:
                if one.name not in known:
                    raise UsageError(
                        f"{option} {one.name}: the lock has no such package",
                        hint=_hint_for_unknown(one.name, known),
                    )
                if option == "--package" and one.name not in self._met:
                    raise UsageError(
                        f"--package {one.name}: it is not part of the selection",
                        hint=_hint_for(known[one.name]),
                    )

    def _check_extras(self, closure: Closure) -> None:
        for one in (*self._named, *self._without):
            if not one.extra or one.name not in closure.packages:
                continue
            if not closure.has_extra(one.name, one.extra):
                raise UsageError(
                    f"the lock does not record what the extra {one.extra} of {one.name} requires",
                    hint=f"name {one.name} alone; or require {one}, and plan the lock again",
                )

    def _roots(
        self, closure: Closure, environment: MarkerEnvironment | None
    ) -> Iterator[Identifier]:
        """Yield what the projects require with the chosen extras and groups. Raises Unlocked."""
        for dependency in self._required(environment):
            name = dependency.identifier.name
            packages = closure.packages.get(name, [])
            fitting = [
                one
                for one in packages
                if one.version is None or dependency.specifier.contains(one.version, True)
            ]
            if not fitting and (packages or environment is not None):
                versions = " and ".join(f"{name} {one.version}" for one in packages)
                required = f"{dependency.origin} requires {dependency.text}"
                raise Unlocked(required, versions or "no such package, with this selection")
            yield dependency.identifier

    def _required(self, environment: MarkerEnvironment | None) -> list[Dependency]:
        inputs = self._projects
        if inputs is None:
            return []
        chosen = frozenset(scopes_of(self._chosen["extras"], self._chosen["dependency_groups"]))
        if environment is None:
            return [
                dependency
                for one in inputs.requirements
                if one.scope is None or one.scope in chosen
                for dependency in expand(one.requirement, origin=one.origin)
                if dependency.identifier.name not in inputs.members
            ]
        scoped = MarkerEnvironment(environment.targets, excluded=frozenset(inputs.scopes) - chosen)
        found = applicable_dependencies(inputs.requirements, scoped)
        return list(Overrides(inputs, scoped).apply(found))


def _identifiers(option: str, words: Iterable[str]) -> list[Identifier]:
    """Return packages and their extras as ``NAME`` or ``NAME[EXTRA]`` names them. Raises
    UsageError.
    """
    found: dict[Identifier, None] = {}
    for word in words:
        try:
            requirement = Requirement(word)
        except InvalidRequirement:
            requirement = None
        if requirement is None or requirement.specifier or requirement.url or requirement.marker:
            raise UsageError(
                f"{option} {word!r} is not the name of a package",
                hint="name it without a version, such as demo or demo[extra]; the lock has one",
            )
        name = canonicalize_name(requirement.name)
        extras = sorted(map(canonicalize_name, requirement.extras))
        found.update(dict.fromkeys(Identifier(name, extra) for extra in (None, *extras)))
    return list(found)


def _left(marker: Marker | None, decide: Decide) -> Marker | bool:
    return True if marker is None else decided(marker, decide)


def _check_once(packages: Iterable[Package], environment: MarkerEnvironment) -> None:
    seen = set()
    for package in packages:
        if package.name in seen:
            raise DoubleSelection(package.name, str(environment))
        seen.add(package.name)


def _hint_for(package: Package) -> str:
    """Return what would select ``package``: the extras and groups that its marker names."""
    options = {"extras": "--extra", "dependency_groups": "--group"}
    words = [f"{options[kind]} {name}" for name, kind in _SCOPE.findall(str(package.marker or ""))]
    if not words:
        return "its marker excludes these targets; name others with --platform, --python-version"
    return f"add {' or '.join(dict.fromkeys(words))}"


def _hint_for_unknown(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  # for a mistake only

    if near := get_close_matches(name, known, n=1):
        return f"did you mean {near[0]}?"
    return "lockstream tree, or the lock itself, shows the names"
