"""One lock for many targets, read by others and compared with locks of one target each.

    python -m benchmarks.planning.many_targets
    python -m benchmarks.planning.many_targets lint-today

plans sets of ``benchmarks/corpora/answers`` for three Pythons on Linux (x86_64 and aarch64), macOS
and Windows. For each target the selection of ``packaging`` has to be complete, ``uv pip sync
--dry-run`` must install the same, and so must pip if the target is this machine. Then each
target is planned by itself: its versions are the same, unless that of the common lock is shared
with another target. Writes a table in Markdown to stdout and exits with 1 if a lock is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.pylock import PackageWheel, Pylock

from benchmarks.installers import LOCKSTREAM, find_uv
from benchmarks.planning.compare_with_uv import DAY, FOLDER, Versions
from schemas.target import Target

SETS = ("web-django", "data-notebooks", "ml-classic", "cloud-azure", "lint-today")
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "manylinux_2_28_x86_64": "x86_64-manylinux_2_28",
    "manylinux_2_28_aarch64": "aarch64-manylinux_2_28",
    "macosx_14_0_arm64": "aarch64-apple-darwin",
    "win_amd64": "x86_64-pc-windows-msvc",
}
"""As lockstream and as uv call them."""

REPORTED = re.compile(r"^ \+ ([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
COLLECTED = re.compile(r"^Would install (.*)$", re.MULTILINE)


@dataclass
class Row:
    """What came out for one set."""

    name: str
    seconds: float
    packages: int
    targets: int = 0
    uv: int = 0
    pip: str = ""
    same: int = 0
    aligned: int = 0
    """Targets for which another version is selected than for the target alone, shared with
    others."""
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cells = (
            self.name, self.packages, f"{self.seconds:.1f}", self.targets, self.uv, self.pip,
            self.same, self.aligned, len(self.problems),
        )  # fmt: skip
        return f"| {' | '.join(map(str, cells))} |"


class Bench:
    def __init__(self, work: Path, uv: str) -> None:
        self._work = work
        self._uv = uv
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name[:4] not in {"PIP_", "UV_I"}
            },
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            # What uv takes for the version of macOS.
            "MACOSX_DEPLOYMENT_TARGET": "14.0",
            "LOCKSTREAM_CACHE_DIR": str(work / "cache"),
        }

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self._environment
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
        return done.stdout + done.stderr

    def plan(self, name: str, pythons: tuple[str, ...], platforms: tuple[str, ...]) -> Path:
        lock = self._work / "pylock.toml"
        lock.unlink(missing_ok=True)
        words = [word for python in pythons for word in ("--python-version", python)]
        words += (word for platform in platforms for word in ("--platform", platform))
        requirements = FOLDER / f"{name}.in"
        self.run(
            LOCKSTREAM, "plan", "-q", "-r", requirements, "-o", lock, "--exclude-newer", DAY, *words
        )
        return lock

    def installed_by_uv(self, lock: Path, python: str, platform: str) -> Versions:
        output = self.run(
            self._uv, "pip", "sync", "--preview-features", "pylock", "--dry-run",
            "--no-python-downloads", "--target", self._work / "nowhere",
            "--python-version", python, "--python-platform", platform, lock,
        )  # fmt: skip
        return dict(REPORTED.findall(output))

    def installed_by_pip(self, lock: Path) -> Versions:
        output = self.run(
            sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed",
            "--disable-pip-version-check", "--no-cache-dir", "-r", lock,
        )  # fmt: skip
        found = COLLECTED.search(output)
        words = found[1].split() if found else []
        return {name: version for name, _, version in (word.rpartition("-") for word in words)}


def selected(lock: Pylock, target: Target) -> Versions:
    """Return what ``packaging`` would install. Raises if it finds the lock wrong."""
    chosen = lock.select(environment=target.environment, tags=target.tags)  # type: ignore[arg-type]
    found: dict[str, str] = {}
    for package, file in chosen:
        assert isinstance(file, PackageWheel)
        found[str(package.name)] = str(package.version)
    return found


def examine(name: str, bench: Bench) -> Row:
    started = time.monotonic()
    path = bench.plan(name, PYTHONS, tuple(PLATFORMS))
    seconds = time.monotonic() - started
    lock = Pylock.from_dict(tomllib.loads(path.read_text()))
    common = path.rename(path.with_name(f"pylock.{name}.toml"))
    row = Row(name, seconds, len(lock.packages))
    answers = {
        (python, platform): selected(lock, Target.named(python, platform))
        for python in PYTHONS
        for platform in PLATFORMS
    }
    for (python, platform), answer in answers.items():
        place = f"{name}, {python} on {platform}"
        row.targets += 1
        if _differ(answer, bench.installed_by_uv(common, python, PLATFORMS[platform])):
            row.problems.append(f"{place}: uv installs something else")
        else:
            row.uv += 1
        alone = tomllib.loads(bench.plan(name, (python,), (platform,)).read_text())["packages"]
        single = {package["name"]: package["version"] for package in alone}
        if answer == single:
            row.same += 1
        elif unshared := sorted(_unshared(answer, single, answers.values())):
            row.problems.append(f"{place}: {', '.join(unshared)} differs from the lock of it alone")
        else:
            row.aligned += 1
    # pip downloads every wheel to report what it would install, so it runs for one target.
    here = ".".join(map(str, sys.version_info[:2])), next(iter(PLATFORMS))
    differing = _differ(answers[here], bench.installed_by_pip(common))
    row.pip = "differs" if differing else "same"
    row.problems += [f"{name}: pip installs something else"] if differing else []
    return row


def _differ(ours: Versions, theirs: Versions) -> bool:
    # Each tool spells names and versions in its own way: 1.0.0 and 1.0 are one.
    return {(_key(name), version) for name, version in ours.items()} != {
        (_key(name), version) for name, version in theirs.items()
    }


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _unshared(answer: Versions, single: Versions, others: Collection[Versions]) -> Iterator[str]:
    """Packages whose version neither is that of the target alone nor one that others have too."""
    for package in {*answer, *single}:
        version = answer.get(package)
        if version != single.get(package):
            shared = sum(other.get(package) == version for other in others)
            if shared < 2:
                yield package


def main() -> int:
    parser = argparse.ArgumentParser(description="One lock for many targets.")
    parser.add_argument("names", nargs="*", metavar="NAME", default=SETS)
    parser.add_argument("--uv", metavar="FILE")
    options = parser.parse_args()
    head = (
        "requirements", "entries", "plan s", "targets", "as uv", "as pip", "as alone", "aligned",
        "problems",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="targets-") as work:
        bench = Bench(Path(work), options.uv or find_uv())
        for name in options.names:
            row = examine(name, bench)
            problems += row.problems
            print(row, flush=True)
    print(*(f"- {problem}" for problem in problems), sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
