"""Projects and their releases: which versions an index has, and the best wheels of each.

A page may list thousands of files of which one is needed. So versions alone are compared at once,
and everything else is read only of the versions that are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from planner.index.pages import ProjectFile, ProjectPage
from planner.metadata.distribution import Distribution
from planner.model.policy import Prereleases
from planner.resolver.evaluator import FileEvaluator, Rejection

__all__ = ["CandidateFinder", "Judgement", "Project", "Release", "ReleaseJudge", "Wheels"]


Wheels = tuple[Distribution, ...]
"""Of one release, the best wheel for each target of an environment, in their order; never none."""


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One version of a project."""

    version: Version
    project: NormalizedName
    groups: list[Sequence[ProjectFile]] = field(default_factory=list)
    """Its files, by how their names spell the version."""

    @property
    def files(self) -> Iterator[ProjectFile]:
        """All of them."""
        return chain.from_iterable(self.groups)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an environment can use of a release."""

    wheels: Wheels | None
    """None where one of the targets has none."""
    rejections: tuple[Rejection, ...]
    """The files that do not suit, told once where they do not suit several targets."""


class ReleaseJudge:
    """Judges releases for one environment: for each of its targets by one of ``evaluators``."""

    def __init__(self, evaluators: Sequence[FileEvaluator]) -> None:
        self._evaluators = evaluators
        self._judgements: dict[Release, Judgement] = {}

    def judge(self, release: Release) -> Judgement:
        """What can be used of ``release``."""
        if release not in self._judgements:
            self._judgements[release] = self._judge(release)
        return self._judgements[release]

    def _judge(self, release: Release) -> Judgement:
        wheels: list[Distribution] = []
        rejections: dict[tuple[str, str], Rejection] = {}
        for evaluator in self._evaluators:
            verdicts = [evaluator.evaluate(release.project, file) for file in release.files]
            suitable = [verdict for verdict in verdicts if isinstance(verdict, Distribution)]
            if suitable:
                wheels.append(max(suitable, key=lambda wheel: wheel.preference))
            for one in verdicts:
                if isinstance(one, Rejection):
                    rejections[one.file.filename, one.reason] = one
        complete = len(wheels) == len(self._evaluators)
        return Judgement(tuple(wheels) if complete else None, tuple(rejections.values()))


class Project:
    """All that an index has of one project."""

    def __init__(self, page: ProjectPage) -> None:
        self.name = page.name
        self.exists = page.exists
        self.page = page
        releases: dict[Version, Release] = {}
        for text, files in page.files.items():
            with suppress(InvalidVersion):
                version = Version(text)
                release = releases.setdefault(version, Release(version, page.name))
                release.groups.append(files)
        self.releases = tuple(releases[version] for version in sorted(releases, reverse=True))
        """Newest first. Files whose names hold no version belong to none."""


class CandidateFinder:
    """Finds the wheels of a project that match specifiers, best version first.

    ``project`` gives the project of a name, and may wait for the index. ``named_prereleases``
    are the projects for which the user's own requirements name a pre-release, ``oldest_first``
    those of which the oldest version is the best.
    """

    def __init__(
        self,
        project: Callable[[NormalizedName], Project],
        judge: ReleaseJudge,
        *,
        prereleases: Prereleases,
        named_prereleases: frozenset[NormalizedName],
        oldest_first: Container[NormalizedName] = (),
    ) -> None:
        self._project = project
        self._judge = judge
        self._prereleases = prereleases
        self._named_prereleases = named_prereleases
        self._oldest_first = oldest_first
        self._preferred: Mapping[NormalizedName, Sequence[Version]] = {}
        self._matching: dict[tuple[str, ...], tuple[Release, ...]] = {}

    def prefer(self, versions: Mapping[NormalizedName, Sequence[Version]]) -> None:
        """From now on, try these versions before all others wherever they match."""
        self._preferred = versions
        self._matching.clear()

    def find(self, name: NormalizedName, specifiers: Iterable[SpecifierSet]) -> Iterator[Wheels]:
        """The best wheels of each release that matches all ``specifiers``: what is preferred,
        then newest first, and pre-releases that nobody named behind all final ones.
        """
        # The resolver asks for the same again and again.
        wanted = {str(specifier): specifier for specifier in specifiers}
        key = name, *sorted(wanted)
        if key not in self._matching:
            self._matching[key] = self._match(name, wanted.values())
        judged = (self._judge.judge(release).wheels for release in self._matching[key])
        return (wheels for wheels in judged if wheels)

    def _match(
        self, name: NormalizedName, specifiers: Iterable[SpecifierSet]
    ) -> tuple[Release, ...]:
        releases: Iterable[Release] = self._project(name).releases
        for specifier in specifiers:
            releases = specifier.filter(
                releases, prereleases=True, key=lambda release: release.version
            )
        ordered = self._order(name, list(releases))
        if preferred := self._preferred.get(name):
            rank = {version: position for position, version in enumerate(preferred)}
            ordered.sort(key=lambda release: rank.get(release.version, len(rank)))
        return tuple(ordered)

    def _order(self, name: NormalizedName, releases: list[Release]) -> list[Release]:
        if name in self._oldest_first:
            releases.reverse()
        if self._prereleases is Prereleases.ALLOW or (
            self._prereleases is Prereleases.IF_NECESSARY and name in self._named_prereleases
        ):
            return releases
        final = [release for release in releases if not release.version.is_prerelease]
        if self._prereleases is Prereleases.DISALLOW:
            return final
        return final + [release for release in releases if release.version.is_prerelease]
