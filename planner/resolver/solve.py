"""Solve: the inputs, answered for each environment, with the same versions wherever they can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectPage
from planner.inputs.inputs import InputRequirement, Inputs
from planner.model.dependencies import Dependency, pinned_versions
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Ordering, Policy, Preferences, Prereleases
from planner.model.project_set import ProjectSet
from planner.resolver.applicable import applicable, applicable_dependencies
from planner.resolver.builder import SourceBuilder
from planner.resolver.candidates import CandidateFinder, Project, ReleaseJudge
from planner.resolver.direct import direct_projects
from planner.resolver.evaluator import FileEvaluator, FileRules
from planner.resolver.explanation import Explainer, Unsolvable
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from planner.resolver.provider import Provider
from planner.resolver.search import ResolvedPackage, resolve
from schemas.errors import InvalidInput, NoSolution
from schemas.text import enumerate_some

__all__ = ["HashesMissing", "Solution", "UnsolvableTargets", "solve"]


@dataclass(frozen=True, slots=True)
class Solution:
    """The packages that one environment needs, sorted by name."""

    environment: MarkerEnvironment
    packages: tuple[ResolvedPackage, ...]
    pages: tuple[ProjectPage, ...]
    """What the indexes have of each of them."""


@dataclass(eq=False)
class HashesMissing(InvalidInput):
    """The inputs demand hashes, and do not give them for all that is needed."""

    names: tuple[NormalizedName, ...]
    hint = "list each of them with its version and --hash, or leave out --require-hashes"

    def __str__(self) -> str:
        return f"--require-hashes: no hashes are given for {enumerate_some(self.names)}"


@dataclass(eq=False)
class UnsolvableTargets(NoSolution):
    """Several targets have no solution."""

    errors: tuple[Unsolvable, ...]
    total: int
    """Number of environments that were asked for."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the errors
        return self.errors[0].hint

    def __str__(self) -> str:
        told = "\n".join(str(error) for error in self.errors)
        return f"{len(self.errors)} of {self.total} targets have no solution\n{told}"


def solve(
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
    policy: Policy,
    fetcher: Fetcher,
    builder: SourceBuilder | None = None,
) -> tuple[Solution, ...]:
    """Choose the packages of each of ``environments``; sources only if ``builder`` can build them.

    Raises Unsolvable, UnsolvableTargets and SearchTooLong where there is no answer,
    HashesMissing, InvalidRequirementLine, IndexUnreachable and IndexAnswer.
    """
    # Made at once, so that all begin to fetch what they will need.
    solvers = [
        _Solver(inputs, environment, policy, fetcher, builder) for environment in environments
    ]
    preferences = policy.preferences or [{} for _ in solvers]
    solutions = _solve_all(solvers, preferences)
    if policy.align and len(solvers) > 1:
        solutions = _align(solvers, solutions, preferences)
    for solver, solution in zip(solvers, solutions, strict=True):
        solver.check_hashes(solution)
    return tuple(solutions)


def _solve_all(solvers: Sequence[_Solver], preferences: Sequence[Preferences]) -> list[Solution]:
    solutions = []
    errors = []
    for solver, preferred in zip(solvers, preferences, strict=True):
        try:
            solutions.append(solver.solve(preferred))
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
    """The same with fewer versions, if there is one: where environments differ, the oldest of
    their versions is what most of them can have. What an environment has from before it keeps.
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


class _Solver:
    """Answers for one environment, as often as it is asked, fetching nothing twice."""

    def __init__(
        self,
        inputs: Inputs,
        environment: MarkerEnvironment,
        policy: Policy,
        fetcher: Fetcher,
        builder: SourceBuilder | None,
    ) -> None:
        self._environment = environment
        self._require_hashes = inputs.require_hashes or policy.require_hashes
        overrides = Overrides(inputs, environment)
        asked = applicable_dependencies(inputs.requirements, environment)
        self._roots = list(overrides.apply(asked))
        allowed = applicable_dependencies(inputs.constraints, environment)
        known = _by_name([*self._roots, *allowed])
        direct = direct_projects(
            applicable(inputs.requirements, environment), environment.targets[0], builder
        )

        def find_project(name: NormalizedName) -> Project:
            return direct[name] if name in direct else fetcher.project(name)

        self._find_project = find_project
        self._hashes = _hashes(applicable([*inputs.requirements, *inputs.constraints], environment))
        rules = FileRules(
            hashes=self._hashes,
            pins=_pins(known),
            uploaded_before=policy.uploaded_before,
            no_binary=policy.no_binary,
            only_binary=policy.only_binary,
            hosts=policy.hosts,
            sources=builder.refuse if builder else None,
        )
        judge = ReleaseJudge([FileEvaluator(target, rules) for target in environment.targets])
        self._finder = CandidateFinder(
            find_project,
            judge,
            prereleases=Prereleases.ALLOW if inputs.prereleases else policy.prereleases,
            named_prereleases=_named_prereleases(known) | direct.keys(),
            oldest_first=_oldest_first(policy.ordering, self._roots),
        )
        prefetcher = Prefetcher(fetcher, self._finder, environment, known, overrides, direct)
        prefetcher.expect(self._roots)
        self._provider = Provider(
            self._finder,
            fetcher,
            prefetcher,
            environment,
            known=known,
            overrides=overrides,
            direct=direct.keys(),
        )
        self._explainer = partial(Explainer, self._provider, find_project, judge, known=known)

    def solve(self, preferred: Preferences) -> Solution:
        """The answer that prefers these versions. Raises what ``solve`` raises."""
        self._finder.prefer(preferred)
        packages = resolve(self._roots, self._provider, self._explainer, self._environment)
        pages = tuple(self._find_project(package.name).page for package in packages)
        return Solution(self._environment, packages, pages)

    def check_hashes(self, solution: Solution) -> None:
        """Raises HashesMissing."""
        missing = tuple(one.name for one in solution.packages if one.name not in self._hashes)
        if self._require_hashes and missing:
            raise HashesMissing(missing)


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
    known: Mapping[NormalizedName, Sequence[Dependency]],
) -> dict[NormalizedName, frozenset[Version]]:
    return {
        name: frozenset(pinned_versions(dependency.specifier for dependency in dependencies))
        for name, dependencies in known.items()
    }


def _named_prereleases(
    known: Mapping[NormalizedName, Sequence[Dependency]],
) -> frozenset[NormalizedName]:
    return frozenset(
        name
        for name, dependencies in known.items()
        if any(dependency.specifier.prereleases for dependency in dependencies)
    )


def _hashes(
    requirements: Iterable[InputRequirement],
) -> dict[NormalizedName, frozenset[str]]:
    """Where several lines give hashes for one project, a file has to be among all of them."""
    found: dict[NormalizedName, frozenset[str]] = {}
    for one in requirements:
        if one.hashes:
            found[one.name] = found.get(one.name, one.hashes) & one.hashes
    return found
