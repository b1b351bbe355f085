"""Compare the answers of lockstream with those of ``uv pip compile``.

    python -m benchmarks.planning.compare_with_uv
    python -m benchmarks.planning.compare_with_uv cloud-aws data-airflow

plans each ``benchmarks/corpora/answers/*.in`` with both, for the same Python and platform, with
wheels only and as of the same day. If versions differ, each tool gets the other's answer as
constraints, and must accept it: then both are right, and the file says why they differ. Writes a
table in Markdown to stdout and exits with 1 if an answer is wrong or its difference unexplained.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.installers import LOCKSTREAM, find_uv

FOLDER = Path(__file__).parents[1] / "corpora" / "answers"
DAY = "2026-11-01T00:00:00Z"
"""Later uploads do not count, so that the answers stay what they are."""
PYTHON = "3.12"
UV_PLATFORM, PLATFORM = "x86_64-manylinux_2_28", "manylinux_2_28_x86_64"
NO_SOLUTION = 4
"""Exit status of lockstream; that of uv is always 1."""
MAX_SHOWN = 4

COMMENT = re.compile(r"#\s*(python|differs):\s*(.+)")
PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")

Versions = Mapping[str, str]


class Verdict(StrEnum):
    SAME = "same"
    NONE = "no solution, both"
    BOTH_RIGHT = "both right"
    UNEXPLAINED = "UNEXPLAINED"
    WRONG = "WRONG"


@dataclass(frozen=True)
class Subject:
    """Requirements, and what the comments of their file say about them."""

    path: Path
    python: str
    differs: str

    @classmethod
    def read(cls, path: Path) -> Subject:
        comments = dict(COMMENT.findall(path.read_text()))
        return cls(path, comments.get("python", PYTHON), comments.get("differs", ""))


@dataclass(frozen=True)
class Answer:
    """The answer of a tool; versions are None if it finds no solution."""

    versions: Versions | None
    message: str
    seconds: float
    """Of processor time, of all threads."""
    failed: bool = False
    """Whether it failed for another reason than a missing solution."""


@dataclass(frozen=True)
class Comparison:
    """One row of the table."""

    subject: Subject
    ours: Answer
    theirs: Answer
    verdict: Verdict
    explanation: str

    def __str__(self) -> str:
        packages = len(self.ours.versions) if self.ours.versions is not None else "none"
        cells = (
            self.subject.path.stem,
            self.subject.python,
            str(packages),
            str(self.verdict),
            f"{self.ours.seconds:.1f}",
            f"{self.theirs.seconds:.1f}",
            f"{self.ours.seconds / self.theirs.seconds:.1f}",
            self.explanation,
        )
        return f"| {' | '.join(cells)} |"


class Bench:
    """Both tools, with caches of their own."""

    def __init__(self, work: Path, uv: str, day: str) -> None:
        self._work = work
        self._uv = uv
        self._day = day
        # Nothing of the machine's own settings: both ask PyPI alone.
        kept = {
            name: value for name, value in os.environ.items() if name[:4] not in {"PIP_", "UV_I"}
        }
        self._environment = {
            **kept,
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(work / "uv"),
            "LOCKSTREAM_CACHE_DIR": str(work / "lockstream"),
        }

    def ours(self, subject: Subject) -> Sequence[str | Path]:
        """Return the arguments that name the requirements for lockstream."""
        return ("-r", subject.path)

    def theirs(self, subject: Subject) -> Sequence[str | Path]:
        """Return the arguments that name the requirements for uv."""
        return (subject.path,)

    def plan(self, subject: Subject, constraints: Path | None = None) -> Answer:
        lock = self._work / "pylock.toml"
        lock.unlink(missing_ok=True)
        done, seconds = self._run(
            LOCKSTREAM, "plan", *self.ours(subject), "-o", lock, "--quiet",
            "--python-version", subject.python, "--platform", PLATFORM,
            "--exclude-newer", self._day, *_constrained(constraints),
        )  # fmt: skip
        if done.returncode == 0:
            packages = tomllib.loads(lock.read_text())["packages"]
            versions = {package["name"]: package["version"] for package in packages}
            return Answer(versions, done.stderr, seconds)
        return Answer(None, done.stderr, seconds, failed=done.returncode != NO_SOLUTION)

    def compile(self, subject: Subject, constraints: Path | None = None) -> Answer:
        done, seconds = self._run(
            self._uv, "pip", "compile", *self.theirs(subject), "--quiet", "--only-binary", ":all:",
            "--python-version", subject.python, "--python-platform", UV_PLATFORM,
            "--exclude-newer", self._day, "--no-header", "--no-annotate", "--no-python-downloads",
            *_constrained(constraints),
        )  # fmt: skip
        if done.returncode == 0:
            return Answer(dict(PINNED.findall(done.stdout)), done.stderr, seconds)
        return Answer(None, done.stderr, seconds, failed="No solution found" not in done.stderr)

    def _run(self, *command: str | Path) -> tuple[subprocess.CompletedProcess[str], float]:
        started = _children_time()
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self._environment
        )
        return done, _children_time() - started

    def compare(self, subject: Subject) -> Comparison:
        theirs, ours = self.compile(subject), self.plan(subject)
        verdict, explanation = self._judge(subject, ours, theirs)
        return Comparison(subject, ours, theirs, verdict, explanation)

    def _judge(self, subject: Subject, ours: Answer, theirs: Answer) -> tuple[Verdict, str]:
        if ours.failed or theirs.failed:
            return Verdict.WRONG, _last_line(ours if ours.failed else theirs)
        if ours.versions is None and theirs.versions is None:
            return Verdict.NONE, ""
        if ours.versions is None or theirs.versions is None:
            who, answer = ("lockstream", ours) if ours.versions is None else ("uv", theirs)
            return Verdict.WRONG, f"only {who} finds no solution: {_last_line(answer)}"
        if ours.versions == theirs.versions:
            return Verdict.SAME, ""
        changed = _differences(ours.versions, theirs.versions)
        if self.compile(subject, self._pins(ours.versions)).versions != ours.versions:
            return Verdict.WRONG, f"uv does not accept it: {changed}"
        if self.plan(subject, self._pins(theirs.versions)).versions != theirs.versions:
            return Verdict.WRONG, f"lockstream does not accept that of uv: {changed}"
        verdict = Verdict.BOTH_RIGHT if subject.differs else Verdict.UNEXPLAINED
        return verdict, f"{subject.differs} ({changed})".lstrip()

    def _pins(self, versions: Versions) -> Path:
        path = self._work / "pins.txt"
        path.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        return path


def _children_time() -> float:
    """Return the processor seconds of the commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _constrained(constraints: Path | None) -> list[str]:
    return [] if constraints is None else ["-c", str(constraints)]


def _differences(ours: Versions, theirs: Versions) -> str:
    """``name ours / theirs``, of the first few."""
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    shown = [
        f"{name} {ours.get(name, '-')} / {theirs.get(name, '-')}" for name in names[:MAX_SHOWN]
    ]
    more = len(names) - MAX_SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _last_line(answer: Answer) -> str:
    lines = [line.strip() for line in answer.message.splitlines() if line.strip()]
    return lines[-1].replace("|", "\\|") if lines else "it says nothing"


def compare_all(subjects: Iterable[Subject], bench: Bench) -> list[Comparison]:
    """Print the table, row by row, and return it."""
    print("| requirements | Python | packages | versions | lockstream CPU s | uv CPU s | ratio | |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    found = []
    for subject in subjects:
        found.append(bench.compare(subject))
        print(found[-1], flush=True)
    print()
    for verdict in Verdict:
        if count := sum(one.verdict is verdict for one in found):
            print(f"- {verdict}: {count} of {len(found)}")
    return found


def main() -> int:
    known = sorted(path.stem for path in FOLDER.glob("*.in"))
    parser = argparse.ArgumentParser(description="Compare the answers of lockstream with uv's.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--uv", metavar="FILE")
    parser.add_argument("--day", default=DAY, help="later uploads do not count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="answers-") as work:
        bench = Bench(Path(work), options.uv or find_uv(), options.day)
        subjects = (Subject.read(FOLDER / f"{name}.in") for name in options.names or known)
        found = compare_all(subjects, bench)
    return int(any(one.verdict in {Verdict.WRONG, Verdict.UNEXPLAINED} for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
