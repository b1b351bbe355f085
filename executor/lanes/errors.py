"""Errors of processes that were ended from outside."""

from __future__ import annotations

import os
import resource
import signal

from schemas.data_class import with_fields
from schemas.errors import NotEnough

__all__ = ["ForkKilled", "LaneKilled", "NoProcess"]


class _Killed(NotEnough):
    """A signal from outside ended a process of ours."""

    process = ""
    unchanged = ""
    more_memory = ""

    def __init__(self, status: int) -> None:
        """``status`` is that of the process (waitpid(2))."""
        super().__init__()
        number = os.WTERMSIG(status)
        # Between the first and the last real-time signal they have no names.
        names = {known.value: known.name for known in signal.Signals}
        self.signal = names.get(number, str(number))
        self.hint = f"{self.unchanged}; {self._way_out()}"

    def __str__(self) -> str:
        return f"{self.process} was killed ({self.signal})"

    def _way_out(self) -> str:
        is_kill = self.signal == "SIGKILL"
        # The kernel sends SIGXCPU at the soft limit, and SIGKILL at the hard one.
        seconds = resource.getrlimit(resource.RLIMIT_CPU)[0]
        if self.signal == "SIGXCPU" or (is_kill and seconds != resource.RLIM_INFINITY):
            return f"a process may take {seconds} s of processor time: raise that limit (ulimit -t)"
        if self.signal == "SIGSYS":
            return "let the container's filter of system calls (seccomp) refuse them, not kill"
        if is_kill:
            return f"if the kernel sent the signal, memory ran out: {self.more_memory}"
        return "run the command again, and report it if no other program has sent the signal"


class LaneKilled(_Killed):
    """A signal from outside ended the process of a lane."""

    process = "the process of a lane"
    unchanged = "the environment is as it was before"
    more_memory = "give a budget with --memory, or --lanes 1"


class ForkKilled(_Killed):
    """A signal from outside ended the process that reads the lock."""

    process = "the process that reads the lock"
    unchanged = "nothing was written"
    more_memory = "raise the memory limit"


@with_fields
class NoProcess(NotEnough):
    """A limit lets this process make no further one."""

    hint: str = (
        "nothing was written; allow two more processes: pids.max of the container (docker run "
        "--pids-limit), ulimit -u, or its filter of system calls"
    )

    def __str__(self) -> str:
        return "a further process cannot be made, and the lock is read in one"
