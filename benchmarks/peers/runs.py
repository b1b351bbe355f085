"""Runs of installers: made in fresh folders, kept as records.

ext4 without a journal creates files more slowly for a while after many were removed, so trees stay
until the end; if the disk gets full they are removed, and the next run waits. On a new file system
for each subject, nothing was removed before.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.cgroup import Cost, measure
from benchmarks.installers import (
    PATIENCE,
    Command,
    Tools,
    install_command,
    make_environment,
    run,
    versions,
)
from benchmarks.mirror import Mirror
from benchmarks.peers.loop_disk import file_system
from benchmarks.peers.shared_pages import in_memory

__all__ = ["Bench", "Record", "Results", "Run", "Sample", "machine"]

RESERVE = 14 << 30
"""Bytes that stay free on the disk: more than the largest installation and its temporary files."""

SETTLING = 300
"""Seconds after the removal of many files until the file system is as fast as before: ext4 without
a journal does not use the number of an inode again sooner, and looks for another one
(fs/ext4/ialloc.c, recently_deleted).
"""

KEPT_SAMPLES = 200
"""Of a trace: as many as a plot can show."""

Sample = tuple[float, int, int]
"""Seconds since the start, bytes charged, bytes of anonymous memory."""


@dataclass(frozen=True)
class Run:
    """One installation and its cost."""

    tool: str
    """With the options that make a difference, if any."""
    limit: int | None
    """Bytes."""
    cost: Cost
    trace: Sequence[Sample] = ()

    @property
    def completed(self) -> bool:
        return self.cost.status == 0 and not self.cost.timed_out


@dataclass
class Record:
    """All runs of one section on one subject, such as a corpus."""

    section: str
    subject: str
    machine: str
    runs: list[Run] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Results:
    """The records that are kept in a file; a new one replaces, in that of the same section and
    subject, the runs below the same limits, so that a long benchmark can be run in parts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        kept = json.loads(path.read_text()) if path.exists() else []
        self.records = [_record(table) for table in kept]

    def keep(self, record: Record) -> None:
        same = (record.section, record.subject)
        others = [kept for kept in self.records if (kept.section, kept.subject) != same]
        measured = {run.limit for run in record.runs}
        for kept in self.records:
            if (kept.section, kept.subject) == same:
                earlier = [run for run in kept.runs if run.limit not in measured]
                record = replace(record, runs=[*earlier, *record.runs])
        self.records = [*others, record]
        lines = (json.dumps(asdict(kept)) for kept in self.records)
        self._path.write_text("[\n" + ",\n".join(lines) + "\n]\n")

    def of(self, section: str) -> list[Record]:
        """The records of a section, by subject; numbers in subjects count as numbers."""
        kept = (record for record in self.records if record.section == section)
        return sorted(kept, key=lambda record: _natural(record.subject))


class Bench:
    """What runs share: the mirror, the tools, and the folder that they work in."""

    def __init__(self, work: Path, mirror: Mirror, tools: Tools, *, is_first: bool = False) -> None:
        """Unless it ``is_first``, somebody else has the programs of all tools in memory."""
        self.work = work
        self.mirror = mirror
        self._tools = tools
        self._held = [] if is_first else in_memory(tools.programs())
        self._trees = work / "trees"
        self._has_journal = False
        self._count = 0
        self._alone: Bench | None = None

    def alone(self) -> Bench:
        """Return the same bench with programs of which no other process has a page in memory."""
        folder = self.work / "alone"
        if self._alone is None:
            folder.mkdir()
            tools = Tools.installed_below(folder, self._tools.uv, is_first=True)
            self._alone = Bench(folder, self.mirror, tools, is_first=True)
        return self._alone

    @contextmanager
    def on_new_disk(self, device: str) -> Iterator[None]:
        """Install into a new file system on ``device``, until the body ends."""
        before = self._trees
        with file_system(device, self.work / "disk-of-trees") as root:
            self._trees, self._has_journal = root / "trees", True
            try:
                yield
            finally:
                self._trees, self._has_journal = before, False

    @contextmanager
    def with_variables(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Give the tools more variables in their environment, until the body ends."""
        before = self._tools
        self._tools = replace(before, variables={**before.variables, **variables})
        try:
            yield
        finally:
            self._tools = before

    def install(
        self,
        tool: str,
        lock: Path,
        *,
        limit: int | None = None,
        options: Iterable[str] = (),
        before: Command = (),
        make: bool = True,
        traced: bool = False,
        folder: Path | None = None,
    ) -> tuple[Run, Path]:
        """Install ``lock`` with ``tool`` and more ``options`` of it, from a cold page cache, into
        an environment in a fresh folder; the run and that folder. Without ``make`` the tool has
        to make the environment. ``before`` is what runs the tool.
        """
        options = tuple(options)
        name = " ".join([tool, *options]) + ("" if make else ", making the environment")
        return self.run(
            name,
            lock.name,
            lambda environment: [
                *before, *install_command(tool, environment, lock, self._tools), *options
            ],
            limit=limit,
            make=make,
            traced=traced,
            folder=folder,
        )  # fmt: skip

    def run(
        self,
        name: str,
        subject: str,
        command: Callable[[Path], Command],
        *,
        limit: int | None = None,
        make: bool = True,
        traced: bool = False,
        folder: Path | None = None,
    ) -> tuple[Run, Path]:
        """Run what ``command`` returns for an environment, as ``install`` does; the run, which is
        called ``name``, and the folder of the environment.
        """
        self._count += 1
        if folder is None:
            self._make_room()
            folder = self._trees / f"{self._count:04d}"
        environment, log, trace = folder / "env", folder / "log", folder / "trace"
        (folder / "tmp").mkdir(parents=True)
        if make:
            make_environment(environment)
        cost = measure(
            command(environment),
            limit=limit,
            cold=True,
            timeout=PATIENCE,
            environment={**self._tools.variables, "TMPDIR": str(folder / "tmp")},
            log=log,
            trace=trace if traced else None,
        )
        done = Run(name, limit, cost, _samples(trace) if traced else ())
        _tell(self._count, done, subject, log)
        return done, folder

    def _make_room(self) -> None:
        disk = self._trees.parent
        if self._trees.exists() and shutil.disk_usage(disk).free < RESERVE:
            print("removing the trees so far", file=sys.stderr, flush=True)
            shutil.rmtree(self._trees)
            os.sync()
            if not self._has_journal:
                time.sleep(SETTLING)
        if shutil.disk_usage(disk).free < RESERVE:
            raise SystemExit(f"less than {RESERVE >> 30} GiB are free on the disk of {disk}")


def machine(tools: Tools, work: Path) -> str:
    """Return the machine and the versions of the tools, as one sentence."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    cgroups = 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1
    commit = run(
        "git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"
    ).stdout.strip()
    return (
        f"{processor[1] if processor else platform.machine()}, {os.cpu_count()} CPUs, "
        f"{int(memory[1]) >> 20 if memory else '?'} GiB, Linux {platform.release()}, "
        f"{run('findmnt', '-no', 'FSTYPE', '-T', work).stdout.strip()}, cgroup v{cgroups}, "
        f"Python {platform.python_version()}, {versions(tools)} (commit {commit}), "
        f"{time.strftime('%Y-%m-%d')}."
    )


def _natural(subject: str) -> list[tuple[str, int]]:
    parts = re.findall(r"(\D*)(\d*)", subject)
    return [(text, int(number or 0)) for text, number in parts]


def _samples(trace: Path) -> list[Sample]:
    rows = [line.split() for line in trace.read_text().splitlines()]
    step = max(1, -(-len(rows) // KEPT_SAMPLES))
    return [(float(at), int(charged), int(anonymous)) for at, charged, anonymous in rows[::step]]


def _tell(number: int, done: Run, subject: str, log: Path) -> None:
    cost = done.cost
    limit = f"in {done.limit >> 20} MiB" if done.limit else "without a limit"
    end = "not in time" if cost.timed_out else f"status {cost.status}, {cost.oom_kills} OOM kills"
    print(
        f"{number:4d} {subject} {done.tool} {limit}: {cost.wall:.1f} s, {end}, "
        f"RSS {cost.rss_peak >> 20} MiB, charged {cost.charged_peak >> 20} MiB",
        file=sys.stderr,
        flush=True,
    )
    if not (done.completed or cost.timed_out or cost.oom_kills):
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr, flush=True)


def _record(table: dict[str, Any]) -> Record:
    runs = [
        Run(
            each["tool"],
            each["limit"],
            Cost(**each["cost"]),
            [(at, charged, anonymous) for at, charged, anonymous in each["trace"]],
        )
        for each in table["runs"]
    ]
    return Record(table["section"], table["subject"], table["machine"], runs, table["notes"])
