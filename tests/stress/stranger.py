"""The path of a stranger: from the page of a forge to a green job, with a lock that uv exported.

    python -m stress.stranger [--only github,gitlab,one-file,monorepo]

Makes a project as uv makes one, a package of its own with a group for tests, runs the commands that
README.md and docs/ci/ tell, and then the shell of the job that they made, as a runner does: in a
fresh clone, without a cache, HOME or anything installed but uv and Python. Prints each command
with its seconds. lockstream itself comes from a wheel of this tree, everything else from PyPI.
Needs the network, uv and git. Exit status 1 if a command fails or the job is not green.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.installers import CLEAN, find_uv
from executor.files.folders import remove_tree
from schemas.version import VERSION

__all__ = ["main"]

PROJECT = Path(__file__).parents[2]
BASE = Path(sys.executable).resolve()

NETWORK = re.compile(r"(?i)(http|https|no|all)_proxy|.*(CERT|CA_BUNDLE).*|(PIP|UV)_.*INDEX_URL")
"""Variables without which this network cannot be used."""

FILES = {
    "pyproject.toml": """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["requests>=2.31", "rich", "pydantic>=2"]

[dependency-groups]
dev = ["pytest>=8"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "src/app/__init__.py": "import requests\n",
}

PIPX = """\
#!/bin/sh
# What the job wants of pipx, by uv.
[ "$1" = install ] && exec uv tool install --quiet "$2"
"""


@dataclass
class Stranger:
    """A machine with nothing on it but Python, git and uv, and what was done there."""

    folder: Path
    wheels: Path
    commands: int = 0
    seconds: float = 0
    is_green: bool = True

    def __post_init__(self) -> None:
        programs = self.folder / "programs"
        programs.mkdir(parents=True)
        for name in ("git", "sh", "bash", "cat", "mkdir", "cp", "env", "rm"):
            if path := shutil.which(name):
                (programs / name).symlink_to(path)
        (programs / "uv").symlink_to(find_uv())
        for name in ("python3", f"python3.{sys.version_info.minor}", "python"):
            (programs / name).write_text(f'#!/bin/sh\nexec {BASE} "$@"\n')
            (programs / name).chmod(0o755)
        (programs / "pipx").write_text(PIPX)
        (programs / "pipx").chmod(0o755)

    def variables(self, machine: str) -> dict[str, str]:
        """Return the environment on ``machine``, each of which has caches and tools of its own."""
        home = self.folder / machine
        network = {name: text for name, text in os.environ.items() if NETWORK.fullmatch(name)}
        return {
            **network,
            **CLEAN,
            "PATH": f"{home}/bin:{self.folder / 'programs'}",
            "UV_CACHE_DIR": f"{home}/cache",
            "UV_TOOL_DIR": f"{home}/tools",
            "UV_TOOL_BIN_DIR": f"{home}/bin",
            "UV_FIND_LINKS": str(self.wheels),
            "UV_PYTHON": str(BASE),
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CACHE_DIR": f"{home}/pip",
            "LOCKSTREAM_CACHE_DIR": f"{home}/lockstream",
            "TMPDIR": str(self.folder),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(
        self,
        script: str,
        place: Path,
        variables: Mapping[str, str],
        *,
        is_command: bool = True,
        shell: str = "bash",
    ) -> None:
        """Run ``script``, and print it with its seconds; nothing more after one that fails."""
        if not self.is_green:
            return
        began = time.monotonic()
        done = subprocess.run(
            [shell, *(["-eo", "pipefail"] if shell == "bash" else ["-e"]), "-c", script],
            cwd=place, env=dict(variables), stdin=subprocess.DEVNULL, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        took = time.monotonic() - began
        self.seconds += took
        self.commands += is_command
        who = "$" if is_command else "job:"
        print(f"  {took:6.1f} s  {who} {' '.join(script.split())[:110]}", flush=True)
        if done.returncode:
            self.is_green = False
            print(f"  status {done.returncode}\n{done.stdout[-3000:]}", flush=True)


def make_project(folder: Path, remote: str, below: str = "") -> Path:
    """Make a repository with the project, ``below`` its root; the folder of the project."""
    place = folder / "work" / below
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    (place / ".gitignore").write_text(".venv\n")
    for words in (["init", "--quiet", "-b", "main"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", *words], cwd=folder / "work", check=True)
    return place


def clone(folder: Path) -> Path:
    """Commit everything in the working tree and clone it, as a job does; the clone."""
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["add", "--all"], [*identity, "commit", "--quiet", "-m", "x"]):
        subprocess.run(["git", *words], cwd=folder / "work", check=True)
    words = ["clone", "--quiet", str(folder / "work"), str(folder / "checkout")]
    subprocess.run(["git", *words], check=True)
    return folder / "checkout"


def github(stranger: Stranger, *, below: str = "") -> None:
    """docs/ci/github.md."""
    project = make_project(stranger.folder, "https://github.com/x/app.git", below)
    here = stranger.variables("laptop")
    stranger.run("uv tool install lockstream", project, here)
    stranger.run("uv export --quiet --format pylock.toml -o pylock.toml", project, here)
    stranger.run("lockstream init ci", project, here)
    if not stranger.is_green:
        return
    checkout = clone(stranger.folder)
    (workflow,) = checkout.glob(".github/workflows/*.yml")
    job = yaml.safe_load(workflow.read_text())["jobs"]["packages"]
    place = checkout / job.get("defaults", {}).get("run", {}).get("working-directory", "")
    for step in job["steps"]:
        if "run" in step:
            stranger.run(step["run"], place, stranger.variables("runner"), is_command=False)
    uses(stranger, place, "import app, requests, pydantic, pytest")


def gitlab(stranger: Stranger) -> None:
    """docs/ci/gitlab.md."""
    project = make_project(stranger.folder, "git@gitlab.example.com:x/app.git")
    here = stranger.variables("laptop")
    stranger.run("uv tool install lockstream", project, here)
    stranger.run("uv export --quiet --format pylock.toml -o pylock.toml", project, here)
    stranger.run("lockstream init ci", project, here)
    if not stranger.is_green:
        return
    checkout = clone(stranger.folder)
    job = yaml.safe_load((checkout / ".gitlab-ci.yml").read_text())["packages"]
    script = "\n".join(job["script"]).replace("/tmp/", f"{stranger.folder}/")
    variables = {**stranger.variables("runner"), **job["variables"]}
    stranger.run(script, checkout, variables, is_command=False, shell="sh")
    uses(stranger, checkout, "import app, requests, pydantic, pytest")


def one_file(stranger: Stranger) -> None:
    """docs/one-file.md: the file is in the project, and the job has one line."""
    project = make_project(stranger.folder, "https://git.example.com/x/app.git")
    shutil.copy(stranger.wheels / "lockstream.pyz", project)
    export = "uv export --quiet --no-emit-project --format pylock.toml -o pylock.toml"
    stranger.run(export, project, stranger.variables("laptop"))
    if stranger.is_green:
        checkout = clone(stranger.folder)
        line = "python3 lockstream.pyz execute --venv .venv"
        stranger.run(line, checkout, stranger.variables("runner"))
        uses(stranger, checkout, "import requests, pydantic, pytest")


def monorepo(stranger: Stranger) -> None:
    """docs/monorepo.md: the project is one of many in a repository."""
    github(stranger, below="services/api")


def uses(stranger: Stranger, place: Path, code: str) -> None:
    """Run what the job is for."""
    command = f".venv/bin/python -c '{code}'"
    stranger.run(command, place, stranger.variables("runner"), is_command=False)


PATHS = {"github": github, "gitlab": gitlab, "one-file": one_file, "monorepo": monorepo}


def make_wheels(folder: Path) -> None:
    """Make the wheel and lockstream.pyz, which are not downloaded yet."""
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "-w"]
    subprocess.run([*pip, str(folder), str(PROJECT)], check=True, env={**os.environ, **CLEAN})
    assert list(folder.glob(f"lockstream-{VERSION}-*.whl"))
    pyz = [sys.executable, "-m", "release.pyz", "--output", str(folder / "lockstream.pyz")]
    subprocess.run(pyz, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Go the chosen paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default=",".join(PATHS), metavar="PATH,...")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="stranger-", dir="/var/tmp"))
    try:
        make_wheels(work / "wheels")
        bad = 0
        for name in options.only.split(","):
            print(name, flush=True)
            stranger = Stranger(work / name, work / "wheels")
            PATHS[name](stranger)
            verdict = "green" if stranger.is_green else "RED"
            print(f"{name}: {verdict}, {stranger.commands} commands, {stranger.seconds:.1f} s")
            bad += not stranger.is_green
    finally:
        remove_tree(str(work))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
