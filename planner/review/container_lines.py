"""The lines that give a container the memory and the disk that an execution of a lock takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from planner.review.cost import Cost
from schemas.data_class import frozen
from schemas.demand import NO_BYTE_CODE, OVERLAY_MEMORY, PROGRAM_PAGES, peak_memory
from schemas.sizes import format_size
from schemas.text import counted, lock_command

__all__ = [
    "FORMATS",
    "Share",
    "container_lines",
    "container_needs",
    "shares_of_disk",
    "shares_of_memory",
]

LANES = 2
"""What two processors keep busy; one lane more takes more memory and saves little time."""

_STEP = 16 << 20
"""Bytes that a request is rounded up to."""


@frozen
class Share:
    """A part of what a container needs."""

    size: int
    """Bytes."""
    reason: str


def shares_of_memory(cost: Cost) -> list[Share]:
    """Return what the memory of an execution in a container is made of."""
    shares = [
        Share(peak_memory(LANES), f"{LANES} wheels at a time"),
        Share(OVERLAY_MEMORY, "the overlay of the container"),
        Share(NO_BYTE_CODE, "a Python without byte code of its library, as official images have"),
        Share(PROGRAM_PAGES, "pages of Python, charged to the first container on a machine"),
    ]
    builds = [one for one in cost.packages if one.build_memory]
    if builds:
        largest = max(builds, key=lambda one: one.build_memory)
        reason = f"the build of {largest.titled}, one at a time"
        if largest.build_memory > shares[0].size:
            shares[0] = Share(largest.build_memory, reason)
    return shares


def shares_of_disk(cost: Cost) -> list[Share]:
    """Return what the disk of an execution is made of."""
    packages = counted(len(cost.packages), "package")
    return [
        Share(cost.unpacked_size, f"{counted(cost.files, 'file')} of {packages}"),
        Share(cost.disk - cost.unpacked_size, "ends of blocks, lists of files, the journal"),
    ]


def container_lines(costs: Sequence[Cost], kind: str, lock: str) -> Iterator[str]:
    """Yield the lines of ``kind``, one of FORMATS, for the one of ``costs`` that takes most.

    The targets that containers run are preferred: those of Linux.
    """
    chosen = _largest(costs)
    memory, disk = shares_of_memory(chosen), shares_of_disk(chosen)
    yield f"# {lock} for {chosen.target}: {counted(len(chosen.packages), 'package')}"
    for name, shares in (("memory", memory), ("disk", disk)):
        for number, share in enumerate(shares):
            head = f"{name}:" if number == 0 else ""
            yield f"# {head:8}{format_size(share.size):>10}  {share.reason}"
    if chosen.unknown:
        packages = counted(len(chosen.unknown), "package")
        yield f"# The sizes of {packages} are not recorded: run {lock_command('enrich', lock)}"
    for package in chosen.packages:
        if package.is_unmeasured:
            yield f"# {package.titled} has to be built, and what that takes was never measured"
    yield "# What else runs in the container needs its own memory; on a tmpfs, disk is memory too."
    yield from FORMATS[kind](_rounded(memory), _rounded(disk))


def container_needs(costs: Sequence[Cost]) -> tuple[int, int]:
    """Return the MiB of memory and of disk that ``container_lines`` names."""
    chosen = _largest(costs)
    return _rounded(shares_of_memory(chosen)), _rounded(shares_of_disk(chosen))


def _largest(costs: Sequence[Cost]) -> Cost:
    linux = [cost for cost in costs if cost.target.environment["sys_platform"] == "linux"]
    return max(linux or costs, key=lambda cost: (cost.memory, cost.disk))


def _rounded(shares: Sequence[Share]) -> int:
    """Return the MiB that are enough for ``shares``."""
    return -(-sum(share.size for share in shares) // _STEP) * _STEP >> 20


def _kubernetes(memory: int, disk: int) -> Iterator[str]:
    yield "resources:"
    for name in ("requests", "limits"):
        yield f"  {name}:"
        yield f"    memory: {memory}Mi"
        yield f"    ephemeral-storage: {disk}Mi"


def _gitlab(memory: int, disk: int) -> Iterator[str]:
    yield "variables:"
    for name in ("REQUEST", "LIMIT"):
        yield f"  KUBERNETES_MEMORY_{name}: {memory}Mi"
        yield f"  KUBERNETES_EPHEMERAL_STORAGE_{name}: {disk}Mi"


def _docker(memory: int, disk: int) -> Iterator[str]:
    yield f"# Docker limits no disk: {disk} MiB have to be free"
    yield f"--memory {memory}m --memory-swap {memory}m"


FORMATS: Mapping[str, Callable[[int, int], Iterator[str]]] = {
    "kubernetes": _kubernetes,
    "gitlab": _gitlab,
    "docker": _docker,
}
"""What makes the lines from MiB of memory and of disk, by name."""
