"""Why there is no solution: who asks for what, what the index has of it, and what is in the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import Candidate, CandidateFinder, Judgement, Release
from planner.resolver.evaluator import Rejection
from planner.resolver.incompatibility import Incompatibility
from planner.resolver.obstacles import Obstacles
from schemas.errors import NoSolution
from schemas.text import enumerate_some

__all__ = ["Asked", "Explainer", "SearchTooLong", "Supply", "Unsolvable"]


@dataclass(frozen=True, slots=True)
class Cause:
    """Versions of a project or extra that have a dependency, which takes part in a conflict."""

    parent: Identifier
    versions: tuple[Version, ...]
    dependency: Dependency


Reason = tuple[NormalizedName, tuple[Version, ...]]
"""A project, and those of its versions that would suit."""


Asked = Mapping[Identifier, tuple[Dependency, Candidate | None]]
"""Who asked first for each identifier."""


MAX_SHOWN_VERSIONS = 5


MAX_SHOWN_FILES = 2


MAX_SHOWN_REASONS = 6


MAX_SHOWN_OBSTACLES = 4


MAX_DEPTH = 8
"""Projects in one chain of obstacles; who reads further looks at the metadata itself."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What makes some versions of a project unusable, whatever else is chosen."""

    subject: Identifier
    versions: tuple[Version, ...]
    text: str
    supply: Supply | None
    """What the index has of the project that stands in the way, if it is one."""
    is_widest: bool = False
    """Whether some of the versions ask for a part of it only."""

    def lines(self, told: set[Reason]) -> Iterator[str]:
        """What to say of it, if ``told`` has been said."""
        shown = enumerate_some(self.versions, MAX_SHOWN_VERSIONS)
        if self.supply is None:
            yield f"{self.subject} {shown} cannot be used: {self.text}"
        elif self.supply.reason in told:
            yield f"{self.subject} {shown} needs {self.text}, of which the same is true"
        else:
            told.add(self.supply.reason)
            rest = ", or narrower" if self.is_widest else ""
            yield f"{self.subject} {shown} needs {self.text}{rest}"
            yield from (f"  {line}" for line in self.supply.lines(told))

    def covers(self, other: Obstacle) -> bool:
        """Whether what it needs leaves all choices that what ``other`` needs does."""
        ours, theirs = self.supply, other.supply
        return (
            self.subject == other.subject
            and ours is not None
            and theirs is not None
            and ours.name == theirs.name
            and ours.usable == theirs.usable
            and len(theirs.matching) > 0
            and set(theirs.matching) <= set(ours.matching)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the index has of a project that is asked for in vain."""

    name: NormalizedName
    demands: tuple[str, ...]
    """Who asks for it, and for which versions."""
    exists: bool
    versions: tuple[Version, ...]
    """All that the index has, newest first."""
    matching: tuple[Version, ...]
    """Those that suit all demands."""
    usable: bool
    """Whether the environment can use any of ``matching``."""
    rejections: tuple[Rejection, ...]
    """The files of ``matching`` that it cannot use."""
    obstacles: tuple[Obstacle, ...]
    """What stands behind the files that it could use."""
    refusals: tuple[tuple[str, tuple[Version, ...]], ...]
    """Of ``matching``, those without a file that can be used though some are for the target, by
    why."""
    in_vain: bool
    """Whether no version is left that could be chosen."""

    @property
    def reason(self) -> Reason:
        """What it comes down to, whoever asks."""
        return self.name, self.matching

    def lines(self, told: set[Reason] | None = None) -> Iterator[str]:
        """What to say of it, if ``told`` has been said."""
        told = set() if told is None else told
        yield from self.demands
        if not self.exists:
            yield f"the index does not know {self.name}"
        elif not self.versions:
            yield f"the index has no files of {self.name}"
        elif not self.matching:
            yield (
                f"no version of {self.name} suits; the index has "
                f"{enumerate_some(self.versions, MAX_SHOWN_VERSIONS)}"
            )
        elif not self.usable:
            shown = enumerate_some(self.matching, MAX_SHOWN_VERSIONS)
            yield f"of {self.name} {shown} no file can be used:"
            yield from (f"  {line}" for line in _group(self.rejections))
        elif self.in_vain:
            for reason, versions in self.refusals:
                shown = enumerate_some(versions, MAX_SHOWN_VERSIONS)
                yield f"{self.name} {shown} cannot be used: {reason}"
        for obstacle in self.obstacles[:MAX_SHOWN_OBSTACLES]:
            yield from obstacle.lines(told)
        if (more := len(self.obstacles) - MAX_SHOWN_OBSTACLES) > 0:
            yield f"and {more} more obstacles to other versions of {self.name}"

    def lacks_wheels(self) -> bool:
        """Whether what is missing, here or behind this, are wheels for the target."""
        return bool(self.matching and not self.usable) or any(
            obstacle.supply and obstacle.supply.lacks_wheels() for obstacle in self.obstacles
        )


_OPTIONAL = ("[project.optional-dependencies]", "[dependency-groups]")
"""The tables whose requirements a lock need not hold, as the origins of requirements name them."""


@dataclass(eq=False)
class Unsolvable(NoSolution):
    """No choice of wheels satisfies all requirements."""

    environment: MarkerEnvironment
    supplies: tuple[Supply, ...]

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the supplies
        hint = "loosen one of these requirements, or name versions that go together"
        if any(supply.lacks_wheels() for supply in self.supplies):
            hint = (
                "choose versions that have wheels for the target, or another target "
                "(--python-version, --platform)"
            )
        text = str(self)
        if any(table in text for table in _OPTIONAL):
            hint += "; or leave the extra or group out (--no-extra, --no-group)"
        return hint

    def __str__(self) -> str:
        lines = [f"no wheels satisfy the requirements for {self.environment}"]
        told: set[Reason] = set()
        for supply in self.supplies:
            lines += [f"  {line}" for line in supply.lines(told)]
        return "\n".join(lines)


@dataclass(eq=False)
class SearchTooLong(NoSolution):
    """The search was given up."""

    rounds: int
    hint = "narrow the requirements that leave most versions open"

    def __str__(self) -> str:
        return f"no solution was found in {self.rounds} steps"


class Explainer:
    """Tells what stands behind the conflict that ended a search.

    ``known`` holds the user's own requirements and constraints by project.
    """

    def __init__(
        self,
        finder: CandidateFinder,
        known: Mapping[NormalizedName, Sequence[Dependency]],
        asked: Asked,
        obstacles: Obstacles,
    ) -> None:
        self._finder = finder
        self._known = known
        self._asked = asked
        self._obstacle_of = obstacles

    def explain(self, proof: Incompatibility, environment: MarkerEnvironment) -> Unsolvable:
        """Return the error for the search that ended with ``proof``.

        If a requirement of the user's own cannot be satisfied by itself, the rest of the proof is a
        detail of the search.
        """
        roots = {
            identifier.name: None
            for identifier, (_, parent) in self._asked.items()
            if parent is None
        }
        supplies = [self._supply(name, self._known[name], (), depth=0) for name in roots]
        if hopeless := tuple(supply for supply in supplies if supply.in_vain):
            return Unsolvable(environment, hopeless)
        conflicts: dict[NormalizedName, list[Cause]] = {}
        for cause in _causes(proof):
            conflicts.setdefault(cause.dependency.identifier.name, []).append(cause)
        supplies = [
            self._supply(name, [one.dependency for one in found], self._tell(found), depth=0)
            for name, found in conflicts.items()
        ]
        # Where several go together with none of the others, all of them are the reason.
        in_vain = tuple(supply for supply in supplies if supply.in_vain)
        return Unsolvable(environment, in_vain or tuple(supplies))

    def _tell(self, causes: Iterable[Cause]) -> list[str]:
        """The chains of requirements; those that differ in the last version only are one."""
        versions: dict[tuple[tuple[str, ...], Identifier, str], list[Version]] = {}
        for cause in causes:
            chain = tuple(self._chain(*self._asked[cause.parent]))
            known = versions.setdefault((chain, cause.parent, cause.dependency.text), [])
            known.extend(cause.versions)
        told = [
            "; ".join(
                [*chain, f"{parent} {enumerate_some(known, MAX_SHOWN_VERSIONS)} needs {text}"]
            )
            for (chain, parent, text), known in versions.items()
        ]
        # The order of the causes is that of the search.
        return sorted(told)

    def _chain(self, dependency: Dependency, parent: Candidate | None) -> Iterator[str]:
        """From what the user wrote down to ``dependency``."""
        if parent is None:
            yield f"{dependency.origin} says {dependency.text}"
        else:
            yield from self._chain(*self._asked[parent.identifier])
            yield f"{parent} needs {dependency.text}"

    def _supply(
        self,
        name: NormalizedName,
        dependencies: Sequence[Dependency],
        demands: Iterable[str],
        *,
        depth: int,
    ) -> Supply:
        project = self._finder.project(name)
        known = self._known.get(name, ())
        counting = [*known, *(one for one in dependencies if not one.identifier.refused)]
        matching = [
            release
            for release in project.releases
            if all(one.specifier.contains(release.version, prereleases=True) for one in counting)
        ]
        identifiers = {Identifier(name), *(one.identifier for one in dependencies)}
        obstacles = self._obstacles(identifiers, matching, depth)
        blocked = {version for obstacle in obstacles for version in obstacle.versions}
        judged = {release.version: self._finder.judgement(release) for release in matching}
        usable = [version for version, judgement in judged.items() if judgement.wheels]
        told = (f"{one.origin} says {one.text}" for one in known)
        return Supply(
            name=name,
            demands=tuple(dict.fromkeys([*told, *demands])),
            exists=project.exists,
            versions=tuple(release.version for release in project.releases),
            matching=tuple(release.version for release in matching),
            usable=bool(usable),
            rejections=tuple(one for judgement in judged.values() for one in judgement.rejections),
            obstacles=obstacles,
            refusals=_refusals(judged),
            in_vain=set(usable) <= blocked,
        )

    def _obstacles(
        self, identifiers: Collection[Identifier], releases: Iterable[Release], depth: int
    ) -> tuple[Obstacle, ...]:
        """What is in the way of ``releases``; those that meet the same are told together."""
        found: dict[tuple[Identifier, str], tuple[list[Version], Dependency]] = {}
        for release in releases:
            for identifier in sorted(identifiers, key=str):
                obstacle = self._obstacle_of.get((identifier, release.version))
                # What is in the way of a project is in the way of its extras: once is enough.
                if obstacle and obstacle.identifier not in identifiers:
                    versions, _ = found.setdefault((identifier, obstacle.text), ([], obstacle))
                    versions.append(release.version)
        return _join(
            Obstacle(subject, tuple(versions), text, self._behind(obstacle, depth + 1))
            for (subject, text), (versions, obstacle) in found.items()
        )

    def _behind(self, obstacle: Dependency, depth: int) -> Supply | None:
        if obstacle.identifier.refused or depth > MAX_DEPTH:
            return None
        return self._supply(obstacle.identifier.name, [obstacle], (), depth=depth)


def _causes(proof: Incompatibility) -> Iterator[Cause]:
    """Yield the dependencies that ``proof`` is derived from."""
    for one in proof.premises():
        if one.dependency and not one.dependency.identifier.refused and len(one.terms) > 1:
            dependent, releases = next(iter(one.terms.items()))
            versions = tuple(release.version for release in dependent.project.members(releases))
            yield Cause(dependent.identifier, versions, one.dependency)


def _join(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """The same, with one for those that ask for ever newer versions of one project in vain."""
    joined: list[Obstacle] = []
    for one in obstacles:
        for position, other in enumerate(joined):
            if one.covers(other) or other.covers(one):
                wide = one if one.covers(other) else other
                versions = (*other.versions, *one.versions)
                joined[position] = replace(wide, versions=versions, is_widest=True)
                break
        else:
            joined.append(one)
    return tuple(joined)


def _refusals(judged: Mapping[Version, Judgement]) -> tuple[tuple[str, tuple[Version, ...]], ...]:
    """Why releases that have files for the target cannot be used, with their versions."""
    versions: dict[str, list[Version]] = {}
    for version, judgement in judged.items():
        reasons = [one.reason for one in judgement.rejections if not one.is_elsewhere]
        if not judgement.wheels and reasons:
            versions.setdefault(reasons[0], []).append(version)
    return tuple((reason, tuple(found)) for reason, found in versions.items())


def _group(rejections: Collection[Rejection]) -> Iterator[str]:
    """One line for each reason, with the first (so newest) files that it was given for. Where
    there are many, those that are for other Pythons and platforms are of no interest.
    """
    files: dict[str, list[str]] = {}
    for rejection in sorted(rejections, key=_is_elsewhere):
        files.setdefault(rejection.reason, []).append(rejection.file.filename)
    elsewhere = [one for one in rejections if one.is_elsewhere]
    if len(files) > MAX_SHOWN_REASONS and len(elsewhere) < len(rejections):
        for reason in {one.reason for one in elsewhere}:
            del files[reason]
    else:
        elsewhere = []
    for reason in list(files)[:MAX_SHOWN_REASONS]:
        yield f"{enumerate_some(files[reason], MAX_SHOWN_FILES)}: {reason}"
    if (more := len(files) - MAX_SHOWN_REASONS) > 0:
        yield f"and files refused for {more} more reasons"
    if elsewhere:
        yield f"and {len(elsewhere)} files for other Pythons and platforms"


def _is_elsewhere(rejection: Rejection) -> bool:
    return rejection.is_elsewhere
