"""Check that an execution of a lock fits into a container of a given size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from planner.review.cost import Cost
from schemas.errors import Refused, UsageError
from schemas.sizes import format_size, parse_size

__all__ = ["ContainerSize", "DoesNotFit", "check_fit"]


MAX_SHOWN_PACKAGES = 5


@dataclass(frozen=True, slots=True)
class ContainerSize:
    """The memory and disk of a container; None for no limit."""

    memory: int | None
    """Bytes."""
    disk: int | None
    """Bytes."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``64MiB``, ``2GiB-disk`` or ``64MiB/2GiB-disk``. Raises UsageError."""
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


@dataclass(eq=False)
class DoesNotFit(Refused):
    """A lock takes more than the container has."""

    container: ContainerSize
    costs: tuple[Cost, ...]
    """The costs that exceed the container."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the costs
        if any(_exceeds(cost.disk, self.container.disk) for cost in self.costs):
            return "give more disk, or drop what requires the largest packages (lockstream why)"
        if any(package.build_memory for cost in self.costs for package in cost.packages):
            return "give more memory, or list the wheel: plan --build without --no-wheelhouse"
        return "give more memory; no choice of packages makes an execution smaller"

    def __str__(self) -> str:
        return "\n".join(["it does not fit", *self._lines()])

    def _lines(self) -> Iterator[str]:
        for cost in self.costs:
            if _exceeds(cost.memory, self.container.memory):
                yield f"  {cost.target}: {format_size(cost.memory)} of memory are needed"
                for package in cost.packages:
                    if _exceeds(package.build_memory, self.container.memory):
                        size = format_size(package.build_memory)
                        yield f"    {package.name} {package.version} has to be built: {size}"
            if _exceeds(cost.disk, self.container.disk):
                yield f"  {cost.target}: {format_size(cost.disk)} of disk are needed"
                for package in cost.biggest(MAX_SHOWN_PACKAGES):
                    size = format_size(package.unpacked_size)
                    yield f"    {package.name} {package.version}: {size}"


def check_fit(costs: Iterable[Cost], container: ContainerSize) -> None:
    """Raise DoesNotFit if any of ``costs`` exceeds ``container``."""
    breaking = tuple(
        cost
        for cost in costs
        if _exceeds(cost.memory, container.memory) or _exceeds(cost.disk, container.disk)
    )
    if breaking:
        raise DoesNotFit(container, breaking)


def _exceeds(needed: int, available: int | None) -> bool:
    return available is not None and needed > available
