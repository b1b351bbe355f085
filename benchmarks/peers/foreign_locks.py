"""Locks of other tools, installed by lockstream and by uv or pip, and compared.

    python -m benchmarks.peers.foreign_locks
    python -m benchmarks.peers.foreign_locks --corpus service --locker pdm --locker nab

installs each locker into an environment of its own, lets it lock each corpus for the running
Python, installs the lock with lockstream and with uv (pip if uv does not accept the lock), at the
same path, and compares the trees byte for byte and mode for mode. Writes a table in Markdown to
stdout and exits with 1 if a tree differs. Linux, with uv on the PATH.

Everything is kept below ``benchmarks/work``, a new folder each time.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from benchmarks.installers import CLEAN, LOCKSTREAM, find_uv, run
from benchmarks.mirror import CORPORA, LARGE, WORK
from benchmarks.tree_comparison import BOOKKEEPING, compare_trees, first_of

TESTED_WITH = "pdm[locked]"
"""pdm with the versions it was tested with: it does not bound those of its libraries itself."""

LOCKERS: Mapping[str, Sequence[str]] = {
    "uv": ["uv"],
    "pip": ["pip"],
    "pdm": [TESTED_WITH],
    "pex": ["pex"],
    "nab": ["nab"],
}
"""What has to be installed for each locker."""

SECTION = re.compile(r"#\s*(extra|group):\s*(\S+)")

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Corpus:
    """Requirements, and those of extras and dependency groups."""

    path: Path
    requirements: Sequence[str]
    extras: Mapping[str, Sequence[str]]
    groups: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, path: Path) -> Corpus:
        requirements: list[str] = []
        extras: dict[str, list[str]] = {}
        groups: dict[str, list[str]] = {}
        current = requirements
        for line in path.read_text().splitlines():
            if section := SECTION.fullmatch(line):
                current = (extras if section[1] == "extra" else groups).setdefault(section[2], [])
            elif requirement := line.partition("#")[0].strip():
                current.append(requirement)
        return cls(path, requirements, extras, groups)

    def write_project(self, folder: Path) -> None:
        """The corpus as the project that uv, pdm and nab lock."""
        python = ".".join(platform.python_version_tuple()[:2])
        document = {
            "project": {
                "name": "corpus",
                "version": "1.0",
                "requires-python": f"=={python}.*",
                "dependencies": self.requirements,
                "optional-dependencies": self.extras,
            },
            "dependency-groups": self.groups,
            "tool": {"pdm": {"distribution": False}},
        }
        (folder / "pyproject.toml").write_text(tomli_w.dumps(document))


class Failure(Exception):
    """A tool did not do what it was asked to."""


@dataclass(frozen=True)
class Comparison:
    """One row of the table."""

    locker: str
    corpus: str
    packages: int
    peer: str
    files: int
    differences: Sequence[str]


@dataclass(frozen=True)
class Bench:
    """One lock of one corpus, and the folder that it is worked on in."""

    tools: Path
    uv: str
    work: Path

    @property
    def lock(self) -> Path:
        return self.work / "pylock.toml"

    def run(self, *command: str | Path) -> None:
        """Run ``command`` in the folder; stop if it fails."""
        environment = {**os.environ, **CLEAN, "XDG_CACHE_HOME": str(self.tools / "cache")}
        done = subprocess.run(
            command,
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = " ".join(map(str, command))
            raise Failure(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")

    def make_lock(self, locker: str, corpus: Corpus) -> None:
        corpus.write_project(self.work)
        tool = self.tools / locker / "bin"
        python = ".".join(platform.python_version_tuple()[:2])
        makers: Mapping[str, Callable[[], None]] = {
            "uv": lambda: self.run(
                tool / "uv", "export", "--quiet", "--python", sys.executable, "--all-extras",
                "--all-groups", "--output-file", self.lock,
            ),
            "pip": lambda: self.run(
                tool / "python", "-m", "pip", "lock", "--quiet", "--requirement", corpus.path,
                "--output", self.lock,
            ),
            "pdm": lambda: self._lock_with_pdm(tool / "pdm"),
            "pex": lambda: self._lock_with_pex(tool / "pex3", corpus, python),
            "nab": lambda: self.run(
                tool / "nab", "lock", "--quiet", "--python", platform.python_version(),
                "--all-groups", "--all-extras", "--output", self.lock,
            ),
        }  # fmt: skip
        makers[locker]()

    def _lock_with_pdm(self, pdm: Path) -> None:
        (self.work / "pdm.toml").write_text('[lock]\nformat = "pylock"\n')
        self.run(pdm, "use", "--quiet", "--first", sys.executable)
        self.run(pdm, "lock", "--quiet", "--group", ":all")

    def _lock_with_pex(self, pex3: Path, corpus: Corpus, python: str) -> None:
        own = self.work / "pex.json"
        self.run(
            pex3, "lock", "create", "--style", "universal", "--target-system", "linux",
            "--interpreter-constraint", f"CPython=={python}.*", "--requirement", corpus.path,
            "--output", own,
        )  # fmt: skip
        self.run(pex3, "lock", "export", "--format", "pep-751", "--output", self.lock, own)

    def install(self) -> Path:
        environment = self.work / "env"
        everything = ["--all-extras", "--all-groups"]
        self.run(LOCKSTREAM, "execute", self.lock, "--venv", environment, *everything)
        self.run(LOCKSTREAM, "verify", self.lock, "--venv", environment, *everything)
        return environment.rename(self.work / "lockstream")

    def install_with_peer(self) -> tuple[str, Path]:
        """The name of the peer that took the lock, and what it installed."""
        environment = self.work / "env"
        python = environment / "bin" / "python"
        header = tomllib.loads(self.lock.read_text())
        groups = [
            word for name in header.get("dependency-groups", []) for word in ("--group", name)
        ]
        extras = ",".join(header.get("extras", []))
        commands: Mapping[str, Command] = {
            "uv": [
                self.uv, "pip", "sync", "--python", python, "--no-cache",
                "--preview-features", "pylock", "--no-build", "--all-extras", *groups, self.lock,
            ],
            "pip": [
                sys.executable, "-m", "pip", "--python", python, "install", "--no-compile",
                "--only-binary", ":all:", "-r", f"{self.lock}[{extras}]" if extras else self.lock,
            ],
        }  # fmt: skip
        refusals = []
        for peer, command in commands.items():
            run(sys.executable, "-m", "venv", "--without-pip", "--clear", environment)
            done = run(*command)
            if done.returncode == 0:
                return peer, environment.rename(self.work / peer)
            refusals.append(f"{peer}: {done.stderr[-2000:]}")
        raise Failure(f"no peer installs {self.lock}: " + "; ".join(refusals))

    def compare(self, locker: str, corpus: Corpus) -> Comparison:
        """Lock, install twice and compare. A failure counts as a difference; what is the same is
        removed, for a run of all corpora fills a disk.
        """
        try:
            row = self._compare(locker, corpus)
        except Failure as failure:
            return Comparison(locker, corpus.path.stem, 0, "none", 0, [str(failure)])
        if not row.differences:
            for tree in (self.work / "lockstream", self.work / row.peer):
                shutil.rmtree(tree)
        return row

    def _compare(self, locker: str, corpus: Corpus) -> Comparison:
        self.make_lock(locker, corpus)
        ours = self.install()
        peer, theirs = self.install_with_peer()
        differences, summary = compare_trees(ours, theirs, BOOKKEEPING)
        differences += differing_scripts(ours / "bin", theirs / "bin")
        packages = len(list(ours.glob("lib/python*/site-packages/*.dist-info")))
        scripts = len(list((ours / "bin").iterdir()))
        files = int(summary.partition(" ")[0]) + scripts
        return Comparison(locker, corpus.path.stem, packages, peer, files, differences)


def differing_scripts(ours: Path, theirs: Path) -> Iterator[str]:
    """Scripts that only one has, and those that a wheel ships and that differ. The wrappers of
    entry points are each tool's own; they import ``sys`` and end in ``sys.exit``.
    """
    names = {path.name for folder in (ours, theirs) for path in folder.iterdir()}
    for name in sorted(names):
        mine, other = ours / name, theirs / name
        if not (mine.exists() and other.exists()):
            yield f"only {'left' if mine.exists() else 'right'}: bin/{name}"
        elif mine.stat().st_mode != other.stat().st_mode:
            yield f"bin/{name}: mode {mine.stat().st_mode:#o} | {other.stat().st_mode:#o}"
        elif not mine.is_symlink() and mine.read_bytes() != other.read_bytes():
            content = mine.read_bytes()
            if not (b"import sys\n" in content and b"sys.exit(" in content):
                yield f"bin/{name}: content"


def install_lockers(folder: Path, lockers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Install each of ``lockers`` below ``folder``; yields what was installed."""
    for name, wanted in lockers.items():
        environment = folder / name
        run(sys.executable, "-m", "venv", environment)
        pip: Command = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
        done = run(*pip, "install", "--quiet", "--upgrade", *wanted)
        if done.returncode:
            raise SystemExit(f"{name} cannot be installed:\n{done.stderr[-4000:]}")
        listed = run(*pip, "list", "--format", "freeze").stdout.splitlines()
        yield next(line for line in listed if line.startswith(f"{name}=="))


def table(rows: Sequence[Comparison]) -> Iterator[str]:
    yield "| locker | corpus | packages | compared with | paths compared | differences |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row.locker} | {row.corpus} | {row.packages} | {row.peer} | {row.files} "
            f"| {len(row.differences)} |"
        )
    for row in rows:
        if row.differences:
            yield ""
            yield f"{row.locker}, {row.corpus}:"
            yield from (f"- {line}" for line in first_of(row.differences))


def main() -> int:
    parser = argparse.ArgumentParser(description="Locks of other tools, installed and compared.")
    parser.add_argument("--corpus", action="append", choices=CORPORA)
    parser.add_argument("--locker", action="append", choices=LOCKERS)
    parser.add_argument("--uv", metavar="FILE")
    options = parser.parse_args()
    uv = options.uv or find_uv()

    WORK.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="lockers-", dir=WORK))
    lockers = options.locker or list(LOCKERS)
    installed = ", ".join(install_lockers(work / "tools", {one: LOCKERS[one] for one in lockers}))
    print(f"{installed}; Python {platform.python_version()}.\n")
    rows = []
    for name in options.corpus or sorted(CORPORA.keys() - LARGE):
        for locker in lockers:
            bench = Bench(work / "tools", uv, work / f"{name}-{locker}")
            bench.work.mkdir()
            rows.append(bench.compare(locker, Corpus.read(CORPORA[name])))
            print(*list(table(rows[-1:]))[2:], sep="\n", file=sys.stderr, flush=True)
    print("\n".join(table(rows)))
    return 1 if any(row.differences for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
