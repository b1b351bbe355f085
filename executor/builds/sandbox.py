"""Containment: run one command of a build so that it is measured, capped and ended whole.

Where a control group can be made, the kernel counts and caps the whole tree. Where not, each
process has a limit of its own data, and we look at all of them, and at the container's own figures,
often enough to end the build before the kernel ends the container: in Kubernetes that is what an
out-of-memory kill of any process does (memory.oom.group).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from executor.budget.memory import smallest_limit
from executor.builds.cgroup import BuildGroup
from executor.builds.process_tree import ProcessTree, computed, mapped_files

__all__ = ["SandboxLimits", "SandboxResult", "contained", "pause_after"]


LONGEST_PAUSE = 0.012
"""Seconds between two looks; peaks of compilers last for tens of milliseconds at least."""


LOOKS = 200
"""Of a build that ends at once, as many as can be. Of one of 0.4 s, looks each 12 ms missed up to
9 % of the peak (17.2 to 18.8 MiB in ten runs), looks each 3 ms up to 4 %."""


FILES_STEP = 1.05
"""By what the demand has to rise before the files in use are looked at."""


RESERVE = 16 << 20
"""Bytes below the container's limit at which a build without a group of its own is ended: what
arrives between two looks, measured at 10 ms on a process that fills memory as fast as it can."""


STALL_FACTOR = 4


STALL_SECONDS = 60.0


STALL_SHARE = 0.01
"""A build that fills its limit, has taken so many times and seconds longer than when it was
measured, and in as many more computed for less than this share of them, reads its compiler from
the disk again and again: one of 2 s had not ended after 600. One that computed for a twentieth of
the time ended well after eighteen times its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """What a build may do and take."""

    limit: int | None = None
    """Bytes; None where nothing caps it."""
    seconds: float = 3600.0
    expected_seconds: float | None = None
    """What it took when it was measured."""
    network: bool = False
    jobs: int = 1
    """So many processors it sees."""
    group: bool = True
    """Whether a control group is tried for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """How a command ended, and what it took."""

    status: int
    """As subprocess has it: negative for a signal."""
    seconds: float
    demand: int
    """Bytes held by all processes together at the peak."""
    files: int
    """Bytes of files that the processes used in memory when they held that much: programs above
    all, which are page cache."""
    charged_peak: int | None
    kills: int
    """Processes that the kernel killed for want of memory."""
    stopped: str
    """``memory``, ``oom``, ``time`` or ``stall`` where we ended it; else empty."""
    tier: str
    """What kept it within its limit."""
    network: str
    """``allowed``, ``none``, ``no TCP``, or ``asked not to`` where the kernel lends nothing."""
    writes: str


def contained(
    command: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    writable: Sequence[str],
    log: str,
    terms: SandboxLimits,
) -> SandboxResult:
    """Run ``command`` in ``folder`` with exactly this ``environment``, able to write below
    ``writable`` only; what it says goes to the file ``log``. However it ends, nothing of it runs
    on.

    Raises OSError where it cannot be begun.
    """
    group = BuildGroup.make(terms.limit) if terms.group else None
    tree = group or ProcessTree()
    told_here, told_there = os.pipe()
    started = time.monotonic()
    process = None
    try:
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _launcher()),
                    json.dumps(_told(environment, writable, group, terms, told_there)),
                    *command,
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(told_there,),
            )
        os.close(told_there)
        watch = _Watch(tree, terms, started)
        status = watch.wait(process)
        told = json.loads(os.read(told_here, 4096) or b"{}")
        return SandboxResult(
            status=status,
            seconds=time.monotonic() - started,
            demand=watch.peak,
            files=watch.files,
            charged_peak=group.charged_peak() if group else None,
            kills=group.kills() if group else 0,
            stopped=watch.stopped,
            tier=tree.tier,
            network=told.get("network", ""),
            writes=told.get("writes", ""),
        )
    finally:
        if process is not None:
            process.kill()
        tree.remove()
        if process is not None:
            process.wait()
        os.close(told_here)


class _Watch:
    """Samples a build while it runs, and ends it where it must be."""

    def __init__(
        self, tree: BuildGroup | ProcessTree, terms: SandboxLimits, started: float
    ) -> None:
        self.peak = 0
        self.files = 0
        self.stopped = ""
        self._tree = tree
        self._terms = terms
        self._started = started
        self._next_files = 0.0
        self._deadline = started + terms.seconds
        expected = terms.expected_seconds
        self._computed = -math.inf
        # Seconds; whatever the first look finds is progress.
        self._next_progress = (
            started + expected * STALL_FACTOR + STALL_SECONDS if expected is not None else math.inf
        )

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Until it ends; its status."""
        while True:
            status = process.poll()
            self.peak = max(self.peak, self._tree.demand())
            if self.peak > self._next_files:
                self._next_files = self.peak * FILES_STEP
                self.files = max(self.files, mapped_files(self._tree.processes()))
            if status is not None:
                return status
            if reason := self.stopped or self._reason():
                self.stopped = reason
                # It may be about to become one of the tree.
                process.kill()
                self._tree.kill()
            time.sleep(pause_after(time.monotonic() - self._started, self._tree.shortest_pause))

    def _reason(self) -> str:
        now = time.monotonic()
        if now > self._deadline:
            return "time"
        if isinstance(self._tree, BuildGroup) and self._tree.kills():
            return "oom"
        if self._is_stalled(now):
            return "stall"
        if isinstance(self._tree, BuildGroup):
            return ""
        limit = self._terms.limit
        if limit is not None and self.peak > limit:
            return "memory"
        # What others in the container hold counts too, and may have grown since.
        around = smallest_limit()
        return "memory" if around and around.available - self.peak < RESERVE else ""

    def _is_stalled(self, now: float) -> bool:
        if now < self._next_progress:
            return False
        self._next_progress = now + STALL_SECONDS
        before, self._computed = self._computed, computed(self._tree.processes())
        # Where it is less than before, processes have ended, which is progress.
        is_idle = 0 <= self._computed - before < STALL_SECONDS * STALL_SHARE
        return is_idle and self._tree.is_full()


def pause_after(seconds: float, shortest: float) -> float:
    """How long to wait before the next look at what has run for ``seconds``: what lasts longer has
    longer peaks.
    """
    return min(LONGEST_PAUSE, max(shortest, seconds / LOOKS))


def _told(
    environment: Mapping[str, str],
    writable: Sequence[str],
    group: BuildGroup | None,
    terms: SandboxLimits,
    told: int,
) -> dict[str, Any]:
    usable = sorted(os.sched_getaffinity(0))
    return {
        "groups": [group.entrance] if group else [],
        "data_limit": None if group else terms.limit,
        "processors": usable[: terms.jobs] if terms.jobs < len(usable) else [],
        "network": terms.network,
        "writable": list(writable),
        "environment": dict(environment),
        "told": told,
    }


def _launcher() -> str:
    # Through the loader, so that it is found inside of a zipapp as well.
    spec = find_spec("executor.builds.launcher")
    source = spec.loader.get_source(spec.name) if spec and spec.loader else None  # type: ignore[attr-defined]
    return str(source)
