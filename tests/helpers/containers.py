"""Root file systems and real containers. They take the rights of root.

A root file system is that of Debian with Python, made by debootstrap; Podman and runc run it. On
Debian: apt-get install podman runc debootstrap.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "Podman", "can_run_containers", "install_into", "make_root"]

_PROJECT = Path(__file__).parents[2]

_RUN = (
    "--runtime", "runc", "--cgroup-manager", "cgroupfs",
    "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096",
)  # fmt: skip
"""Options that also hold where there is no systemd, and where the limits of this machine are lower
than Podman's defaults."""

_KILLED = 137
"""128 + SIGKILL."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    status: int
    is_killed: bool
    """Whether it, or a process in it, was killed because memory ran out."""
    output: str


def can_run_containers() -> bool:
    """Return whether containers can be made and run here."""
    programs = ("podman", "runc", "debootstrap")
    return os.geteuid() == 0 and all(map(shutil.which, programs))


def make_root(
    folder: Path, packages: Sequence[str] = ("python3",), suite: str = "bookworm"
) -> None:
    """Fill ``folder`` with a small Debian that has ``packages``; it takes a minute.

    Raises CalledProcessError.
    """
    command = ("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite)
    subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "var/cache/apt/archives", ignore_errors=True)


def install_into(root: Path) -> None:
    """Install this project with what it depends on into ``/opt/lockstream`` of a root file system,
    and a program ``lockstream``. The Python there must be of the version of this one.

    Raises CalledProcessError.
    """
    place = root / "opt/lockstream"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--quiet",
            "install",
            "--target",
            str(place),
            str(_PROJECT),
        ],
        check=True,
    )
    program = root / "usr/local/bin/lockstream"
    program.write_text(
        '#!/bin/sh\nexec env PYTHONPATH=/opt/lockstream python3 -m lockstream "$@"\n'
    )
    program.chmod(0o755)


class Podman:
    """Images and containers in a folder of their own; the caller removes it, after ``close``."""

    def __init__(self, folder: Path, network: str = "none") -> None:
        """``network`` is that of the containers; "host" lets them reach servers on loopback."""
        self._network = network
        self._command = ("podman", "--root", str(folder / "root"), "--runroot", str(folder / "run"))
        self._number = 0

    def import_image(self, root: Path, name: str) -> None:
        """Make an image of a root file system. Raises CalledProcessError."""
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                [*self._command, "import", "--quiet", "-", name],
                stdin=archive.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )

    def run(self, image: str, *command: object, options: Sequence[object] = ()) -> Ended:
        """Run a command in a container of ``image``, with further options of ``podman run``."""
        self._number += 1
        name = f"run-{self._number}"
        run = subprocess.run(
            [*self._command, "run", "--name", name, *_RUN, "--network", self._network]
            + [*map(str, options), image]
            + [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        found = self._podman("inspect", name)
        state = json.loads(found.stdout)[0]["State"] if found.returncode == 0 else {}
        self._podman("rm", "--force", "--volumes", name)
        is_killed = bool(state.get("OOMKilled")) or run.returncode == _KILLED
        return Ended(run.returncode, is_killed, run.stdout)

    def close(self) -> None:
        """Remove all containers, volumes and images."""
        self._podman("rm", "--all", "--force", "--volumes")
        self._podman("volume", "rm", "--all", "--force")
        self._podman("rmi", "--all", "--force")

    def _podman(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command, *words], capture_output=True, text=True, check=False)
