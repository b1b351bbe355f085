"""Kill, fail and power off executions at every system call that changes something.

    python -m stress.soak [kills] [errors] [disks] [power] [pairs] [grounds] [users] [copies]
        [--scenarios upgrade,remove]

A scenario of tests/helpers/scenarios.py is run once under strace, to list every call that touches
the environment, its staging or its journal; then once more for each of them, with SIGKILL in its
place (kills) or an error code as its result (errors). ``disks`` uses file systems that are too
small, ``power`` shuts loop-mounted ones down, ``pairs`` starts two executions at once, ``grounds``
kills and fails executions in environments with links, volumes and lower layers, ``users`` lets
another user and then root continue, ``copies`` finishes copies of what was killed. invariants.py
says what must hold after each. Linux, as root, with strace and mkfs.ext4 (and mkfs.xfs, if it is
installed).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from executor.budget.budget import SMALLEST_WINDOW, Budget, decide_budget
from helpers.environments import environment_below
from helpers.faults import count_changes, killed_at
from helpers.mounts import mounted_tmpfs
from helpers.power import Disk, can_lose_power
from helpers.scenarios import SCENARIOS, Scenario
from helpers.trees import differences, snapshot
from helpers.users import NOBODY, OTHER, done_as
from schemas.errors import ExitCode
from stress.grounds import GROUNDS, PLAIN, Ground
from stress.injected_faults import (
    Point,
    can_inject,
    points_of,
    run_at_once,
    run_in_fork,
    run_with_fault,
)
from stress.invariants import Stage, broken_by_error, broken_invariants

KINDS = ("kills", "errors", "disks", "power", "pairs", "grounds", "users", "copies")

ERRORS = {
    "EAGAIN": ("io_submit",),
    "ENOSPC": ("openat", "mkdir", "mkdirat", "write", "pwrite64", "rename", "fsync", "syncfs"),
    "EDQUOT": ("openat", "mkdir", "mkdirat", "write", "pwrite64", "syncfs"),
    "EIO": (
        "write", "pwrite64", "fsync", "rename", "unlink", "unlinkat", "rmdir", "openat", "syncfs",
        "close", "mkdir", "io_submit", "fdatasync",
    ),
    "EROFS": ("openat", "mkdir", "mkdirat", "rename", "unlink", "unlinkat", "chmod"),
    "EACCES": ("openat", "mkdir", "mkdirat", "rename", "unlink", "unlinkat", "chmod", "rmdir"),
    "EMFILE": ("openat",),
    "EXDEV": ("rename",),
    "EBUSY": ("rename", "unlinkat", "rmdir"),
    "EPERM": ("rename", "unlinkat"),
    "EINTR": ("openat", "write", "pwrite64", "fsync", "close"),
}  # fmt: skip
"""Error codes, and the calls that fail with each."""

EVERY_ERROR = 4
"""Each code is injected at one of so many of its points, starting at another point for each
code."""

BYTES = 4 << 10
"""By which a file system that is too small grows from try to try; or by one inode."""

LARGE = "size=64m,nr_inodes=100000"
"""Enough for any scenario."""

SHOWN = 10
"""Broken invariants of a family that are printed; all are in the report."""


@dataclass(slots=True)
class Tally:
    """The counts over all points of a family."""

    name: str
    shall_break: bool = False
    """Whether the family leaves out what it takes to hold, so that it must break."""
    points: int = 0
    struck: int = 0
    """Points at which an execution ended early, failed or refused to start."""
    broken: list[str] = field(default_factory=list)
    """The invariants that did not hold, each with its point."""
    seconds: float = 0.0

    def add(self, point: str, broken: Iterable[str], *, is_struck: bool) -> None:
        """Count a point and the invariants that were ``broken`` at it."""
        self.points += 1
        self.struck += is_struck
        self.broken += (f"{point}: {claim}" for claim in broken)

    @property
    def is_good(self) -> bool:
        return bool(self.points) and bool(self.broken) == self.shall_break


@dataclass(frozen=True, slots=True)
class Family:
    """Points of one kind on one stage."""

    name: str
    strike: Callable[[Stage, Tally], None]
    scenario: Scenario
    options: dict[str, Any]
    """Of ``execute``."""
    ground: Ground = PLAIN
    shall_break: bool = False
    is_tight: bool = False
    """Whether it runs as in the smallest budget, in which small files are written in batches."""


def kills(every: int, stage: Stage, tally: Tally) -> None:
    """Kill the execution at its points."""
    for point in _points(stage)[::every]:
        stage.reset()
        end = run_with_fault(stage.run, point, "signal=KILL")
        broken = [] if end.status in {0, -9} else [f"ended with {end}"]
        broken += broken_invariants(stage, stage.environment)
        tally.add(str(point), broken, is_struck=end.status == -9)


def errors(every: int, stage: Stage, tally: Tally) -> None:
    """Let some points of the execution fail, with each code."""
    points = _points(stage)
    for number, (code, calls) in enumerate(ERRORS.items()):
        chosen = [point for point in points if point.call in calls]
        for point in chosen[number % every :: every]:
            stage.reset()
            end = run_with_fault(stage.run, point, f"error={code}")
            broken = [*broken_by_error(stage, stage.environment, end)]
            is_busy = code == "EBUSY" and point.call != "rename"
            broken += broken_invariants(stage, stage.environment, leaves_folders=is_busy)
            tally.add(f"{code} at {point}: {end.message}", broken, is_struck=end.status != 0)


def _points(stage: Stage) -> list[Point]:
    """Return the calls of a stage, after a run that ended early has imported its modules: a module
    that this process has imported is not opened by its forks any more.
    """
    run_with_fault(stage.run, Point("rename", 1), "signal=KILL")
    list(broken_invariants(stage, stage.environment))
    stage.reset()
    return points_of(stage.run, stage.root)


def disks(place: Path, stage: Stage, tally: Tally) -> None:
    """Use file systems of every size, from that of the environment to one that is large enough."""
    for unit, step in (("size", BYTES), ("nr_inodes", 1)):
        for room in count(step, step):
            with mounted_tmpfs(place, LARGE) as resize:
                environment = stage.scenario.prepare(stage.locks, place / "environment")
                found = os.statvfs(place)
                used = {
                    "size": (found.f_blocks - found.f_bfree) * found.f_frsize,
                    "nr_inodes": found.f_files - found.f_ffree,
                }
                resize(f"{unit}={used[unit] + room}")
                # Otherwise it would refuse all of them before anything is written.
                with patch("executor.install.install.check_disk"):
                    end = run_in_fork(partial(stage.run, environment))
                resize(LARGE)
                broken = [*broken_by_error(stage, environment, end)]
                broken += broken_invariants(stage, environment)
            tally.add(f"{unit} + {room}: {end.message}", broken, is_struck=end.status != 0)
            if end.status == 0:
                break


def power(work: Path, system: str, cuts: int, stage: Stage, tally: Tally) -> None:
    """Cut the power at ``cuts`` moments, of a busy and a quiet disk in turn."""
    changes = count_changes(stage.run)
    disk = Disk(work / "image", work / "disk", system)
    disk.place.mkdir()
    for turn in range(cuts):
        number = changes * turn // cuts
        with disk.mounted():
            environment = stage.scenario.prepare(stage.locks, disk.place / "environment")
            os.sync()
            run = partial(stage.run, environment)
            is_cut = disk.lose_power_at(number, run, busy=turn % 2 == 0)
        with disk.mounted():
            broken = list(broken_invariants(stage, environment, keeps_staged=False))
        tally.add(f"before change {number}", broken, is_struck=is_cut)
        disk.image.unlink()
    disk.place.rmdir()


def pairs(number: int, stage: Stage, tally: Tally) -> None:
    """Start two executions at once; one of them may refuse to start."""
    for turn in range(number):
        stage.reset()
        ends = run_at_once(stage.run, stage.run)
        statuses = sorted(end.status for end in ends)
        broken = [] if statuses in ([0, 0], [0, 1]) else [str(ends)]
        if (found := snapshot(stage.root)) != stage.after:
            broken += differences(stage.after, found)[:3]
        tally.add(f"turn {turn}", broken, is_struck=statuses == [0, 1])


def users(every: int, stage: Stage, tally: Tally) -> None:
    """Kill it as one user; let another user try, then root finish."""
    stage.reset()
    for number in range(0, count_changes(stage.run), every):
        stage.reset()
        _give(stage.root, NOBODY)
        killed = done_as(NOBODY, partial(killed_at, number, stage.run))
        broken = [f"ended with {killed}"] if killed.status else []
        other = done_as(OTHER, stage.run)
        if other.status not in {ExitCode.DONE, ExitCode.REFUSED, ExitCode.NOT_PERMITTED}:
            broken.append(f"another user ended with {other}")
        broken += broken_invariants(stage, stage.environment)
        tally.add(f"before change {number}", broken, is_struck=True)


def copies(every: int, stage: Stage, tally: Tally) -> None:
    """Kill it, and finish a copy of the environment, then the environment."""
    copied = stage.root.with_name("copied")
    stage.reset()
    for number in range(0, count_changes(stage.run), every):
        stage.reset()
        is_struck = killed_at(number, stage.run)
        shutil.copytree(stage.root, copied, symlinks=True)
        before = snapshot(stage.root)
        copy = environment_below(copied)
        broken = []
        stage.run(copy)
        if (found := snapshot(copied)) != stage.after:
            broken += [f"the copy is another: {differences(stage.after, found)[:3]}"]
        if (found := snapshot(stage.root)) != before:
            broken += [f"the original was touched: {differences(before, found)[:3]}"]
        broken += broken_invariants(stage, stage.environment)
        shutil.rmtree(copied)
        tally.add(f"before change {number}", broken, is_struck=is_struck)


def _give(folder: Path, user: int) -> None:
    for place, _, files in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in files)):
            os.chown(path, user, user, follow_symlinks=False)


def _of_others(options: argparse.Namespace, scenario: Scenario) -> Iterator[Family]:
    """Yield the families of other users, copies and grounds."""
    few, some, many = (1, 1, EVERY_ERROR) if options.dense else (3, 4, 2 * EVERY_ERROR)
    full: dict[str, Any] = {"durability": "full"}
    name = scenario.name
    for ground in GROUNDS if "grounds" in options.kinds and scenario.old else ():
        strike = partial(kills, some * options.every)
        yield Family(f"grounds: {ground.name}, kills, {name}", strike, scenario, full, ground)
        strike = partial(errors, many * options.every)
        yield Family(f"grounds: {ground.name}, errors, {name}", strike, scenario, full, ground)
    ways: list[tuple[str, dict[str, Any], bool]] = [(name, {}, False)]
    if options.dense:
        ways += [(f"{name}, synced", full, False), (f"{name}, tight", full, True)]
    for way, given, is_tight in ways:
        for kind, strikes in (("users", users), ("copies", copies)):
            if kind in options.kinds:
                strike = partial(strikes, few * options.every)
                yield Family(f"{kind}: {way}", strike, scenario, given, is_tight=is_tight)


def families(options: argparse.Namespace, work: Path) -> Iterator[Family]:
    """Yield the families of the kinds that the user chose."""
    full: dict[str, Any] = {"durability": "full"}
    chosen = [scenario for scenario in SCENARIOS if scenario.name in options.scenarios]
    fresh = [scenario for scenario in chosen if not scenario.replay]
    for scenario in chosen:
        name = scenario.name
        if "kills" in options.kinds:
            strike = partial(kills, options.every)
            yield Family(f"kills: {name}", strike, scenario, full)
            yield Family(f"kills: {name}, tight", strike, scenario, full, is_tight=True)
        if "kills" in options.kinds and len(scenario.new) > 1:
            # The other lanes continue for a moment, and take the files in an order of their own.
            strike = partial(kills, 3 * options.every)
            yield Family(f"kills: {name}, 3 lanes", strike, scenario, {"lanes": 3})
        if "errors" in options.kinds:
            strike = partial(errors, EVERY_ERROR * options.every)
            yield Family(f"errors: {name}", strike, scenario, full)
            yield Family(f"errors: {name}, tight", strike, scenario, full, is_tight=True)
        if "pairs" in options.kinds:
            strike = partial(pairs, options.pairs)
            yield Family(f"pairs: {name}", strike, scenario, {"lanes": 2})
    for scenario in fresh:
        name = scenario.name
        if "disks" in options.kinds:
            yield Family(f"disks: {name}", partial(disks, work / "small"), scenario, {})
    for system in ("ext4", "xfs"):
        for scenario in fresh if "power" in options.kinds and can_lose_power(system) else []:
            name = f"power: {scenario.name}, {system}"
            strike = partial(power, work, system, -(-options.cuts // len(fresh)))
            yield Family(name, strike, scenario, full)
    for scenario in fresh:
        yield from _of_others(options, scenario)
    if "power" in options.kinds and fresh:
        strike = partial(power, work, "ext4", 20)
        yield Family("power: many, without fsync", strike, fresh[-1], {}, shall_break=True)


def _tight(*arguments: Any, **options: Any) -> Budget:
    """Return the decided budget with the smallest window. A control group that enforces it would
    not be removed after a kill.
    """
    return replace(decide_budget(*arguments, **options), window=SMALLEST_WINDOW, has_batches=True)


def soaked(family: Family, work: Path) -> Tally:
    """Run one family, print its tally, and return it."""
    tally = Tally(family.name, family.shall_break)
    started = time.monotonic()
    with (
        patch(
            "executor.install.install.decide_budget", _tight if family.is_tight else decide_budget
        ),
        Stage(family.scenario, work, family.ground, **family.options) as stage,
    ):
        family.strike(stage, tally)
    tally.seconds = round(time.monotonic() - started, 1)
    print(
        f"{tally.name:28} {tally.points:5} points {tally.struck:5} struck "
        f"{len(tally.broken):4} broken {tally.seconds:7.1f} s",
        flush=True,
    )
    for text in tally.broken[: 0 if tally.shall_break else SHOWN]:
        print(f"    {text}", flush=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill, fail and power off executions.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (all)")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument(
        "--scenarios",
        type=lambda text: text.split(","),
        default=names,
        metavar="NAME,...",
        help=f"of {', '.join(names)} (all)",
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one point of N")
    parser.add_argument(
        "--dense",
        action="store_true",
        help="users, copies and grounds at every point, users and copies in three ways",
    )
    parser.add_argument("--cuts", type=int, default=200, help="of power, on each file system")
    parser.add_argument("--pairs", type=int, default=20, help="for each scenario")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write all of it as JSON")
    options = parser.parse_args()
    options.kinds = options.kinds or list(KINDS)
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown kind: {', '.join(sorted(unknown))}")
    if unknown := set(options.scenarios) - set(names):
        parser.error(f"unknown scenario: {', '.join(sorted(unknown))}")
    if {"kills", "errors", "grounds"} & set(options.kinds) and not can_inject():
        parser.error(
            "kills, errors and grounds need strace, and root or a kernel.yama.ptrace_scope of 0"
        )
    if {"power", "disks"} & set(options.kinds) and not can_lose_power():
        parser.error("power and disks need root, loop devices and mkfs.ext4")
    work = Path(tempfile.mkdtemp(prefix="soak-"))
    # Other users work in it.
    work.chmod(0o755)
    try:
        for scenario in SCENARIOS:
            scenario.write(work / "locks")
        tallies = [soaked(family, work) for family in families(options, work)]
    finally:
        shutil.rmtree(work)
    grounds = [f"grounds: {ground.name}" for ground in GROUNDS]
    for kind in (
        kind for one in options.kinds for kind in (grounds if one == "grounds" else [one])
    ):
        chosen = [tally for tally in tallies if tally.name.startswith(kind)]
        points = sum(tally.points for tally in chosen)
        print(f"{kind}: {points} points, {sum(not tally.is_good for tally in chosen)} bad families")
    if options.report:
        options.report.write_text(json.dumps([asdict(tally) for tally in tallies], indent=2))
    return 0 if all(tally.is_good for tally in tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
