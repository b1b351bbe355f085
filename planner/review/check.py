"""Differences between a lock and its inputs, found without any index."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, Pylock
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

from planner.inputs.build_settings import BuildSetting
from planner.inputs.inputs import Inputs
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment, recorded_targets
from planner.resolver.applicable import applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.review.graph import Edge, Graph
from schemas.builds import build_records
from schemas.credentials import split_login
from schemas.errors import Refused
from schemas.hints import TOOL_NAME
from schemas.markers import holds

__all__ = ["Stale", "find_changed_flags", "find_problems"]


def find_changed_flags(lock: Pylock, settled: Mapping[str, BuildSetting]) -> Iterator[str]:
    """Yield a sentence for each package of ``lock`` that was built with other flags than the
    project sets now.
    """
    table: object = lock.tool
    for key in (TOOL_NAME, "policy", "build", "settings"):
        table = table.get(key) if isinstance(table, Mapping) else None
    before = table if isinstance(table, Mapping) else {}
    now = {canonicalize_name(name): one.to_table() for name, one in settled.items()}
    for package in lock.packages:
        was_built = bool(build_records(package.tool))
        if was_built and before.get(package.name, {}) != now.get(package.name, {}):
            yield f"{package.name} was built with other flags than the project sets"


@dataclass(eq=False)
class Stale(Refused):
    """A lock is not up to date with its inputs."""

    path: str
    problems: tuple[str, ...]
    hint = "write it again with lockstream plan; what need not change is kept"

    def __str__(self) -> str:
        return "\n".join([f"{self.path} does not answer its inputs", *self._lines()])

    def _lines(self) -> Iterator[str]:
        yield from (f"  {problem}" for problem in self.problems)


def find_problems(
    lock: Pylock, inputs: Inputs, environments: Sequence[MarkerEnvironment]
) -> tuple[str, ...]:
    """What is wrong with ``lock``: each requirement that it does not meet, in any environment and
    with any extra or dependency group, and each package that nothing asks for. Empty where it
    answers the inputs.

    Raises RequirementsUnknown and InvalidRequirementLine.
    """
    found = dict.fromkeys(_check_header(lock, inputs, environments))
    found.update(dict.fromkeys(find_changed_flags(lock, inputs.settings.build)))
    scopes: list[Scope | None] = [None, *(Scope("extra", name) for name in inputs.extras)]
    scopes += (Scope("group", name) for name in inputs.groups)
    where: dict[str, dict[str, None]] = {}
    for environment in environments:
        checker = _Checker(lock, inputs, environment)
        for scope in scopes:
            for problem in checker.problems(scope):
                where.setdefault(problem, {})[str(environment)] = None
    for problem, places in where.items():
        everywhere = len(places) == len(environments)
        found[problem if everywhere else f"{problem} ({', '.join(places)})"] = None
    return tuple(found)


def _check_header(
    lock: Pylock, inputs: Inputs, environments: Sequence[MarkerEnvironment]
) -> Iterator[str]:
    for kind, told, asked in (
        ("extras", lock.extras, inputs.extras),
        ("dependency groups", lock.dependency_groups, inputs.groups),
    ):
        if sorted(told or ()) != list(asked):
            yield f"its {kind} are {_list(told or ())}; the inputs have {_list(asked)}"
    recorded = recorded_targets(lock)
    if inputs.settings.targets and set(map(str, inputs.settings.targets)) != set(
        map(str, recorded)
    ):
        settled = _list(inputs.settings.targets)
        yield f"its targets are {_list(recorded)}; the project sets {settled}"
    for environment in environments:
        wanted = inputs.requires_python
        if wanted and not wanted.contains(environment.python_version, prereleases=True):
            yield f"the project requires Python {wanted}; the lock is for {environment}"
        if lock.environments and not any(
            holds(marker, environment.variables, subject="the lock", context="requirement")
            for marker in lock.environments
        ):
            yield f"it is not for {environment}"


class _Checker:
    """Checks a lock for one environment."""

    def __init__(self, lock: Pylock, inputs: Inputs, environment: MarkerEnvironment) -> None:
        self._lock = lock
        self._environment = environment
        self._overrides = Overrides(inputs, environment)
        asked = applicable_dependencies(inputs.requirements, environment)
        self._roots = list(self._overrides.apply(asked))
        self._constraints = applicable_dependencies(inputs.constraints, environment)
        self._accepted = [(target, frozenset(target.tags)) for target in environment.targets]

    def problems(self, scope: Scope | None) -> Iterator[str]:
        """What is wrong where ``scope`` is chosen."""
        chosen = [] if scope is None else [scope]
        variables = self._environment.variables
        graph = Graph(self._lock, variables, chosen, self._overrides)
        roots = [root for root in self._roots if root.scope in {None, scope}]
        edges = graph.reach(roots)
        needed = {identifier.name for identifier in edges}
        for asked in edges.values():
            for edge in asked:
                yield from self._check_edge(edge, graph)
        for constraint in self._constraints:
            if constraint.identifier.name in needed:
                yield from self._check_edge(Edge(None, None, constraint), graph)
        for package in graph.doubled:
            yield f"it has two versions of {package.name}"
        for package in graph.packages.values():
            if package.name not in needed:
                told = f"nothing requires {package.name} {package.version}"
                yield f"{told} with {scope}" if scope and package.marker else told
            yield from self._check_files(package)

    def _check_edge(self, edge: Edge, graph: Graph) -> Iterator[str]:
        package = graph.packages.get(edge.dependency.identifier.name)
        if package is None:
            yield f"{edge}, which the lock does not have"
        elif edge.dependency.url and not _is_at(package, edge.dependency.url):
            yield f"{edge}; the lock has another file of {package.name}"
        elif package.version is not None and not edge.dependency.specifier.contains(
            package.version, prereleases=True
        ):
            yield f"{edge}; the lock has {package.name} {package.version}"

    def _check_files(self, package: Package) -> Iterator[str]:
        python = package.requires_python
        if python and not python.contains(self._environment.python_version, prereleases=True):
            yield f"{package.name} {package.version} requires Python {python}"
        if package.wheels is not None:
            tags = [_tags(wheel.filename) for wheel in package.wheels]
            for target, accepted in self._accepted:
                if all(one.isdisjoint(accepted) for one in tags):
                    yield f"{package.name} {package.version} has no wheel for {target}"


@lru_cache(maxsize=1 << 16)
def _tags(filename: str) -> frozenset[Tag]:
    """Remembered, for each environment asks for them."""
    return parse_wheel_filename(filename)[3]


def _is_at(package: Package, url: str) -> bool:
    """Whether the lock has what is at ``url``, or what was built of it; of something on this
    machine, one of its name.
    """
    sources = {record.source for record in build_records(package.tool)}
    # A source distribution that a wheel was built of stands beside it.
    file = package.archive or package.sdist
    parts = urlsplit(url.removeprefix("git+"))
    if parts.scheme != "file":
        return split_login(url)[0] in sources or (file is not None and file.url == url)
    listed = file or package.vcs or package.directory
    places = [*sources, (listed.path or "") if listed else ""]
    return not {_last_part(unquote(parts.path)), "."}.isdisjoint(map(_last_part, places))


def _last_part(path: str) -> str:
    """The name of a file, or of a repository without its revision."""
    return posixpath.basename(path.partition("#")[0]).partition("@")[0]


def _list(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
