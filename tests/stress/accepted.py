"""An execution that was accepted is never killed, and what a refusal names as enough is enough.

    python -m stress.accepted [--count 300] [--seed N]

Each of ``count`` random combinations of memory limit, file system, neighbours in the same control
group, options, wheels and Python is executed in a container as Docker shows it: a control group
that is mounted read-only, nothing above it. It must end with exit code 0, or be refused with exit
code 7; the kernel must kill nothing. If the refusal names a size, it is executed again in a
container of that size, and must end with exit code 0. Linux, as root, with memory control groups of
version 1, mkfs.ext4 and mkfs.xfs.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from executor.files.folders import remove_tree
from helpers.servers import CERTIFICATE, Server
from helpers.servers import file as file_answer
from helpers.wheels import build_wheel, lock_of

__all__ = ["Combination", "Outcome", "can_limit", "combinations", "tried"]

MIB = 1 << 20
GROUPS = Path("/sys/fs/cgroup/memory")
SCRIPT = Path(sys.executable).with_name("lockstream")

FILE_SYSTEMS = (
    "disk", "ext4", "ext4 with a journal", "xfs", "tmpfs",
    "overlay", "overlay over xfs", "overlay over tmpfs",
)  # fmt: skip
"""The last part of an overlay's name is what its layers are on."""
NEIGHBOURS = ("none", "none", "anonymous", "pipes", "page tables")
LOCKS = ("small files", "large file", "many files", "mixed", "over TLS")
OPTIONS = (
    (), (), ("--compile",), ("--lanes", "1"), ("--lanes", "4"), ("--lanes", "8"),
    ("--durability", "kill"), ("--page-cache", "keep"), ("--memory", "512MiB"),
    ("--memory", "40MiB"), ("--no-hints",), ("--wrong-hints",),
)  # fmt: skip

LOCKS_OF = {"--no-hints": "plain.toml", "--wrong-hints": "wrong.toml"}
"""Options of a combination that are another lock: one without sizes, one with too small ones."""

TIMEOUT = 180
"""Seconds of one execution."""

LARGER = re.compile(r"give it at least (\d+) MiB: a larger limit")
NAMED = re.compile(r"at least (\d+) MiB with --memory")

NEIGHBOUR = """
import os, sys, time
kind = sys.argv[1]
if kind == "anonymous":
    keep = bytearray(12 << 20)
elif kind == "pipes":
    import fcntl
    keep = [os.pipe() for _ in range(10)]
    for _, end in keep:
        fcntl.fcntl(end, 1031, 1 << 20)
        os.write(end, bytes(1 << 20))
else:
    import mmap
    keep = mmap.mmap(-1, 6 << 30)
    keep.madvise(mmap.MADV_NOHUGEPAGE)
    for place in range(0, 1 << 30, 1 << 21):
        keep[place]
print("ready", flush=True)
time.sleep(600)
"""


@dataclass(frozen=True, slots=True)
class Combination:
    """One execution and its surroundings."""

    number: int
    limit: int
    """MiB of the container."""
    file_system: str
    neighbour: str
    lock: str
    options: tuple[str, ...]
    has_byte_code: bool

    def __str__(self) -> str:
        code = "" if self.has_byte_code else ", without byte code"
        return (
            f"{self.number}: {self.limit} MiB, {self.file_system}, neighbour {self.neighbour}, "
            f"{self.lock}, {' '.join(self.options) or 'no options'}{code}"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended."""

    status: int
    kills: int
    """By the kernel, because memory ran out."""
    output: str


def combinations(count: int, seed: int) -> Iterator[Combination]:
    """Yield random combinations, the same ones for a ``seed``."""
    choose = random.Random(seed)
    for number in range(count):
        yield Combination(
            number=number,
            limit=choose.choice((*range(24, 49), *range(24, 128, 8))),
            file_system=choose.choice(FILE_SYSTEMS),
            neighbour=choose.choice(NEIGHBOURS),
            lock=choose.choice(LOCKS),
            options=choose.choice(OPTIONS),
            has_byte_code=choose.random() < 0.7,
        )


def can_limit() -> bool:
    """Return whether groups can be made here."""
    return os.geteuid() == 0 and os.access(GROUPS / "memory.limit_in_bytes", os.W_OK)


def tried(combination: Combination, locks: Path) -> Outcome:
    """Execute a combination."""
    with ExitStack() as stack:
        work = Path(tempfile.mkdtemp(prefix="accepted."))
        stack.callback(remove_tree, str(work))
        place = stack.enter_context(_mounted(combination.file_system, work))
        group = stack.enter_context(_group(combination.limit * MIB))
        if combination.neighbour != "none":
            stack.enter_context(_neighbour(combination.neighbour, group))
        folder = locks / combination.lock
        options = [option for option in combination.options if option not in LOCKS_OF]
        other_locks = [LOCKS_OF[option] for option in combination.options if option in LOCKS_OF]
        lock = next(iter(other_locks), "pylock.toml")
        environment = {**os.environ, "SSL_CERT_FILE": str(CERTIFICATE)}
        if not combination.has_byte_code:
            prefix = str(work / "none")
            environment |= {"PYTHONPYCACHEPREFIX": prefix, "PYTHONDONTWRITEBYTECODE": "1"}
        command = (
            SCRIPT, "execute", folder / lock, "--venv", place / "env", "--progress", "none",
            *options,
        )  # fmt: skip
        return _run(command, group, work, environment)


def _run(
    command: tuple[object, ...], group: Path, work: Path, environment: dict[str, str]
) -> Outcome:
    script = (
        f"echo $$ > {group}/cgroup.procs && exec unshare -m --propagation private sh -ec '"
        f"mkdir {work}/group; mount --bind {group} {work}/group; umount -l {GROUPS}; "
        f"mount --bind {work}/group {GROUPS}; umount {work}/group; "
        f'mount -o remount,bind,ro {GROUPS}; exec "$@"\' sh "$@"'
    )
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output += "\nit did not end in time"
    control = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())
    return Outcome(process.returncode, int(control.get("oom_kill", 0)), output)


@contextmanager
def _group(limit: int) -> Iterator[Path]:
    group = GROUPS / f"accepted.{os.getpid()}.{time.monotonic_ns()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit))
        yield group
    finally:
        for _ in range(100):
            for process in (group / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
            with suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)


@contextmanager
def _neighbour(kind: str, group: Path) -> Iterator[None]:
    command = [
        "sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh",
        sys.executable, "-I", "-c", NEIGHBOUR, kind,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def _mounted(file_system: str, work: Path) -> Iterator[Path]:
    """Yield a folder on a file system of this kind."""
    place, below = work / "place", work / "below"
    place.mkdir()
    below.mkdir()
    with ExitStack() as stack:

        def mount(*arguments: object) -> None:
            subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)
            stack.callback(subprocess.run, ["umount", "-l", str(arguments[-1])], check=False)

        is_overlay = file_system.startswith("overlay")
        kind = file_system.rpartition("over ")[2] if is_overlay else file_system
        at = below if is_overlay else place
        if kind.startswith(("ext4", "xfs")):
            image = work / "image"
            with image.open("wb") as file:
                file.truncate(1 << 30)
            journal = "has_journal" if "journal" in kind else "^has_journal"
            options = [] if kind == "xfs" else ["-O", journal]
            subprocess.run([f"mkfs.{kind[:4]}", "-q", *options, str(image)], check=True)
            mount("-o", "loop", image, at)
        elif kind == "tmpfs":
            mount("-t", "tmpfs", "-o", "size=2g", "tmpfs", at)
        if is_overlay:
            for name in ("lower", "upper", "work"):
                (below / name).mkdir()
            folders = f"lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work"
            mount("-t", "overlay", "-o", folders, "overlay", place)
        yield place


def write_locks(folder: Path, server: Server | None = None) -> None:
    """Write the wheels and locks that are executed, with hints and without; those that come over
    TLS if there is a ``server`` for them.
    """
    text = b"value = [%d for _ in range(10)]\n" * 40
    small = build_wheel("small", files={f"small/m{n}.py": text for n in range(60)})
    many = build_wheel(
        "many", files={f"many/p{n // 100}/m{n}.py": f"x = {n}\n" * 9 for n in range(6000)}
    )
    large = build_wheel(
        "large", files={"large/data.bin": random.Random(1).randbytes(24 * MIB), "large/a.py": text}
    )
    data = random.Random(2)
    fetched = [
        build_wheel(
            f"n{n}", files={f"n{n}/a.py": text, f"n{n}/b.bin": data.randbytes(n * MIB // 2)}
        )
        for n in range(20)
    ]
    contents = {
        "small files": [small],
        "many files": [many],
        "large file": [large],
        "mixed": [small, many, large],
    }
    if server is not None:
        contents["over TLS"] = [*fetched, many]
    for name, wheels in contents.items():
        place = folder / name
        place.mkdir(parents=True)
        base = server.origin if server is not None and name == "over TLS" else None
        for wheel in wheels:
            wheel.write(place)
            if server is not None:
                server.script(f"/{wheel.filename}", file_answer(wheel.content))
        hinted = lock_of(wheels, base_url=base, hints=True)
        (place / "pylock.toml").write_text(hinted)
        (place / "plain.toml").write_text(lock_of(wheels, base_url=base))
        wrong = re.sub(r"(unpacked-size|files|largest-file) = \d+", r"\1 = 1", hinted)
        (place / "wrong.toml").write_text(wrong)


def problem(combination: Combination, locks: Path) -> tuple[str, str]:
    """Return how a combination ended, and what is wrong with that; empty if nothing is."""
    first = tried(combination, locks)
    if first.kills or first.status not in (0, 7):
        return "broken", f"exit {first.status}, {first.kills} kills: {first.output.strip()}"
    if first.status == 0:
        return "done", ""
    again = _as_named(combination, first.output)
    if again == combination:
        return "refused", ""
    second = tried(again, locks)
    if second.status == 7 and not second.kills and "--wrong-hints" in combination.options:
        # Only what is counted while the files are written shows that the lock names too little.
        again = _as_named(again, second.output)
        second = tried(again, locks)
    if second.kills or second.status != 0:
        ended = f"exit {second.status}, {second.kills} kills: {second.output.strip()}"
        return "broken", f"{first.output.strip()}\n  then, as {again}: {ended}"
    return "refused", ""


def _as_named(combination: Combination, output: str) -> Combination:
    """Return the combination with the sizes that a refusal names as enough."""
    if found := LARGER.search(output):
        combination = replace(combination, limit=int(found[1]))
    if found := NAMED.search(output):
        combination = replace(combination, options=("--memory", f"{found[1]}MiB"))
    return combination


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not can_limit():
        print("needs root and memory control groups of version 1")
        return 2
    counts: Counter[str] = Counter()
    locks = Path(tempfile.mkdtemp(prefix="accepted-locks."))
    try:
        with Server(tls=True) as server:
            write_locks(locks, server)
            for combination in combinations(arguments.count, arguments.seed):
                end, wrong = problem(combination, locks)
                counts[end] += 1
                if wrong:
                    print(f"{combination}\n  {wrong}", flush=True)
    finally:
        shutil.rmtree(locks)
    print(", ".join(f"{end}: {count}" for end, count in sorted(counts.items())))
    return 1 if counts["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
