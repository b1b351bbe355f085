"""The commands ``why`` and ``tree``: which package of a lock requires which."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click
from packaging.pylock import Pylock
from packaging.utils import NormalizedName, canonicalize_name

from executor import can_print, echo, lock_argument, target_options
from planner.cli.lock_options import open_lock
from planner.inputs.errors import UnreadableInput
from planner.inputs.provenance import ProjectMissing
from planner.model.choices import with_choices
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment, group_targets
from planner.model.project_set import first_invalid_name
from planner.planning.near_names import nearest
from planner.resolver.applicable import applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.review.graph import Edge, Graph, NotInLock
from planner.review.lone_graph import (
    LoneGraph,
    recorded_conflicts,
    recorded_scopes,
    records_requirements,
)
from planner.review.recorded import InputsNotRecorded, recorded_inputs, targets_of
from planner.review.subset_choice import SubsetOrigin
from schemas.errors import UsageError
from schemas.text import lock_command, titled

__all__ = ["tree", "why"]


MAX_SHOWN_CHAINS = 50
"""Of one package; more of them read better as a tree."""


_MARKS = ("├── ", "└── ", "│   ")
"""What stands before a package, before the last one, and below one that has further ones."""


_PLAIN_MARKS = ("|-- ", "`-- ", "|   ")
"""The same in ASCII."""


@click.command("why")
@click.argument("name", metavar="NAME")
@lock_argument
@target_options
def why(name: str, lock: str, python_versions: tuple[str, ...], platforms: tuple[str, ...]) -> None:
    """Show which packages of LOCK (default: pylock.toml) require NAME.

    Each is shown with a chain of requirements from the inputs: if there is one, with one that needs
    no extra and no group. Exit status 1 if the lock does not have it.
    """
    if first_invalid_name([name]) is not None:
        raise UsageError(
            f"{name!r} is not the name of a project",
            hint="name it without a version and extras; the versions of the lock are shown",
        )
    project = canonicalize_name(name)
    chains: dict[str, dict[str, None]] = {}
    has: set[NormalizedName] = set()
    for _, graph, roots in _graphs(lock, python_versions, platforms):
        edges = graph.reach(roots)
        always = graph.reach(root for root in roots if root.scope is None)
        has.update(graph.packages)
        if package := graph.packages.get(project):
            known = chains.setdefault(titled(package.name, package.version), {})
            known.update(dict.fromkeys(_chains(project, edges, {**edges, **always})))
    if not chains:
        near = nearest(project, has)
        what = f"did you mean {near[0]}?" if near else f"{lock_command('tree', lock)} prints all"
        raise NotInLock(lock, project, f"{what}; another lock stands after NAME: why NAME LOCK")
    for package_name, found in chains.items():
        echo(package_name)
        for chain in list(found)[:MAX_SHOWN_CHAINS]:
            echo(f"  {chain}")
        if (more := len(found) - MAX_SHOWN_CHAINS) > 0:
            echo(f"  and {more} more")


@click.command("tree")
@lock_argument
@target_options
@click.option("--depth", type=click.IntRange(0), metavar="N", help="Show this many levels.")
def tree(
    lock: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    depth: int | None,
) -> None:
    """Print what each package of LOCK (default: pylock.toml) requires, for each target.

    It begins with the inputs. A package that was shown above with its requirements is marked (*).
    """
    graphs = _graphs(lock, python_versions, platforms)
    for position, (environment, graph, roots) in enumerate(graphs):
        if position:
            echo("")
        if len(graphs) > 1:
            echo(str(environment))
        for line in _Tree(graph, depth).lines(roots):
            echo(line)


def _graphs(
    path: str, python_versions: Sequence[str], platforms: Sequence[str]
) -> list[tuple[MarkerEnvironment, Graph, list[Dependency]]]:
    """Return, for each environment, its packages with all extras and groups, and the roots; of
    extras and groups that exclude each other, for each choice.
    """
    lock = open_lock(path)
    environments = group_targets(targets_of(lock, python_versions, platforms))
    try:
        inputs = recorded_inputs(lock, path)
    except (InputsNotRecorded, ProjectMissing, UnreadableInput) as error:
        origin = SubsetOrigin.of(lock, path)
        if not records_requirements(lock) or (origin and os.path.exists(origin.path)):
            raise
        echo(
            f"warning: {error}; shown from {path} alone, beginning with what no package of it "
            "requires",
            err=True,
        )
        return list(_lone_graphs(lock, environments))
    found = []
    for environment in with_choices(environments, inputs.conflicts):
        overrides = Overrides(inputs, environment)
        scopes = inputs.scopes - environment.excluded
        graph = Graph(lock, environment.variables, scopes, overrides)
        required = applicable_dependencies(inputs.requirements, environment)
        found.append((environment, graph, list(overrides.apply(required))))
    return found


def _lone_graphs(
    lock: Pylock, environments: Iterable[MarkerEnvironment]
) -> Iterator[tuple[MarkerEnvironment, Graph, list[Dependency]]]:
    """Yield what ``_graphs`` returns, without the inputs."""
    for environment in with_choices(environments, recorded_conflicts(lock)):
        scopes = recorded_scopes(lock) - environment.excluded
        graph = LoneGraph(lock, environment.variables, scopes)
        yield environment, graph, graph.roots()


Edges = Mapping[Identifier, Sequence[Edge]]
"""The edges to each identifier, the first of a shortest chain before the others."""


def _chains(name: NormalizedName, edges: Edges, before: Edges) -> Iterator[str]:
    """Yield, for each package that requires ``name``, the shortest chain from the inputs: what
    leads to that package is in ``before``.
    """
    for identifier, asked in edges.items():
        if identifier.name == name:
            for edge in asked:
                if edge.parent is None or edge.parent.name != name:
                    yield "; ".join(str(one) for one in reversed(_chain(edge, before)))


def _chain(edge: Edge, edges: Edges) -> list[Edge]:
    chain = [edge]
    while chain[-1].parent is not None:
        chain.append(edges[chain[-1].parent][0])
    return chain


class _Tree:
    """The lines of one graph, from its roots down; each package is expanded once."""

    def __init__(self, graph: Graph, depth: int | None) -> None:
        self._graph = graph
        self._depth = depth
        self._shown: set[Identifier] = set()
        self._marks = _MARKS if can_print("".join(_MARKS)) else _PLAIN_MARKS

    def lines(self, roots: Iterable[Dependency]) -> Iterator[str]:
        for root in _merged(roots):
            scope = f" [{root.scope}]" if root.scope else ""
            yield from self._subtree(root, "", "", f"  ({root.origin}{scope})", 0)

    def _subtree(
        self, dependency: Dependency, head: str, indent: str, told: str, level: int
    ) -> Iterator[str]:
        identifier = dependency.identifier
        package = self._graph.packages.get(identifier.name)
        version = package.version if package else "is missing"
        again = identifier in self._shown
        children = [] if again or not package else self._children(identifier)
        mark = " (*)" if again and self._children(identifier) else ""
        yield f"{head}{identifier} {version}{told}{mark}"
        self._shown.add(identifier)
        if self._depth is not None and level >= self._depth:
            return
        for position, child in enumerate(children):
            last = position == len(children) - 1
            branch, end, line = self._marks
            yield from self._subtree(
                child,
                f"{indent}{end if last else branch}",
                f"{indent}{'    ' if last else line}",
                f"  {child.specifier}" if child.specifier else "",
                level + 1,
            )

    def _children(self, identifier: Identifier) -> list[Dependency]:
        """Return what the project and the extra of ``identifier`` require, except the project."""
        found = list(self._graph.dependencies(Identifier(identifier.name)))
        if identifier.extra:
            found += self._graph.dependencies(identifier)
        return _merged(one for one in found if one.identifier.name != identifier.name)


def _merged(dependencies: Iterable[Dependency]) -> list[Dependency]:
    """Return each requirement once: one on an extra requires the project too."""
    found = list(dependencies)
    with_extra = {(one.text, one.origin) for one in found if one.identifier.extra}
    return [
        one for one in found if one.identifier.extra or (one.text, one.origin) not in with_extra
    ]
