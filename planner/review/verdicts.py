"""Which packages of a lock are installed in one environment, whatever is chosen there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

from packaging.pylock import Package
from packaging.utils import canonicalize_name

from planner.model.dependencies import Scope
from schemas.markers import holds

__all__ = ["Verdicts"]


_KINDS: dict[str, Literal["extra", "group"]] = {"extras": "extra", "dependency_groups": "group"}
_CHOSEN = r'"([^"]+)" in (extras|dependency_groups)'
_EACH_CHOSEN = re.compile(_CHOSEN)
_ANY_CHOSEN = re.compile(f"{_CHOSEN}(?: or {_CHOSEN})*")
"""The marker of a package that some extras or groups require, for all targets alike."""


class Verdicts:
    """What the markers of ``packages`` say in the environment of ``variables``, whatever is chosen.

    One that names extras and groups alone is looked up; another is evaluated once for those of the
    chosen scopes that it speaks of.
    """

    def __init__(self, packages: Iterable[Package], variables: Mapping[str, str]) -> None:
        self._variables = variables
        texts = [(package, str(package.marker or "")) for package in packages]
        self._markers = [(package, text, _any_of(text)) for package, text in texts]
        self._known: dict[tuple[str, frozenset[Scope]], bool] = {}

    def installed(self, scopes: Collection[Scope]) -> Iterator[Package]:
        """Yield the packages that are installed with ``scopes``. Raises MarkerUnusable."""
        chosen = frozenset(scopes)
        for package, text, any_of in self._markers:
            if self._holds(package, text, scopes) if any_of is None else any_of & chosen:
                yield package

    def _holds(self, package: Package, text: str, scopes: Collection[Scope]) -> bool:
        names = canonicalize_name(text)
        spoken_of = frozenset(one for one in scopes if f'"{one.name}"' in names)
        # Most packages have one of few markers.
        if (key := (text, spoken_of)) not in self._known:
            environment: dict[str, Any] = {**self._variables}
            for variable, kind in _KINDS.items():
                chosen = frozenset(one.name for one in spoken_of if one.kind == kind)
                environment[variable] = chosen
            self._known[key] = holds(package.marker, environment, subject=package.name)
        return self._known[key]


@lru_cache(maxsize=1 << 12)
def _any_of(marker: str) -> frozenset[Scope] | None:
    """Return the scopes of which one is enough for ``marker``; None if there is more to it."""
    if not _ANY_CHOSEN.fullmatch(marker):
        return None
    found = _EACH_CHOSEN.findall(marker)
    return frozenset(Scope(_KINDS[variable], canonicalize_name(name)) for name, variable in found)
