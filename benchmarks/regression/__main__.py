"""Compare the commit that is checked out with an earlier one: calls, instructions, processor time.

    python -m benchmarks.regression [--before REVISION] [--pairs N]

installs both as wheels, and executes locks of many small and of large files with them in turn, from
local folders. Exit status 1 if calls or instructions rise by 5 %.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers.synthetic_wheels import largest, members, packages
from benchmarks.regression.comparison import Version, compare
from helpers.wheels import lock_of

PROJECT = Path(__file__).parents[2]


def exported(revision: str, folder: Path) -> Path:
    """The source tree of a commit, below ``folder``."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", revision], cwd=PROJECT, capture_output=True, check=True
    )
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive.stdout, check=True)
    return folder


def last_release() -> str:
    """The newest tag that is an ancestor; else the commit before."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "HEAD^"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "HEAD^"


def locks_below(folder: Path) -> list[Path]:
    """Locks of local wheels: many packages, one of many files, one large file."""
    series = {"packages": packages(100), "members": members(3000), "size": largest(32)}
    locks = []
    for name, wheels in series.items():
        kept = list(wheels)
        (folder / name).mkdir(parents=True)
        for wheel in kept:
            wheel.write(folder / name)
        locks.append(folder / name / f"pylock.{name}.toml")
        locks[-1].write_text(lock_of(kept, hints=True))
    return locks


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--before", default=last_release(), help="a revision; the last release")
    parser.add_argument("--pairs", type=int, default=5, help="executions of each for their time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regression-", dir="/var/tmp") as name:
        work = Path(name)
        before, now = (
            Version.installed(exported(revision, work / label), work / f"{label}-environment")
            for label, revision in (("before", options.before), ("now", "HEAD"))
        )
        print(f"before: {options.before}", flush=True)
        is_worse = False
        for figure in compare(before, now, locks_below(work / "locks"), work, options.pairs):
            print(figure, flush=True)
            is_worse = is_worse or figure.is_regression
    return 1 if is_worse else 0


if __name__ == "__main__":
    raise SystemExit(main())
