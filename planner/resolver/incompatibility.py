"""Incompatibilities: sets of versions that no solution selects together, and why.

Source: PubGrub, https://github.com/dart-lang/pub/blob/master/doc/solver.md. Sets of versions are
those of ``Project``, integers in which bit 0 stands for "not selected". So a term that PubGrub
calls negative ("not foo >=2") is a set like any other, which holds bit 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.model.dependencies import Dependency, Identifier
from planner.resolver.releases import Project

__all__ = ["NOT_SELECTED", "Incompatibility", "Package"]


NOT_SELECTED = 1
"""The set that holds only the choice not to select the package."""


@dataclass(eq=False, slots=True)
class Package:
    """A project or one of its extras, as the search sees it; its Search owns it."""

    identifier: Identifier
    project: Project
    rank: int
    base: Package | None = None
    """That of the project, if it is an extra."""
    extras: list[Package] = field(default_factory=list)
    """Position of its project among all, by when a dependency on it was first met."""
    allowed: int = field(init=False)
    """What the partial solution still allows of it."""
    possible: int = field(init=False)
    """What is allowed of it whatever the search decides."""
    everything: int = field(init=False)

    def __post_init__(self) -> None:
        self.everything = self.allowed = self.possible = self.project.all | NOT_SELECTED


@dataclass(eq=False, slots=True)
class Incompatibility:
    """Terms of which a solution never satisfies all.

    A term is satisfied if everything that is still allowed of its package is in its set. An
    incompatibility without terms proves that no solution exists.
    """

    terms: dict[Package, int]
    dependency: Dependency | None = None
    """The requirement that it follows from, if it is not derived."""
    parents: tuple[Incompatibility, Incompatibility] | None = None
    """The two that it is derived from."""

    def premises(self) -> Iterator[Incompatibility]:
        """Yield the incompatibilities, each once, that it is derived from in the end."""
        waiting, seen = [self], {id(self)}
        while waiting:
            one = waiting.pop()
            if one.parents is None:
                yield one
            for parent in reversed(one.parents or ()):
                if id(parent) not in seen:
                    seen.add(id(parent))
                    waiting.append(parent)

    def resolve(self, other: Incompatibility, package: Package) -> Incompatibility:
        """Return what follows from both: the rule of resolution, applied to ``package``."""
        terms = dict(self.terms)
        for one, versions in other.terms.items():
            if one is not package:
                terms[one] = terms.get(one, one.everything) & versions
        either = self.terms[package] | other.terms[package]
        if either == package.everything:
            del terms[package]
        else:
            terms[package] = either
        return Incompatibility(terms, parents=(self, other))
