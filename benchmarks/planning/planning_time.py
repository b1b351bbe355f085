"""Time and traffic of planning with lockstream, uv, pip, nab, pdm and poetry.

    python -m benchmarks.planning.planning_time
    python -m benchmarks.planning.planning_time --corpus ci-tools --tool uv --rounds 5

installs each tool into an environment of its own, and lets all of them in turn lock each corpus
for this Python and machine: *cold* with nothing in their caches, *warm* with what the cold run left
there and no lock, *asked* the same with pages that must be revalidated, as those of PyPI after
ten minutes. ``lockstream check`` is timed on the lock that is made. All of them use an index on
loopback that remembers what PyPI says, answers each after the same time (``--delay``), and counts
requests and bytes. Medians, in a table in Markdown on stdout; pip, pdm and poetry get one round.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.installers import LOCKSTREAM
from benchmarks.mirror import FOLDER, WORK
from benchmarks.peers.foreign_locks import TESTED_WITH, Corpus, install_lockers
from benchmarks.planning.recording_index import FRESHNESS, CountingIndex, counting_index

CORPORA = {
    "ci-tools": FOLDER / "corpora" / "ci-tools.in",
    "data-service": FOLDER / "corpora" / "data-service.in",
    "airflow": FOLDER / "corpora" / "answers" / "data-airflow.in",
}
PEERS = {"uv": ["uv"], "pip": ["pip"], "nab": ["nab"], "pdm": [TESTED_WITH], "poetry": ["poetry"]}
TOOLS = ("lockstream", *PEERS)
SOURCES = {
    "nab": "\n[[tool.nab.indexes]]\nname = 'pypi'\nurl = '{url}'\n",
    "pdm": "\n[[tool.pdm.source]]\nname = 'pypi'\nurl = '{url}'\nverify_ssl = false\n",
    # Unless PyPI itself is named, poetry uses an interface that only PyPI has.
    "poetry": "\n[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = 'simple'\n"
    "url = '{url}'\npriority = 'primary'\n",
}
"""What a project says to be locked from another index, for tools without an option for it."""
SLOW = frozenset({"pip", "pdm", "poetry"})
"""Those that take up to a minute for each plan: they get one round, and are not asked again."""
DELAY = 20.0
"""Milliseconds until the index answers: less than a round trip to PyPI takes most people."""
HEAD = (
    "| requirements | tool | cold s | CPU s | warm s | CPU s | asked s | CPU s | check s "
    "| requests | MB |"
)
_UNSET = ("PYTHONDONTWRITEBYTECODE", "PIP_", "UV_", "PDM_", "POETRY_", "NAB_", "LOCKSTREAM_")
"""How variables begin that no run gets: those of a tool, and the one that keeps Python from writing
byte code, which an installed program has: compiling takes lockstream an eighth of a second."""


@dataclass(frozen=True)
class Cost:
    """Of one run."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of user and system time, of all threads and children."""
    status: int


@dataclass(frozen=True)
class Bench:
    """One corpus, and the folder that it is locked in."""

    corpus: Corpus
    work: Path
    tools: Path
    index: CountingIndex

    def command(self, tool: str) -> Sequence[str | Path]:
        """Return the command that locks the corpus with ``tool``, with wheels only if it has the
        option."""
        programs = self.tools / tool / "bin"
        asked = ["--index-url", self.index.url]
        commands: Mapping[str, Sequence[str | Path]] = {
            "lockstream": [
                LOCKSTREAM, "plan", "-q", "-r", self.corpus.path, "-o", "pylock.toml", *asked,
            ],
            "uv": [
                programs / "uv", "pip", "compile", "-q", "--no-config", "--only-binary", ":all:",
                "--python", sys.executable, "-o", "pylock.toml", *asked, self.corpus.path,
            ],
            "pip": [
                programs / "python", "-m", "pip", "lock", "-q", "--only-binary", ":all:",
                "-r", self.corpus.path, "-o", "pylock.toml", *asked,
            ],
            "nab": [
                programs / "nab", "lock", "-q", "--python", platform.python_version(),
                "--project-dist-policy", "wheel-only",
            ],
            "pdm": [programs / "pdm", "lock", "-q"],
            "poetry": [programs / "poetry", "lock", "-q"],
        }  # fmt: skip
        return commands[tool]

    def prepare(self, tool: str) -> None:
        """A project as ``tool`` expects it, and nothing in its caches."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self.corpus.write_project(self.work)
        if tool == "pdm":
            (self.work / "pdm.toml").write_text(
                '[python]\nuse_venv = false\n[lock]\nformat = "pylock"\n'
            )
            (self.work / ".pdm-python").write_text(sys.executable)
        with (self.work / "pyproject.toml").open("a") as file:
            file.write(SOURCES.get(tool, "").format(url=self.index.url))

    def remove_locks(self) -> None:
        for lock in self.work.glob("*.lock"):
            lock.unlink()
        (self.work / "pylock.toml").unlink(missing_ok=True)

    def run(self, command: Sequence[str | Path]) -> Cost:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
        cache = str(self.work / "cache")
        environment = {
            **kept,
            "XDG_CACHE_HOME": cache,
            "PIP_CONFIG_FILE": os.devnull,
            "POETRY_VIRTUALENVS_CREATE": "false",
            **{f"{name}_CACHE_DIR": cache for name in ("UV", "PIP", "PDM", "POETRY", "LOCKSTREAM")},
        }
        with (self.work / "log").open("a") as log:
            started = time.monotonic()
            child = subprocess.Popen(
                command, cwd=self.work, env=environment, stdout=log, stderr=log
            )
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        return Cost(wall, usage.ru_utime + usage.ru_stime, child.returncode)

    def tail(self) -> str:
        """How the log of a run that failed ends."""
        return (self.work / "log").read_text(errors="replace")[-1500:]


@dataclass
class Row:
    """What one tool took for one corpus."""

    corpus: str
    tool: str
    cold: list[Cost] = field(default_factory=list)
    warm: list[Cost] = field(default_factory=list)
    check: list[Cost] = field(default_factory=list)
    asked: list[Cost] = field(default_factory=list)
    """Warm, with pages that must be revalidated."""
    fetched: tuple[int, int] | None = None
    """Requests and bytes of a cold run."""

    def __str__(self) -> str:
        requests, size = self.fetched or (None, 0)
        cells = (
            self.corpus,
            self.tool,
            *_seconds(self.cold),
            *_seconds(self.warm),
            *_seconds(self.asked),
            _seconds(self.check)[0],
            "" if requests is None else str(requests),
            "" if requests is None else f"{size / 1e6:.1f}",
        )
        return f"| {' | '.join(cells)} |"


def _seconds(costs: Sequence[Cost]) -> tuple[str, str]:
    if not costs or any(cost.status for cost in costs):
        return ("failed" if costs else "", "")
    wall, cpu = (median(getattr(cost, kind) for cost in costs) for kind in ("wall", "cpu"))
    return f"{wall:.2f}", f"{cpu:.2f}"


def measure(bench: Bench, rows: Sequence[Row]) -> None:
    """Each tool once, cold and then warm."""
    for row in rows:
        bench.prepare(row.tool)
        command = bench.command(row.tool)
        row.cold.append(bench.run(command))
        bench.remove_locks()
        row.warm.append(bench.run(command))
        if row.tool == "lockstream":
            row.check.append(bench.run([LOCKSTREAM, "check", "-q", "pylock.toml"]))
        if row.warm[-1].status:
            print(f"{row.corpus}, {row.tool}: {bench.tail()}", file=sys.stderr)


def count(bench: Bench, rows: Sequence[Row], rounds: int) -> None:
    """What is fetched, cold, and what it takes to ask again whether it is the same. From then on
    the index knows all that will be asked of it.
    """
    bench.index.freshness = "max-age=0"
    for row in rows:
        bench.prepare(row.tool)
        command = bench.command(row.tool)
        bench.index.take()
        bench.run(command)
        row.fetched = bench.index.take()
        for _ in range(0 if row.tool in SLOW else rounds):
            bench.remove_locks()
            row.asked.append(bench.run(command))
    bench.index.freshness = FRESHNESS


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Compare the time of planning with that of other tools."
    )
    parser.add_argument("--corpus", action="append", choices=CORPORA)
    parser.add_argument("--tool", action="append", choices=TOOLS)
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--delay", type=float, default=DELAY, metavar="MS")
    options = parser.parse_args()
    tools = options.tool or TOOLS
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="planners-", dir=WORK) as folder:
        work = Path(folder)
        peers = {name: PEERS[name] for name in tools if name in PEERS}
        installed = ", ".join(install_lockers(work / "tools", peers))
        print(f"{installed}; Python {platform.python_version()}, {os.cpu_count()} CPUs, rounds "
              f"{options.rounds}, answers after {options.delay:g} ms.\n")  # fmt: skip
        print(HEAD)
        print("|---" * HEAD.count("| ") + "|", flush=True)
        with counting_index(options.delay / 1000) as index:
            for name in options.corpus or CORPORA:
                corpus = Corpus.read(CORPORA[name])
                bench = Bench(corpus, work / name, work / "tools", index)
                rows = [Row(name, tool) for tool in tools]
                count(bench, rows, options.rounds)
                measure(bench, rows)
                for _ in range(options.rounds - 1):
                    measure(bench, [row for row in rows if row.tool not in SLOW])
                print(*rows, sep="\n", flush=True)


if __name__ == "__main__":
    main()
