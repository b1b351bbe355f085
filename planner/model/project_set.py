"""A set of projects that an option names, such as ``--no-binary``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.utils import NormalizedName, canonicalize_name, is_normalized_name

from schemas.data_class import frozen

__all__ = ["ProjectSet", "first_invalid_name", "parse_names", "remarks_about_names"]


@frozen
class ProjectSet:
    """The named projects, or all projects except the named ones."""

    named: frozenset[NormalizedName] = frozenset()
    are_excluded: bool = False
    """True if the set is all projects except ``named``."""

    def __contains__(self, name: object) -> bool:
        return (name in self.named) is not self.are_excluded

    def __bool__(self) -> bool:
        return self.are_excluded or bool(self.named)


def first_invalid_name(words: Iterable[str], *, sets: bool = False) -> str | None:
    """Return the first of ``words`` that is not the name of a project; None if all are. With
    ``sets``, a word may also be what ``parse_names`` takes.
    """
    for word in words:
        for one in word.split(",") if sets else [word]:
            if sets and one.strip() in {"", ":all:", ":none:"}:
                continue
            if not is_normalized_name(canonicalize_name(one.strip())):
                return one
    return None


def parse_names(words: Iterable[str]) -> ProjectSet:
    """Return the projects of the values of pip's ``--no-binary``: names divided by commas,
    ``:all:``, and ``:none:``, which empties the set.
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


def remarks_about_names(option: str, projects: ProjectSet) -> Iterator[str]:
    """Yield a remark for each of the named ``projects`` that most likely is a set without its
    colons.
    """
    for name in sorted(projects.named & {"all", "none"}):
        yield f"{option} {name} names the project {name!r}; the set is written :{name}:"
