"""The causes of a failed search, gathered from its proof and from the obstacles it met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectPage
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import Candidate, CandidateFinder, Judgement
from planner.resolver.incompatibility import Incompatibility
from planner.resolver.obstacles import Obstacles
from planner.resolver.releases import Release
from planner.resolver.supply import MAX_SHOWN_VERSIONS, Obstacle, Supply
from planner.resolver.unsolvable import Unsolvable
from schemas.text import enumerate_some, one_line

__all__ = ["Asked", "Explainer"]


@dataclass(frozen=True, slots=True)
class Cause:
    """Versions of a project or extra that have a dependency, which takes part in a conflict."""

    parent: Identifier
    versions: tuple[Version, ...]
    dependency: Dependency


Asked = Mapping[Identifier, tuple[Dependency, Candidate | None]]
"""By identifier, the first dependency on it and the candidate that has it; None is the user."""


MAX_SINGLE_LINES = 3
"""Requirements of the releases of one project on another that have a line each."""


MAX_DEPTH = 64
"""Projects in one chain of obstacles; longer ones are circles."""


MAX_STATUS = 200
"""Characters of the status of a project and its reason; an index may send any text."""


class Explainer:
    """An explainer of one failed search, made when it has failed.

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
        self._behind_of: dict[tuple[Identifier, SpecifierSet], Supply] = {}

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
        supplies = [
            self._supply(name, self._known[name], (), depth=0)
            for name in roots
            if not self._has_choice(name)
        ]
        if hopeless := tuple(supply for supply in supplies if supply.in_vain):
            return Unsolvable(environment, hopeless)
        conflicts: dict[NormalizedName, list[Cause]] = {}
        for cause in _causes(proof):
            conflicts.setdefault(cause.dependency.identifier.name, []).append(cause)
        supplies = [
            self._supply(name, [one.dependency for one in found], self._tell(found), depth=0)
            for name, found in conflicts.items()
        ]
        # If each of them has versions left, all of them together are the reason.
        in_vain = tuple(supply for supply in supplies if supply.in_vain)
        return Unsolvable(environment, in_vain or tuple(supplies))

    def _tell(self, causes: Iterable[Cause]) -> list[str]:
        """Return the chains of requirements, as one if only the last version differs. Of more than
        a few releases that each require a release of their own, all are one, too.
        """
        found: dict[tuple[tuple[str, ...], Identifier, Identifier], dict[str, list[Version]]] = {}
        for cause in causes:
            chain = tuple(self._chain(*self._asked[cause.parent]))
            texts = found.setdefault((chain, cause.parent, cause.dependency.identifier), {})
            texts.setdefault(cause.dependency.text, []).extend(cause.versions)
        told = [
            "; ".join([*chain, f"{parent} {end}"])
            for (chain, parent, _), texts in found.items()
            for end in _needs(texts)
        ]
        # The order of the causes is that of the search.
        return sorted(told)

    def _chain(self, dependency: Dependency, parent: Candidate | None) -> Iterator[str]:
        """Yield the requirements from what the user wrote down to ``dependency``."""
        if parent is None:
            yield f"{dependency.origin} says {dependency.text}"
        else:
            yield from self._chain(*self._asked[parent.identifier])
            yield f"{parent} needs {dependency.text}"

    def _has_choice(self, name: NormalizedName) -> bool:
        """Return whether a release suits the user's own requirements, and nothing is in its way; to
        judge all releases of all projects would take long.
        """
        project = self._finder.project(name)
        known = self._known[name]
        identifiers = {Identifier(name), *(one.identifier for one in known)}
        suitable = self._finder.matching_all(name, (one.specifier for one in known))
        return any(
            self._finder.judgement(release).wheels
            and not any((one, release.version) in self._obstacle_of for one in identifiers)
            for release in project.members(suitable & self._finder.eligible(name))
        )

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
        suitable = self._finder.matching_all(name, (one.specifier for one in counting))
        matching = list(project.members(suitable))
        identifiers = {Identifier(name), *(one.identifier for one in dependencies)}
        obstacles = self._obstacles(identifiers, matching, depth)
        blocked = {version for obstacle in obstacles for version in obstacle.versions}
        eligible = self._finder.eligible(name)
        excluded = [one for one in matching if not eligible & project.set_of(one.version)]
        judged = {
            release.version: self._finder.judgement(release)
            for release in matching
            if release not in excluded
        }
        usable = {version for version, judgement in judged.items() if judgement.wheels}
        in_vain = usable <= blocked
        # Why files are refused takes most of the time of an explanation.
        refused = () if usable else judged.values()
        told = (f"{one.origin} says {one.text}" for one in known)
        return Supply(
            name=name,
            demands=tuple(dict.fromkeys([*told, *demands])),
            exists=project.exists,
            is_direct=_is_direct(project.page),
            status=_status(project.page),
            versions=tuple(release.version for release in project.releases),
            matching=tuple(release.version for release in matching),
            prereleases=tuple(release.version for release in excluded),
            usable=bool(usable),
            rejections=tuple(one for judgement in refused for one in judgement.rejections),
            obstacles=obstacles,
            refusals=_refusals(judged) if in_vain else (),
            in_vain=in_vain,
        )

    def _obstacles(
        self, identifiers: Collection[Identifier], releases: Iterable[Release], depth: int
    ) -> tuple[Obstacle, ...]:
        """Return the obstacles of ``releases``; those with the same obstacle are one."""
        found: dict[tuple[Identifier, str], tuple[list[Version], Dependency]] = {}
        for release in releases:
            for identifier in sorted(identifiers, key=str):
                obstacle = self._obstacle_of.get((identifier, release.version))
                # An obstacle of a project is one of its extras: once is enough. Another version of
                # itself is an obstacle of its own.
                if obstacle and (
                    obstacle.identifier not in identifiers
                    or not self._finder.admits(obstacle, release.version)
                ):
                    versions, _ = found.setdefault((identifier, obstacle.text), ([], obstacle))
                    versions.append(release.version)
        return _join(
            Obstacle(
                subject,
                tuple(versions),
                text,
                self._behind(obstacle, depth + 1),
                is_damage=obstacle.is_damage,
            )
            for (subject, text), (versions, obstacle) in found.items()
        )

    def _behind(self, obstacle: Dependency, depth: int) -> Supply | None:
        if obstacle.identifier.refused or depth > MAX_DEPTH:
            return None
        # The versions of a project have mostly the same obstacle.
        key = obstacle.identifier, obstacle.specifier
        if key not in self._behind_of:
            self._behind_of[key] = self._supply(key[0].name, [obstacle], (), depth=depth)
        return self._behind_of[key]


def _needs(versions: Mapping[str, Sequence[Version]]) -> Iterator[str]:
    """Yield which versions need what, given the versions by what they need of one project."""
    if len(versions) <= MAX_SINGLE_LINES:
        for text, known in versions.items():
            yield f"{enumerate_some(known, MAX_SHOWN_VERSIONS)} needs {text}"
        return
    texts = {version: text for text, known in versions.items() for version in known}
    newest = sorted(texts, reverse=True)
    needed = dict.fromkeys(texts[version] for version in newest)
    yield (
        f"{enumerate_some(newest, MAX_SHOWN_VERSIONS)} each need one of "
        f"{enumerate_some(needed, MAX_SHOWN_VERSIONS)}"
    )


def _causes(proof: Incompatibility) -> Iterator[Cause]:
    """Yield the dependencies that ``proof`` is derived from."""
    for one in proof.premises():
        if one.dependency and not one.dependency.identifier.refused and len(one.terms) > 1:
            dependent, releases = next(iter(one.terms.items()))
            versions = tuple(release.version for release in dependent.project.members(releases))
            yield Cause(dependent.identifier, versions, one.dependency)


def _join(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Return the same obstacles, with one for all that require versions of one project in vain."""
    joined: list[Obstacle] = []
    # Each of a thousand nightly builds may need its own version of another project. Only those that
    # have a version in common need to be compared.
    meeting: defaultdict[tuple[NormalizedName, Version], set[int]] = defaultdict(set)
    for one in obstacles:
        needed = (
            [(one.supply.name, version) for version in one.supply.matching] if one.supply else []
        )
        for position in sorted(set().union(*(meeting[key] for key in needed))):
            other = joined[position]
            if one.covers(other) or other.covers(one):
                wide = one if one.covers(other) else other
                versions = tuple(sorted((*other.versions, *one.versions), reverse=True))
                joined[position] = replace(wide, versions=versions, is_widest=True)
                break
        else:
            position = len(joined)
            joined.append(one)
        for key in needed:
            meeting[key].add(position)
    return tuple(joined)


def _is_direct(page: ProjectPage) -> bool:
    """Return if the project has an address: its file is the only one then. The files of an index
    are parsed when they are read, and there may be ten thousands.
    """
    first = next(iter(page.files.values()), ())
    return any(one.is_direct for one in first)


def _status(page: ProjectPage) -> str:
    """Return what the index says of a project that is not active."""
    if page.status == "active":
        return ""
    return one_line(": ".join(filter(None, (page.status, page.status_reason))), MAX_STATUS)


def _refusals(judged: Mapping[Version, Judgement]) -> tuple[tuple[str, tuple[Version, ...]], ...]:
    """Return why releases that have files for the target cannot be used, with their versions."""
    versions: dict[str, list[Version]] = {}
    for version, judgement in judged.items():
        reasons = [one.reason for one in judgement.rejections if not one.is_elsewhere]
        if not judgement.wheels and reasons:
            versions.setdefault(reasons[0], []).append(version)
    return tuple((reason, tuple(found)) for reason, found in versions.items())
