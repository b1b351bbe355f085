"""The sections of the benchmark: each is a function that yields the runs on one subject."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import certifi

from benchmarks.installers import TURNS, UV_AND_SYNC, Command
from benchmarks.mirror import LARGE
from benchmarks.peers.runs import Bench, Run
from benchmarks.tree_comparison import compare_trees, first_of

__all__ = [
    "charged",
    "durable",
    "extremes",
    "first",
    "in_turn",
    "lanes",
    "no_cache",
    "peers",
    "secure",
    "synthetic_locks",
]

MEMORY = ("--memory", "64MiB")
LANES = (1, 2, 4)
WITHOUT_CACHE = (None, 128 << 20)
"""The limits (bytes) at which uv is measured without a cache."""


def peers(bench: Bench, corpus: str, rounds: int, limits: Sequence[int]) -> Iterator[Run]:
    """All installers, in turn, without a limit and below each of ``limits`` (bytes). A large
    corpus gets one round, and what was not done in time is not tried again.
    """
    lock = bench.mirror.lock_of(corpus, bench.work)
    if corpus in LARGE:
        # Not counted: what keeps the disk of a virtual machine reads these wheels again.
        bench.install("lockstream", lock)
    hopeless = set()
    for number in range(1 if corpus in LARGE else rounds):
        for limit in (None, *limits):
            for tool, options in TURNS:
                if (tool, limit) in hopeless:
                    continue
                done, _ = bench.install(
                    tool, lock, limit=limit, options=options, traced=number == 0
                )
                if done.cost.timed_out:
                    hopeless.add((tool, limit))
                yield done
        yield bench.install("lockstream", lock, make=False)[0]


def first(bench: Bench, corpus: str, rounds: int, limits: Sequence[int]) -> Iterator[Run]:
    """Yield runs of lockstream while no other process has its pages in memory, and of uv at the
    limits at which it completes then."""
    lock = bench.mirror.lock_of(corpus, bench.work)
    alone = bench.alone()
    for _ in range(rounds):
        for limit in (None, *limits):
            yield alone.install("lockstream", lock, limit=limit)[0]
        for limit in (None, max(limits)):
            yield alone.install("uv", lock, limit=limit)[0]


def durable(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """lockstream by default and uv, in turn, each until its files are on the disk."""
    lock = bench.mirror.lock_of(corpus, bench.work)
    for _, tool in product(range(1 if corpus in LARGE else rounds), ("lockstream", UV_AND_SYNC)):
        yield bench.install(tool, lock)[0]


def no_cache(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """Yield runs of lockstream, then of uv with a cache that it makes and removes. That makes the
    next run slower: the file system looks through the numbers of all inodes that were freed.
    """
    lock = bench.mirror.lock_of(corpus, bench.work)
    for limit, _ in product(WITHOUT_CACHE, range(1 if corpus in LARGE else rounds)):
        # Not counted: it pays for the removal before it, and the run after it is as fast as ever.
        bench.install("lockstream", lock, limit=limit)
        for tool, options in (TURNS[0], TURNS[-1], ("uv", ("--no-cache",))):
            yield bench.install(tool, lock, limit=limit, options=options)[0]


def secure(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """All installers, in turn, without a limit, over TLS. They read the authorities of this machine
    too, as they would for an index.
    """
    bundle = bench.work / "authorities.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + bench.mirror.certificate.read_bytes())
    folder = bench.work / "secure"
    folder.mkdir(exist_ok=True)
    lock = bench.mirror.secure().lock_of(corpus, folder)
    with bench.with_variables({"SSL_CERT_FILE": str(bundle), "PIP_CERT": str(bundle)}):
        yield from in_turn(bench, lock, rounds)


def in_turn(bench: Bench, lock: Path, rounds: int) -> Iterator[Run]:
    """All installers on one lock, in turn, without a limit."""
    for _ in range(rounds):
        for tool, options in TURNS:
            yield bench.install(tool, lock, options=options)[0]


def charged(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """Yield runs of lockstream without a limit that makes the kernel reclaim pages."""
    lock = bench.mirror.lock_of(corpus, bench.work)
    for number in range(1 if corpus in LARGE else rounds):
        for options in ((), MEMORY, (*MEMORY, "--page-cache", "keep")):
            yield bench.install("lockstream", lock, options=options, traced=number == 0)[0]


def synthetic_locks(bench: Bench) -> dict[str, Path]:
    """Locks of the synthetic wheels, which are made the first time, by the name of the series."""
    root = bench.mirror.root / "synthetic"
    making: Command = [sys.executable, "-m", "benchmarks.peers.synthetic_wheels", root]
    subprocess.run(making, check=True)
    return {
        planned.parent.name: bench.mirror.relocated(planned, bench.work)
        for planned in sorted(root.glob("*/pylock.*.toml"))
    }


def extremes(bench: Bench, lock: Path) -> Iterator[Run]:
    """All installers on one synthetic lock, once: peaks vary little."""
    yield from in_turn(bench, lock, 1)


def lanes(bench: Bench, lock: Path) -> Iterator[Run | str]:
    """lockstream with fewer and more lanes; then how the trees differ, line by line."""
    trees: list[Path] = []
    parent = bench.work / f"lanes-{lock.stem}"
    for count in LANES:
        # Scripts hold the path of their environment, so each tree is made at the same one.
        options = ["--lanes", str(count)]
        done, made = bench.install("lockstream", lock, options=options, folder=parent / "made")
        yield done
        trees.append(made.rename(parent / str(count)) / "env")
    for tree, count in zip(trees[1:], LANES[1:], strict=True):
        differing, summary = compare_trees(trees[0], tree)
        yield f"{LANES[0]} and {count} lanes: {summary}."
        yield from first_of(differing)
