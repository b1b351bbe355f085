"""Build real packages of many toolchains from source; compare predicted and measured memory.

    python -m benchmarks.builds --only docopt,pyyaml

For each package: planned with ``--build``, with the flags that are set by default and with those
of the compiler's own; its wheel executed in 48 MiB; built again by ``execute --build`` in a
container just above the recorded demand, and refused just below it; the lock installed by uv and
pip, whose trees have to be ours. Linux, as root (for cgroups), with a compiler, and for some
packages with headers and Rust. The results go to ``benchmarks/results/builds.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from benchmarks.cgroup import Cost, measure
from benchmarks.installers import PEERS, Tools, find_uv, install_command, make_environment
from benchmarks.tree_comparison import BOOKKEEPING, compare_trees
from schemas.builds import BuildRecord, build_records, foreseen

RESULTS = Path(__file__).parents[1] / "results" / "builds.json"
MIB = 1 << 20
SMALL = 48 * MIB
"""Bytes of the container in which wheels that were built elsewhere are installed."""
ABOVE = MIB
"""Bytes above what a build is foreseen to need."""
LEAST = 32 * MIB
"""In less than that no execution begins, so none can refuse either."""
SECONDS = 1800.0
PLAIN = ("CFLAGS", "CXXFLAGS", "FFLAGS")
"""Flags that are set by default; empty, the compiler's own are left."""


@dataclass(frozen=True)
class Subject:
    """A package to build."""

    requirement: str
    toolchain: str
    compiles: bool = True
    """Whether the flags for gcc make a difference."""

    @property
    def name(self) -> str:
        return self.requirement.partition("==")[0]


SUBJECTS = (
    Subject("docopt==0.6.2", "setuptools, pure", compiles=False),
    Subject("iniconfig==2.0.0", "hatchling", compiles=False),
    Subject("typing-extensions==4.12.2", "flit", compiles=False),
    Subject("tomlkit==0.13.2", "poetry", compiles=False),
    Subject("msgpack==1.1.0", "setuptools, Cython"),
    Subject("psycopg2==2.9.10", "setuptools, C, libpq"),
    Subject("pyyaml==6.0.2", "setuptools, Cython"),
    Subject("kiwisolver==1.4.7", "setuptools, C++"),
    Subject("contourpy==1.3.1", "meson, C++"),
    Subject("orjson==3.10.15", "maturin, Rust", compiles=False),
    Subject("awkward-cpp==45", "scikit-build-core, C++"),
    Subject("lxml==5.3.0", "setuptools, C, libxml2"),
)


@dataclass
class Result:
    """What was found of one package. Sizes in bytes."""

    package: str
    toolchain: str
    demand: Mapping[int, int] = field(default_factory=dict)
    plain_demand: Mapping[int, int] = field(default_factory=dict)
    """With the flags of the compiler's own."""
    files: int = 0
    """Of the compiler and others, in use at the peak."""
    seconds: float = 0
    plain_seconds: float = 0
    wheel_size: int = 0
    small: Cost | None = None
    """Of the execution of its wheel in ``SMALL``."""
    above: Cost | None = None
    """Of the execution that builds it, in ``foreseen`` bytes."""
    again: int = 0
    """The demand of that build."""
    below: Cost | None = None
    """Of the execution that refuses, in a container of the demand alone."""
    peers: Mapping[str, int] = field(default_factory=dict)
    """By installer, the files in which its tree differs from ours."""
    error: str = ""

    @property
    def deviation(self) -> float:
        """Of the second measurement from the first, in percent."""
        return 100 * (self.again / self.demand[1] - 1) if self.again else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description="What builds take, foretold and found.")
    parser.add_argument("--only", metavar="NAMES", help="these packages, divided by commas")
    parser.add_argument("--render", action="store_true", help="print what is known, build nothing")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [one.name for one in SUBJECTS]
    known = _load()
    by_name = {one.name: one for one in SUBJECTS}
    subjects = [by_name[name] for name in wanted if not options.render]
    with tempfile.TemporaryDirectory() as folder:
        # What a developer edits meanwhile makes no difference to it.
        tools = Tools.installed_below(Path(folder), find_uv()) if subjects else None
        for subject in subjects:
            assert tools is not None
            print(f"{subject.requirement} ...", file=sys.stderr, flush=True)
            known[subject.name] = asdict(_examine(subject, tools))
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(known, indent=2))
    print("\n".join(_table(known[one.name] for one in SUBJECTS if one.name in known)))


def _examine(subject: Subject, tools: Tools) -> Result:
    result = Result(subject.requirement, subject.toolchain)
    folder = Path(tempfile.mkdtemp(prefix="lockstream-builds-", dir=os.environ.get("TMPDIR")))
    try:
        record = _plan(tools, subject, folder / "planned")
        result.demand, result.seconds = record.demand, record.seconds
        result.files = record.files
        result.wheel_size = (folder / "planned" / "wheelhouse" / record.wheel).stat().st_size
        if subject.compiles:
            plain = _plan(
                tools, subject, folder / "plain", *(f"--build-env={name}=" for name in PLAIN)
            )
            result.plain_demand, result.plain_seconds = plain.demand, plain.seconds
        result.small = _execute(tools, folder / "planned", "small", SMALL)
        _execute_builds(tools, folder, record, result)
        result.peers = dict(_peers(folder / "planned", tools))
    except (subprocess.CalledProcessError, OSError) as error:
        result.error = getattr(error, "stderr", "") or str(error)
        print(result.error, file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _plan(tools: Tools, subject: Subject, folder: Path, *flags: str) -> BuildRecord:
    folder.mkdir()
    (folder / "requirements.in").write_text(f"{subject.requirement}\n")
    options = ("--build", subject.name, "--no-binary", subject.name, "--measure-jobs", "2", *flags)
    command = ["plan", "-q", "-r", "requirements.in", *options]
    _run(str(tools.lockstream), *command, cwd=folder)
    lock = tomllib.loads((folder / "pylock.toml").read_text())
    (package,) = (one for one in lock["packages"] if one["name"] == subject.name)
    (record,) = build_records(package["tool"])
    return record


def _execute(tools: Tools, folder: Path, name: str, limit: int, *options: str) -> Cost:
    place = folder / name
    command = ("execute", "--venv", str(place), "--report", f"{place}.json", "--progress", "none")
    return measure(
        [tools.lockstream, *command, *options, folder / "pylock.toml"],
        limit=limit,
        timeout=SECONDS,
        environment={"LOCKSTREAM_CACHE_DIR": str(folder / f"{name}-cache")},
        log=folder / f"{name}.log",
    )


def _execute_builds(tools: Tools, folder: Path, record: BuildRecord, result: Result) -> None:
    """The same lock without its wheel, just above and just below what it was measured to take.

    At one job, as the figure it is compared with: it would use two if they were measured to need
    not more.
    """
    planned, bare = folder / "planned", folder / "bare"
    bare.mkdir()
    for path in planned.glob("pylock.*"):
        shutil.copy(path, bare)
    lock = tomllib.loads((planned / "pylock.toml").read_text())
    for package in lock["packages"]:
        for build in package["tool"]["lockstream"].get("build", {}).values():
            del package["wheels"]
            build["demand"] = {"1": build["demand"]["1"]}
    (bare / "pylock.toml").write_text(tomli_w.dumps(lock))
    network = ("--build-network",) if "maturin" in result.toolchain else ()
    result.below = _execute(tools, bare, "below", max(record.peak, LEAST), "--build")
    result.above = _execute(
        tools, bare, "above", foreseen(record.peak) + ABOVE, "--build", *network
    )
    if result.above.status == 0:
        (built,) = json.loads((bare / "above.json").read_text())["builds"]
        result.again = built["demand"]
    else:
        result.error = (bare / "above.log").read_text()[-2000:]


def _peers(folder: Path, tools: Tools) -> Iterator[tuple[str, int]]:
    """Each installs the same lock; how many files differ from our installation."""
    for name in PEERS:
        place = folder / name
        make_environment(place)
        command = install_command(name, place, folder / "pylock.toml", tools)
        _run(*map(str, command), cwd=folder)
        yield name, len(compare_trees(folder / "small", place, BOOKKEEPING)[0])


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, stderr=subprocess.PIPE, text=True)


def _load() -> dict[str, dict[str, Any]]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _table(results: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| package | toolchain | demand, 1 job | 2 jobs | plain flags, 1 job | 2 jobs | files | "
        "seconds | "
        "plain | wheel | in 48 MiB | built at +5 % + 32 MiB | again / recorded | at the demand | "
        "as uv, pip |"
    )
    yield "|" + "---|" * 15
    for one in results:
        demand = {int(jobs): size for jobs, size in one["demand"].items()}
        plain = {int(jobs): size for jobs, size in one["plain_demand"].items()}
        again = f"{100 * (one['again'] / demand[1] - 1):+.1f} %" if one["again"] else "-"
        cells = [
            one["package"],
            one["toolchain"],
            *(_mib(sizes.get(jobs)) for sizes in (demand, plain) for jobs in (1, 2)),
            _mib(one["files"]),
            f"{one['seconds']:.1f}",
            f"{one['plain_seconds']:.1f}" if plain else "-",
            _kib(one["wheel_size"]),
            _ending(one["small"]),
            _ending(one["above"]),
            again,
            _ending(one["below"]),
            ", ".join(f"{count} differ" if count else "same" for count in one["peers"].values()),
        ]
        yield "| " + " | ".join(cells) + " |"


def _mib(size: int | None) -> str:
    return f"{size / MIB:.0f} MiB" if size else "-"


def _kib(size: int) -> str:
    return f"{size / 1024:.0f} KiB"


def _ending(cost: Mapping[str, Any] | None) -> str:
    if cost is None:
        return "-"
    return f"{cost['wall']:.1f} s" if cost["status"] == 0 else f"exit {cost['status']}"


if __name__ == "__main__":
    main()
