"""Installations onto a slow disk: an ext4 image on a loop device that writes past the page cache
of its host, so that pages that were written to cannot be reclaimed fast. Linux, as root.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.installers import TURNS
from benchmarks.peers.runs import Bench, Run

__all__ = ["LIMIT", "slow_disk"]

LIMIT = 64 << 20
"""Bytes that each installation may be charged."""

CAPACITY = 6 << 30
"""Bytes of the image, which is sparse."""

# Without the lazy work that the kernel would do in the background, while something is measured.
FORMAT = ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0")


def slow_disk(bench: Bench, corpus: str, rounds: int) -> Iterator[Run]:
    """All installers, in turn, below the limit, each into a new file system."""
    lock = bench.mirror.lock_of(corpus, bench.work)
    with loop_device(bench.work / "disk.img") as device:
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


@contextlib.contextmanager
def loop_device(image: Path) -> Iterator[str]:
    with image.open("wb") as file:
        file.truncate(CAPACITY)
    try:
        device = command("losetup", "--direct-io=on", "--find", "--show", image).strip()
        try:
            yield device
        finally:
            command("losetup", "--detach", device)
    finally:
        image.unlink()


@contextlib.contextmanager
def file_system(device: str, root: Path) -> Iterator[Path]:
    """A new file system on ``device``, mounted on ``root``."""
    command(*FORMAT, device)
    root.mkdir(exist_ok=True)
    command("mount", device, root)
    try:
        yield root
    finally:
        command("umount", root)


def command(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout
