"""Compare lockstream, uv and pip on one lock of real packages.

    python -m benchmarks.peers.one_corpus --corpus ci-tools

plans the corpus, executes the lock in a memory cgroup with a cold page cache, lets uv and pip
install the same lock, and compares: the versions with what uv resolves, the trees byte for byte
and mode for mode, the memory and the time. Writes a report in Markdown to stdout and exits with 1
if a claim does not hold. Linux, as root (for the cgroup), with uv on the PATH.

Everything is kept below ``benchmarks/work``, a new folder each time: ext4 creates files more
slowly for a while after many were removed, so nothing is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.cgroup import Cost, measure
from benchmarks.installers import (
    CLEAN,
    LOCKSTREAM,
    PATIENCE,
    PEERS,
    Command,
    Tools,
    find_uv,
    install_command,
    make_environment,
    run,
    versions,
)
from benchmarks.mirror import CORPORA, WORK
from benchmarks.tree_comparison import BOOKKEEPING, compare_trees, first_of

IMPORTS = Path(__file__).with_name("import_all.py")


@dataclass
class Report:
    """Sections of Markdown, and whether each claim held."""

    lines: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def section(self, title: str) -> None:
        self.lines += ["", f"## {title}", ""]

    def say(self, line: str) -> None:
        self.lines.append(line)

    def claim(self, claim: str, holds: bool, details: Sequence[str] = ()) -> None:
        self.lines.append(f"- {'holds' if holds else 'FAILS'}: {claim}")
        self.lines += [f"  - {detail}" for detail in details]
        if not holds:
            self.failures.append(claim)


@dataclass(frozen=True)
class Bench:
    """One corpus, and the folder that its comparison works in."""

    corpus: Path
    work: Path
    uv: str
    limit: int

    @property
    def lock(self) -> Path:
        return self.work / "pylock.toml"

    def measured(
        self, name: str, command: Command, *, limit: int | None = None, may_fail: bool = False
    ) -> Cost:
        """The cost of ``command`` with a cold page cache; stops if it fails."""
        log = self.work / f"{name}.log"
        cost = measure(
            command, limit=limit, cold=True, timeout=PATIENCE, environment=CLEAN, log=log
        )
        if cost.status and not may_fail:
            raise SystemExit(f"{name} ended with {cost.status}:\n{log.read_text()[-4000:]}")
        return cost


def plan(bench: Bench, report: Report) -> None:
    report.section("Plan")
    # In the folder of the other: paths in a lock start there.
    again = bench.lock.with_name("pylock.again.toml")
    arguments: list[str | Path] = [LOCKSTREAM, "plan", "-r", bench.corpus, "-o"]
    first = bench.measured("plan", [*arguments, bench.lock])
    bench.measured("plan-again", [*arguments, again])
    report.say(f"{first.wall:.1f} s, peak RSS {mib(first.rss_peak)}.")
    report.say("")
    same = bench.lock.read_bytes() == again.read_bytes()
    report.claim("planned twice, the lock has the same bytes", same)

    compiled = bench.work / "compiled.txt"
    command = [bench.uv, "pip", "compile", "--quiet", "--no-cache", "--no-header", "--no-annotate"]
    python = ["--python", sys.executable]
    compiling = bench.measured("compile", [*command, *python, bench.corpus, "-o", compiled])
    ours, theirs = locked_versions(bench.lock), compiled_versions(compiled)
    differing = [
        f"{name}: {ours.get(name, 'not locked')} (uv: {theirs.get(name, 'not chosen')})"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    report.claim(
        f"the {len(ours)} versions are those that `uv pip compile` chooses "
        f"({compiling.wall:.1f} s, peak RSS {mib(compiling.rss_peak)})",
        not differing,
        differing,
    )


def execute(
    bench: Bench, lock: Path, name: str, *, limit: int | None
) -> tuple[Path, Cost, dict[str, Any]]:
    """Execute ``lock``; the tree, which is moved out of the way afterwards, so that each
    execution writes the same paths into scripts.
    """
    environment, facts = bench.work / "env", bench.work / f"{name}.json"
    command: Command = [LOCKSTREAM, "execute", lock, "--venv", environment, "--report", facts]
    cost = bench.measured(name, command, limit=limit)
    return environment.rename(bench.work / name), cost, json.loads(facts.read_text())


def install_with(
    bench: Bench, tool: str, name: str, *, limit: int | None = None
) -> tuple[Path, Cost]:
    """Install the lock with uv or pip into a new environment; inside a limit it may fail."""
    environment = bench.work / name
    make_environment(environment)
    command = install_command(tool, environment, bench.lock, Tools(bench.uv))
    may_fail = limit is not None
    return environment, bench.measured(f"{name}-install", command, limit=limit, may_fail=may_fail)


def claim_same(report: Report, ours: Path, name: str, theirs: Path) -> None:
    differing, summary = compare_trees(ours, theirs, BOOKKEEPING)
    claim = f"the tree is that of {name}, byte for byte and mode for mode ({summary})"
    report.claim(claim, not differing, first_of(differing))


def check_environment(bench: Bench, report: Report, environment: Path) -> None:
    verified = run(LOCKSTREAM, "verify", bench.lock, "--venv", environment)
    claim = "`lockstream verify` finds what the lock says"
    report.claim(claim, verified.returncode == 0, lines_of(verified.stdout))
    python = environment / "bin" / "python"
    checked = run(sys.executable, "-m", "pip", "--python", python, "check")
    report.claim("`pip check` finds no fault", checked.returncode == 0, lines_of(checked.stdout))
    lines = (line.partition("#")[0].strip() for line in bench.corpus.read_text().splitlines())
    names = sorted({Requirement(line).name for line in lines if line})
    imported = run(python, "-I", IMPORTS, *names)
    *failed, summary = imported.stdout.splitlines() or ["", imported.stderr]
    report.claim(f"the required packages can be imported ({summary})", not failed, failed)


def strip_tool_tables(lock: Path, stripped: Path) -> None:
    """PEP 751: tool data is disposable."""
    document = tomllib.loads(lock.read_text())
    document.pop("tool", None)
    for package in document["packages"]:
        package.pop("tool", None)
    stripped.write_text(tomli_w.dumps(document))


def compare(bench: Bench, report: Report) -> None:
    if not bench.lock.exists():
        plan(bench, report)
    stripped = bench.work / "pylock.stripped.toml"
    strip_tool_tables(bench.lock, stripped)
    ours, cost, facts = execute(bench, bench.lock, "lockstream", limit=bench.limit)
    bare, _, _ = execute(bench, stripped, "lockstream-stripped", limit=bench.limit)
    _, free, _ = execute(bench, bench.lock, "lockstream-free", limit=None)
    installed = {tool: install_with(bench, tool, tool) for tool in PEERS}
    costs = {f"lockstream in {mib(bench.limit)}": cost, "lockstream": free}
    for tool, (_, free) in installed.items():
        costs[tool] = free
        _, costs[f"{tool} in {mib(bench.limit)}"] = install_with(
            bench, tool, f"{tool}-limited", limit=bench.limit
        )

    report.section("Cost of installing the lock")
    report.say(
        f"{facts['installed']} packages, {facts['files']} files, "
        f"{mib(facts['bytes_fetched'])} fetched, {mib(facts['bytes_installed'])} installed; cold "
        f"page cache, no download cache, no limit unless one is named."
    )
    report.lines += ["", *cost_table(costs)]

    report.section("Claims")
    report.claim(
        f"lockstream ends inside {mib(bench.limit)} without an OOM kill", cost.oom_kills == 0
    )
    differing, summary = compare_trees(ours, bare)
    report.claim(
        f"without any tool table the lock gives the same tree, scripts and records included "
        f"({summary})",
        not differing,
        first_of(differing),
    )
    for tool, (environment, _) in installed.items():
        claim_same(report, ours, tool, environment)
    check_environment(bench, report, ours)

    report.section("Left out of the comparison with uv and pip")
    for pattern, reason in BOOKKEEPING.items():
        report.say(f"- `{pattern}`: {reason}")


def cost_table(costs: dict[str, Cost]) -> Iterator[str]:
    yield "| | ends | wall s | CPU s | peak RSS | charged peak | limit hits |"
    yield "|---|---|---|---|---|---|---|"
    for name, cost in sorted(costs.items()):
        end = "OOM-killed" if cost.oom_kills else f"with {cost.status}"
        end = "not in time" if cost.timed_out else end
        yield (
            f"| {name} | {end} | {cost.wall:.1f} | {cost.user + cost.system:.1f} "
            f"| {mib(cost.rss_peak)} | {mib(cost.charged_peak)} | {cost.limit_hits} |"
        )


def locked_versions(lock: Path) -> dict[str, str]:
    packages = tomllib.loads(lock.read_text())["packages"]
    return {package["name"]: package["version"] for package in packages}


def compiled_versions(compiled: Path) -> dict[str, str]:
    pins = (line.split(";")[0].strip() for line in compiled.read_text().splitlines())
    names = (pin.partition("==") for pin in pins if "==" in pin)
    return {canonicalize_name(name): version for name, _, version in names}


def mib(size: int) -> str:
    return f"{size / (1 << 20):.4g} MiB"


def lines_of(text: str) -> list[str]:
    return first_of(text.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare lockstream with uv and pip on one lock.")
    parser.add_argument("--corpus", choices=CORPORA, default="ci-tools")
    parser.add_argument("--lock", type=Path, help="a lock of the corpus, instead of planning it")
    parser.add_argument("--limit", type=int, default=48, metavar="MIB")
    parser.add_argument("--uv", metavar="FILE")
    options = parser.parse_args()

    WORK.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{options.corpus}-", dir=WORK))
    bench = Bench(CORPORA[options.corpus], work, options.uv or find_uv(), options.limit << 20)
    if options.lock:
        shutil.copy(options.lock, bench.lock)
    report = Report([f"# {options.corpus}", ""])
    report.say(
        f"{versions(Tools(bench.uv))}; Python {platform.python_version()}, "
        f"Linux {platform.release()}, {os.cpu_count()} CPUs."
    )
    compare(bench, report)
    print("\n".join(report.lines))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
