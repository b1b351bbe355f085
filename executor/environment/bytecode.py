"""Byte code: compile what was installed, in one child process of the target's Python.

Never in our own: what the compiler takes stays with a process for good. The child is limited, and
a file that cannot be compiled (a template, code for another Python) is left as it is, as with pip.
"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterable

from schemas.errors import UsageError

__all__ = ["MEMORY", "check_compiler", "compile_files"]


MEMORY = 256 << 20
"""Bytes of data the child may take. The largest modules of 994 real wheels (sympy, botocore's
generated ones) take 120 MiB to compile."""


def check_compiler(executable: str) -> None:
    """Refuse an interpreter that is not on this machine. Raises UsageError."""
    import shutil  # noqa: PLC0415  # where it is asked for

    if shutil.which(executable) is None:
        raise UsageError(
            "byte code is made by the Python it is for, which is on another machine",
            hint="leave --compile out; Python makes byte code when it runs, where it may write",
        )


def compile_files(executable: str, paths: Iterable[str]) -> None:
    """Compile the Python files among ``paths`` for the interpreter ``executable``."""
    command = [executable, "-I", "-m", "compileall", "-q", "-q", "-j", "1", "-i", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        resource.prlimit(child.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        try:
            assert child.stdin is not None
            for path in paths:
                if path.endswith(".py"):
                    child.stdin.write(f"{path}\n".encode())
            child.stdin.close()
        except BrokenPipeError:
            pass
