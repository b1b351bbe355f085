"""The interpreters on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

__all__ = ["PYTHONS", "linked_python", "minor"]


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


def linked_python(root: Path, configured: Callable[[str], str]) -> str:
    """Make a Python below ``root`` of links to the running one, but for ``sysconfig``, whose source
    is what ``configured`` makes of it. Return the path of its program.
    """
    version, real = (
        f"python{sys.version_info.major}.{sys.version_info.minor}",
        Path(sys.base_prefix),
    )
    library = root / "lib" / version
    (library / "site-packages").mkdir(parents=True)
    (root / "bin").mkdir()
    shutil.copy(real / "bin" / version, root / "bin")
    for entry in (real / "lib").glob("*.so*"):
        (root / "lib" / entry.name).symlink_to(entry)
    (root / "include" / version).mkdir(parents=True)
    for entry in (real / "lib" / version).iterdir():
        if entry.name not in {"site-packages", "sysconfig", "sysconfig.py"}:
            (library / entry.name).symlink_to(entry)
    source = Path(sysconfig.__file__)
    place = library / source.relative_to(source.parents[source.name == "__init__.py"])
    if place.name == "__init__.py":
        shutil.copytree(source.parent, place.parent)
    place.write_text(configured(source.read_text()))
    return str(root / "bin" / version)
