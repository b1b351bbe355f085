"""Do all hostile trials, one program after the other, and sum up.

    python -m stress.attack [--only NAME,...] [--scale 1.0]

A program that ends with another exit code than 0 has found something; its last lines are shown.
Some need root, strace or uv: docs/threats.md says which.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

__all__ = ["PROGRAMS", "main", "run_all"]

Command = Sequence[str]

_SHOWN = 12
"""Lines of a program's output that are shown if it found something."""


def _module(name: str, *arguments: str) -> Command:
    return [sys.executable, "-m", name, *arguments]


def _tests(*paths: str) -> Command:
    return [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *paths]


PROGRAMS: Mapping[str, Callable[[float], Command]] = {
    "hostile": lambda _: _module("stress.hostile", "--peers", "none"),
    "destinations": lambda scale: _module("stress.destinations", "--trials", str(int(300 * scale))),
    "fuzz": lambda scale: _module("stress.fuzz", "--seconds", str(int(120 * scale))),
    "secrets": lambda _: _tests("tests/integration/test_secrets.py", "tests/test_planted.py"),
    "signals": lambda scale: _module("stress.signals", "--runs", str(int(100 * scale))),
    "folder": lambda _: _tests(
        "tests/executor/transaction/test_journal.py",
        "tests/executor/transaction/test_journal_check.py",
        "tests/executor/transaction/test_staging.py",
        "tests/executor/transaction/test_mover.py",
        "tests/executor/files/test_held_folder.py",
        "tests/integration/test_exchanged_folders.py",
    ),
    "paths": lambda _: _tests("tests/integration/test_special_files.py"),
    "hops": lambda _: _tests("tests/integration/test_redirect_hops.py"),
    "builds": lambda _: _tests(
        "tests/executor/builds/test_sandbox.py",
        "tests/executor/builds/test_launcher.py",
        "tests/executor/builds/test_backend.py",
        "tests/executor/archive/test_tar_reader.py",
        "tests/executor/builds/test_source_archive.py",
    ),
    "verify": lambda _: _tests(
        "tests/executor/environment/test_drift.py",
        "tests/executor/environment/test_uninstall.py",
        "tests/executor/install/test_inspection.py",
        "tests/executor/install/test_commands_inspection.py",
    ),
    "growth": lambda _: _module("stress.growth"),
    "ends": lambda scale: _module("stress.ends", "--runs", str(int(200 * scale))),
}
"""By name: the command that makes the trials, longer or shorter by a factor."""


def run_all(names: Sequence[str], scale: float, say: Callable[[str], object]) -> int:
    """Run the programs of these names, and say what each found. Return the number that did."""
    found = 0
    for name in names:
        began = time.monotonic()
        done = subprocess.run(
            PROGRAMS[name](scale), capture_output=True, text=True, check=False, errors="replace"
        )
        lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        seconds = time.monotonic() - began
        if done.returncode:
            found += 1
            say(f"{name}: FOUND SOMETHING (exit code {done.returncode}, {seconds:.0f} s)")
            for line in lines[-_SHOWN:]:
                say(f"    {line}")
        else:
            summary = next((line for line in reversed(done.stdout.splitlines()) if line), "")
            say(f"{name}: nothing found ({seconds:.0f} s): {summary}")
    say(f"{len(names)} programs, {found} found something")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Do all hostile trials and sum up.")
    parser.add_argument("--only", default=",".join(PROGRAMS), help="names, with commas between")
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer trials")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := sorted(set(names) - PROGRAMS.keys()):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(PROGRAMS)}")
    return min(run_all(names, options.scale, lambda line: print(line, flush=True)), 1)


if __name__ == "__main__":
    sys.exit(main())
