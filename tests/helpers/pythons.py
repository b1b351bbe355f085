"""The interpreters on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["PYTHONS", "minor"]


def _pythons() -> dict[str, str]:
    found: set[str] = set()
    found.update(filter(None, (shutil.which(f"python3.{minor}") for minor in range(6, 20))))
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        found.update(map(str, Path(root.strip()).glob("versions/*/bin/python")))
    by_version = {}
    for executable in [*sorted(found), sys.executable]:
        run = subprocess.run([executable, "-I", "-V"], capture_output=True, text=True, check=False)
        # Python 2 prints its version to stderr; a shim of pyenv may lead to no Python.
        if run.returncode == 0 and (match := re.match(r"Python (\S+)", run.stdout + run.stderr)):
            by_version[match[1]] = executable
    return by_version


PYTHONS = _pythons()
"""Paths by version: the running one, those on the PATH and those of pyenv."""


def minor(version: str) -> tuple[int, int]:
    """Its first two numbers."""
    major, minor, *_ = version.split(".")
    return int(major), int(minor)
