"""Differences between a lock and the lock that a plan would write now, found without any index.

A lock is current exactly when planning again, with its versions preferred, would write the same
bytes. If its versions meet every requirement, such a plan chooses them again; so it is enough to
check the requirements, to derive what else each block would hold, and to compare what decided.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.pylock import Package, Pylock
from packaging.tags import Tag

from executor import digest_file
from planner.index.indexes import Links
from planner.inputs.inputs import Inputs
from planner.inputs.question import Question
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable, applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.resolver.required_hashes import RequiredHashes
from planner.review.derived import FACTS, Derived, derive
from planner.review.graph import Edge, Graph, KnownRequirements
from planner.review.header import find_changed_flags, find_header_changes
from planner.review.recorded import recorded_table
from schemas.builds import build_records
from schemas.data_class import with_fields
from schemas.digests import SECURE_ALGORITHMS
from schemas.errors import Refused
from schemas.hints import wheel_hints
from schemas.markers import holds
from schemas.text import lock_command
from schemas.urls import redacted, without_credentials
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["Stale", "find_problems", "find_undecided"]


@with_fields
class Stale(Refused):
    """A lock is not up to date with its inputs."""

    path: str
    problems: tuple[str, ...]

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the path
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
    inputs, environments = question.inputs, question.environments
    found = dict.fromkeys(change.as_problem() for change in find_header_changes(lock, question))
    found.update(dict.fromkeys(find_changed_flags(lock, inputs.settings.build)))
    found.update(dict.fromkeys(_check_pythons(lock, question)))
    scopes: list[Scope | None] = [None, *(Scope("extra", name) for name in inputs.extras)]
    scopes += (Scope("group", name) for name in inputs.groups)
    places: dict[str, dict[str, None]] = {}
    known: list[KnownRequirements] = [{} for _ in environments]
    for environment, requirements in zip(environments, known, strict=True):
        checker = _Checker(lock, inputs, environment, requirements)
        for scope in scopes:
            for problem in checker.problems(scope):
                places.setdefault(problem, {})[str(environment)] = None
    for problem, where in places.items():
        everywhere = len(where) == len(environments)
        found[problem if everywhere else f"{problem} ({', '.join(where)})"] = None
    derived = derive(lock, question, known)
    found.update(dict.fromkeys(_check_blocks(lock, question, derived, is_sound=not places)))
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


def _check_blocks(
    lock: Pylock, question: Question, found: Sequence[Derived], *, is_sound: bool
) -> Iterator[str]:
    """Yield what a plan would write differently into the block of each package.

    Markers and dependencies are compared if the lock ``is_sound``: else they differ because of
    what was found before.
    """
    inputs = question.inputs
    lines = (*inputs.requirements, *inputs.overrides, *inputs.constraints)
    required = [RequiredHashes(applicable(lines, one)) for one in question.environments]
    are_required = inputs.require_hashes or question.policy.require_hashes
    ranks = [
        [{tag: rank for rank, tag in enumerate(target.tags)} for target in environment.targets]
        for environment in question.environments
    ]
    for package, derived in zip(lock.packages, found, strict=True):
        if not derived.places:
            continue
        for hashes in required:
            yield from _check_hashes(package, hashes, are_required=are_required)
        yield from _check_local_files(package, question.folder)
        if recorded_table(lock, "policy"):
            yield from _check_facts(package, derived)
            yield from _check_sizes(package)
        if is_sound:
            yield from _check_derived(package, derived)
            accepted = [one for place in sorted(derived.places) for one in ranks[place]]
            yield from _check_wheels(package, accepted)


def _check_derived(package: Package, derived: Derived) -> Iterator[str]:
    marker = str(package.marker) if package.marker else None
    if marker != derived.marker:
        yield (
            f"the marker of {package.name} {package.version} is {marker or 'empty'}; "
            f"a plan now writes {derived.marker or 'none'}"
        )
    listed = {(one["name"], one.get("version")) for one in package.dependencies or ()}
    needed = {
        (str(name), str(version) if version else None) for name, version in derived.dependencies
    }
    if listed != needed:
        names = _list(name for name, _ in listed ^ needed)
        yield f"{package.name} {package.version} now has other dependencies: {names}"


def _check_wheels(package: Package, accepted: Iterable[Mapping[Tag, int]]) -> Iterator[str]:
    """Yield the wheels that are the best of the package for no target that requires it.

    ``accepted`` has, for each target, the tags that it accepts with their rank.
    """
    if not package.wheels or build_records(package.tool):
        return
    needed = set()
    for ranks in accepted:
        ranked = []
        for wheel in package.wheels:
            _, _, build, tags = _parse(wheel.filename)
            if found := [ranks[tag] for tag in tags if tag in ranks]:
                ranked.append((-min(found), build or (-1, ""), wheel.filename))
        if ranked:
            needed.add(max(ranked)[-1])
    for wheel in package.wheels:
        if wheel.filename not in needed:
            yield f"no target of the lock uses {wheel.filename}"


_FACT_PROBLEMS = {
    "hashes": "the inputs allow other hashes for {name} than those it was planned with",
    "address": "the inputs give another address for {name}",
    "content": "the content of {name} at its local address has changed",
    "find-links": "the local folders of wheels have other files of {name}",
}
"""What it means that a fact of ``Decisions`` is not the recorded one."""


def _check_facts(package: Package, derived: Derived) -> Iterator[str]:
    recorded = recorded_table(package)
    for key in FACTS:
        before, now = recorded.get(key, []), derived.facts.get(key, [])
        if before == now:
            continue
        if key != "extras":
            yield _FACT_PROBLEMS[key].format(name=package.name)
            continue
        before = before if isinstance(before, list) else []
        for extra in sorted(set(now) - set(before)):
            yield f"the extra {extra} of {package.name} is required now"
        for extra in sorted(set(before) - set(now)):
            yield f"the extra {extra} of {package.name} is not required any more"


def _check_hashes(package: Package, hashes: RequiredHashes, *, are_required: bool) -> Iterator[str]:
    """Yield the files that the inputs do not allow by their hashes in one environment."""
    if are_required and package.name not in hashes:
        yield f"--require-hashes: the inputs give no hash for {package.name}"
    for wheel in package.wheels or ():
        if not hashes.allow(package.name, wheel.hashes):
            yield f"{wheel.filename}: its hash is not among those that the inputs give"


def _check_local_files(package: Package, folder: str) -> Iterator[str]:
    """Yield the files on this machine that are not those of the lock."""
    built = {record.wheel for record in build_records(package.tool)}
    wheels = [wheel for wheel in package.wheels or () if wheel.filename not in built]
    for file in (*wheels, *([package.archive] if package.archive else ())):
        if file.path is None:
            continue
        path = os.path.join(folder, file.path)
        known = [one for one in SECURE_ALGORITHMS if one in file.hashes]
        try:
            size = os.path.getsize(path)
            is_same = all(digest_file(path, one).hex() == file.hashes[one].lower() for one in known)
        except OSError as error:
            yield f"{file.path}: {error.strerror}"
            continue
        if not is_same or file.size not in {None, size}:
            yield f"{file.path} is another file than the one that was planned"


def _check_sizes(package: Package) -> Iterator[str]:
    """Yield the wheels of which the lock lacks what plans measure."""
    for wheel in package.wheels or ():
        if wheel.size is None or wheel_hints(package.tool, wheel.filename) is None:
            yield f"the sizes of {wheel.filename} are not in the lock"


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
        chosen = [] if scope is None else [scope]
        variables = self._environment.variables
        graph = Graph(self._lock, variables, chosen, self._overrides, self._known)
        roots = [root for root in self._roots if root.scope in {None, scope}]
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
                problem = f"nothing requires {package.name} {package.version}"
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
            yield f"{edge}; the lock has {package.name} {package.version}"
        else:
            self._met.add(key)

    def _check_files(self, package: Package) -> Iterator[str]:
        python = package.requires_python
        if python and not python.contains(self._environment.python_version, prereleases=True):
            yield f"{package.name} {package.version} requires Python {python}"
        if package.wheels is not None and not (self._is_deferred and package.sdist):
            tags = [_parse(wheel.filename)[3] for wheel in package.wheels]
            for target, accepted in self._accepted:
                if all(one.isdisjoint(accepted) for one in tags):
                    yield f"{package.name} {package.version} has no wheel for {target}"


_parse = lru_cache(maxsize=1 << 16)(parse_wheel_filename)
"""Each environment compares the tags of all wheels."""


def _is_at(package: Package, url: str) -> bool:
    """Return whether the lock has the file at ``url``, or a wheel that was built of it. For a local
    path its last part is compared.
    """
    sources = {record.source for record in build_records(package.tool)}
    # A source distribution that a wheel was built of stands beside it.
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


def _list(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
