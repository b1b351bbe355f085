"""The releases that an index has of a project, and sets of them.

A page may list thousands of files. All versions are compared at once, and sets of releases are
integers, which combine fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain

from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from planner.index.pages import ProjectFile, ProjectPage
from schemas.numbers import has_huge_number

__all__ = ["Project", "Release", "compares_texts"]


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One version of a project, with its files; its Project owns it."""

    version: Version
    project: NormalizedName
    groups: list[Sequence[ProjectFile]] = field(default_factory=list)
    """Its files, one group for each spelling of the version in file names."""
    spellings: list[Version] = field(default_factory=list)
    """Its version as the names of its files spell it, in the order of ``groups``."""

    @property
    def files(self) -> Iterator[ProjectFile]:
        """Return all its files."""
        return chain.from_iterable(self.groups)


class Project:
    """A project as an index lists it, parsed into releases.

    Sets of its releases are integers, which combine fast: bit 0 stands for "not selected", bit
    n + 1 for ``releases[n]``.
    """

    def __init__(self, page: ProjectPage) -> None:
        self.name = page.name
        self.exists = page.exists
        self.page = page
        releases: dict[Version, Release] = {}
        for text, files in page.files.items():
            version = _version_of(text)
            if version is None:
                continue
            release = releases.get(version)
            if release is None:
                release = releases[version] = Release(version, page.name)
            release.groups.append(files)
            release.spellings.append(version)
        self.releases = tuple(releases[version] for version in sorted(releases, reverse=True))
        """Newest first. A file whose name holds no version belongs to no release."""
        self.all = (1 << (len(self.releases) + 1)) - 2
        """The set of all releases."""
        self._matching: dict[str, int] = {}
        self._known: dict[int, tuple[SpecifierSet, int]] = {}

    @cached_property
    def final(self) -> int:
        """The set of the releases that are not pre-releases."""
        return self._set_of(
            position
            for position, release in enumerate(self.releases)
            if not release.version.is_prerelease
        )

    @cached_property
    def _has_local_versions(self) -> bool:
        return any(release.version.local for release in self.releases)

    @cached_property
    def _spelled(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for position, release in enumerate(self.releases):
            for version in release.spellings:
                found[str(version).lower()] = 2 << position
        return found

    @cached_property
    def _positions(self) -> dict[Version, int]:
        return {release.version: position for position, release in enumerate(self.releases)}

    def matching(self, specifier: SpecifierSet) -> int:
        """Return the set of the releases that match ``specifier``, pre-releases included.

        If it compares texts, a file has to spell the version so: a source may be called
        ``demo-1.0`` and the wheel of it ``demo-1.0.0``.
        """
        # Environments, candidates and their dependents use the same few specifiers many times: the
        # same objects even, which are found faster than equal ones.
        known = self._known.get(id(specifier))
        if known is None:
            known = self._known[id(specifier)] = specifier, self._match(specifier)
        return known[1]

    def _match(self, specifier: SpecifierSet) -> int:
        key = str(specifier)
        found = self._matching.get(key)
        if found is None:
            found = self.all
            for part in specifier:
                found &= self._matching_part(part)
            self._matching[key] = found
        return found

    def _matching_part(self, part: Specifier) -> int:
        # Extras pin their project, and nightly builds each other, a thousand times: evaluating
        # each pin for all releases would take most of the time of a search.
        if part.operator == "===":
            return self._spelled.get(part.version.lower(), 0)
        if part.operator == "==" and not part.version.endswith(".*"):
            pinned = Version(part.version)
            if not (pinned.local or self._has_local_versions):
                return self.set_of(pinned)
        return self._set_of(
            part.filter(
                range(len(self.releases)),
                prereleases=True,
                key=lambda position: self.releases[position].version,
            )
        )

    def set_of(self, version: Version) -> int:
        """Return the set of one version; empty if the index does not have it."""
        position = self._positions.get(version)
        return 0 if position is None else 2 << position

    def release_of(self, one: int) -> Release:
        """Return the release of a set of one."""
        return self.releases[one.bit_length() - 2]

    def members(self, releases: int) -> Iterator[Release]:
        """Yield the members of a set, newest first."""
        releases &= self.all
        while releases:
            newest = releases & -releases
            yield self.release_of(newest)
            releases ^= newest

    @staticmethod
    def _set_of(positions: Iterable[int]) -> int:
        found = 0
        for position in positions:
            found |= 2 << position
        return found


@lru_cache(maxsize=1 << 14)
def _version_of(text: str) -> Version | None:
    """Return the version that the name of a file spells, or None. From a cache: projects have many
    in common, with their place in the order.
    """
    if has_huge_number(text):
        return None
    with suppress(InvalidVersion):
        return Version(text)
    return None


def compares_texts(specifier: SpecifierSet) -> bool:
    """Return True if a version matches ``specifier`` only as it is spelled."""
    return any(part.operator == "===" for part in specifier)
