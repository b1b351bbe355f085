"""Time and memory of a plan that is larger than those of most projects.

    python -m benchmarks.planning.large_plan
    python -m benchmarks.planning.large_plan --packages 100

serves generated projects on loopback, each of which requires some others, some with markers, and
every tenth has a wheel for each target; then plans all of them for three Pythons on four platforms,
cold and warm, and checks the lock. Writes a table in Markdown to stdout.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.installers import LOCKSTREAM
from benchmarks.planning.many_targets import PLATFORMS, PYTHONS
from helpers.index import Index
from helpers.wheels import Wheel, build_wheel

RELEASES = 8
"""Of each project."""
MARKERS = ("", "", "", "; sys_platform != 'win32'", "; python_version < '3.13'")
TAGS = tuple(f"cp3{python[2:]}-cp3{python[2:]}-{tag}" for python in PYTHONS for tag in PLATFORMS)


def name_of(number: int) -> str:
    return f"project-{number:03d}"


def wheels(packages: int) -> Iterator[Wheel]:
    chance = random.Random(packages)  # the same each time
    for number in range(packages):
        for release in range(RELEASES):
            asked = chance.sample(range(number), min(number, 4))
            requires = [f"{name_of(one)}>=1.0{chance.choice(MARKERS)}" for one in asked]
            for tag in TAGS if number % 10 == 0 else ("py3-none-any",):
                yield build_wheel(name_of(number), f"1.{release}", requires=requires, tag=tag)


def run(command: Sequence[str | Path], cache: Path) -> str:
    """Wall and CPU seconds and the peak of memory, as cells of a table."""
    environment = {**os.environ, "LOCKSTREAM_CACHE_DIR": str(cache)}
    started = time.monotonic()
    child = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[1]} ended with {child.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return f"{wall:.1f} | {cpu:.1f} | {usage.ru_maxrss >> 10}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of a large plan.")
    parser.add_argument("--packages", type=int, default=600, metavar="N")
    packages = parser.parse_args().packages
    with tempfile.TemporaryDirectory(prefix="large-") as work, Index(metadata=True) as index:
        index.add(*wheels(packages))
        requirements, lock, cache = (Path(work, one) for one in ("in.txt", "pylock.toml", "cache"))
        requirements.write_text("".join(f"{name_of(one)}\n" for one in range(packages)))
        targets = [word for python in PYTHONS for word in ("--python-version", python)]
        targets += (word for platform in PLATFORMS for word in ("--platform", platform))
        plan: list[str | Path] = [
            LOCKSTREAM, "plan", "-q", "-r", requirements, "-o", lock, "-i", index.url, *targets,
        ]  # fmt: skip
        print(f"| {packages} packages, {len(TAGS)} targets | wall s | CPU s | peak RSS MiB |")
        print("|---|---|---|---|")
        print(f"| plan, cold | {run(plan, cache)} |")
        lock.unlink()
        print(f"| plan, warm | {run(plan, cache)} |")
        print(f"| plan, nothing changed | {run(plan, cache)} |")
        print(f"| check | {run([LOCKSTREAM, 'check', '-q', lock], cache)} |")
        print(f"\n{lock.stat().st_size >> 10} KiB, {len(index.asked)} requests.")


if __name__ == "__main__":
    main()
