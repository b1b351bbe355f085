"""Measure lockstream.pyz beside the installed program and uv, and compare the trees that they make.

    python -m stress.one_file [--only cost,groups,containers] [--corpus NAME]... [--root FOLDER]

*cost*: size, processor time of ``--version`` and of one small wheel, peak RSS, and the smallest
limit of a control group in which that wheel is installed in each of ``--runs`` runs.
*groups*: locks of real packages in a control group of 32 MiB, from a cold page cache.
*containers*: the same locks in containers of 48 and 64 MiB, by Podman and runc.

Each tree is compared with the one that the installed program makes without a limit, with the same
Python at the same path, on a folder of the host and on the overlay of a container alike: content,
modes, links, scripts and records included. Linux, as root, with nginx; containers need podman,
runc and debootstrap. Exit status 1 if something was killed, failed or differs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from release.pyz import SUPPORTED, commit_time, find_python, make_pyz

from benchmarks.cgroup import Cost, measure
from benchmarks.installers import (
    CLEAN,
    Tools,
    copy_python,
    find_uv,
    make_environment,
    versions,
)
from benchmarks.mirror import CORPORA, WORK, Mirror, served
from benchmarks.tree_comparison import compare_trees, first_of
from executor.files.folders import remove_tree
from helpers.containers import Podman, can_run_containers, install_into, make_root
from helpers.wheels import build_wheel, lock_of

__all__ = ["main"]

SECTIONS = ("cost", "groups", "containers")
MIB = 1 << 20
GROUP = 32
"""MiB of the control group that real locks are executed in."""
CONTAINERS = (48, 64)
"""MiB of the containers."""
HIGHEST = 40
"""MiB from which the smallest limit is looked for, downwards."""
PYTHON = Path(sys.executable).resolve()
"""Not that of an environment, which has isal: CI has a Python and nothing else."""
IMAGE = "localhost/lockstream-one-file"

Words = Sequence[str | Path]


@dataclass(frozen=True)
class Program:
    """One way to have an installer."""

    name: str
    command: Words
    place: Path
    """The file or folder that it is."""


@dataclass
class Findings:
    """What is printed, and whether all of it is right."""

    is_right: bool = True

    def say(self, line: str) -> None:
        print(line, flush=True)

    def fail(self, lines: Sequence[str]) -> None:
        """Print what is wrong."""
        self.is_right = False
        print("\n".join(["WRONG", *lines]), flush=True)


@dataclass(frozen=True)
class Bench:
    """The folder that everything is made in, the programs, and what was found."""

    work: Path
    tools: Tools
    programs: Sequence[Program]
    runs: int
    findings: Findings = field(default_factory=Findings)

    @property
    def pyz(self) -> Path:
        return self.work / "lockstream.pyz"


def make_programs(work: Path, tools: Tools) -> list[Program]:
    """Make the file, the file without byte code, and its members as a folder, below ``work``."""
    pyz, bare, folder = work / "lockstream.pyz", work / "bare.pyz", work / "unpacked"
    pythons = [python for python in map(find_python, SUPPORTED) if python]
    members = make_pyz(pyz, pythons, commit_time())
    with zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            if not name.startswith("cpython-"):
                archive.writestr(name, content)
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [
        Program("`lockstream.pyz`", [PYTHON, pyz], pyz),
        Program("the same without byte code", [PYTHON, bare], bare),
        Program("the same unpacked", [PYTHON, folder], folder),
        Program("installed with the planner", [tools.lockstream], tools.lockstream.parents[1]),
        Program("uv", [tools.uv], Path(tools.uv)),
    ]


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files below a folder but links and what is Python's own."""
    if place.is_file():
        return place.stat().st_size
    files = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def cost(bench: Bench) -> None:
    """Print a row for each program."""
    bench.findings.say("| | size | `--version` | one small wheel | peak RSS | smallest limit |")
    bench.findings.say("|---|---|---|---|---|---|")
    folder = bench.work / "small"
    folder.mkdir()
    demo = build_wheel()
    demo.write(folder)
    lock = folder / "pylock.toml"
    lock.write_text(lock_of([demo]))
    count = 0

    def installed(program: Program, limit: int | None) -> Cost:
        nonlocal count
        count += 1
        environment = folder / f"env-{count}"
        if program.name == "uv":
            make_environment(environment)
            within: Words = ["--no-cache", "--python", environment / "bin/python"]
            words: list[str | Path] = ["pip", "sync", "--quiet", *within, lock]
        else:
            words = ["execute", lock, "--venv", environment, "--progress", "none"]
        return measure([*program.command, *words], limit=limit, environment=CLEAN)

    for program in bench.programs:
        started = [
            measure([*program.command, "--version"], environment=CLEAN) for _ in range(bench.runs)
        ]
        free = [installed(program, None) for _ in range(bench.runs)]
        if any(one.status for one in [*started, *free]):
            bench.findings.fail([f"{program.name} fails without a limit"])
        least = smallest_limit(
            lambda limit, program=program: all(  # type: ignore[misc]
                installed(program, limit).status == 0 for _ in range(bench.runs)
            )
        )
        peak = statistics.median(one.rss_peak for one in free)
        bench.findings.say(
            f"| {program.name} | {size_of(program.place) / MIB:.1f} MiB "
            f"| {least_of(started):.2f} s | {least_of(free):.2f} s | {peak / MIB:.1f} MiB "
            f"| {least} MiB |"
        )


def smallest_limit(installs: Callable[[int], bool]) -> int:
    """Return the lowest of the limits (MiB), from the highest down, that ``installs``."""
    for limit in range(HIGHEST, 3, -1):
        if not installs(limit * MIB):
            return limit + 1
    return 4


def least_of(costs: Sequence[Cost]) -> float:
    """Seconds of the processor; noise only adds to them."""
    return min(one.user + one.system for one in costs)


def claim_same(findings: Findings, name: str, reference: Path, made: Path) -> None:
    """Compare two trees, nothing left out."""
    differing, summary = compare_trees(reference, made)
    findings.say(f"  {name}: {'the same tree' if not differing else 'DIFFERS'}, {summary}")
    if differing:
        findings.fail(first_of(differing))


def groups(bench: Bench, mirror: Mirror, corpora: Sequence[str]) -> None:
    """Execute real locks by the file and by the installed program in a small control group."""
    for corpus in corpora:
        folder = bench.work / f"group-{corpus}"
        folder.mkdir()
        lock = mirror.lock_of(corpus, folder)
        trees: list[Path] = []
        for program, limit in runs_of(bench):
            environment = folder / "env"
            # Of one Python: pyvenv.cfg names the one that made the environment.
            words: Words = ["execute", lock, "--venv", environment, "--python", PYTHON]
            log = folder / "log"
            done = measure(
                [*program.command, *words, "--progress", "none"],
                limit=limit,
                cold=True,
                environment=CLEAN,
                log=log,
            )
            where = f"{limit // MIB} MiB" if limit else "no limit"
            name = f"{corpus}, {where}, {program.name}"
            bench.findings.say(
                f"{name}: exit {done.status}, {done.wall:.1f} s (processor "
                f"{done.user + done.system:.1f} s), peak RSS {done.rss_peak / MIB:.1f} MiB, "
                f"{done.oom_kills} kills"
            )
            if done.status or done.oom_kills:
                bench.findings.fail([log.read_text()[-2000:]])
                continue
            trees.append(environment.rename(folder / f"tree-{len(trees)}"))
            if len(trees) > 1:
                claim_same(bench.findings, name, trees[0], trees[-1])


def runs_of(bench: Bench) -> Iterator[tuple[Program, int | None]]:
    """The reference, then the file and the installed program in turn."""
    pyz, installed = bench.programs[0], bench.programs[3]
    yield installed, None
    for _ in range(bench.runs):
        yield pyz, GROUP * MIB
        yield installed, GROUP * MIB


def containers(bench: Bench, mirror: Mirror, corpora: Sequence[str], root: Path | None) -> None:
    """Execute real locks by the file in containers, onto a folder of the host and onto the root
    (an overlay) of the container. They have a copy of this Python, for which the locks are.
    """
    image = bench.work / "root-of-image"
    if root:
        subprocess.run(["cp", "-a", root, image], check=True)
    else:
        make_root(image)
    install_into(image)
    copy_python(image / "opt/python").with_name("python3").symlink_to(PYTHON.name)
    shutil.copy(bench.pyz, image / "usr/local/bin/lockstream.pyz")
    podman = Podman(bench.work, network="host")
    try:
        podman.import_image(image, IMAGE)
        for corpus in corpora:
            _in_containers(bench, podman, mirror, corpus)
    finally:
        podman.close()


def _in_containers(bench: Bench, podman: Podman, mirror: Mirror, corpus: str) -> None:
    shared = bench.work / f"container-{corpus}"
    shared.mkdir()
    mirror.lock_of(corpus, shared).rename(shared / "pylock.toml")
    always = ("--volume", f"{shared}:/shared", "--env", f"PATH=/opt/python/bin:{os.defpath}",
              "--env", "LD_LIBRARY_PATH=/opt/python/lib")  # fmt: skip
    references: dict[str, Path] = {}
    places = ("/shared/env", "/env")
    runs: list[tuple[str, int | None]] = [("lockstream", None)]
    runs += [("lockstream.pyz", limit) for limit in CONTAINERS]
    for (program, limit), place in product(runs, places):
        options = (*always, *(("--memory", f"{limit}m") if limit else ()))
        command = (
            f"/usr/local/bin/{program} execute /shared/pylock.toml --venv {place} --progress none"
        )
        if place == "/env":  # it goes with the container
            command = f"{command} && cp -a /env /shared/env"
        began = time.monotonic()
        ended = podman.run(IMAGE, "sh", "-ec", command, options=options)
        seconds = time.monotonic() - began
        where = f"{limit} MiB" if limit else "no limit"
        on = "folder of the host" if place.startswith("/shared") else "overlay root"
        name = f"{corpus}, container, {where}, {on}, {program}"
        found = ended.output.strip().splitlines()
        killed = "KILLED" if ended.is_killed else "0 kills"
        bench.findings.say(
            f"{name}: exit {ended.status}, {seconds:.1f} s with its start, {killed}: "
            f"{found[0] if found else ''}"
        )
        if ended.status or ended.is_killed:
            bench.findings.fail(found[-20:])
        else:
            made = (shared / "env").rename(shared / f"tree-{limit}{place.replace('/', '-')}")
            if place in references:
                claim_same(bench.findings, name, references[place], made)
            else:
                references[place] = made


def main() -> int:
    """Measure the chosen sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default=",".join(SECTIONS), metavar="SECTION,...")
    parser.add_argument("--corpus", action="append", choices=CORPORA, help="repeatable")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", help="a root file system with Python"
    )
    options = parser.parse_args()
    sections = options.only.split(",")
    corpora = options.corpus or ["ci-tools", "data-service"]
    if "containers" in sections and not can_run_containers():
        print("containers need root, podman, runc and debootstrap")
        return 2
    WORK.mkdir(exist_ok=True)
    with ExitStack() as stack:
        work = Path(tempfile.mkdtemp(prefix="one-file-", dir=WORK))
        stack.callback(remove_tree, str(work))
        work.chmod(0o755)
        tools = Tools.installed_below(work, find_uv())
        bench = Bench(work, tools, make_programs(work, tools), options.runs)
        bench.findings.say(f"{versions(tools)}, Python {platform.python_version()}")
        if "cost" in sections:
            cost(bench)
        mirror = stack.enter_context(served(work))
        if "groups" in sections:
            groups(bench, mirror, corpora)
        if "containers" in sections:
            containers(bench, mirror, corpora, options.root)
    return 0 if bench.findings.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
