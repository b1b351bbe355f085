"""Installations onto a slow disk: an ext4 image on a loop device that writes past the page cache
of its host, so that pages that were written to cannot be reclaimed fast. Linux, as root.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.installers import TURNS
from benchmarks.peers.loop_disk import file_system, loop_device
from benchmarks.peers.runs import Bench, Run

__all__ = ["LIMIT", "slow_disk"]

LIMIT = 64 << 20
"""Bytes that each installation may be charged."""

CAPACITY = 6 << 30
"""Bytes of the image, which is sparse."""


def slow_disk(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """All installers, in turn, below the limit, each into a new file system."""
    lock = bench.mirror.lock_of(corpus, bench.work)
    with loop_device(bench.work / "disk.img", CAPACITY) as device:
        for number in range(rounds):
            for tool, options in TURNS:
                with file_system(device, bench.work / "disk") as root:
                    yield bench.install(
                        tool,
                        lock,
                        limit=LIMIT,
                        options=options,
                        traced=number == 0,
                        folder=root / "run",
                    )[0]
