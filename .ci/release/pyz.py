"""Make lockstream.pyz: the executor and what it requires, as one file that any Python runs.

    python -m release.pyz [--output FILE] [--python PROGRAM]... [--unpacked FOLDER]

The same sources, dependencies and Pythons give the same bytes on any machine: names are sorted,
modes and times are fixed.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

from release.modules import PROGRAMS, PROJECT, bundled_modules, bundled_versions, licences
from schemas.version import VERSION

__all__ = ["SUPPORTED", "commit_time", "find_python", "make_pyz"]

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
"""The versions of Python that byte code is put in for."""

SHEBANG = b"#!/usr/bin/env python3\n"


def find_python(minor: str) -> str | None:
    """Return the path of a CPython of this version, on the PATH or of pyenv; None without one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    pyenv = sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"))
    for candidate in [f"python{minor}", *map(str, pyenv)]:
        # A shim of pyenv is there for Pythons that it does not run.
        if (path := shutil.which(candidate)) and _tag(path) == f"cpython-{minor.replace('.', '')}":
            return path
    return None


def _tag(python: str) -> str:
    code = "import sys; print(sys.implementation.cache_tag)"
    run = subprocess.run([python, "-ISc", code], capture_output=True, text=True, check=False)
    return run.stdout.strip()


def commit_time() -> int:
    """Return SOURCE_DATE_EPOCH, or else the time of the commit, in seconds since 1970.

    Outside of a repository, as in an sdist, it is the first moment that a zip file can state.
    """
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    log = ["git", "-C", str(PROJECT), "log", "-1", "--format=%ct"]
    try:
        run = subprocess.run(log, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 315532800
    return int(run.stdout)


def make_pyz(output: Path, pythons: Iterable[str], moment: int) -> dict[str, bytes]:
    """Write the file, with byte code made by each of ``pythons``; return its members.

    ``moment``, in seconds since 1970, is the time of each member.
    """
    sources = bundled_modules()
    members = {"__main__.py": (Path(__file__).parent / "entry.py").read_bytes()}
    members |= {f"src/{path}": content for path, content in sources.items()}
    members |= {f"licenses/{path}": content for path, content in licences().items()}
    made_by = {}
    for python in pythons:
        tag, number, code = _compile(python, sources)
        made_by[tag] = number
        members |= {f"{tag}/{path}c": content for path, content in code.items()}
        members |= {f"{tag}/{path}": sources[path] for path in PROGRAMS}
    facts = {
        "lockstream": VERSION,
        "bundled": bundled_versions(),
        "byte-code": made_by,
    }
    members["BUILD.json"] = (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode()
    _write(output, members, moment)
    return members


def _compile(python: str, sources: dict[str, bytes]) -> tuple[str, str, dict[str, bytes]]:
    """Return the tag and the version of the interpreter, and its code of each module."""
    texts = {path: text.decode() for path, text in sources.items() if path not in PROGRAMS}
    run = subprocess.run(
        [python, "-IS", str(Path(__file__).parent / "bytecode.py")],
        input=json.dumps(texts),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(run.stdout)
    code = {path: base64.b64decode(text) for path, text in answer["code"].items()}
    return answer["tag"], answer["version"], code


def _write(output: Path, members: dict[str, bytes], moment: int) -> None:
    when = time.gmtime(max(moment, 315532800))[:6]  # a zip file has no earlier time
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    with open(unfinished, "wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "a") as archive:
            for name, content in sorted(members.items()):
                info = zipfile.ZipInfo(name, (*when[:5], when[5] // 2 * 2))
                info.create_system = 3  # modes are those of Unix, wherever it is made
                info.external_attr = 0o100644 << 16
                archive.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
    unfinished.chmod(0o755)
    unfinished.replace(output)


def main() -> None:
    """Make the file, and say what it holds."""
    parser = argparse.ArgumentParser(prog="release.pyz")
    parser.add_argument("--output", type=Path, default=PROJECT / "dist" / "lockstream.pyz")
    parser.add_argument("--python", action="append", help="make byte code with it (repeatable)")
    parser.add_argument(
        "--complete", action="store_true", help="fail if a supported one is missing"
    )
    parser.add_argument("--unpacked", type=Path, help="write its members into this folder too")
    options = parser.parse_args()
    found = {minor: find_python(minor) for minor in SUPPORTED}
    missing = [minor for minor, python in found.items() if python is None]
    if options.complete and not options.python and missing:
        sys.exit(f"release.pyz: no CPython {', '.join(missing)} on the PATH or of pyenv")
    pythons = options.python or [python for python in found.values() if python]
    members = make_pyz(options.output, pythons, commit_time())
    if options.unpacked:
        for name, content in members.items():
            path = options.unpacked / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    print(f"{options.output}: {options.output.stat().st_size / 2**20:.1f} MiB")
    print(members["BUILD.json"].decode(), end="")


if __name__ == "__main__":
    main()
