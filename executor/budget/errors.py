"""The error of a memory limit that is too small."""

from __future__ import annotations

import _thread
import resource

from executor.budget.memory import MACHINE, MEMORY_OPTION, OF_PROCESS, Limit
from executor.files.errors import mib_above, mib_below
from schemas.data_class import with_fields
from schemas.errors import NotEnough

__all__ = ["BudgetTooSmall"]


_VARIATION = 1 << 20
"""Bytes by which what others hold differs from one measurement to the next."""


_THREADS = 2
"""Threads that may begin after the needs were checked: of the lines of progress, and of a log. Each
reserves its stack."""


_STACK = 8 << 20
"""Bytes of a stack if they have no limit, or that is unknown."""


_IMPORTED_LATER = 4 << 20
"""Bytes that what is imported after the check reserves and does not hold, at most."""


@with_fields
class BudgetTooSmall(NotEnough):
    """The memory that an execution may use does not hold its lanes. All sizes are in bytes."""

    needed: int
    limit: Limit
    held: int = 0
    """By the files that will be installed, if their file system is memory."""
    named: int | None = None
    """The size that the user names with ``--memory``, if it is too small, too."""
    lanes: int = 1
    compiles: bool = False
    """Whether the child that makes byte code needs most."""
    is_open: bool = False
    """Whether files will be held too, of a size that is not known before the lock is read."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        needed = self.needed + self.held
        others = self.limit.others + _VARIATION if self.limit.others else 0
        if self.limit.source.startswith(OF_PROCESS):
            others += _reserved_later()
        total = mib_above(needed + others)
        if self.is_open:
            return (
                f"install onto a disk, or give it {total} MiB and what the files on the tmpfs take"
            )
        if self.limit.source == MEMORY_OPTION:
            remedies = [f"give it at least {total} MiB with --memory"]
        else:
            is_machine = self.limit.source == MACHINE
            kind = "free memory of the machine" if is_machine else "a larger limit"
            remedies = [f"give it at least {total} MiB: {kind}"]
            if self.named is not None:
                remedies[0] += f", and at least {mib_above(needed)} MiB with --memory"
        if self.held:
            remedies.append("or install onto a disk")
        if self.compiles:
            remedies.append("or leave --compile out")
        return "; ".join(remedies)

    def __str__(self) -> str:
        subject = "one lane needs" if self.lanes == 1 else f"{self.lanes} lanes need"
        subject = "making byte code needs" if self.compiles else subject
        files = f" and the files on a tmpfs {mib_above(self.held)} MiB" if self.held else ""
        return (
            f"{subject} {mib_above(self.needed)} MiB of memory{files}, "
            f"but {self.limit.source} leaves {mib_below(self.limit.available)} MiB"
        )


def _reserved_later() -> int:
    """Return the bytes that this process may reserve in vain after its needs were checked."""
    begun = _thread._count()  # noqa: SLF001  # threading counts only its own
    try:
        stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    except OSError:  # a seccomp filter may refuse the call
        stack = _STACK
    if stack == resource.RLIM_INFINITY:
        stack = _STACK
    return max(0, _THREADS - begun) * stack + _IMPORTED_LATER
