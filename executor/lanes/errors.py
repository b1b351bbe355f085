"""Errors of processes that were ended from outside."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import NotEnough

__all__ = ["ForkKilled", "LaneKilled", "NoProcess"]


@with_fields
class LaneKilled(NotEnough):
    """A signal from outside ended the process of a lane."""

    signal: str
    hint: str = (
        "the environment is as it was before; if the kernel sent the signal, memory ran "
        "out: give a budget with --memory, or --lanes 1"
    )

    def __str__(self) -> str:
        return f"the process of a lane was killed ({self.signal})"


@with_fields
class NoProcess(NotEnough):
    """A limit lets this process make no further one."""

    hint: str = (
        "nothing was written; allow two more processes: pids.max of the container (docker run "
        "--pids-limit), ulimit -u, or its filter of system calls"
    )

    def __str__(self) -> str:
        return "a further process cannot be made, and the lock is read in one"


@with_fields
class ForkKilled(NotEnough):
    """A signal from outside ended the process that reads the lock."""

    signal: str
    hint: str = (
        "nothing was written; if the kernel sent the signal, memory ran out: raise the memory limit"
    )

    def __str__(self) -> str:
        return f"the process that reads the lock was killed ({self.signal})"
