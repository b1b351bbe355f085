"""Measure what a command costs, in a memory cgroup of its own (Linux, as root).

    python benchmarks/cgroup.py --limit 48 --cold -- COMMAND [ARGUMENT ...]

runs COMMAND below a limit of 48 MiB and writes its cost to stderr as JSON. ``measure`` does the
same from Python. With ``--record FILE`` it writes a log of the run, which ``lockstream report``
shows beside those of lockstream itself.

The kernel counts what a container's limit counts: anonymous memory, page cache and kernel slab.
Peak RSS is that of the largest process. Both versions of cgroups work:
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

__all__ = ["Cost", "measure"]

INTERVAL = 0.05
"""Seconds between two samples of a trace: short compared with an installation, and almost no
work."""


KINDS = {
    1: {
        "anonymous": "total_rss", "cache": "total_cache", "dirty": "total_dirty",
        "writeback": "total_writeback", "tmpfs": "total_shmem",
    },
    2: {
        "anonymous": "anon", "cache": "file", "dirty": "file_dirty",
        "writeback": "file_writeback", "tmpfs": "shmem",
    },
}  # fmt: skip
"""Keys of ``memory.stat``, by version, as in executor/budget/group_memory.py: this program imports
nothing of the project, so that it stays small."""


@dataclass(frozen=True)
class Cost:
    """Sizes are bytes, times seconds."""

    status: int
    """Exit status; 128 + the signal if one ended the command."""
    wall: float
    user: float
    system: float
    rss_peak: int
    charged_peak: int
    limit_hits: int
    oom_kills: int
    timed_out: bool


def measure(
    command: Sequence[str | os.PathLike[str]],
    *,
    limit: int | None = None,
    cold: bool = False,
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    trace: Path | None = None,
) -> Cost:
    """Run ``command``, its output to ``log``, below ``limit`` bytes and at most ``timeout``
    seconds; ``cold`` drops the page cache first, so that the pages of the programs themselves
    are charged too. ``trace`` gets a line for each ``INTERVAL``: seconds, bytes charged, and
    bytes of anonymous memory, of all processes.
    """
    # A small process of its own: a fork inherits the RSS peak of what it was forked from.
    measuring = [sys.executable, "-I", "-S", __file__]
    if limit is not None:
        measuring += ["--limit", str(limit / (1 << 20))]
    if timeout is not None:
        measuring += ["--timeout", str(timeout)]
    if cold:
        measuring.append("--cold")
    if trace is not None:
        measuring += ["--trace", str(trace)]
    reader, writer = os.pipe()
    output = log.open("wb") if log else contextlib.nullcontext(subprocess.DEVNULL)
    with output as stream, os.fdopen(reader) as report:
        process = subprocess.Popen(
            [*measuring, "--report", str(writer), "--", *command],
            stdout=stream,
            stderr=stream,
            env={**os.environ, **(environment or {})},
            pass_fds=[writer],
        )
        os.close(writer)
        cost = report.read()
        process.wait()
    if not cost:
        raise RuntimeError(f"no memory cgroup could be made here (see {log})")
    return Cost(**json.loads(cost))


class Group:
    """A memory cgroup; a context that ends with it removed."""

    def __init__(self, limit: int | None) -> None:
        self._version, root = _hierarchy()
        self.path = root / f"lockstream-{os.getpid()}"
        if self._version == 2:
            (root / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        if limit is not None:
            self._limit(limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.path / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        for _attempt in range(100):
            with contextlib.suppress(OSError):
                self.path.rmdir()
                return
            time.sleep(0.02)

    def enter(self) -> None:
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self) -> int:
        name = "memory.peak" if self._version == 2 else "memory.max_usage_in_bytes"
        return int((self.path / name).read_text())

    def charged(self) -> int:
        name = "memory.current" if self._version == 2 else "memory.usage_in_bytes"
        return int((self.path / name).read_text())

    def anonymous(self) -> int:
        return self._table("memory.stat")["anon" if self._version == 2 else "total_rss"]

    def kinds(self) -> dict[str, int]:
        """Return what is charged, as a sample of a log has it."""
        stat = self._table("memory.stat")
        held = {kind: stat.get(key, 0) for kind, key in KINDS[self._version].items()}
        if self._version == 2:
            kernel = stat.get("kernel", stat.get("slab", 0))
        else:
            kernel = int((self.path / "memory.kmem.usage_in_bytes").read_text())
        return {"usage": self.charged(), **held, "kernel": kernel}

    def processes(self) -> int:
        return len((self.path / "cgroup.procs").read_text().split())

    def limit_hits(self) -> int:
        if self._version == 2:
            return self._table("memory.events")["max"]
        return int((self.path / "memory.failcnt").read_text())

    def oom_kills(self) -> int:
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        return self._table(name)["oom_kill"]

    def _limit(self, limit: int) -> None:
        name = "memory.max" if self._version == 2 else "memory.limit_in_bytes"
        (self.path / name).write_text(str(limit))
        if self._version == 2:
            # Absent if the kernel does not account swap.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                (self.path / "memory.swap.max").write_text("0")

    def _table(self, name: str) -> dict[str, int]:
        lines = (self.path / name).read_text().splitlines()
        return {key: int(value) for key, value in (line.split() for line in lines)}


def _hierarchy() -> tuple[int, Path]:
    """The version and the root of the hierarchy that controls memory."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            return 1, Path(place)
        controllers = Path(place) / "cgroup.controllers"
        if kind == "cgroup2" and "memory" in controllers.read_text().split():
            return 2, Path(place)
    raise SystemExit("no cgroup hierarchy controls memory here")


class Record:
    """The log of one run of another program, in the format of ``schemas/run-log-1.schema.json``."""

    def __init__(self, file: TextIO, command: Sequence[str], limit: int | None) -> None:
        self._file = file
        self._start = time.monotonic()
        version = Path(__file__).parents[1] / "schemas" / "version.py"
        found = re.search(r'VERSION.*= "(.*)"', version.read_text())
        self.event(
            "run",
            format=1,
            lockstream=found[1] if found else "",
            command="other",
            program=" ".join([os.path.basename(command[0]), *command[1:]]),
            started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        if limit is not None:
            self.event("limits", found=[{"source": "the group", "available": limit, "others": 0}])

    def event(self, kind: str, **facts: object) -> None:
        at = round(time.monotonic() - self._start, 4)
        content = {"event": kind, "at": at, "process": os.getpid(), **facts}
        self._file.write(json.dumps(content, separators=(",", ":")) + "\n")
        self._file.flush()

    def sample(self, group: Group) -> None:
        held = group.kinds()
        processes = {
            "count": group.processes(), "anonymous": held["anonymous"], "mapped": 0, "shared": 0,
        }  # fmt: skip
        self.event("sample", processes=processes, group=held)

    def end(self, cost: Cost) -> None:
        failed = {} if cost.status == 0 else {"error": f"it ended with status {cost.status}"}
        self.event(
            "end",
            ok=cost.status == 0,
            status=cost.status,
            seconds=round(cost.wall, 4),
            rss_peak=cost.rss_peak,
            charged_peak=cost.charged_peak,
            **failed,
        )


def _run(
    command: list[str],
    group: Group,
    timeout: float,
    trace: TextIO | None,
    record: Record | None = None,
) -> Cost:
    start = time.monotonic()
    timed_out = False
    if (child := os.fork()) == 0:
        group.enter()
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
            os._exit(127)

    def tick(*_: object) -> None:
        nonlocal timed_out
        elapsed = time.monotonic() - start
        if trace:
            trace.write(f"{elapsed:.3f} {group.charged()} {group.anonymous()}\n")
        if record:
            record.sample(group)
        if elapsed >= timeout and not timed_out:
            timed_out = True
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, tick)
    if trace or record or timeout < math.inf:
        signal.setitimer(signal.ITIMER_REAL, INTERVAL if trace or record else timeout, INTERVAL)
    _, status, usage = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    code = os.waitstatus_to_exitcode(status)
    cost = Cost(
        status=code if code >= 0 else 128 - code,
        wall=time.monotonic() - start,
        user=usage.ru_utime,
        system=usage.ru_stime,
        rss_peak=usage.ru_maxrss * 1024,
        charged_peak=group.peak(),
        limit_hits=group.limit_hits(),
        oom_kills=group.oom_kills(),
        timed_out=timed_out,
    )
    if record:
        record.end(cost)
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description="What a command costs, in a cgroup of its own.")
    parser.add_argument("--limit", type=float, metavar="MIB")
    parser.add_argument("--timeout", type=float, default=math.inf, metavar="SECONDS")
    parser.add_argument("--cold", action="store_true", help="drop the page cache first")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write memory over time")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write a log of the run")
    parser.add_argument("--report", type=int, default=2, metavar="FD", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    limit = None if options.limit is None else int(options.limit * (1 << 20))
    tracing = options.trace.open("w") if options.trace else contextlib.nullcontext()
    recording = options.record.open("w") if options.record else contextlib.nullcontext()
    with (
        Group(limit) as group,
        os.fdopen(options.report, "w") as report,
        tracing as trace,
        recording as log,
    ):
        os.set_inheritable(options.report, False)
        record = Record(log, options.command, limit) if log else None
        cost = _run(options.command, group, options.timeout, trace, record)
        report.write(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
