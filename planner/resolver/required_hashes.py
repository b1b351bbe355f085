"""The hashes that the inputs allow for the files of a project.

Source: https://pip.pypa.io/en/stable/topics/secure-installs/. A file has to have one of the hashes
of each line that gives any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packaging.utils import NormalizedName

from planner.inputs.inputs import InputRequirement
from planner.model.direct_reference import DirectReference
from schemas.data_class import with_fields
from schemas.errors import InvalidInput
from schemas.text import enumerate_some

__all__ = ["HashesDisjoint", "HashesMissing", "RequiredHashes"]


@with_fields
class HashesMissing(InvalidInput):
    """Hashes are required for every package, and the inputs lack some."""

    names: tuple[NormalizedName, ...]
    hint = "list each of them with its version and --hash, or leave out --require-hashes"

    def __str__(self) -> str:
        return f"--require-hashes: no hashes are given for {enumerate_some(self.names)}"


@with_fields
class HashesDisjoint(InvalidInput):
    """Two lines give hashes for one project that no file can have together."""

    name: NormalizedName
    origins: tuple[str, str]
    hint = "keep the hashes of one of them, or give both the same"

    def __str__(self) -> str:
        first, second = self.origins
        return f"{second}: no file of {self.name} can have one of these hashes and one of {first}"


class RequiredHashes:
    """The allowed hashes by project, for one environment; owned by its solver."""

    def __init__(self, requirements: Iterable[InputRequirement] = ()) -> None:
        """Raise HashesDisjoint."""
        self._lines: dict[NormalizedName, list[InputRequirement]] = {}
        self._addressed: set[NormalizedName] = set()
        for one in requirements:
            if (url := one.requirement.url) and DirectReference.parse(url).hashes:
                self._addressed.add(one.name)
            if not one.hashes:
                continue
            lines = self._lines.setdefault(one.name, [])
            for other in lines:
                if not _can_meet(one.hashes, other.hashes):
                    raise HashesDisjoint(one.name, (other.origin, one.origin))
            lines.append(one)

    def __contains__(self, name: object) -> bool:
        """Return whether a line, or the fragment of an address, gives hashes of the project."""
        return name in self._lines or name in self._addressed

    def allow(self, name: NormalizedName, known: Mapping[str, str]) -> bool:
        """Return if a file of the project may be used whose ``known`` digests are these.

        A line with hashes of other algorithms only does not decide: the file itself does.
        """
        return all(
            _is_among(line.hashes, known) or not _algorithms(line.hashes) & known.keys()
            for line in self._lines.get(name, ())
        )

    def undecided(self, name: NormalizedName, known: Mapping[str, str]) -> frozenset[str]:
        """Return the algorithms that decide about a file whose ``known`` digests do not."""
        found: frozenset[str] = frozenset()
        for line in self._lines.get(name, ()):
            if not _is_among(line.hashes, known):
                found |= _algorithms(line.hashes)
        return found

    def expected(self, name: NormalizedName) -> str:
        """Return the hashes of the project as a text for people."""
        return enumerate_some(
            sorted({text for line in self._lines.get(name, ()) for text in line.hashes})
        )


def _algorithms(hashes: Iterable[str]) -> frozenset[str]:
    return frozenset(text.partition(":")[0] for text in hashes)


def _is_among(hashes: frozenset[str], known: Mapping[str, str]) -> bool:
    return any(f"{algorithm}:{digest}" in hashes for algorithm, digest in known.items())


def _can_meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return if a file can have a hash of each: a shared one, or two of different algorithms."""
    return bool(one & other) or len(_algorithms(one) | _algorithms(other)) > 1
