"""A virtual environment that is made, by the venv of its interpreter."""

from __future__ import annotations

import errno
import os
import subprocess

from executor.environment.errors import InterpreterUnusable

__all__ = ["make_venv"]


_REFUSALS = (
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE,
    errno.ENFILE, errno.ENOMEM, errno.EFBIG, errno.ENAMETOOLONG,
)  # fmt: skip
"""Errors of the system because of which venv fails, and not because it is not installed."""

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)
"""Errors of symlink(2) on a file system without links, such as FAT."""


def make_venv(executable: str, path: str) -> None:
    """Make a virtual environment of the interpreter ``executable`` at ``path``, without pip.

    Raises InterpreterUnusable, and OSError if the system refuses it.
    """
    # It takes no link to a folder.
    folder = os.path.realpath(path) if os.path.islink(path) else path
    # In a process of its own: the modules it imports would stay in the memory of this one.
    run = subprocess.run(
        [executable, "-I", "-m", "venv", "--without-pip", folder],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if run.returncode != 0:
        problem = (run.stderr or run.stdout).decode(errors="replace").strip()
        # As in: [Errno 1] Operation not permitted: 'lib' -> '/mnt/env/lib64'
        if " -> " in problem and any(f"[Errno {number}]" in problem for number in _NO_LINKS):
            raise InterpreterUnusable(
                f"{path}: no virtual environment can be made: its file system has no links",
                hint="name a folder on another file system with --venv, or use --target",
            )
        _check_cause(problem, path)
        # It takes no folder whose name is not UTF-8, or has a colon in it.
        hint = "name another folder with --venv, or use --target"
        if "No module named" in problem or "ensurepip" in problem:
            hint = "on Debian and Ubuntu, install python3-venv"
        raise InterpreterUnusable(
            f"{path}: the virtual environment cannot be made: {problem}", hint=hint
        )


def _check_cause(problem: str, path: str) -> None:
    """Raise OSError if the system refused to make ``path``, as the output of venv says."""
    for number in _REFUSALS:
        if f"[Errno {number}]" in problem:
            raise OSError(number, os.strerror(number), path)
