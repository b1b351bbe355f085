"""The answer to the inputs for each environment, with the same versions in all if possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectPage
from planner.inputs.inputs import Inputs
from planner.metadata.distribution import Distribution
from planner.model.dependencies import Dependency, Identifier, pinned_versions
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Ordering, Policy, Preferences, Prereleases
from planner.model.project_set import ProjectSet
from planner.resolver.applicable import applicable, applicable_dependencies
from planner.resolver.builder import SourceBuilder
from planner.resolver.candidates import Candidate, CandidateFinder, ReleaseJudge
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.direct import DirectProjects
from planner.resolver.evaluator import FileEvaluator, FileRules
from planner.resolver.explanation import Explainer
from planner.resolver.obstacles import find_obstacles
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from planner.resolver.releases import Project
from planner.resolver.required_hashes import HashesMissing, RequiredHashes
from planner.resolver.requirement_selector import RequirementSelector
from planner.resolver.resolution import ResolvedPackage, build_packages, check_selection
from planner.resolver.search import MAX_STEPS, Contradiction, TooManySteps
from planner.resolver.shared_search import EnvironmentSearch
from planner.resolver.unsolvable import MAX_SHOWN_LINES, SearchTooLong, Unsolvable
from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused, NoSolution
from schemas.text import enumerate_some

__all__ = ["Basis", "Solution", "UnsolvableTargets", "solve"]


MIN_SHARE = 4
"""Lines of each of several explanations: the targets, and what can be said in three lines."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Basis:
    """What the packages of one solution were chosen from, to ask why others were not."""

    finder: CandidateFinder
    reader: DependencyReader
    known: Mapping[NormalizedName, Sequence[Dependency]]
    """The user's own requirements and constraints by project."""
    selection: Mapping[Identifier, Candidate]


@dataclass(frozen=True, slots=True)
class Solution:
    """The packages that one environment needs, sorted by name; a Plan is made of them."""

    environment: MarkerEnvironment
    packages: tuple[ResolvedPackage, ...]
    pages: tuple[ProjectPage, ...]
    """The index page of each package."""
    basis: Basis | None = None
    """None if it was not found by a search."""


@with_fields
class HashRefused(ArtifactRefused):
    """A chosen file has none of the hashes that the inputs allow."""

    filename: str
    expected: str
    found: str
    hint = "find out why; if the file is right, list its hash with --hash"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its hash is not among those that the requirements give\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )


@with_fields
class UnsolvableTargets(NoSolution):
    """Several targets have no solution."""

    errors: tuple[Unsolvable, ...]
    total: int
    """The number of environments of the plan."""
    advice: tuple[str, ...] = ()
    """What may have been meant, a sentence each."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the errors
        return self.errors[0].hint

    def __str__(self) -> str:
        groups: dict[tuple[str, ...], list[Unsolvable]] = {}
        for error in self.errors:
            groups.setdefault(tuple(error.lines(MAX_SHOWN_LINES)), []).append(error)
        lines = [f"{len(self.errors)} of {self.total} targets have no solution"]
        # The first line, the one of those that are not shown, and the hint.
        room = MAX_SHOWN_LINES - 3 - len(self.advice)
        shown = list(groups.values())[: room // MIN_SHARE]
        share = room // len(shown)
        for errors in shown:
            targets = enumerate_some((error.environment for error in errors), 2)
            lines.append(f"no wheels satisfy the requirements for {targets}")
            lines += (f"  {line}" for line in errors[0].lines(share - 1))
        if more := sum(map(len, groups.values())) - sum(map(len, shown)):
            lines.append(f"and other causes for {more} targets, which a plan for one of them shows")
        return "\n".join([*lines, *(f"  {line}" for line in self.advice)])


def solve(
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
    policy: Policy,
    fetcher: Fetcher,
    builder: SourceBuilder | None = None,
) -> tuple[Solution, ...]:
    """Return the packages of each of ``environments``; sources only if ``builder`` builds them.

    Raise Unsolvable, UnsolvableTargets and SearchTooLong if there is no answer, HashesMissing,
    HashesDisjoint, HashRefused, InvalidRequirementLine, IndexUnreachable and IndexAnswer.
    """
    preferences = policy.preferences or [{} for _ in environments]
    # All are made first, so that all begin to fetch what they will need.
    solvers = [
        _solver(inputs, environment, replace(policy, preferences=(kept,)), fetcher, builder)
        for environment, kept in zip(environments, preferences, strict=True)
    ]
    solutions = _solve_all(solvers, preferences)
    if policy.align and len(solvers) > 1:
        solutions = _align(solvers, solutions, preferences)
    return tuple(
        solver.with_checked_hashes(solution)
        for solver, solution in zip(solvers, solutions, strict=True)
    )


def _solve_all(solvers: Sequence[_Solver], preferences: Sequence[Preferences]) -> list[Solution]:
    solutions = []
    errors = []
    for position, (solver, preferred) in enumerate(zip(solvers, preferences, strict=True)):
        try:
            solutions.append(solver.solve(preferred, solvers[:position]))
        except Unsolvable as error:
            errors.append(error)
    if len(errors) > 1:
        raise UnsolvableTargets(tuple(errors), len(solvers))
    if errors:
        raise errors[0]
    return solutions


def _align(
    solvers: Sequence[_Solver], solutions: list[Solution], preferences: Sequence[Preferences]
) -> list[Solution]:
    """Return solutions with fewer versions if there are any, else ``solutions``.

    If environments differ, the oldest of their versions is what most of them can have. What an
    environment has of the versions of an existing lock it keeps.
    """
    chosen: dict[NormalizedName, set[Version]] = {}
    unforced: set[NormalizedName] = set()
    for solution, preferred in zip(solutions, preferences, strict=True):
        for package in solution.packages:
            chosen.setdefault(package.name, set()).add(package.version)
            if package.version not in preferred.get(package.name, ())[:1]:
                unforced.add(package.name)
    shared = {
        name: sorted(versions)
        for name, versions in chosen.items()
        if len(versions) > 1 and name in unforced
    }
    if not shared:
        return solutions
    aligned = _solve_all(solvers, [{**preferred, **shared} for preferred in preferences])
    return aligned if _count_versions(aligned) < _count_versions(solutions) else solutions


def _count_versions(solutions: Iterable[Solution]) -> int:
    return len({(package.name, package.version) for one in solutions for package in one.packages})


@dataclass(eq=False, frozen=True, slots=True, kw_only=True)
class _Solver:
    """A solver for one environment, which may be called again and fetches nothing twice."""

    environment: MarkerEnvironment
    roots: Sequence[Dependency]
    known: Mapping[NormalizedName, Sequence[Dependency]]
    hashes: RequiredHashes
    require_hashes: bool
    """True if the inputs have to give a hash for every package."""
    fetcher: Fetcher
    finder: CandidateFinder
    reader: DependencyReader
    search: EnvironmentSearch

    def solve(self, preferred: Preferences, others: Iterable[_Solver]) -> Solution:
        """Return the answer that prefers these versions, which may be that of ``others``, which
        have been solved. Raise what ``solve`` raises.
        """
        try:
            selection = self.search.solve(preferred, (one.search for one in others))
        except Contradiction as contradiction:
            search = self.search.own
            obstacles = find_obstacles(search, self.reader, self.finder)
            explainer = Explainer(self.finder, self.known, search.first_met, obstacles)
            raise explainer.explain(contradiction.proof, self.environment) from None
        except TooManySteps:
            raise SearchTooLong(MAX_STEPS) from None
        check_selection(self.roots, selection, self.reader, self.known)
        obstacles = find_obstacles(self.search.search, self.reader, self.finder)
        packages = build_packages(self.roots, selection, self.reader, obstacles)
        pages = tuple(self.finder.project(package.name).page for package in packages)
        basis = Basis(finder=self.finder, reader=self.reader, known=self.known, selection=selection)
        return Solution(self.environment, packages, pages, basis)

    def with_checked_hashes(self, solution: Solution) -> Solution:
        """Return the solution with the digests of files for which no index has the required ones.

        Raise HashesMissing or HashRefused.
        """
        missing = tuple(one.name for one in solution.packages if one.name not in self.hashes)
        if self.require_hashes and missing:
            raise HashesMissing(missing)
        packages = tuple(
            replace(one, wheels=tuple(map(self._with_checked_hash, one.wheels)))
            for one in solution.packages
        )
        return replace(solution, packages=packages)

    def _with_checked_hash(self, wheel: Distribution) -> Distribution:
        known = wheel.file.hashes
        if not (algorithms := self.hashes.undecided(wheel.name, known)):
            return wheel
        known = {**known, **self.fetcher.digests(wheel.file, algorithms)}
        if self.hashes.undecided(wheel.name, known):
            found = enumerate_some(f"{one}:{known[one]}" for one in sorted(algorithms))
            raise HashRefused(wheel.file.filename, self.hashes.expected(wheel.name), found)
        return replace(wheel, file=replace(wheel.file, entry={**wheel.file.entry, "hashes": known}))


def _solver(
    inputs: Inputs,
    environment: MarkerEnvironment,
    policy: Policy,
    fetcher: Fetcher,
    builder: SourceBuilder | None,
) -> _Solver:
    """Return a solver for ``environment``, which begins to fetch what it will need."""
    overrides = Overrides(inputs, environment)
    roots = list(overrides.apply(applicable_dependencies(inputs.requirements, environment)))
    known = _by_name([*roots, *applicable_dependencies(inputs.constraints, environment)])
    direct = DirectProjects(inputs, environment, builder)
    hashes = RequiredHashes(
        applicable([*inputs.requirements, *inputs.overrides, *inputs.constraints], environment)
    )

    def find_project(name: NormalizedName) -> Project:
        if name in direct:
            return direct.project(name)
        return fetcher.project(name, environment)

    rules = FileRules(
        hashes=hashes,
        pins=_pins(known, policy.preferences),
        uploads=policy.uploads,
        no_binary=policy.no_binary,
        only_binary=policy.only_binary,
        hosts=policy.hosts,
        sources=builder.refuse if builder else None,
    )
    finder = CandidateFinder(
        find_project,
        ReleaseJudge([FileEvaluator(target, rules) for target in environment.targets]),
        prereleases=Prereleases.ALLOW if inputs.prereleases else policy.prereleases,
        named_prereleases=_named_prereleases(known) | direct.names,
        oldest_first=_oldest_first(policy.ordering, roots),
    )
    selector = RequirementSelector(environment)
    prefetcher = Prefetcher(fetcher, environment, finder, selector, known, overrides, direct)
    prefetcher.expect(roots)
    reader = DependencyReader(fetcher, prefetcher, environment, selector, overrides, direct)
    return _Solver(
        environment=environment,
        roots=roots,
        known=known,
        hashes=hashes,
        require_hashes=inputs.require_hashes or policy.require_hashes,
        fetcher=fetcher,
        finder=finder,
        reader=reader,
        search=EnvironmentSearch(finder, reader, roots, known),
    )


def _oldest_first(ordering: Ordering, roots: Iterable[Dependency]) -> ProjectSet:
    if ordering is Ordering.LOWEST_DIRECT:
        return ProjectSet(frozenset(root.identifier.name for root in roots))
    return ProjectSet(are_excluded=ordering is Ordering.LOWEST)


def _by_name(dependencies: Iterable[Dependency]) -> dict[NormalizedName, list[Dependency]]:
    found: dict[NormalizedName, list[Dependency]] = {}
    for dependency in dependencies:
        found.setdefault(dependency.identifier.name, []).append(dependency)
    return found


def _pins(
    known: Mapping[NormalizedName, Sequence[Dependency]], kept: Iterable[Preferences]
) -> dict[NormalizedName, frozenset[Version]]:
    """Return the versions that may be yanked: those that the inputs pin or the lock has."""
    pins = {
        name: set(pinned_versions(dependency.specifier for dependency in dependencies))
        for name, dependencies in known.items()
    }
    for versions in kept:
        for name, preferred in versions.items():
            pins.setdefault(name, set()).update(preferred)
    return {name: frozenset(versions) for name, versions in pins.items()}


def _named_prereleases(
    known: Mapping[NormalizedName, Sequence[Dependency]],
) -> frozenset[NormalizedName]:
    return frozenset(
        name
        for name, dependencies in known.items()
        if any(dependency.specifier.prereleases for dependency in dependencies)
    )
