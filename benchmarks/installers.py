"""The installers that are compared, run as people run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "CLEAN",
    "LOCKSTREAM",
    "PATIENCE",
    "PEERS",
    "TURNS",
    "Command",
    "Tools",
    "find_uv",
    "install_command",
    "make_environment",
    "run",
    "versions",
]

LOCKSTREAM = Path(sys.executable).with_name("lockstream")

PEERS = ("uv", "pip")

TURNS: Sequence[tuple[str, Sequence[str]]] = (
    ("lockstream", ()),
    ("uv", ()),
    ("pip", ()),
    ("lockstream", ("--durability", "kill")),  # uv and pip do not wait for the disk either
)
"""What is run in each turn, with which options."""

PATIENCE = 120
"""Seconds. A tool that has too little memory reads its own pages again and again, for minutes."""

CLEAN = {"PYTHONDONTWRITEBYTECODE": "1"}

_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]

Command = Sequence[str | Path]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **CLEAN}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def find_uv() -> str:
    """The uv on the PATH, else the one installed beside this interpreter."""
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if uv is None:
        raise SystemExit("uv is not on the PATH; name it with --uv")
    return uv


def make_environment(environment: Path) -> None:
    """A virtual environment without pip."""
    made = run(sys.executable, "-m", "venv", "--without-pip", environment)
    if made.returncode:
        raise SystemExit(f"{environment} cannot be made: {made.stderr}")


@dataclass(frozen=True)
class Tools:
    """Where the tools are. pip is that of the interpreter that runs the benchmark."""

    uv: str
    lockstream: Path = LOCKSTREAM

    @classmethod
    def installed_below(cls, folder: Path, uv: str) -> Tools:
        """lockstream as it is now, in an environment of its own: what a developer edits while a
        benchmark runs makes no difference to it.
        """
        environment = folder / "lockstream"
        make_environment(environment)
        python = environment / "bin" / "python"
        project = Path(__file__).parent.parent
        installed = run(*_PIP, "--quiet", "--python", python, "install", f"{project}[fast]")
        if installed.returncode:
            raise SystemExit(f"lockstream cannot be installed: {installed.stderr}")
        return cls(uv, environment / "bin" / "lockstream")


def install_command(tool: str, environment: Path, lock: Path, tools: Tools) -> Command:
    """What installs the whole lock into the environment with no cache: uv with its default way of
    linking, pip without compiling, for no other tool compiles.
    """
    python = environment / "bin" / "python"
    commands: dict[str, Command] = {
        "lockstream": [tools.lockstream, "execute", lock, "--venv", environment,
                       "--progress", "none"],
        "uv": [tools.uv, "pip", "sync", "--no-cache", "--python", python, lock],
        "pip": [*_PIP, "--quiet", "--python", python, "install", "--no-cache-dir", "--no-compile",
                "--no-deps", "-r", lock],
    }  # fmt: skip
    return commands[tool]


def versions(tools: Tools) -> str:
    """The tools and their versions, as one phrase."""
    programs: dict[str, Command] = {"lockstream": [tools.lockstream], "uv": [tools.uv], "pip": _PIP}
    told = {name: run(*program, "--version").stdout for name, program in programs.items()}
    numbers = {name: re.search(r"\d[\w.]*", text) for name, text in told.items()}
    return ", ".join(f"{name} {number[0] if number else '?'}" for name, number in numbers.items())
