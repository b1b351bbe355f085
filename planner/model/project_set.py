"""Project set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import NormalizedName, canonicalize_name

__all__ = ["ProjectSet", "parse_names"]


@dataclass(frozen=True, slots=True)
class ProjectSet:
    """Some projects, or all but some."""

    named: frozenset[NormalizedName] = frozenset()
    are_excluded: bool = False
    """Whether it is all but ``named``."""

    def __contains__(self, name: object) -> bool:
        return (name in self.named) is not self.are_excluded

    def __bool__(self) -> bool:
        return self.are_excluded or bool(self.named)


def parse_names(words: Iterable[str]) -> ProjectSet:
    """Projects as pip's ``--no-binary`` takes them: names divided by commas, ``:all:``, and
    ``:none:``, which takes back what was said before.
    """
    named: set[NormalizedName] = set()
    everything = False
    for word in (one.strip() for text in words for one in text.split(",")):
        if word == ":none:":
            named, everything = set(), False
        elif word == ":all:":
            everything = True
        elif word:
            named.add(canonicalize_name(word))
    return (
        ProjectSet(frozenset(), are_excluded=True) if everything else ProjectSet(frozenset(named))
    )
