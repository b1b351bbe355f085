"""The installers that are compared, run as people run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "CLEAN",
    "LOCKSTREAM",
    "PATIENCE",
    "PEERS",
    "TURNS",
    "UV_AND_SYNC",
    "Command",
    "Tools",
    "copy_python",
    "find_uv",
    "install_command",
    "make_environment",
    "run",
    "versions",
]

LOCKSTREAM = Path(sys.executable).with_name("lockstream")

PEERS = ("uv", "pip")

UV_AND_SYNC = "uv, then sync -f"
"""uv, with what lockstream promises by default: the files are on the disk at the end."""


TURNS: Sequence[tuple[str, Sequence[str]]] = (
    ("lockstream", ()),
    ("uv", ()),
    ("pip", ()),
    # uv and pip neither wait for the disk nor hold files to RECORD.
    ("lockstream", ("--durability", "kill", "--no-verify-record")),
)
"""What is run in each turn, with which options."""

PATIENCE = 120
"""Seconds. A tool that has too little memory reads its own pages again and again, for minutes."""

CLEAN = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""Variables of every command: no tool takes files from places that this machine's pip knows."""

_TELL_MAPPED = """
import isal.isal_zlib, executor.cli, executor.install
lines = [line.split(maxsplit=5) for line in open("/proc/self/maps")]
print(*{line[5].strip() for line in lines if line[5:] and line[5].startswith("/")}, sep="\\n")
"""

_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]

Command = Sequence[str | Path]


def run(
    *command: str | Path, variables: Mapping[str, str] = CLEAN
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def find_uv() -> str:
    """The uv on the PATH, else the one of this interpreter's environment."""
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if uv is None:
        raise SystemExit("uv is not on the PATH; name it with --uv")
    return uv


def make_environment(
    environment: Path,
    python: str | Path = sys.executable,
    variables: Mapping[str, str] = CLEAN,
) -> None:
    """A virtual environment without pip."""
    made = run(python, "-m", "venv", "--without-pip", environment, variables=variables)
    if made.returncode:
        raise SystemExit(f"{environment} cannot be made: {made.stderr}")


@dataclass(frozen=True)
class Tools:
    """The paths of the tools. pip is that of the interpreter that runs the benchmark."""

    uv: str
    lockstream: Path = LOCKSTREAM
    variables: Mapping[str, str] = field(default_factory=lambda: CLEAN)
    """Of the environment that they run in."""

    @classmethod
    def installed_below(cls, folder: Path, uv: str, *, is_first: bool = False) -> Tools:
        """lockstream as it is now, in an environment of its own: what a developer edits while a
        benchmark runs makes no difference to it. If it ``is_first``, it has a copy of the
        interpreter too, and uv is a copy: no other process has a page of them in memory.
        """
        environment = folder / "lockstream"
        python, variables = Path(sys.executable), CLEAN
        if is_first:
            uv = str(shutil.copy2(uv, folder / "uv"))
            python = copy_python(folder / "python")
            variables = {**CLEAN, "LD_LIBRARY_PATH": str(folder / "python" / "lib")}
        make_environment(environment, python, variables)
        project = Path(__file__).parent.parent
        within = environment / "bin" / "python"
        installed = run(*_PIP, "--quiet", "--python", within, "install", f"{project}[fast]")
        if installed.returncode:
            raise SystemExit(f"lockstream cannot be installed: {installed.stderr}")
        return cls(uv, environment / "bin" / "lockstream", variables)

    def programs(self) -> list[Path]:
        """The files that the tools map into memory: programs and libraries."""
        python = self.lockstream.with_name("python")
        mapped = run(python, "-c", _TELL_MAPPED, variables=self.variables)
        if mapped.returncode:
            raise SystemExit(f"{python} does not report what it maps: {mapped.stderr}")
        return [Path(self.uv), *map(Path, mapped.stdout.splitlines())]


def copy_python(folder: Path) -> Path:
    """Copy this interpreter to ``folder``, with its libraries and without what is installed there;
    the program.
    """
    base, library = Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))
    program = folder / "bin" / f"python{sysconfig.get_python_version()}"
    ignored = shutil.ignore_patterns("site-packages", "dist-packages", "test", "idlelib")
    shutil.copytree(library, folder / library.relative_to(base), symlinks=True, ignore=ignored)
    for shared in (base / "lib").glob("libpython*"):
        shutil.copy2(shared, folder / "lib", follow_symlinks=False)
    program.parent.mkdir()
    shutil.copy2(base / "bin" / program.name, program)
    return program


def install_command(tool: str, environment: Path, lock: Path, tools: Tools) -> Command:
    """What installs the whole lock into the environment: uv with its default way of linking, pip
    without compiling, for no other tool compiles.

    uv has an empty cache next to the environment. With ``--no-cache`` it makes one too and removes
    it, which costs time in this run and in the next one (see ``no_cache`` in
    peers/measurements.py).
    """
    python = environment / "bin" / "python"
    cache = environment.with_name(f"{environment.name}-cache")
    uv: Command = [tools.uv, "pip", "sync", "--cache-dir", cache, "--python", python, lock]
    commands: dict[str, Command] = {
        "lockstream": [tools.lockstream, "execute", lock, "--venv", environment,
                       "--progress", "none"],
        "uv": uv,
        UV_AND_SYNC: ["sh", "-c", '"$@" && sync -f "$0"', environment, *uv],
        "pip": [*_PIP, "--quiet", "--python", python, "install", "--no-cache-dir", "--no-compile",
                "--no-deps", "-r", lock],
    }  # fmt: skip
    return commands[tool]


def versions(tools: Tools) -> str:
    """The tools and their versions, as one phrase."""
    programs: dict[str, Command] = {"lockstream": [tools.lockstream], "uv": [tools.uv], "pip": _PIP}
    outputs = {name: run(*program, "--version").stdout for name, program in programs.items()}
    numbers = {name: re.search(r"\d[\w.]*", text) for name, text in outputs.items()}
    return ", ".join(f"{name} {number[0] if number else '?'}" for name, number in numbers.items())
