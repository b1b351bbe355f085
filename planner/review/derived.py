"""What a plan that keeps every version would write into each block of a lock.

The marker and the dependencies of a package follow from the requirements that the lock records, and
so do the extras that are selected of it. They are derived here from the lock, the inputs and the
targets alone: a plan adds the facts to its lock, and a check compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.pylock import Package, Pylock
from packaging.utils import NormalizedName

from planner.inputs.question import Question
from planner.lock.markers import Conditions
from planner.lock.references import References, Subject
from planner.model.dependencies import Dependency, Identifier, Scope
from planner.resolver.applicable import applicable_dependencies
from planner.resolver.overrides import Overrides
from planner.review.decisions import Decisions
from planner.review.graph import Graph, KnownRequirements
from schemas.data_class import frozen
from schemas.hints import TOOL_NAME

__all__ = ["FACTS", "Derived", "derive", "with_facts"]


FACTS = ("extras", "hashes", "address", "content", "find-links")
"""The keys of a package's tool table that record what decided about it."""


@dataclass(slots=True)
class _Found:
    """What is known of one package while environments are walked."""

    scopes: dict[Scope | None, set[int]] = field(default_factory=dict)
    extras: dict[NormalizedName, set[int]] = field(default_factory=dict)
    dependencies: set[Subject] = field(default_factory=set)


@frozen
class Derived:
    """What a plan would write of one package."""

    marker: str | None
    dependencies: frozenset[Subject]
    facts: Mapping[str, Any]
    """By key, of ``FACTS``."""
    places: frozenset[int]
    """The positions of the cases that require the package; empty if none does."""


def derive(
    lock: Pylock, question: Question, known: Sequence[KnownRequirements] = ()
) -> list[Derived]:
    """Return what a plan would write of each package of ``lock``, in their order.

    ``known`` are the requirements that were read before, by the position of the case.

    Raises RequirementsUnknown and InvalidRequirementLine.
    """
    found = [_Found() for _ in lock.packages]
    positions = {id(package): position for position, package in enumerate(lock.packages)}
    inputs, cases = question.inputs, question.cases
    for place, case in enumerate(cases):
        overrides = Overrides(inputs, case)
        requirements = known[place] if known else {}
        scopes = inputs.scopes - case.excluded
        graph = Graph(lock, case.variables, scopes, overrides, requirements)
        roots = applicable_dependencies(inputs.requirements, case)
        _walk(graph, list(overrides.apply(roots)), place, found, positions)
    conditions = Conditions([one.variables for one in cases], [one.chosen for one in cases])
    decisions = Decisions(question, conditions)
    references = References(map(Subject.of, lock.packages))
    return [
        _derived(package, one, decisions, conditions, references)
        for package, one in zip(lock.packages, found, strict=True)
    ]


def with_facts(lock: Pylock, question: Question) -> Pylock:
    """Return ``lock`` with the facts of each package in its tool table.

    Raises what ``derive`` raises.
    """
    packages = []
    for package, derived in zip(lock.packages, derive(lock, question), strict=True):
        tool = dict(package.tool or {})
        tool[TOOL_NAME] = {**tool.get(TOOL_NAME, {}), **derived.facts}
        packages.append(replace(package, tool=tool))
    return replace(lock, packages=packages)


def _walk(
    graph: Graph,
    roots: Sequence[Dependency],
    place: int,
    found: Sequence[_Found],
    positions: Mapping[int, int],
) -> None:
    """Add what ``roots`` lead to in the environment at ``place``."""
    followed: set[Identifier] = set()
    for scope in dict.fromkeys(root.scope for root in roots):
        for identifier in graph.reach([root for root in roots if root.scope == scope]):
            package = graph.packages.get(identifier.name)
            if package is None:
                continue
            one = found[positions[id(package)]]
            one.scopes.setdefault(scope, set()).add(place)
            if identifier.extra:
                one.extras.setdefault(identifier.extra, set()).add(place)
            if identifier in followed:
                continue
            followed.add(identifier)
            for dependency in graph.dependencies(identifier):
                name = dependency.identifier.name
                if name != package.name and name in graph.packages:
                    one.dependencies.add(Subject.of(graph.packages[name]))


def _derived(
    package: Package,
    found: _Found,
    decisions: Decisions,
    conditions: Conditions,
    references: References,
) -> Derived:
    marker = conditions.marker(found.scopes) if found.scopes else None
    present = frozenset().union(*found.scopes.values())
    facts: dict[str, Any] = dict(decisions.of(package.name))
    if found.extras:
        extras = []
        for extra, places in sorted(found.extras.items()):
            # It only has to be right in the environments that have the package.
            limit = None if places >= present else conditions.marker({None: places})
            extras.append(f"{extra}; {limit}" if limit else str(extra))
        facts["extras"] = extras
    return Derived(
        marker=str(marker) if marker else None,
        dependencies=frozenset(map(references.to, found.dependencies)),
        facts=facts,
        places=present,
    )
