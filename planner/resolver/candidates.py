"""The releases that an index has of a project, and the best wheels of each.

A page may list thousands of files, of which one is needed. So all versions are compared at once,
and files are evaluated only for the versions that the resolver considers.
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
"""The best wheel of one release for each target of an environment, in their order; never empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One version of a project, with its files; its Project owns it."""

    version: Version
    project: NormalizedName
    groups: list[Sequence[ProjectFile]] = field(default_factory=list)
    """Its files, one group for each spelling of the version in file names."""

    spellings: list[Version] = field(default_factory=list)
    """Its version as the names of its files spell it, in the order of ``groups``."""

    @property
    def files(self) -> Iterator[ProjectFile]:
        """Return all its files."""
        return chain.from_iterable(self.groups)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The files of a release that an environment can use, and those that it cannot."""

    wheels: Wheels | None
    """None if one of the targets has no usable wheel."""
    rejections: tuple[Rejection, ...]
    """The refused files; one that several targets refuse for the same reason is listed once."""


class ReleaseJudge:
    """A judge of releases for one environment, which remembers its judgements.

    ``evaluators`` holds one for each target of the environment.
    """

    def __init__(self, evaluators: Sequence[FileEvaluator]) -> None:
        self._evaluators = evaluators
        self._judgements: dict[Release, Judgement] = {}

    def judge(self, release: Release) -> Judgement:
        """Return the files of ``release`` that can be used."""
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
    """A project as an index lists it, parsed into releases."""

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
                release.spellings.append(version)
        self.releases = tuple(releases[version] for version in sorted(releases, reverse=True))
        """Newest first. A file whose name holds no version belongs to no release."""


def _compares_texts(specifier: SpecifierSet) -> bool:
    return any(part.operator == "===" for part in specifier)


def _has_spelling(release: Release, specifier: SpecifierSet) -> bool:
    """Return whether a file of ``release`` spells its version as ``specifier`` does: a source may
    be called ``demo-1.0`` and the wheel of it ``demo-1.0.0``.
    """
    return any(specifier.contains(version, prereleases=True) for version in release.spellings)


class CandidateFinder:
    """A finder of the wheels of a project that match specifiers, best version first.

    ``project`` returns the project of a name, and may wait for the index. The user's own
    requirements name pre-releases of ``named_prereleases``. Of the projects ``oldest_first`` the
    oldest version is preferred.
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
        """Try these versions, if they match, before all others from now on."""
        self._preferred = versions
        self._matching.clear()

    def find(self, name: NormalizedName, specifiers: Iterable[SpecifierSet]) -> Iterator[Wheels]:
        """Yield the best wheels of each release that matches all ``specifiers``.

        Preferred versions come first, then final ones, newest first, then pre-releases that no
        requirement of the user names.
        """
        # The resolver calls this with the same arguments many times.
        wanted = {str(specifier): specifier for specifier in specifiers}
        key = name, *sorted(wanted)
        if key not in self._matching:
            self._matching[key] = self._match(name, wanted.values())
        judged = (self._judge.judge(release).wheels for release in self._matching[key])
        exact = [specifier for specifier in wanted.values() if _compares_texts(specifier)]
        return (
            wheels
            for wheels in judged
            if wheels and all(one.contains(wheels[0].version, prereleases=True) for one in exact)
        )

    def _match(
        self, name: NormalizedName, specifiers: Iterable[SpecifierSet]
    ) -> tuple[Release, ...]:
        releases: Iterable[Release] = self._project(name).releases
        for specifier in specifiers:
            if _compares_texts(specifier):
                releases = [one for one in releases if _has_spelling(one, specifier)]
                continue
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
