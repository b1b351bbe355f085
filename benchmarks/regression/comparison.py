"""Two versions of lockstream that execute the same locks: what each takes, and which takes more."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installers import CLEAN, Command, make_environment

__all__ = ["RISE", "Figure", "Version", "compare"]

RISE = 1.05
"""A figure that is larger than this many times the one before is a regression."""

_COUNTED = Path(__file__).with_name("counted_run.py")
_INSTRUCTIONS = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True)
class Version:
    """A version of lockstream: an interpreter, and the folder that it is imported from."""

    python: Path
    folder: Path

    @classmethod
    def installed(cls, project: Path, environment: Path) -> Version:
        """Build the wheel of a source tree and install it into a new environment."""
        make_environment(environment)
        python = environment / "bin" / "python"
        command: Command = [sys.executable, "-m", "pip", "--quiet", "--python", python, "install",
                            "--disable-pip-version-check", project]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
        paths = {"base": str(environment), "platbase": str(environment)}
        return cls(python, Path(sysconfig.get_path("purelib", "venv", vars=paths)))

    def calls(self, lock: Path, work: Path) -> float:
        """Calls of one execution."""
        output = work / "calls"
        self._run([self.python, _COUNTED, output, self.folder], lock, work)
        return float(output.read_text())

    def instructions(self, lock: Path, work: Path) -> float:
        """Instructions of one execution, as valgrind counts them, without those of forks."""
        tool: Command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        told, _ = self._run([*tool, self.python, self.folder / "lockstream.py"], lock, work)
        return float(max(map(int, _INSTRUCTIONS.findall(told))))

    def seconds(self, lock: Path, work: Path) -> float:
        """Processor seconds of one execution and its forks, without those of the kernel: a file
        system takes longer for a while after many files were removed.
        """
        program: Command = [self.python, self.folder / "lockstream.py"]
        return self._run(program, lock, work)[1]

    def _run(self, command: Command, lock: Path, work: Path) -> tuple[str, float]:
        """Execute ``lock`` in one lane into a new environment; what is written to stderr, and the
        processor seconds outside of the kernel.
        """
        environment = work / "environment"
        make_environment(environment)
        words: Command = ["execute", lock, "--venv", environment, "--lanes", "1",
                          "--progress", "none", "--durability", "kill"]  # fmt: skip
        # Of the same hashes, sets have the same order, and calls the same number.
        fixed = {**os.environ, **CLEAN, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}
        before = os.times().children_user
        ran = subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False, env=fixed
        )
        seconds = os.times().children_user - before
        shutil.rmtree(environment)
        if ran.returncode:
            raise SystemExit(f"an execution has failed: {ran.stderr}")
        return ran.stderr, seconds


@dataclass(frozen=True)
class Figure:
    """What both versions took, of one kind, for one lock."""

    lock: str
    kind: str
    before: float
    now: float
    decides: bool = True
    """Whether a rise is a regression; else it may be noise."""

    @property
    def is_regression(self) -> bool:
        return self.decides and self.now > RISE * self.before

    def __str__(self) -> str:
        change = f"{self.now / self.before - 1:+7.1%}"
        verdict = "  HAS RISEN" if self.is_regression else ""
        figures = f"{self.before:12.6g} {self.now:12.6g} {change}"
        return f"{self.lock:16} {self.kind:12} {figures}{verdict}"


def compare(
    before: Version, now: Version, locks: list[Path], work: Path, pairs: int
) -> Iterator[Figure]:
    """Execute each lock with both versions in turn; yield the figures.

    Processor seconds are medians of ``pairs``, and decide only where valgrind is missing.
    """
    has_valgrind = shutil.which("valgrind") is not None
    for lock in locks:
        seconds = [(before.seconds(lock, work), now.seconds(lock, work)) for _ in range(pairs)]
        old, new = (statistics.median(column) for column in zip(*seconds, strict=True))
        yield Figure(lock.stem, "calls", before.calls(lock, work), now.calls(lock, work))
        if has_valgrind:
            old_count, new_count = before.instructions(lock, work), now.instructions(lock, work)
            yield Figure(lock.stem, "instructions", old_count, new_count)
        yield Figure(lock.stem, "CPU seconds", old, new, decides=not has_valgrind)
