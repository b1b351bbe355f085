"""Run one command of a build so that it is measured, limited, and ended with all its processes.

If a control group can be made, the kernel measures and limits the whole tree. If not, each process
has a limit of its own data, and we sample all of them, and the figures of the container, often
enough to end the build before the kernel ends the container: in Kubernetes an out-of-memory kill of
any process does that (memory.oom.group).
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from executor.budget.memory import own_memory, smallest_limit
from executor.budget.processors import own_processors
from executor.builds.cgroup import BuildGroup
from executor.builds.process_tree import ProcessTree, computed, mapped_files
from schemas.data_class import frozen

__all__ = ["SandboxLimits", "SandboxResult", "contained", "pause_after"]


LONGEST_PAUSE = 0.012
"""Seconds between two samples; peaks of compilers last for tens of milliseconds at least."""


SAMPLES = 200
"""Samples of a build, whatever its length, down to the shortest pause. Of a build of 0.4 s, samples
each 12 ms missed up to 9 % of the peak (17.2 to 18.8 MiB in ten runs), samples each 3 ms up to
4 %."""


FILES_STEP = 1.05
"""Factor by which the demand has to rise before the mapped files are measured again."""


RESERVE = 8 << 20
"""Bytes below the container's limit at which a build without a group of its own is ended. With the
20 MiB that this process holds it is less than what is added to every measured demand, so a build
that takes what it took when it was measured is never ended. One process cannot take more between
two samples: the kernel holds it to a limit of its own."""


HEARD_SECONDS = 0.1
"""Time between two figures for a view: as often as an eye can follow them."""


STALL_FACTOR = 4


STALL_SECONDS = 60.0


STALL_SHARE = 0.01
"""A build is stalled if it fills its limit, has taken STALL_FACTOR times and STALL_SECONDS longer
than when it was measured, and computes for less than this share of a further STALL_SECONDS. It then
reads its compiler from the disk again and again: one of 2 s had not ended after 600. A build that
computed for a twentieth of the time ended well after eighteen times its own."""


@frozen(kw_only=True)
class SandboxLimits:
    """The limits of one command of a build."""

    limit: int | None = None
    """Bytes of memory; None for no limit."""
    seconds: float = 3600.0
    """Time limit."""
    expected_seconds: float | None = None
    """The time it took when it was measured."""
    network: bool = False
    """Whether it may use the network."""
    jobs: int = 1
    """The number of processors that it sees."""
    group: bool = True
    """Whether to try to make a control group."""
    hears: Callable[[int], None] | None = None
    """Called now and then, while the command runs, with the bytes that it holds: for a view."""


@frozen(kw_only=True)
class SandboxResult:
    """How one command ended, and what it took."""

    status: int
    """The exit status; negative for a signal, as in subprocess."""
    seconds: float
    demand: int
    """Bytes held by all processes together at the peak."""
    files: int
    """Bytes of files, mostly programs, that the processes had mapped near that peak. They are page
    cache."""
    charged_peak: int | None
    """The most bytes charged to its control group; None without one."""
    kills: int
    """Number of processes that the kernel killed because memory ran out."""
    stopped: str
    """``memory``, ``oom``, ``time`` or ``stall`` if we ended it; else empty."""
    tier: str
    """What measured and limited it."""
    network: str
    """``allowed``, ``none``, ``no TCP``, or ``asked not to`` if the kernel cannot restrict it."""
    writes: str
    """``held to its folders``, or ``anywhere`` if the kernel cannot restrict it."""


def contained(
    command: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    writable: Sequence[str],
    log: str,
    limits: SandboxLimits,
) -> SandboxResult:
    """Run ``command`` in ``folder`` with exactly this ``environment``.

    It can write only below ``writable``; its output goes to the file ``log``. However it ends, none
    of its processes keeps running.

    Raises OSError if it cannot be started.
    """
    group = BuildGroup.make(limits.limit) if limits.group else None
    tree = group or ProcessTree()
    report, report_end = os.pipe()
    process = None
    try:
        watch = _Watch(tree, limits, time.monotonic())
        try:
            settings = _settings(environment, writable, group, limits, report_end)
            process = _start(command, folder, log, settings)
        finally:
            os.close(report_end)
        status = watch.wait(process)
        return _collect(watch, status, group, json.loads(os.read(report, 4096) or b"{}"))
    finally:
        if process is not None:
            process.kill()
        tree.remove()
        if process is not None:
            process.wait()
        os.close(report)


def _start(
    command: Sequence[str], folder: str, log: str, settings: Mapping[str, Any]
) -> subprocess.Popen[bytes]:
    """Start the launcher, which becomes ``command``. Raises OSError."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _launcher(), *command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(settings["report"],),
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(json.dumps(settings).encode())
    return process


def _collect(
    watch: _Watch, status: int, group: BuildGroup | None, report: Mapping[str, str]
) -> SandboxResult:
    """Return what was measured of a command that has ended; ``report`` is the launcher's."""
    return SandboxResult(
        status=status,
        seconds=watch.seconds,
        demand=watch.peak,
        files=watch.files,
        charged_peak=group.charged_peak() if group else None,
        kills=group.kills() if group else 0,
        stopped=watch.stopped,
        tier=watch.tier,
        network=report.get("network", ""),
        writes=report.get("writes", ""),
    )


class _Watch:
    """Samples one command while it runs, and ends it if it exceeds its limits."""

    def __init__(
        self, tree: BuildGroup | ProcessTree, limits: SandboxLimits, started: float
    ) -> None:
        self.peak = 0
        """Bytes."""
        self.files = 0
        """Bytes of mapped files."""
        self.stopped = ""
        """Why the command was ended; empty if it was not."""
        self.tier = tree.tier
        self.seconds = 0.0
        """How long it has run."""
        self._tree = tree
        self._held = 0
        self._limits = limits
        self._started = started
        self._next_files = 0.0
        self._next_heard = 0.0
        self._deadline = started + limits.seconds
        expected = limits.expected_seconds
        self._computed = -math.inf
        # Seconds; the first sample always counts as progress.
        self._next_progress = (
            started + expected * STALL_FACTOR + STALL_SECONDS if expected is not None else math.inf
        )

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Sample until it ends, and return its status."""
        while True:
            status = _status(process)
            self.seconds = time.monotonic() - self._started
            self._held = self._tree.demand()
            self.peak = max(self.peak, self._held)
            if self.peak > self._next_files:
                self._next_files = self.peak * FILES_STEP
                self.files = max(self.files, mapped_files(self._tree.processes()))
            if status is not None:
                return status
            if self._limits.hears and self.seconds >= self._next_heard:
                self._next_heard = self.seconds + HEARD_SECONDS
                self._limits.hears(self._held)
            if reason := self.stopped or self._reason():
                self.stopped = reason
                # The launcher may not have entered the tree yet.
                # Popen.kill() polls, and what it has found to be ended has no status any more.
                os.kill(process.pid, signal.SIGKILL)
                self._tree.kill()
            time.sleep(pause_after(self.seconds, self._tree.shortest_pause))

    def _reason(self) -> str:
        """Return why the command has to be ended now; empty if it does not."""
        now = time.monotonic()
        if now > self._deadline:
            return "time"
        if isinstance(self._tree, BuildGroup) and self._tree.kills():
            return "oom"
        if self._is_stalled(now):
            return "stall"
        if isinstance(self._tree, BuildGroup):
            return ""
        limit = self._limits.limit
        if limit is not None and self.peak > limit:
            return "memory"
        # Other processes of the container count too, and may have grown since.
        ours = own_memory() + self._held
        around = smallest_limit(ours=ours)
        return "memory" if around and around.available - ours < RESERVE else ""

    def _is_stalled(self, now: float) -> bool:
        """Return whether it makes no progress, see STALL_SHARE."""
        if now < self._next_progress:
            return False
        self._next_progress = now + STALL_SECONDS
        before, self._computed = self._computed, computed(self._tree.processes())
        # If it is less than before, processes have ended, which is progress.
        is_idle = 0 <= self._computed - before < STALL_SECONDS * STALL_SHARE
        return is_idle and self._tree.is_full()


def _status(process: subprocess.Popen[bytes]) -> int | None:
    """Return the status of a process that has ended, as Popen gives it; None if it has not.

    Popen.poll() takes a lock and then enters a try block: a signal whose handler raises in between
    leaves the lock taken, and the wait at the end would never end. The watch polls all the time.
    """
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def pause_after(seconds: float, shortest: float) -> float:
    """Return the seconds to wait before the next sample of a command that has run for ``seconds``:
    longer builds have longer peaks.
    """
    return min(LONGEST_PAUSE, max(shortest, seconds / SAMPLES))


def _settings(
    environment: Mapping[str, str],
    writable: Sequence[str],
    group: BuildGroup | None,
    limits: SandboxLimits,
    report: int,
) -> dict[str, Any]:
    """Return the settings of the launcher, which writes its report to the descriptor ``report``."""
    usable = own_processors()
    return {
        "groups": [group.entrance] if group else [],
        "data_limit": None if group else limits.limit,
        "processors": usable[: limits.jobs] if limits.jobs < len(usable) else [],
        "network": limits.network,
        "writable": list(writable),
        "environment": dict(environment),
        "report": report,
    }


def _launcher() -> str:
    """Return the source of the launcher."""
    # By the loader, which finds it inside of a zipapp as well.
    spec = find_spec("executor.builds.launcher")
    source = spec.loader.get_source(spec.name) if spec and spec.loader else None  # type: ignore[attr-defined]
    return str(source)
