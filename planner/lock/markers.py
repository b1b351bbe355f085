"""Short markers for a lock, which hold in some of its environments and in no other.

An entry of a lock that not every environment needs carries a marker. It only has to be right in
the environments of the lock, which are few and known; so instead of joining the markers of all
requirements on the way to a package, this module searches for the
shortest condition that selects its environments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

from packaging.markers import Marker
from packaging.version import Version

from planner.model.dependencies import Scope

__all__ = ["Conditions"]


_VARIABLES = ("sys_platform", "platform_machine", "implementation_name", "python_version")
"""In the order of preference: a package that depends on the platform should say so."""


class _Term(NamedTuple):
    """One or more conditions joined by ``and``."""

    text: str
    where: int
    """The environments in which it holds, as a set of bits."""


class Conditions:
    """The markers of one lock, found for environments given by the values of their variables, and
    by what each has ``chosen`` of the extras and groups that exclude each other.

    No two environments may have the same choice and the same values of
    ``planner.model.environments.VARIABLES``.
    """

    def __init__(
        self,
        environments: Sequence[Mapping[str, str]],
        chosen: Sequence[frozenset[Scope]] = (),
    ) -> None:
        self._environments = environments
        self._chosen = chosen
        self._everywhere = (1 << len(environments)) - 1
        self._literals = [*self._find_choices(), *self._find_literals()]
        self._cover = cache(self._find_cover)

    def marker(self, needed: Mapping[Scope | None, Iterable[int]]) -> Marker | None:
        """Return the condition of a package that is ``needed`` in these environments, given by
        their positions: for each extra and dependency group, and under None for every
        installation. None if it is needed always.
        """
        # In its own choices an extra that excludes others is selected anyway.
        among = frozenset().union(*self._chosen)
        decided = [places for scope, places in needed.items() if scope is None or scope in among]
        always = _bits(place for places in decided for place in places)
        if always == self._everywhere:
            return None
        parts = [self._cover(always, self._everywhere & ~always)] if always else []
        scopes: dict[str, list[Scope]] = {}
        for scope in sorted(scope for scope in needed if scope and scope not in among):
            chosen = _bits(needed[scope]) & ~always
            if chosen:
                # Where it is needed anyway, the condition of the extra may hold or not.
                condition = self._cover(chosen, self._everywhere & ~chosen & ~always)
                scopes.setdefault(condition, []).append(scope)
        for condition, names in scopes.items():
            told = " or ".join(f'"{scope.name}" in {scope.variable}' for scope in names)
            parts.append(f"{_group(told)} and {_group(condition)}" if condition else told)
        return Marker(" or ".join(parts))

    def _find_cover(self, wanted: int, unwanted: int) -> str:
        """The condition that holds in all of ``wanted`` and in none of ``unwanted``: an ``or``
        of few short terms, empty where it may hold everywhere.
        """
        if not unwanted:
            return ""
        terms: list[_Term] = []
        for size in range(1, len(_VARIABLES) + 2):
            terms += (
                term
                for term in self._terms(size)
                if term.where & wanted and not term.where & unwanted
            )
            if wanted & ~_union(terms) == 0:
                break
        chosen = []
        while wanted:
            best = max(terms, key=lambda term: (term.where & wanted).bit_count())
            chosen.append(best.text)
            wanted &= ~best.where
        return " or ".join(sorted(chosen))

    def _terms(self, size: int) -> Iterator[_Term]:
        for literals in combinations(self._literals, size):
            where = self._everywhere
            for literal in literals:
                where &= literal.where
            yield _Term(" and ".join(literal.text for literal in literals), where)

    def _find_choices(self) -> Iterator[_Term]:
        """Yield a term for each extra that excludes others, for its absence, and for each choice of
        several.
        """
        scopes = sorted(frozenset().union(*self._chosen))
        single: dict[tuple[Scope, bool], _Term] = {}
        for scope in scopes:
            within = _bits(place for place, one in enumerate(self._chosen) if scope in one)
            for is_in, where in ((True, within), (False, self._everywhere & ~within)):
                text = f'"{scope.name}" {"" if is_in else "not "}in {scope.variable}'
                single[scope, is_in] = _Term(text, where)
        yield from single.values()
        for choice in dict.fromkeys(self._chosen):
            wanted = _bits(place for place, one in enumerate(self._chosen) if one == choice)
            parts: list[_Term] = []
            where = self._everywhere
            for scope in sorted(scopes, key=lambda one: one not in choice):
                term = single[scope, scope in choice]
                if where & ~term.where:
                    parts.append(term)
                    where &= term.where
                if where == wanted:
                    break
            if len(parts) > 1:
                yield _Term(" and ".join(part.text for part in parts), wanted)

    def _find_literals(self) -> Iterator[_Term]:
        for variable in _VARIABLES:
            values = {environment[variable] for environment in self._environments}
            if len(values) == 1:
                continue
            if variable == "python_version":
                ordered = sorted(values, key=Version)
                for position, value in enumerate(ordered[1:], 1):
                    yield self._literal(variable, "<", value, set(ordered[:position]))
                    yield self._literal(variable, ">=", value, set(ordered[position:]))
            for value in sorted(values):
                yield self._literal(variable, "==", value, {value})
            if len(values) > 2:
                for value in sorted(values):
                    yield self._literal(variable, "!=", value, values - {value})

    def _literal(self, variable: str, operator: str, value: str, holds: set[str]) -> _Term:
        where = _bits(
            position
            for position, environment in enumerate(self._environments)
            if environment[variable] in holds
        )
        return _Term(f'{variable} {operator} "{value}"', where)


def _group(text: str) -> str:
    return f"({text})" if " or " in text else text


def _bits(positions: Iterable[int]) -> int:
    return sum({1 << position for position in positions})


def _union(terms: Iterable[_Term]) -> int:
    union = 0
    for term in terms:
        union |= term.where
    return union
