"""Wheels at the extremes, and locks that list them by path.

    python -m benchmarks.peers.synthetic_wheels FOLDER

writes each series into a folder of its own: ``packages-N`` (N wheels of ten small files),
``size-N`` (a wheel with one file of N MiB, a quarter of it as a wheel), ``members-N`` (a wheel of N
files). A program of its own, for it builds wheels in memory and then ends.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from helpers.wheels import Wheel, build_wheel, lock_of

PACKAGES = (10, 100, 1000)
SIZES = (1, 32, 256, 2048)
"""MiB of the largest member."""
MEMBERS = (100_000,)

BLOCK = 8 << 10
"""Random bytes, four times in a row: deflate makes a quarter of it, as of a usual library."""

ZIP64 = 1 << 16
"""From so many members on an archive needs the wider records."""


def contents(size: int) -> bytes:
    source = random.Random(size)  # the same bytes each time
    return b"".join(4 * source.randbytes(BLOCK) for _ in range(size // (4 * BLOCK)))


def packages(count: int) -> Iterator[Wheel]:
    for number in range(count):
        name = f"many_{number:04d}"
        files = {f"{name}/module_{index}.py": f"value = {index}\n" * 40 for index in range(10)}
        yield build_wheel(name, files={f"{name}/__init__.py": "", **files})


def largest(mebibytes: int) -> Iterator[Wheel]:
    yield build_wheel(
        "large", files={"large/__init__.py": "", "large/data": contents(mebibytes << 20)}
    )


def members(count: int) -> Iterator[Wheel]:
    files = {
        f"full/d{number // 500:04d}/f{number:06d}.py": f"n = {number}\n" for number in range(count)
    }
    yield build_wheel("full", files=files, zip64=count >= ZIP64)


def main() -> None:
    series = {
        **{f"packages-{count}": packages(count) for count in PACKAGES},
        **{f"size-{size}": largest(size) for size in SIZES},
        **{f"members-{count}": members(count) for count in MEMBERS},
    }
    for name, wheels in series.items():
        folder = Path(sys.argv[1]) / name
        lock = folder / f"pylock.{name}.toml"
        if not lock.exists():
            folder.mkdir(parents=True, exist_ok=True)
            kept = list(wheels)
            for wheel in kept:
                wheel.write(folder)
            lock.write_text(lock_of(kept, hints=True))


if __name__ == "__main__":
    main()
