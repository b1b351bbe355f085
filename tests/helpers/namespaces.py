"""Mounts that only one process and its children see. They take the rights of root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["can_mount", "in_namespace"]

_PROJECT = Path(__file__).parents[2]


def can_mount() -> bool:
    """Return whether a process may have a mount namespace of its own, with an overlay in it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    run = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return run.returncode == 0 and "overlay" in Path("/proc/filesystems").read_text()


def in_namespace(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in ``folder``, in a mount namespace of its own.

    ``lockstream`` is the program there, and ``arguments`` are its ``$1`` and so on.
    """
    program = f'lockstream() {{ "{sys.executable}" -m lockstream "$@"; }}'
    return subprocess.run(
        ["unshare", "-m", "bash", "-ec", f"{program}\n{script}", "bash", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
