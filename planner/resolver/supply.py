"""What an index has of a project that is required in vain, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.model.dependencies import Identifier
from planner.resolver.evaluator import Rejection, nearest_python, python_advice
from schemas.text import counted, enumerate_some

__all__ = ["MAX_SHOWN_VERSIONS", "Obstacle", "Reason", "Supply"]


Reason = tuple[NormalizedName, tuple[Version, ...]]
"""A project, and those of its versions that would suit."""


MAX_SHOWN_VERSIONS = 5


MAX_SHOWN_FILES = 2


MAX_SHOWN_REASONS = 6


MAX_SHOWN_OBSTACLES = 4


MIN_CHAIN = 4
"""Requirements that follow from each other in one line; fewer are easier to read in steps."""


_BAD_STATEMENTS = ("its metadata has ", "the marker of ")
"""What is said of metadata that can be read and means nothing."""


TOO_NEW = "uploaded too late for --exclude-newer"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What makes some versions of a project unusable, whatever else is selected."""

    subject: Identifier
    versions: tuple[Version, ...]
    text: str
    supply: Supply | None
    """What the index has of the required project; None if the obstacle is not a project."""
    is_widest: bool = False
    """True if some of the versions require a part of ``text`` only."""
    is_damage: bool = False
    """Whether a file of them cannot be read."""

    def lines(self, told: set[Reason]) -> Iterator[str]:
        """Yield what to say of it, given that the reasons ``told`` have been said."""
        shown = enumerate_some(self.versions, MAX_SHOWN_VERSIONS)
        if self.supply is None:
            yield f"{self.subject} {shown} cannot be used: {self.text}"
        elif self.supply.reason in told:
            yield f"{self.subject} {shown} needs {self.text}, of which the same is true"
        elif len(chain := list(self._chain())) >= MIN_CHAIN:
            yield "; ".join(one.sentence for one in chain)
            yield from (f"  {line}" for line in chain[-1].end(told))
        else:
            yield self.sentence
            yield from (f"  {line}" for line in self.end(told))

    @property
    def sentence(self) -> str:
        """Return which versions require what."""
        shown = enumerate_some(self.versions, MAX_SHOWN_VERSIONS)
        rest = ", or narrower" if self.is_widest else ""
        return f"{self.subject} {shown} needs {self.text}{rest}"

    def end(self, told: set[Reason]) -> Iterator[str]:
        """Yield what to say of the required project, given ``told``."""
        if self.supply is not None:
            told.add(self.supply.reason)
            yield from self.supply.lines(told)

    def _chain(self) -> Iterator[Obstacle]:
        """Yield this obstacle and those that follow from each other without a branch."""
        one = self
        while True:
            yield one
            if one.supply is None or not one.supply.is_link:
                return
            (following,) = one.supply.obstacles
            if following.supply is None:
                return
            one = following

    def covers(self, other: Obstacle) -> bool:
        """Return True if what it requires leaves all choices that what ``other`` requires does."""
        ours, theirs = self.supply, other.supply
        return (
            self.subject == other.subject
            and ours is not None
            and theirs is not None
            and ours.name == theirs.name
            and ours.usable == theirs.usable
            and len(theirs.matching) > 0
            and set(theirs.matching) <= set(ours.matching)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the index has of a project that is required in vain."""

    name: NormalizedName
    demands: tuple[str, ...]
    """The requirements on it, with their origins."""
    exists: bool
    is_direct: bool = False
    """Whether the inputs require it by its address."""
    status: str = ""
    """What the index says of the project, if it is not active: ``quarantined: REASON``."""
    versions: tuple[Version, ...]
    """All that the index has, newest first."""
    matching: tuple[Version, ...]
    """The versions that satisfy all demands."""
    prereleases: tuple[Version, ...]
    """Those of ``matching`` that the policy excludes as pre-releases."""
    usable: bool
    """True if the environment can use any of ``matching``."""
    rejections: tuple[Rejection, ...]
    """The files of ``matching`` that it cannot use."""
    obstacles: tuple[Obstacle, ...]
    """What makes the versions unusable that have usable files."""
    refusals: tuple[tuple[str, tuple[Version, ...]], ...]
    """The versions of ``matching`` that have files for the target, none of them usable, by
    reason."""
    in_vain: bool
    """True if no version is left that could be selected."""

    @property
    def reason(self) -> Reason:
        """Return what it comes down to, whatever requires it."""
        return self.name, self.matching

    @property
    def is_link(self) -> bool:
        """Return True if all there is to say of it is its one obstacle."""
        return len(self.obstacles) == 1 and self.usable and not self.demands and not self.refusals

    def lines(self, told: set[Reason] | None = None) -> Iterator[str]:
        """Yield what to say of it, given that the reasons ``told`` have been said."""
        told = set() if told is None else told
        yield from self.demands
        if not self.exists:
            yield f"the index does not know {self.name}"
        elif not self.versions:
            status = f", which is {self.status}" if self.status else ""
            yield f"the index has no files of {self.name}{status}"
        elif not self.matching:
            source = "its address" if self.is_direct else "the index"
            yield (
                f"no version of {self.name} suits; {source} has "
                f"{enumerate_some(self.versions, MAX_SHOWN_VERSIONS)}"
            )
        elif len(self.prereleases) == len(self.matching):
            shown = enumerate_some(self.prereleases, MAX_SHOWN_VERSIONS)
            yield f"{self.name} {shown} is a pre-release, and --prerelease disallow excludes it"
        elif not self.usable:
            shown = enumerate_some(self.matching, MAX_SHOWN_VERSIONS)
            yield f"of {self.name} {shown} no file can be used:"
            yield from (f"  {line}" for line in _group(self.rejections))
        elif self.in_vain:
            for reason, versions in self.refusals:
                shown = enumerate_some(versions, MAX_SHOWN_VERSIONS)
                yield f"{self.name} {shown} cannot be used: {reason}"
        for obstacle in self.obstacles[:MAX_SHOWN_OBSTACLES]:
            yield from obstacle.lines(told)
        if (more := len(self.obstacles) - MAX_SHOWN_OBSTACLES) > 0:
            yield f"and {more} more obstacles to other versions of {self.name}"

    def lacks_wheels(self) -> bool:
        """Return True if the cause, direct or transitive, is a missing wheel for the target."""
        return bool(self.matching and not self.usable) or any(
            obstacle.supply and obstacle.supply.lacks_wheels() for obstacle in self.obstacles
        )

    def remedy(self) -> str:
        """Return what helps if the cause, direct or transitive, is a rule that refuses files."""
        rejected = self.rejections if self.matching and not self.usable else ()
        # Where a source may be built as it is, no rule has to be lifted for another one.
        can_build = any(one.needs_build for one in rejected)
        found = [one.remedy for one in rejected if not (can_build and one.file.is_source)]
        found += [one.supply.remedy() for one in self.obstacles if one.supply]
        return next(filter(None, found), "")

    def python_advice(self, version: Version) -> str:
        """Return what helps if the cause, direct or transitive, is that files or versions need
        another Python than ``version``; else nothing.
        """
        reasons = [one.reason for one in self.rejections] if not self.usable else []
        reasons += [one.text for one in self.obstacles if one.supply is None]
        found = [python_advice(one, version) for one in reasons]
        found += [one.supply.python_advice(version) for one in self.obstacles if one.supply]
        return next(filter(None, found), "")

    def newest_python(self, version: Version) -> str | None:
        """Return the Python that the newest file of the project is for, which is not ``version``;
        None if something else is the cause.
        """
        if self.usable or not self.rejections:
            return None
        return nearest_python(self.rejections[0].reason, version)

    def damage_advice(self) -> str:
        """Return what helps if the cause, direct or transitive, is a file that cannot be read."""
        if damage := [one.text for one in self.obstacles if one.is_damage]:
            if any(one.startswith(_BAD_STATEMENTS) for one in damage):
                return (
                    f"choose another version of {self.name}, or state what it requires in "
                    "[[tool.lockstream.dependency-metadata]]"
                )
            if self.is_direct:
                return f"correct the address of {self.name}, or replace the file there"
            return f"choose another version of {self.name}, or replace its file on the index"
        found = (one.supply.damage_advice() for one in self.obstacles if one.supply)
        return next(filter(None, found), "")

    def lacks_project(self) -> bool:
        """Return True if the cause, direct or transitive, is a project that no index knows."""
        return not self.exists or any(
            one.supply and one.supply.lacks_project() for one in self.obstacles
        )

    def lacks_prereleases(self) -> bool:
        """Return True if the cause, direct or transitive, is that pre-releases are excluded."""
        return bool(self.prereleases and len(self.prereleases) == len(self.matching)) or any(
            obstacle.supply and obstacle.supply.lacks_prereleases() for obstacle in self.obstacles
        )

    def lacks_builds(self) -> bool:
        """Return True if the cause, direct or transitive, is a release of which only the source
        could be used.
        """
        if self.matching and not self.usable:
            return any(one.needs_build for one in self.rejections)
        return any(
            obstacle.supply and obstacle.supply.lacks_builds() for obstacle in self.obstacles
        )


def _group(rejections: Collection[Rejection]) -> Iterator[str]:
    """Yield one line for each reason, with its first (so newest) files. Of many reasons, those for
    other Pythons and platforms are counted only, and all files that are too new are one line.
    """
    files: dict[str, list[str]] = {}
    for rejection in sorted(rejections, key=_is_elsewhere):
        reason = TOO_NEW if rejection.is_too_new else rejection.reason
        files.setdefault(reason, []).append(rejection.file.filename)
    elsewhere = [one for one in rejections if one.is_elsewhere]
    if len(files) > MAX_SHOWN_REASONS and len(elsewhere) < len(rejections):
        for reason in {one.reason for one in elsewhere}:
            del files[reason]
    else:
        elsewhere = []
    for reason in list(files)[:MAX_SHOWN_REASONS]:
        yield f"{enumerate_some(files[reason], MAX_SHOWN_FILES)}: {reason}"
    if (more := len(files) - MAX_SHOWN_REASONS) > 0:
        yield f"and files refused for {more} more reasons"
    if elsewhere:
        yield f"and {counted(len(elsewhere), 'file')} for other Pythons and platforms"


def _is_elsewhere(rejection: Rejection) -> bool:
    return rejection.is_elsewhere
