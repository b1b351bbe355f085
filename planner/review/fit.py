"""Check that an execution of a lock fits into a container of a given size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from planner.review.cost import Cost
from schemas.data_class import frozen, with_fields
from schemas.errors import Refused, UsageError
from schemas.sizes import format_size, parse_size
from schemas.text import counted, lock_command

__all__ = ["PLACES", "ContainerSize", "DoesNotFit", "SizesUnknown", "check_fit", "check_sizes"]


MAX_SHOWN_PACKAGES = 5


@frozen
class Place:
    """A place where locks are executed, and what its operator says of its size."""

    memory: int | None
    """Bytes."""
    disk: int | None
    """Bytes."""
    unpacked: int | None
    """Bytes of all files together."""
    source: str
    """The page that says so."""
    read: str
    """The day on which the page was read."""


_GB = 10**9
PLACES: Mapping[str, Place] = {
    "lambda": Place(
        None, None, 262_144_000,
        "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html", "2026-11-29",
    ),
    "github": Place(
        16 * _GB, 14 * _GB, None,
        "https://docs.github.com/en/actions/reference/runners/github-hosted-runners", "2026-11-29",
    ),
    "github-slim": Place(
        5 * _GB, 14 * _GB, None,
        "https://docs.github.com/en/actions/reference/runners/github-hosted-runners", "2026-11-29",
    ),
}  # fmt: skip
"""By the names that ``--fit`` takes."""


@frozen
class ContainerSize:
    """The memory and disk of a container; None for no limit."""

    memory: int | None
    """Bytes."""
    disk: int | None
    """Bytes."""
    unpacked: int | None = None
    """Bytes of all files together."""
    source: str = ""
    """Who says so, for the sizes of a known place."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``64MiB``, ``2GiB-disk``, ``64MiB/2GiB-disk`` or a name in PLACES.

        Raises UsageError.
        """
        if place := PLACES.get(text):
            source = f"{text}, {place.source} ({place.read})"
            return cls(place.memory, place.disk, place.unpacked, source)
        if text.isascii() and text.replace("-", "").isalpha():
            raise UsageError(
                f"--fit {text!r} is neither a size nor a known place",
                hint=f"write it as 64MiB/2GiB-disk, or name one of {', '.join(PLACES)}",
            )
        memory = disk = None
        for part in text.split("/"):
            if part.endswith("-disk") and disk is None:
                disk = parse_size(part.removesuffix("-disk"))
            elif memory is None and not part.endswith("-disk"):
                memory = parse_size(part)
            else:
                raise UsageError(
                    f"--fit {text!r} names one quantity twice",
                    hint="name memory and disk as 64MiB/2GiB-disk",
                )
        return cls(memory, disk)


@with_fields
class DoesNotFit(Refused):
    """A lock takes more than the container has."""

    container: ContainerSize
    costs: tuple[Cost, ...]
    """The costs that exceed the container."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the costs
        if any(_exceeds(cost.unpacked_size, self.container.unpacked) for cost in self.costs):
            return "drop what requires the largest packages (lockstream why), or use an image"
        if any(_exceeds(cost.disk, self.container.disk) for cost in self.costs):
            return "give more disk, or drop what requires the largest packages (lockstream why)"
        if any(package.build_memory for cost in self.costs for package in cost.packages):
            return "give more memory, or list the wheel: plan --build without --no-wheelhouse"
        return "give more memory; no choice of packages makes an execution smaller"

    def __str__(self) -> str:
        of = f" {self.container.source}" if self.container.source else ""
        return "\n".join([f"it does not fit{of}", *self._lines()])

    def _lines(self) -> Iterator[str]:
        for cost in self.costs:
            if _exceeds(cost.memory, self.container.memory):
                yield f"  {cost.target}: {format_size(cost.memory)} of memory are needed"
                for package in cost.packages:
                    if _exceeds(package.build_memory, self.container.memory):
                        size = format_size(package.build_memory)
                        yield f"    {package.titled} has to be built: {size}"
            if _exceeds(cost.disk, self.container.disk):
                yield f"  {cost.target}: {format_size(cost.disk)} of disk are needed"
                yield from _biggest(cost)
            if self.container.unpacked and cost.unpacked_size > self.container.unpacked:
                yield (
                    f"  {cost.target}: {cost.unpacked_size:,} bytes unpacked, "
                    f"{self.container.unpacked:,} are allowed"
                )
                yield from _biggest(cost)


def _biggest(cost: Cost) -> Iterator[str]:
    for package in cost.biggest(MAX_SHOWN_PACKAGES):
        yield f"    {package.titled}: {format_size(package.unpacked_size)}"


@with_fields
class SizesUnknown(Refused):
    """It is not known whether a lock fits."""

    count: int
    """Wheels whose unpacked sizes the lock does not record."""
    lock: str

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the path
        return f"run {lock_command('enrich', self.lock)}, which records them"

    def __str__(self) -> str:
        return (
            "it cannot be told whether it fits: the lock does not record the unpacked sizes of "
            f"{counted(self.count, 'package')}"
        )


def check_sizes(costs: Iterable[Cost], container: ContainerSize, lock: str) -> None:
    """Raise SizesUnknown if ``container`` limits what the ``lock`` does not record."""
    if container.disk is None and container.unpacked is None:
        return
    for cost in costs:
        if count := sum(one.hints is None for one in cost.unsized):
            raise SizesUnknown(count, lock)


def check_fit(costs: Iterable[Cost], container: ContainerSize) -> None:
    """Raise DoesNotFit if any of ``costs`` exceeds ``container``."""
    breaking = tuple(
        cost
        for cost in costs
        if _exceeds(cost.memory, container.memory)
        or _exceeds(cost.disk, container.disk)
        or _exceeds(cost.unpacked_size, container.unpacked)
    )
    if breaking:
        raise DoesNotFit(container, breaking)


def _exceeds(needed: int, available: int | None) -> bool:
    return available is not None and needed > available
