"""What installing a lock takes on one target, computed from the lock alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from packaging.pylock import Package, PackageArchive, PackageWheel, Pylock
from packaging.tags import Tag, create_compatible_tags_selector
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.model.dependencies import scopes_of
from planner.review.verdicts import Verdicts
from schemas.builds import BuildRecord, foreseen, suitable_record
from schemas.data_class import frozen
from schemas.demand import disk_of, peak_memory
from schemas.hints import WheelHints, wheel_hints
from schemas.target import Target
from schemas.text import titled
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["Cost", "PackageCost", "cost_of"]


_Select = Callable[[Iterable[tuple[PackageWheel, frozenset[Tag]]]], Iterator[PackageWheel]]


@frozen(kw_only=True)
class PackageCost:
    """The cost of one package; part of a ``Cost``."""

    name: NormalizedName
    version: Version | None
    filename: str | None
    """The wheel that is chosen; None if the lock has none for the target."""
    size: int | None
    """Bytes to fetch; None if the lock does not record them."""
    hints: WheelHints | None
    """What unpacking takes; None if the lock does not record it."""
    build: BuildRecord | None = None
    """How its wheel was built, if it was."""

    @property
    def titled(self) -> str:
        """Name and version; a lock need not state the version of a folder."""
        return titled(self.name, self.version)

    @property
    def is_unmeasured(self) -> bool:
        """Whether it has to be built, and the lock does not record what that takes."""
        return self.filename is None and self.build is None

    @property
    def unpacked_size(self) -> int:
        """Bytes of its files; 0 if the lock does not record them."""
        return self.hints.unpacked_size if self.hints else 0

    @property
    def build_memory(self) -> int:
        """Bytes of memory that building it takes; 0 if there is a wheel."""
        return foreseen(self.build.peak) if self.build and self.filename is None else 0


@frozen(kw_only=True)
class Cost:
    """What all packages take together; what the lock does not record counts as 0."""

    target: Target
    packages: tuple[PackageCost, ...]

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(package.size or 0 for package in self.packages)

    @property
    def unpacked_size(self) -> int:
        """Bytes of all files."""
        return sum(hints.unpacked_size for _, hints in self._hinted())

    @property
    def files(self) -> int:
        return sum(hints.files for _, hints in self._hinted())

    @property
    def largest_file(self) -> int:
        """Bytes."""
        return max((hints.largest_file for _, hints in self._hinted()), default=0)

    @property
    def memory(self) -> int:
        """Bytes of memory that an execution needs, with one lane and one build at a time."""
        return max([peak_memory(), *(package.build_memory for package in self.packages)])

    @property
    def disk(self) -> int:
        """Bytes on disk at the peak."""
        return disk_of(self._hinted())

    @property
    def is_sized(self) -> bool:
        """Whether the lock records what is fetched of each package."""
        return all(one.size is not None for one in self.packages)

    @property
    def is_measured(self) -> bool:
        """Whether the lock records what unpacking each package takes."""
        return all(one.hints is not None for one in self.packages)

    @property
    def unknown(self) -> tuple[NormalizedName, ...]:
        """Packages whose cost the lock does not record."""
        return tuple(one.name for one in self.packages if one.hints is None or one.size is None)

    @property
    def unsized(self) -> tuple[PackageCost, ...]:
        """Those of which the lock lists a wheel, and does not record its sizes."""
        return tuple(
            one for one in self.packages if one.filename and (one.hints is None or one.size is None)
        )

    def biggest(self, count: int) -> list[PackageCost]:
        """Return the ``count`` packages that take most on disk."""
        return sorted(self.packages, key=lambda one: (-one.unpacked_size, one.name))[:count]

    def _hinted(self) -> Iterator[tuple[int, WheelHints]]:
        return ((one.size or 0, one.hints) for one in self.packages if one.hints)


def cost_of(
    lock: Pylock,
    target: Target,
    *,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
) -> Cost:
    """Return what ``lock`` takes on ``target`` with these extras and dependency groups. If some of
    them exclude each other, of each package the largest entry counts.
    """
    select: _Select = create_compatible_tags_selector(target.tags)
    tags = frozenset(target.tags)
    packages: dict[NormalizedName, PackageCost] = {}
    for package in Verdicts(lock.packages, target.environment).installed(scopes_of(extras, groups)):
        cost = _package_cost(package, select, tags)
        other = packages.get(cost.name, cost)
        packages[cost.name] = max(cost, other, key=lambda one: one.unpacked_size)
    return Cost(target=target, packages=tuple(packages.values()))


def _package_cost(package: Package, select: _Select, tags: Collection[Tag]) -> PackageCost:
    file: PackageWheel | PackageArchive | None = package.archive
    if file is None:
        wheels = package.wheels or ()
        file = next(select((one, parse_wheel_filename(one.filename)[3]) for one in wheels), None)
    filename = _filename(file)
    build = suitable_record(package.tool, tags)
    if filename and not filename.endswith(".whl"):
        filename = None
    known = filename or (build.wheel if build else None)
    return PackageCost(
        name=package.name,
        version=package.version or (build.version if build else None),
        filename=filename,
        size=file.size if file and filename else None,
        hints=wheel_hints(package.tool, known) if known else None,
        build=build,
    )


def _filename(file: PackageWheel | PackageArchive | None) -> str | None:
    if isinstance(file, PackageArchive):
        return PackageWheel(path=file.path, url=file.url, hashes={}).filename
    return file.filename if file else None
