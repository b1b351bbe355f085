"""Differences between a lock and the lock that a plan would write now, found without any index.

A lock is current exactly when planning again, with its versions preferred, would write the same
bytes. If its versions meet every requirement, such a plan chooses them again; so it is enough to
check the requirements, to derive what else each block would hold, and to compare what decided.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.pylock import Package, Pylock

from planner.index.indexes import Links
from planner.inputs.inputs import Inputs
from planner.inputs.question import Question
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.review.block_check import check_blocks, parsed_name
from planner.review.derived import derive
from planner.review.graph import Edge, Graph, KnownRequirements
from planner.review.header import find_changed_flags, find_header_changes
from planner.review.recorded import recorded_table
from planner.review.verdicts import Verdicts
from schemas.builds import build_records
from schemas.data_class import with_fields
from schemas.errors import Refused
from schemas.markers import holds
from schemas.text import lock_command, titled
from schemas.urls import redacted, without_credentials

__all__ = ["Stale", "find_problems", "find_undecided"]


@with_fields
class Stale(Refused):
    """A lock is not up to date with its inputs."""

    path: str
    problems: tuple[str, ...]
    again: str = ""
    """The command that makes a subset again; empty if a plan wrote the lock."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the path
        if self.again:
            return f"make it again: {self.again}"
        again = lock_command("plan", self.path)
        return f"write it again with {again}; what need not change is kept"

    def __str__(self) -> str:
        return "\n".join([f"{self.path} is not current", *self._lines()])

    def _lines(self) -> Iterator[str]:
        yield from (f"  {problem}" for problem in self.problems)


def find_problems(lock: Pylock, question: Question) -> tuple[str, ...]:
    """Return what differs in ``lock`` from what a plan of ``question`` would write; empty if the
    lock is current.

    Raises RequirementsUnknown and InvalidRequirementLine.
    """
    inputs, cases = question.inputs, question.cases
    found = dict.fromkeys(change.as_problem() for change in find_header_changes(lock, question))
    found.update(dict.fromkeys(find_changed_flags(lock, inputs.settings.build)))
    found.update(dict.fromkeys(_check_pythons(lock, question)))
    places: dict[str, dict[str, None]] = {}
    known: list[KnownRequirements] = [{} for _ in cases]
    for case, requirements in zip(cases, known, strict=True):
        checker = _Checker(lock, inputs, case, requirements)
        for scope in (None, *sorted(inputs.scopes - case.excluded - case.chosen)):
            for problem in checker.problems(scope):
                places.setdefault(problem, {})[str(case)] = None
    for problem, where in places.items():
        everywhere = len(where) == len(cases)
        found[problem if everywhere else f"{problem} ({', '.join(where)})"] = None
    derived = derive(lock, question, known)
    found.update(dict.fromkeys(check_blocks(lock, question, derived, is_sound=not places)))
    return tuple(found)


def find_undecided(
    question: Question, upgraded: Sequence[str] = (), *, everything: bool = False
) -> tuple[str, ...]:
    """Return what a plan of ``question`` reads and a check cannot, a sentence each. The plan looks
    for newer versions of the projects ``upgraded``, or of ``everything``.

    That the pages of its indexes may have changed is true of every lock, and not among them.
    """
    links = [place for place in question.indexes.places if isinstance(place, Links)]
    pages = [place.place for place in links if place.is_page]
    folders = [place.place for place in links if not place.is_page]
    gone = [one for one in folders if not os.path.isdir(one)]
    inputs = question.inputs
    lines = (*inputs.requirements, *inputs.constraints, *inputs.overrides)
    urls = [redacted(line.requirement.url) for line in lines if line.requirement.url]
    remote = dict.fromkeys(url for url in urls if not url.startswith(("file:", "git+")))
    newer = "" if everything else f" of {', '.join(upgraded)}"
    return (
        *([f"plan is told to look for newer versions{newer}"] if everything or upgraded else ()),
        *(f"the folder {folder} is not there, and --upgrade needs it" for folder in gone),
        *(f"the page {page} may have other links than when the lock was planned" for page in pages),
        *(f"{url} may be another file than when the lock was planned" for url in remote),
    )


def _check_pythons(lock: Pylock, question: Question) -> Iterator[str]:
    required = question.inputs.requires_python
    for environment in question.environments:
        if required and not required.contains(environment.python_version, prereleases=True):
            yield f"the project requires Python {required}; the lock is for {environment}"
        if lock.environments and not any(
            holds(marker, environment.variables, subject="the lock", context="requirement")
            for marker in lock.environments
        ):
            yield f"it is not for {environment}"


class _Checker:
    """The checks of a lock for one environment; made for one call of ``find_problems``."""

    def __init__(
        self,
        lock: Pylock,
        inputs: Inputs,
        environment: MarkerEnvironment,
        known: KnownRequirements,
    ) -> None:
        self._lock = lock
        self._environment = environment
        self._known = known
        self._verdicts = Verdicts(lock.packages, environment.variables)
        self._met: set[tuple[int, int]] = set()
        self._overrides = Overrides(inputs, environment)
        required = applicable_dependencies(inputs.requirements, environment)
        self._roots = list(self._overrides.apply(required))
        self._constraints = applicable_dependencies(inputs.constraints, environment)
        self._accepted = [(target, frozenset(target.tags)) for target in environment.targets]
        builds = recorded_table(lock, "policy").get("build")
        self._is_deferred = isinstance(builds, Mapping) and builds.get("deferred") is True

    def problems(self, scope: Scope | None) -> Iterator[str]:
        """Yield what is wrong if ``scope`` is selected, a sentence each."""
        chosen = self._environment.chosen | ({scope} if scope else frozenset())
        variables = self._environment.variables
        graph = Graph(self._lock, variables, chosen, self._overrides, self._known, self._verdicts)
        roots = [root for root in self._roots if root.scope in {None, *chosen}]
        edges = graph.reach(roots)
        needed = {identifier.name for identifier in edges}
        for found in edges.values():
            for edge in found:
                yield from self._check_edge(edge, graph)
        for constraint in self._constraints:
            if constraint.identifier.name in needed:
                yield from self._check_edge(Edge(None, None, constraint), graph)
        for package in graph.doubled:
            yield f"it has two versions of {package.name}"
        for package in graph.packages.values():
            if package.name not in needed:
                problem = f"nothing requires {titled(package.name, package.version)}"
                yield f"{problem} with {scope}" if scope and package.marker else problem
            yield from self._check_files(package)

    def _check_edge(self, edge: Edge, graph: Graph) -> Iterator[str]:
        package = graph.packages.get(edge.dependency.identifier.name)
        # Scopes have most edges in common, and dependencies live as long as what is known.
        key = id(edge.dependency), id(package)
        if key in self._met:
            return
        if package is None:
            yield f"{edge}, which the lock does not have"
        elif edge.dependency.url and not _is_at(package, edge.dependency.url):
            yield f"{edge}; the lock has another file of {package.name}"
        elif package.version is not None and not edge.dependency.specifier.contains(
            package.version, prereleases=True
        ):
            yield f"{edge}; the lock has {titled(package.name, package.version)}"
        else:
            self._met.add(key)

    def _check_files(self, package: Package) -> Iterator[str]:
        python = package.requires_python
        if python and not python.contains(self._environment.python_version, prereleases=True):
            yield f"{titled(package.name, package.version)} requires Python {python}"
        if package.wheels is not None and not (self._is_deferred and package.sdist):
            tags = [parsed_name(wheel.filename)[3] for wheel in package.wheels]
            for target, accepted in self._accepted:
                if all(one.isdisjoint(accepted) for one in tags):
                    yield f"{titled(package.name, package.version)} has no wheel for {target}"


def _is_at(package: Package, url: str) -> bool:
    """Return whether the lock has the file at ``url``, or a wheel that was built of it. For a local
    path its last part is compared.
    """
    sources = {record.source for record in build_records(package.tool)}
    # The source distribution that a wheel was built of is listed with it.
    file = package.archive or package.sdist
    parts = urlsplit(url.removeprefix("git+"))
    if parts.scheme != "file":
        if package.vcs and package.vcs.url:
            revision = package.vcs.requested_revision
            sources.add(f"git+{package.vcs.url}{f'@{revision}' if revision else ''}")
        # The user of an ssh address is recorded with it.
        known = {without_credentials(urldefrag(source).url) for source in sources}
        return url in known or (file is not None and file.url == url)
    listed = file or package.vcs or package.directory
    places = [*sources, (listed.path or "") if listed else ""]
    return not {_last_part(unquote(parts.path)), "."}.isdisjoint(map(_last_part, places))


def _last_part(path: str) -> str:
    """Return the name of a file, or of a repository without its revision."""
    return posixpath.basename(path.partition("#")[0]).partition("@")[0]
