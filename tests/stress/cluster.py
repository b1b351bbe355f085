"""Build real packages on a cluster whose workers have little memory, and kill its parts.

    python -m stress.cluster [--packages msgpack==1.1.0,docopt==0.6.2] [--kills 10]

Three workers of Dask run in control groups of 512 MiB, 1 GiB and 2 GiB on this machine (Linux, as
root, with a compiler). First one machine builds all packages for two Pythons, then the cluster:
the wheels must have the same tags and native modules, and no group may meet an out-of-memory kill.
Then a worker is killed while it builds, and a package that no worker can hold is planned. Last,
the scheduler, a worker or the client is killed at a random moment: nothing half-written may be in
the store, no process may go on, and the next run must end with all wheels.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from helpers.pythons import PYTHONS, minor
from schemas.builds import BuildRecord, build_records
from schemas.wheel_filename import parse_wheel_filename

GROUPS = Path("/sys/fs/cgroup/memory")

MIB = 1 << 20

WORKERS = (512 * MIB, 1024 * MIB, 2048 * MIB)
"""Bytes of the control group of each worker."""

SMALL_WORKERS = (512 * MIB, 640 * MIB, 768 * MIB)
"""Those that cannot hold awkward-cpp; the last one can begin it."""

OVERHEAD = 224 * MIB
"""Bytes that a worker itself takes, with its nanny and the command that builds."""

PACKAGES = (
    "docopt==0.6.2", "iniconfig==2.0.0", "typing-extensions==4.12.2", "tomlkit==0.13.2",
    "msgpack==1.1.0", "pyyaml==6.0.2", "markupsafe==3.0.2", "simplejson==3.19.3", "wrapt==1.17.2",
    "psutil==6.1.1", "multidict==6.1.0", "frozenlist==1.5.0",
)  # fmt: skip

VERSIONS = ((3, 11), (3, 12))

PLAN_SECONDS = 3600.0

RUN_VARIABLE = "STRESS_RUN_OF_BUILDS"
"""The variable by which the processes of one run are told from those of others."""


@dataclass
class Tally:
    """What was found."""

    problems: list[str] = field(default_factory=list)

    def check(self, name: str, is_right: bool, found: object = "") -> None:
        print(f"{'ok' if is_right else 'WRONG'}  {name}  {found}", flush=True)
        if not is_right:
            self.problems.append(name)


@dataclass
class Worker:
    """A worker in a control group."""

    size: int
    group: Path
    process: subprocess.Popen[bytes]

    def oom_kills(self) -> int:
        lines = (self.group / "memory.oom_control").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def stop(self) -> None:
        if not self.group.exists():
            return  # it was stopped before
        # A build may have made a group of its own below.
        groups = [*(path for path in self.group.rglob("*") if path.is_dir()), self.group]
        for task in (self.group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(task), signal.SIGKILL)
        self.process.wait()
        for _ in range(200):
            for group in sorted(groups, key=lambda path: -len(path.parts)):
                with suppress(OSError):
                    group.rmdir()
            if not self.group.exists():
                return
            time.sleep(0.05)


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[Worker]

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.scheduler.kill()
        self.scheduler.wait()


def start(folder: Path, sizes: Sequence[int] = WORKERS) -> Cluster:
    """Start a scheduler on a free port, and workers in control groups of ``sizes`` bytes."""
    place = folder / "scheduler.json"
    place.unlink(missing_ok=True)
    log = (folder / "cluster.log").open("ab")
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    scheduler = subprocess.Popen(
        [*words, "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(place)], stdout=log, stderr=log, env=surroundings(),
    )  # fmt: skip
    for _ in range(600):
        if place.exists() and place.read_text().rstrip().endswith("}"):
            break
        time.sleep(0.1)
    address = next(
        word.strip(' ",') for word in place.read_text().split() if word.startswith('"tcp://')
    )
    workers = [start_worker(address, size, log, number) for number, size in enumerate(sizes)]
    return Cluster(address, scheduler, workers)


def start_worker(address: str, size: int, log: IO[bytes], number: int) -> Worker:
    group = GROUPS / f"lockstream-cluster-{os.getpid()}-{number}-{time.monotonic_ns()}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(size))
    words = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    script = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
    process = subprocess.Popen(
        ["sh", "-c", script, str(group), *words, "--nthreads", "4", "--memory-limit", "0",
         "--no-dashboard", "--nworkers", "1", "--resources", f"MEMORY={size - OVERHEAD}"],
        stdout=log, stderr=log, env=surroundings(),
    )  # fmt: skip
    return Worker(size, group, process)


def surroundings() -> dict[str, str]:
    folders = [os.path.dirname(python) for python in pythons()]
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": "", RUN_VARIABLE: str(os.getpid())}


def pythons() -> list[str]:
    """Return an interpreter of each version."""
    return [
        next(path for version, path in PYTHONS.items() if minor(version) == one) for one in VERSIONS
    ]


def plan_words(folder: Path, *more: str) -> list[str]:
    versions = [word for one in VERSIONS for word in ("--python-version", "{}.{}".format(*one))]
    program = os.path.join(os.path.dirname(sys.executable), "lockstream")
    return [program, "plan", "-r", str(folder / "requirements.in"), *versions,
            "-o", str(folder / "pylock.toml"), "--build", "missing",
            *(word for name in named(folder) for word in ("--no-binary", name)),
            "--platform", "manylinux_2_36_x86_64", *more]  # fmt: skip


def named(folder: Path) -> list[str]:
    """Return the names of the packages that are built; what they require is not."""
    lines = (folder / "requirements.in").read_text().split()
    return [line.partition("==")[0] for line in lines]


def plan(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        plan_words(folder, *more), cwd=folder, env=surroundings(), text=True,
        capture_output=True, timeout=PLAN_SECONDS, check=False,
    )  # fmt: skip


def folder_for(root: Path, name: str, packages: Sequence[str]) -> Path:
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "requirements.in").write_text("".join(f"{one}\n" for one in packages))
    return folder


def records(folder: Path) -> dict[str, BuildRecord]:
    lock = tomllib.loads((folder / "pylock.toml").read_text())
    found = (one for package in lock["packages"] for one in build_records(package.get("tool")))
    return {one.wheel: one for one in found}


def builds_running() -> list[str]:
    """Return pid and command line of the builds that this run has started and that go on."""
    mark = f"{RUN_VARIABLE}={os.getpid()}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            words = (place / "cmdline").read_bytes().split(b"\0")
            if any(map(_is_build, itertools.pairwise(words))) and mark in (
                place / "environ"
            ).read_bytes().split(b"\0"):
                found.append(f"{place.name} {b' '.join(words).decode(errors='replace')}")
    return found


def _is_build(words: tuple[bytes, bytes]) -> bool:
    return words[0].endswith(b"lockstream") and words[1] == b"build"


def wait_for(condition: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]  # a function
            return True
        time.sleep(0.2)
    return False


def check_store(store: Path, tally: Tally, name: str) -> None:
    """Check that every folder of the store has a fragment and its wheel."""
    found = store.iterdir() if store.exists() else ()
    entries = [one for one in found if not one.name.startswith((".unfinished-", ".claim-"))]
    whole = [one for one in entries if (one / "fragment.json").exists() and any(one.glob("*.whl"))]
    tally.check(f"{name}: no half build in the store", len(whole) == len(entries), len(entries))


@contextmanager
def running(folder: Path, sizes: Sequence[int] = WORKERS) -> Iterator[Cluster]:
    cluster = start(folder, sizes)
    try:
        yield cluster
    finally:
        cluster.stop()


def compare(root: Path, packages: Sequence[str], tally: Tally) -> None:
    """Build all of it on one machine and on the cluster; compare the wheels."""
    alone, shared = (folder_for(root, name, packages) for name in ("alone", "shared"))
    began = time.monotonic()
    found = plan(alone)
    print(f"one machine: {time.monotonic() - began:.0f} s", flush=True)
    tally.check(
        "one machine builds all",
        found.returncode == 0,
        found.stderr[-2000:] * bool(found.returncode),
    )
    with running(root) as cluster:
        began = time.monotonic()
        found = plan(shared, "--on", cluster.address, "--into", str(root / "store"))
        print(f"cluster: {time.monotonic() - began:.0f} s", flush=True)
        tally.check(
            "the cluster builds all",
            found.returncode == 0,
            found.stderr[-2000:] * bool(found.returncode),
        )
        kills = [worker.oom_kills() for worker in cluster.workers]
        tally.check("no worker met an out-of-memory kill", not any(kills), kills)
    one, other = records(alone), records(shared)
    tally.check("the same wheels", set(one) == set(other), f"{len(one)} and {len(other)}")
    for name in sorted(set(one) & set(other)):
        same = one[name].native == other[name].native
        same &= parse_wheel_filename(name)[3] == parse_wheel_filename(other[name].wheel)[3]
        tally.check(f"tags and native modules of {name}", same)
    errors = [other[name].peak / record.peak - 1 for name, record in one.items() if name in other]
    if errors:
        worst = max(errors, key=abs)
        print(f"demand on the cluster beside one machine: worst {worst:+.1%}", flush=True)


def lose_a_worker(root: Path, packages: Sequence[str], tally: Tally) -> None:
    folder, store = folder_for(root, "lost", packages), root / "store-lost"
    with running(root) as cluster:
        process = subprocess.Popen(
            plan_words(folder, "--on", cluster.address, "--into", str(store)), cwd=folder,
            env=surroundings(), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_for(builds_running, 300)
        time.sleep(1)
        cluster.workers[-1].stop()
        output = process.communicate(timeout=PLAN_SECONDS)[1]
        print(output[-1500:], flush=True)
        tally.check("a killed worker's builds are done by others", process.returncode == 0,
                    process.returncode)  # fmt: skip
        check_store(store, tally, "a killed worker")


def exceed_all(root: Path, tally: Tally) -> None:
    """Build what takes more than the largest worker has: without our flags, and with three
    compilers at once, it takes about 900 MiB.
    """
    folder, store = folder_for(root, "large", ["awkward-cpp==45"]), root / "store-large"
    with running(root, SMALL_WORKERS) as cluster:
        many = "awkward-cpp:CMAKE_BUILD_PARALLEL_LEVEL=3"
        words = ["--no-build-defaults", "--build-env", many]
        found = plan(folder, "--on", cluster.address, "--into", str(store), *words)
        kills = [worker.oom_kills() for worker in cluster.workers]
    print(found.stderr[-1500:], flush=True)
    tally.check("awkward-cpp is said to be too large", found.returncode == 7, found.returncode)
    tally.check("the largest worker is named", "the largest worker for this target" in found.stderr)
    tally.check("awkward-cpp: no out-of-memory kill", not any(kills), kills)
    tally.check("awkward-cpp: nothing goes on", not builds_running(), builds_running())
    check_store(store, tally, "awkward-cpp")


def kill_parts(root: Path, packages: Sequence[str], count: int, tally: Tally) -> None:
    """Kill scheduler, worker and client at random moments; then let the next run finish."""
    chosen = random.Random(7)  # a choice that can be repeated
    for number in range(count):
        part = ("scheduler", "worker", "client")[number % 3]
        name = f"kill {number} ({part})"
        folder, store = folder_for(root, f"kill-{number}", packages), root / f"store-kill-{number}"
        with running(root) as cluster:
            client = subprocess.Popen(
                plan_words(folder, "--on", cluster.address, "--into", str(store)), cwd=folder,
                env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            wait_for(builds_running, 300)
            time.sleep(chosen.uniform(0, 10))
            if part == "scheduler":
                cluster.scheduler.kill()
            elif part == "worker":
                chosen.choice(cluster.workers[1:]).stop()
            else:
                client.kill()
            if part == "client":
                ended = wait_for(lambda: not builds_running(), 60)
                tally.check(f"{name}: its builds end", ended, builds_running())
            client.wait(PLAN_SECONDS)
        ended = wait_for(lambda: not builds_running(), 60)
        tally.check(f"{name}: nothing goes on", ended, builds_running())
        if store.exists():
            check_store(store, tally, name)
        with running(root) as cluster:
            found = plan(folder, "--on", cluster.address, "--into", str(store))
        tally.check(
            f"{name}: the next run completes",
            found.returncode == 0,
            found.stderr[-500:] * bool(found.returncode),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds on a cluster of small workers.")
    parser.add_argument("--packages", default=",".join(PACKAGES))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--only", choices=["compare", "worker", "large", "kills"])
    options = parser.parse_args()
    packages = options.packages.split(",")
    tally = Tally()
    with ExitStack() as stack:
        root = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstream-", dir="/var/tmp"))
        )
        if options.only in {None, "compare"}:
            compare(root, packages, tally)
        if options.only in {None, "worker"}:
            lose_a_worker(root, packages[:6], tally)
        if options.only in {None, "large"}:
            exceed_all(root, tally)
        if options.only in {None, "kills"}:
            kill_parts(root, ["docopt==0.6.2", "msgpack==1.1.0"], options.kills, tally)
    print(f"{len(tally.problems)} wrong")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
