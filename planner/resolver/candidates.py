"""The candidates of a project: the best wheels of each release that may be selected.

A page may list thousands of files, of which one is needed: files are evaluated only for the
versions that the resolver considers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.metadata.distribution import Distribution
from planner.model.dependencies import Dependency, Identifier
from planner.model.policy import Prereleases
from planner.resolver.evaluator import FileEvaluator, Rejection
from planner.resolver.releases import Project, Release, compares_texts

__all__ = [
    "Candidate",
    "CandidateFinder",
    "Judgement",
    "ReleaseJudge",
    "Wheels",
]


Wheels = tuple[Distribution, ...]
"""The best wheel of one release for each target of an environment, in their order; never empty."""


class Judgement:
    """The files of a release that an environment can use, and those that it cannot."""

    def __init__(self, release: Release, evaluators: Sequence[FileEvaluator]) -> None:
        self._release = release
        self._evaluators = evaluators
        found = [
            max(suitable, key=_preference)
            for evaluator in evaluators
            if (suitable := list(_suitable(release, evaluator)))
        ]
        self.wheels: Wheels | None = tuple(found) if len(found) == len(evaluators) else None
        """None if one of the targets has no usable wheel."""

    @cached_property
    def rejections(self) -> tuple[Rejection, ...]:
        """The refused files; one that several targets refuse for the same reason is listed once.
        Only an explanation needs them, and most files of a page are refused.
        """
        rejections: dict[tuple[str, str], Rejection] = {}
        for evaluator in self._evaluators:
            for file in self._release.files:
                one = evaluator.evaluate(self._release.project, file)
                if isinstance(one, Rejection):
                    rejections[one.file.filename, one.reason] = one
        return tuple(rejections.values())

    @cached_property
    def refusal(self) -> str:
        """Why a target has no usable file, of the first such target; empty if all have one."""
        for evaluator in self._evaluators:
            verdicts = [
                evaluator.evaluate(self._release.project, file) for file in self._release.files
            ]
            refused = [one for one in verdicts if isinstance(one, Rejection)]
            if len(refused) == len(verdicts):
                telling = (one for one in refused if not (one.is_elsewhere or one.needs_build))
                first = next(telling, None)
                return first.reason if first else f"it has no wheel for {evaluator.target}"
        return ""


def _suitable(release: Release, evaluator: FileEvaluator) -> Iterator[Distribution]:
    for file in release.files:
        if not evaluator.is_elsewhere(file.filename):
            verdict = evaluator.evaluate(release.project, file)
            if isinstance(verdict, Distribution):
                yield verdict


def _preference(wheel: Distribution) -> tuple[object, ...]:
    # As with pip: of a version that may be yanked, a file that is not comes first. Otherwise the
    # file would change when the version is in the lock, and so may be yanked.
    return (wheel.file.yanked is None, *wheel.preference)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that may be selected for an identifier."""

    identifier: Identifier
    wheels: Wheels

    @property
    def version(self) -> Version:
        return self.wheels[0].version

    def __str__(self) -> str:
        return f"{self.identifier} {self.version}"


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
            self._judgements[release] = Judgement(release, self._evaluators)
        return self._judgements[release]


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
        self._load_project = project
        self._projects: dict[NormalizedName, Project] = {}
        self._judge = judge
        self._prereleases = prereleases
        self._named_prereleases = named_prereleases
        self._oldest_first = oldest_first
        self._preferred: Mapping[NormalizedName, Sequence[Version]] = {}
        self._matching: dict[tuple[NormalizedName, int], tuple[SpecifierSet, int]] = {}

    def prefer(self, versions: Mapping[NormalizedName, Sequence[Version]]) -> None:
        """Try these versions, if they match, before all others from now on."""
        self._preferred = versions

    def project(self, name: NormalizedName) -> Project:
        """Return the project of ``name``. Raise what fetching its page raises."""
        # A dictionary is ten times as fast as the fetcher, which has to lock.
        if name not in self._projects:
            self._projects[name] = self._load_project(name)
        return self._projects[name]

    def find(self, name: NormalizedName, specifiers: Iterable[SpecifierSet]) -> Iterator[Wheels]:
        """Yield the best wheels of each release that matches all ``specifiers``.

        Preferred versions come first, then final ones, newest first, then pre-releases that no
        requirement of the user names.
        """
        yield from self._in_order(name, self.matching_all(name, specifiers))

    def find_after(
        self, name: NormalizedName, version: Version, specifiers: Iterable[SpecifierSet]
    ) -> Iterator[Wheels]:
        """Yield what ``find`` would after ``version`` if no version was preferred."""
        project = self.project(name)
        one = project.set_of(version)
        rest = one - 1 if name in self._oldest_first else -2 * one
        yield from self._in_order(name, self.matching_all(name, specifiers) & rest)

    def _in_order(self, name: NormalizedName, allowed: int) -> Iterator[Wheels]:
        while one := self.best(name, allowed):
            allowed ^= one
            if wheels := self.wheels(name, one):
                yield wheels

    def best(self, name: NormalizedName, allowed: int) -> int:
        """Return the set of the one release of ``allowed`` to try first; empty if the policy
        forbids all of them.
        """
        project = self.project(name)
        groups = self._groups(project)
        if preferred := self._preferred.get(name):
            eligible = allowed & self.eligible(name)
            for version in preferred:
                if one := project.set_of(version) & eligible:
                    return one
        for group in groups:
            if found := allowed & group:
                oldest = name in self._oldest_first
                return 1 << (found.bit_length() - 1) if oldest else found & -found
        return 0

    def matching_all(self, name: NormalizedName, specifiers: Iterable[SpecifierSet]) -> int:
        """Return the set of the releases that match all ``specifiers``."""
        found = self.project(name).all
        for specifier in specifiers:
            found &= self.matching(name, specifier)
        return found

    def matching(self, name: NormalizedName, specifier: SpecifierSet) -> int:
        """Return the set of the releases that match ``specifier``. If it compares texts, it is the
        best wheel that has to spell the version so.
        """
        # As in ``Project.matching``, the same object is given many times.
        key = name, id(specifier)
        known = self._matching.get(key)
        if known is None:
            known = self._matching[key] = specifier, self._match(name, specifier)
        return known[1]

    def admits(self, dependency: Dependency, version: Version) -> bool:
        """Return whether ``version`` of the project of ``dependency`` satisfies it."""
        name = dependency.identifier.name
        return bool(self.matching(name, dependency.specifier) & self.project(name).set_of(version))

    def _match(self, name: NormalizedName, specifier: SpecifierSet) -> int:
        project = self.project(name)
        found = project.matching(specifier)
        if compares_texts(specifier):
            for release in project.members(found):
                wheels = self._judge.judge(release).wheels
                if wheels and not specifier.contains(wheels[0].version, prereleases=True):
                    found &= ~project.set_of(release.version)
        return found

    def wheels(self, name: NormalizedName, one: int) -> Wheels | None:
        """Return the best wheels of the release in a set of one; None if it is not usable."""
        return self._judge.judge(self.project(name).release_of(one)).wheels

    def eligible(self, name: NormalizedName) -> int:
        """Return the set of the releases that the policy on pre-releases does not exclude."""
        return reduce(or_, self._groups(self.project(name)))

    def favoured(self, name: NormalizedName) -> int:
        """Return the set of the releases that are tried first: final ones, or all of a project
        that has none, or of which the policy allows pre-releases.
        """
        return next(filter(None, self._groups(self.project(name))), 0)

    def prefers_oldest(self, name: NormalizedName) -> bool:
        """Return whether the oldest version of the project is preferred."""
        return name in self._oldest_first

    def judgement(self, release: Release) -> Judgement:
        """Return what the environment can use of ``release``."""
        return self._judge.judge(release)

    def _groups(self, project: Project) -> tuple[int, ...]:
        """Return disjoint sets of the eligible releases of ``project``, the best set first."""
        if self._prereleases is Prereleases.ALLOW or (
            self._prereleases is Prereleases.IF_NECESSARY
            and project.name in self._named_prereleases
        ):
            return (project.all,)
        if self._prereleases is Prereleases.DISALLOW:
            return (project.final,)
        return project.final, project.all & ~project.final
