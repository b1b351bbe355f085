"""Make everything that a release publishes, in dist/, and check it.

    python -m release.build [--complete]

The sdist, the wheel, lockstream.pyz, its bill of materials (CycloneDX) and SHA256SUMS.
Each is used as its users will: the sdist is built again, the wheel is installed into a fresh
environment, the file is run, and both programs execute a lock.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from helpers.wheels import build_wheel, lock_of
from release.modules import PROJECT
from release.pyz import SUPPORTED, commit_time, find_python, make_pyz
from release.sbom import bill_of
from schemas.version import VERSION

DIST = PROJECT / "dist"


class Wrong(Exception):
    """A part of the release is not as it has to be."""


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Return what the command prints. Raises Wrong if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Wrong(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def distribution(kind: str, source: Path, folder: Path, moment: int) -> Path:
    """Build the sdist or wheel of ``source`` in ``folder``, and return its path."""
    before = set(folder.glob("*"))
    command = (sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder))
    run(*command, cwd=source, SOURCE_DATE_EPOCH=str(moment))
    (built,) = set(folder.glob("*")) - before
    return built


def check_changelog() -> None:
    """Raise Wrong if CHANGELOG.md has no dated section of this version."""
    text = (PROJECT / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(VERSION)} \(\d{{4}}-\d\d-\d\d\)$", text, re.MULTILINE):
        raise Wrong(f"CHANGELOG.md has no section '## {VERSION} (YYYY-MM-DD)'")


def check_sdist(sdist: Path, wheel: Path, work: Path, moment: int) -> None:
    """Raise Wrong if the wheel that is built from the sdist is another one."""
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "source", filter="data")
    (source,) = (work / "source").iterdir()
    (work / "rebuilt").mkdir()
    rebuilt = distribution("wheel", source, work / "rebuilt", moment)
    if rebuilt.read_bytes() != wheel.read_bytes():
        raise Wrong(f"the wheel built from {sdist.name} is not {wheel.name}")


def check_program(work: Path, *program: str | Path) -> None:
    """Raise Wrong if the program does not say its version, or does not execute a lock."""
    work.mkdir()
    demo = build_wheel()
    demo.write(work)
    (work / "pylock.toml").write_text(lock_of([demo]))
    if run(*program, "--version").strip() != f"lockstream, version {VERSION}":
        raise Wrong(f"{program[-1]} does not say its version")
    run(*program, "execute", "--venv", "env", cwd=work)
    run(*program, "verify", "--venv", "env", cwd=work)
    run(work / "env/bin/python", "-c", "import demo", cwd=work)


def check_wheel(wheel: Path, work: Path) -> None:
    """Raise Wrong if the wheel, installed into a fresh environment, does not work."""
    environment = work / "installed"
    uv = Path(sys.executable).with_name("uv")
    run(uv, "venv", "--quiet", "--python", sys.executable, environment)
    run(uv, "pip", "install", "--quiet", "--python", environment, wheel)
    check_program(work / "by-wheel", environment / "bin/lockstream")


def write_sums(paths: list[Path]) -> None:
    """Write SHA256SUMS, which `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    (DIST / "SHA256SUMS").write_text("".join(lines))
    run("sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS", cwd=DIST)


def main() -> None:
    """Make the release, and print what it consists of."""
    parser = argparse.ArgumentParser(prog="release.build")
    parser.add_argument("--complete", action="store_true", help="fail if a Python is missing")
    options = parser.parse_args()
    found = {minor: find_python(minor) for minor in SUPPORTED}
    missing = [minor for minor, python in found.items() if python is None]
    moment = commit_time()
    try:
        if missing and options.complete:
            raise Wrong(f"no CPython {', '.join(missing)} on the PATH or of pyenv")
        check_changelog()
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        sdist = distribution("sdist", PROJECT, DIST, moment)
        wheel = distribution("wheel", PROJECT, DIST, moment)
        pyz = DIST / "lockstream.pyz"
        make_pyz(pyz, [python for python in found.values() if python], moment)
        bill = DIST / "lockstream.pyz.cdx.json"
        bill.write_text(bill_of(pyz, moment))
        if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text()):
            raise Wrong(f"{bill.name}: {wrong}")
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            check_sdist(sdist, wheel, work, moment)
            check_wheel(wheel, work)
            for minor, python in found.items():
                if python:
                    check_program(work / f"by-pyz-{minor}", python, pyz)
        parts = [sdist, wheel, pyz, bill]
        write_sums(parts)
    except Wrong as error:
        sys.exit(f"release.build: {error}")
    for path in [*parts, DIST / "SHA256SUMS"]:
        print(f"{path.stat().st_size:>9,} bytes  {path.relative_to(PROJECT)}")
    if missing:
        print(
            f"without byte code for Python {', '.join(missing)}, which this machine does not have"
        )


if __name__ == "__main__":
    main()
