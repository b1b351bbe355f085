"""Run the program in random surroundings: each run must end with a known exit code.

    python -m stress.ends [--runs 1000] [--seed 0]

A run is a random command with random environment variables, resource limits, closed or full
standard streams, folders and users. It must end by itself, with a code of ``ExitCode`` (or 130, 137
and 141, as shells report signals), and show no traceback. A run that Python itself cannot begin in
does not count. Linux; as root, some runs are those of another user.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

PROGRAM = Path(sys.executable).with_name("lockstream")
SECONDS = 120
KNOWN = {*ExitCode, 130, 141}

COMMANDS = (
    "execute --target t",
    "execute --target t --json",
    "execute --target t --lanes 4 --memory 64MiB",
    "execute --target t --dry-run",
    "execute --venv v --compile",
    "execute --prefix p --report r.json",
    "execute --target t --exact --reinstall",
    "execute --target no/such/../t --durability kill",
    "execute --target /proc/none",
    "execute --target ''",
    "execute none.toml --target t",
    "execute broken.toml --target t",
    "execute marker.toml --target t",
    "execute wheels --target t",
    "execute --no-deps wheels --target t",
    "execute --build --target t --build-unmeasured",
    "execute --memory 1MiB --target t",
    "execute --memory '' --target t",
    "execute --python /bin/true",
    "execute --find-links pipe --target t",
    "verify --target t",
    "verify --venv v --json",
    "show",
    "show --json",
    "check",
    "check broken.toml",
    "why demo",
    "tree",
    "diff pylock.toml broken.toml",
    "plan -r requirements.in --find-links wheels --no-index",
    "plan -r requirements.in --find-links wheels --no-index -o /proc/none",
    "plan -r pipe --find-links wheels --no-index",
    "plan -r none.in",
    "plan -r requirements.in --find-links none --no-index --cache-dir file",
    "cache list",
    "cache clear",
    "--help",
    "--version",
    "nothing",
    "install",
    "key",
    "key pylock.toml --relocatable",
    "execute pylock.toml --venv env --relocatable",
    "show --as kubernetes",
    "show --fit lambda",
    "init ci docker",
    "init ci --print",
    "completion bash",
)

VARIABLES = {
    "HOME": (None, "", "/nonexistent", "~", "relative", "/proc"),
    "TMPDIR": (None, "/nonexistent", "/proc", "file", ""),
    "XDG_CACHE_HOME": (None, "/proc", "file", ""),
    "LOCKSTREAM_CACHE_DIR": (None, "/proc/x", "file", "cache"),
    "PATH": (None, "", "/nonexistent", os.defpath),
    "LC_ALL": (None, "C", "POSIX", "C.UTF-8", "xx_YY"),
    "PYTHONUTF8": (None, "0", "1"),
    "PYTHONCOERCECLOCALE": (None, "0"),
    "PYTHONIOENCODING": (None, "ascii", "utf-16"),
    "PYTHONWARNINGS": (None, "error"),
    "SSL_CERT_FILE": (None, "/nonexistent", "/dev/null", "file"),
    "NETRC": (None, "file", "/proc"),
    "LOCKSTREAM_MIRRORS": (None, "x", "https://a.example/=https://b.example/"),
    "COLUMNS": (None, "0", "1", "-1", "x"),
    "TERM": (None, "", "dumb"),
    "VIRTUAL_ENV": (None, "/nonexistent", "", "file", "env"),
    "LOCKSTREAM_MEMORY": (None, "", "x", "64MiB", "-1"),
    "LOCKSTREAM_FIND_LINKS": (None, "'", "a 'b c'", "/proc"),
    "LOCKSTREAM_OFFLINE": (None, "1", "perhaps"),
    "LOCKSTREAM_VERBOSE": (None, "1"),
    "LOCKSTREAM_\x1b[31m": (None, "x"),
    "_LOCKSTREAM_COMPLETE": (None, None, None, "bash_complete", "tcsh_source", ""),
    "http_proxy": (None, "http://127.0.0.1:1", "x", "://"),
}

LIMITS = (
    "-v 30000", "-v 40000", "-v 60000", "-v 80000", "-v 120000", "-v 200000", "-d 12000",
    "-d 20000", "-d 30000", "-d 60000", "-n 3", "-n 8", "-n 16", "-n 64", "-f 0", "-f 1", "-f 64",
    "-s 256", "-t 1", "-c 0",
)  # fmt: skip
"""Arguments of ulimit: KiB of address space and data, open files, blocks of files, KiB of stack,
seconds."""

STREAMS = (">&-", "<&-", "2>&-", ">/dev/full", "2>/dev/full", "<&- >&- 2>&-", ">&2", "</dev/full")

FOLDERS = ("", "mkdir gone && cd gone && rmdir ../gone", "chmod 555 .", "cd sub", "umask 777")


@dataclass(frozen=True)
class Run:
    """One command in its surroundings."""

    command: str
    variables: dict[str, str | None]
    limits: tuple[str, ...]
    streams: str
    folder: str
    user: int | None

    @classmethod
    def drawn(cls, rng: random.Random) -> Run:
        names = rng.sample(sorted(VARIABLES), rng.randrange(4))
        return cls(
            command=rng.choice(COMMANDS),
            variables={name: rng.choice(VARIABLES[name]) for name in names},
            limits=tuple(rng.sample(LIMITS, rng.choice((0, 0, 1, 1, 2)))),
            streams=rng.choice(STREAMS) if rng.random() < 0.3 else "",
            folder=rng.choice(FOLDERS) if rng.random() < 0.2 else "",
            user=12345 if os.geteuid() == 0 and rng.random() < 0.2 else None,
        )

    def script(self, program: str) -> str:
        lines = [self.folder, *(f"ulimit {limit} || exit 99" for limit in self.limits)]
        lines.append(f"exec {program} {self.streams}")
        return "\n".join(filter(None, lines))

    def __str__(self) -> str:
        given = " ".join(f"{name}={value!r}" for name, value in self.variables.items())
        user = f"user {self.user}" if self.user else ""
        parts = (given, user, self.folder, *self.limits, self.command, self.streams)
        return " | ".join(filter(None, parts))

    def start(self, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if name not in self.variables}
        environ |= {name: value for name, value in self.variables.items() if value is not None}
        return subprocess.run(
            ["/bin/bash", "-c", self.script(program)],
            cwd=folder,
            env=environ,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
        )


def fault_of(run: Run, folder: Path, program: str) -> tuple[int, str]:
    """Return the exit code of a run, and what is wrong with its end; empty if nothing is."""
    try:
        done = run.start(folder, f"{program} {run.command}")
    except subprocess.TimeoutExpired:
        return -1, f"did not end within {SECONDS} seconds"
    if done.returncode in KNOWN and "Traceback" not in done.stderr:
        return done.returncode, ""
    if "-t 1" in run.limits and done.returncode in {-9, -24, 137, 152}:
        return done.returncode, ""
    if "-f" in "".join(run.limits) and done.returncode in {-25, 153}:
        return done.returncode, ""
    # The interpreter, or the shell before it, may not have begun.
    if run.start(folder, f"{shlex.quote(sys.executable)} -c 'import click, lockstream'").returncode:
        return done.returncode, ""
    return done.returncode, done.stderr[-2000:] or f"exit code {done.returncode}"


def prepare(folder: Path) -> None:
    """Write wheels, locks and inputs that the commands name."""
    (folder / "wheels").mkdir(parents=True)
    (folder / "sub").mkdir()
    (folder / "file").write_text("x")
    os.mkfifo(folder / "sub" / "pipe")
    (folder / "pipe").write_text("demo\n")
    wheels = [
        build_wheel("demo", files={"demo.py": "x = 1\n", "big": bytes(1 << 20)}),
        build_wheel("other", "2.0", files={f"other/{n}.py": "" for n in range(200)}),
    ]
    for wheel in wheels:
        wheel.write(folder / "wheels")
    lock = lock_of(wheels, folder="wheels/")
    (folder / "pylock.toml").write_text(lock)
    (folder / "broken.toml").write_text(lock[:-40])
    (folder / "marker.toml").write_text(
        lock.replace('name = "demo"', 'name = "demo"\nmarker = "extra == \'x\'"')
    )
    (folder / "requirements.in").write_text("demo\nother\n")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--program", default=str(PROGRAM))
    options = parser.parse_args()
    codes: Counter[int] = Counter()
    faults = 0
    for number in range(options.runs):
        run = Run.drawn(random.Random(f"{options.seed}/{number}"))
        folder = Path(tempfile.mkdtemp(prefix="ends-"))
        try:
            folder.chmod(0o777)
            prepare(folder / "work")
            code, fault = fault_of(run, folder / "work", options.program)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        codes[code] += 1
        if fault:
            faults += 1
            print(f"run {number}: {run}\n  exit code {code}\n{fault}\n", flush=True)
    print(f"{options.runs} runs, {faults} faults; exit codes: {dict(sorted(codes.items()))}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
