"""Time and memory of lockstream, uv and pip, on real packages and at the extremes.

    python -m benchmarks.peers --corpus ci-tools --rounds 1 --limits 64,48 --only peers

installs locks from a mirror on loopback (see benchmarks/mirror.py) and writes
``benchmarks/results``: the runs as JSON, a page of tables in Markdown, and a plot as SVG. Parts
that are not measured stay as they are. Linux, as root (for cgroups, the page cache and the loop
device), with nginx and uv.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.installers import Tools, find_uv
from benchmarks.mirror import CORPORA, LARGE, RESULTS, WORK, served
from benchmarks.peers.loop_disk import loop_device
from benchmarks.peers.measurements import (
    charged,
    durable,
    extremes,
    first,
    lanes,
    no_cache,
    peers,
    secure,
    synthetic_locks,
)
from benchmarks.peers.plot import plot
from benchmarks.peers.runs import Bench, Record, Results, Run, machine
from benchmarks.peers.slow_disk import slow_disk
from benchmarks.peers.slow_network import ROUND_TRIPS, latency, narrow
from benchmarks.peers.tables import document
from benchmarks.peers.time_split import time_split

SECTIONS = (
    "peers", "durable", "first", "charged", "latency", "narrow", "secure", "time", "extremes",
    "slow-disk", "no-cache",
)  # fmt: skip
FRESH_CAPACITY = 28 << 30
"""Bytes of the image for --fresh: the trees of a corpus of gigabytes, and what stays free."""
REPEATED_ON_SLOW_DISK = 2
"""Runs per round: a rate of kills needs more of them than a time."""


def mebibytes(text: str) -> tuple[int, ...]:
    return tuple(int(number) << 20 for number in text.split(","))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare lockstream with uv and pip.")
    parser.add_argument(
        "--corpus",
        action="append",
        choices=CORPORA,
        help="repeatable (default: ci-tools, data-service, torch-cuda)",
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--limits", type=mebibytes, default="128,64,48,32", metavar="MIB,...")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="repeatable")
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="install into a new ext4 on a loop device for each subject: times vary less",
    )
    parser.add_argument("--uv", metavar="FILE")
    parser.add_argument("--render", action="store_true", help="measure nothing; write the page")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    results = Results(RESULTS / "runs.json")
    if not options.render:
        measure(options, results)
    render(results)


def render(results: Results) -> None:
    (RESULTS / "memory.svg").write_text(plot(results))
    (RESULTS / "benchmarks.md").write_text(document(results, "memory.svg"))


def measure(options: argparse.Namespace, results: Results) -> None:
    """Measure the chosen sections; each finished run is kept, whatever happens to the rest."""
    corpora = options.corpus or ["ci-tools", "data-service", "torch-cuda"]
    sections = options.only or SECTIONS
    WORK.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=WORK))
    try:
        tools = Tools.installed_below(work, options.uv or find_uv())
        with contextlib.ExitStack() as stack:
            bench = Bench(work, stack.enter_context(served(work)), tools)
            described, device = machine(tools, work), None
            if options.fresh:
                device = stack.enter_context(loop_device(work / "trees.img", FRESH_CAPACITY))
                described += " A new ext4 on a loop device for each subject."
            for section, subject, measuring in plan(bench, corpora, sections, options):
                record = Record(section, subject, described)
                with bench.on_new_disk(device) if device else contextlib.nullcontext():
                    for found in measuring():
                        if isinstance(found, str):
                            record.notes.append(found)
                        else:
                            record.runs.append(found)
                        results.keep(record)
                render(results)
    finally:
        shutil.rmtree(work)


Measuring = Callable[[], Iterator[Run] | Iterator[Run | str]]


def plan(
    bench: Bench, corpora: list[str], sections: Sequence[str], options: argparse.Namespace
) -> Iterator[tuple[str, str, Measuring]]:
    """Section and subject of each record, and what makes its runs. What removes files is last."""
    rounds, limits = options.rounds, options.limits
    small = [corpus for corpus in corpora if corpus not in LARGE]
    if "peers" in sections:
        for corpus in corpora:
            yield "peers", corpus, partial(peers, bench, corpus, rounds, limits)
    for corpus in corpora if "durable" in sections else ():
        yield "durable", corpus, partial(durable, bench, corpus, rounds)
    yield from plan_of_times(bench, corpora, sections)
    for corpus in small if "first" in sections else ():
        yield "first", corpus, partial(first, bench, corpus, rounds, limits)
    for corpus in corpora if "charged" in sections else ():
        yield "charged", corpus, partial(charged, bench, corpus, rounds)
    yield from plan_of_network(bench, small, sections, rounds)
    if "extremes" in sections:
        locks = synthetic_locks(bench)
        for name, lock in locks.items():
            yield "extremes", name, partial(extremes, bench, lock)
        locks |= {corpus: bench.mirror.lock_of(corpus, bench.work) for corpus in small}
        for name in ("packages-1000", *small):
            lock = locks[name]
            yield "lanes", name, partial(lanes, bench, lock)
    if "slow-disk" in sections:
        for corpus in small:
            repeated = REPEATED_ON_SLOW_DISK * rounds
            yield "slow-disk", corpus, partial(slow_disk, bench, corpus, repeated)
    for corpus in corpora if "no-cache" in sections else ():
        yield "no-cache", corpus, partial(no_cache, bench, corpus, rounds)


def plan_of_times(
    bench: Bench, corpora: Sequence[str], sections: Sequence[str]
) -> Iterator[tuple[str, str, Measuring]]:
    """The part of the plan that shows where time goes."""
    for corpus in corpora if "time" in sections else ():
        yield "time", corpus, partial(time_split, bench, corpus)


def plan_of_network(
    bench: Bench, corpora: Sequence[str], sections: Sequence[str], rounds: int
) -> Iterator[tuple[str, str, Measuring]]:
    """The part of the plan in which the way to the server differs."""
    for corpus, milliseconds in product(corpora if "latency" in sections else (), ROUND_TRIPS):
        subject = f"{corpus}, {milliseconds} ms"
        yield "latency", subject, partial(latency, bench, corpus, rounds, milliseconds)
    for corpus in corpora if "narrow" in sections else ():
        yield "narrow", corpus, partial(narrow, bench, corpus, rounds)
    for corpus in corpora if "secure" in sections else ():
        yield "secure", corpus, partial(secure, bench, corpus, rounds)


if __name__ == "__main__":
    main()
