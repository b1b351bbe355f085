"""Simulate many builds on machines of several sizes, by three ways to request their memory.

    python -m benchmarks.cluster [--builds 5000] [--machines 4] [--plot FILE.svg]

Each build is drawn from those that were recorded (``benchmarks/results/recorded_builds.json``), one
to each processor of a machine. Builds begin in the order in which they come, on the first machine
with memory left for their request. The ways: *guessed*, 8 GiB for each build, as many clusters are
set up; *class*, the first class, and the next one after each kill for lack of memory; *measured*,
the demand of an earlier build with its margin.

Assumptions: a build takes its demand from begin to end; the demand of one build varies as two
measurements of it differ (1 %, normally distributed); a build that takes more than its request is
killed after half its time; machines have no other work and 2 GiB of memory for each processor.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.builds.unit import MEMORY_CLASSES, next_class
from schemas.builds import foreseen

RECORDED = Path(__file__).parent / "results" / "recorded_builds.json"

GIB = 1 << 30

GUESS = 8 * GIB
"""Bytes that are requested for each build where nothing is known."""

MACHINES = {4 * GIB: 2, 16 * GIB: 8, 64 * GIB: 32}
"""Processors of a machine, by its memory in bytes."""

RESERVED = GIB // 4
"""Bytes of a machine that no build gets."""

VARIATION = 0.01
"""Standard deviation of the demand of one build, as a share."""

KILL_SHARE = 0.5
"""Share of its time after which a build that takes too much is killed."""


@dataclass(frozen=True)
class Build:
    """One build, as it will turn out to be."""

    recorded: int
    """Bytes of demand that an earlier build took."""
    demand: int
    """Bytes that this one takes."""
    seconds: float


@dataclass
class Machine:
    """What a machine has left."""

    memory: int
    processors: int


@dataclass
class Outcome:
    """What one way came to."""

    makespan: float = 0.0
    """Seconds until the last build has ended."""
    kills: int = 0
    reserved: float = 0.0
    """Bytes times seconds that were requested."""
    used: float = 0.0
    """Bytes times seconds that builds held."""
    impossible: int = 0
    """Builds whose request no machine has."""

    @property
    def waste(self) -> float:
        return 1 - self.used / self.reserved if self.reserved else 0.0


Request = Callable[[Build], int]

WAYS: dict[str, Request] = {
    "guessed": lambda _: GUESS,
    "class": lambda _: MEMORY_CLASSES[0],
    "measured": lambda build: foreseen(build.recorded),
}


def simulate(builds: Sequence[Build], request: Request, machines: Sequence[Machine]) -> Outcome:
    """Run all of ``builds`` and return what it came to."""
    outcome = Outcome()
    free = [Machine(one.memory, one.processors) for one in machines]
    most = max(machine.memory for machine in free)
    waiting = [(request(build), build) for build in reversed(builds)]
    ends: list[tuple[float, int, int, Build, int, bool]] = []
    now, number = 0.0, 0
    while waiting or ends:
        blocked = []
        while waiting:
            size, build = waiting.pop()
            if size > most:
                outcome.impossible += 1
                continue
            place = next(
                (at for at, one in enumerate(free) if one.memory >= size and one.processors), None
            )
            if place is None:
                blocked.append((size, build))
                if not any(one.processors and one.memory >= GIB // 16 for one in free):
                    break
                continue
            is_killed = build.demand > size
            seconds = build.seconds * (KILL_SHARE if is_killed else 1)
            free[place].memory -= size
            free[place].processors -= 1
            number += 1
            heapq.heappush(ends, (now + seconds, number, place, build, size, is_killed))
            outcome.reserved += size * seconds
            outcome.used += min(build.demand, size) * seconds * (not is_killed)
        waiting += reversed(blocked)
        if not ends:
            continue
        now, _, place, build, size, is_killed = heapq.heappop(ends)
        free[place].memory += size
        free[place].processors += 1
        if is_killed:
            outcome.kills += 1
            waiting.append((next_class(size) or size * 2, build))
        outcome.makespan = max(outcome.makespan, now)
    return outcome


def draw(count: int) -> list[Build]:
    recorded = json.loads(RECORDED.read_text())
    chosen = random.Random(11)  # the same builds each time
    found = []
    for _ in range(count):
        one = chosen.choice(recorded)
        demand = int(one["demand"] * chosen.gauss(1, VARIATION))
        found.append(Build(one["demand"], demand, one["seconds"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Many builds on machines of several sizes.")
    parser.add_argument("--builds", type=int, default=5000)
    parser.add_argument("--machines", type=int, default=4, help="of each size")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    options = parser.parse_args()
    builds = draw(options.builds)
    rows = []
    for memory, processors in MACHINES.items():
        machines = [Machine(memory - RESERVED, processors)] * options.machines
        for way, request in WAYS.items():
            rows.append((memory, way, simulate(builds, request, machines)))
    print("| machine | request | hours | kills | waste | impossible |")
    print("|---|---|---|---|---|---|")
    for memory, way, one in rows:
        print(
            f"| {memory // GIB} GiB | {way} | {one.makespan / 3600:.1f} | {one.kills:,} "
            f"| {one.waste:.0%} | {one.impossible:,} |"
        )
    if options.plot:
        options.plot.write_text(plot(rows))


def plot(rows: Sequence[tuple[int, str, Outcome]]) -> str:
    """Return bars of the hours, as SVG."""
    longest = max(one.makespan for _, _, one in rows) or 1.0
    style = 'font-family="sans-serif" font-size="12"'
    box = f'viewBox="0 0 640 {24 * len(rows) + 16}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {style}>',
        "<title>Hours for all builds, by machine and request</title>",
    ]
    for number, (memory, way, one) in enumerate(rows):
        top = 8 + 24 * number
        label = f"{memory // GIB} GiB, {way}"
        if one.impossible:
            label += " (impossible)"
        width = 380 * one.makespan / longest
        lines.append(f'<text x="0" y="{top + 14}">{label}</text>')
        lines.append(
            f'<rect x="180" y="{top}" width="{width:.0f}" height="18" fill="#4477aa"/>'
            f'<text x="{188 + width:.0f}" y="{top + 14}">{one.makespan / 3600:.1f} h</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    main()
