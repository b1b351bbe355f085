"""Compile installed files to byte code, in one child process of the target's Python.

A child, because a process does not return the memory that the compiler takes. The child's memory is
limited. A file that cannot be compiled (a template, code for another Python) is left as it is, as
pip does.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from contextlib import suppress

from schemas.errors import UsageError

__all__ = ["MEMORY", "check_compiler", "compile_files"]


MEMORY = 256 << 20
"""Bytes of data that the child may hold. The largest modules of 994 real wheels (sympy, botocore's
generated ones) take 120 MiB to compile."""


_PROGRAM = """\
import compileall, os, sys
for path in sys.stdin.buffer.read().split(b"\\0")[:-1]:
    compileall.compile_file(os.fsdecode(path), quiet=2)
"""
"""What the child runs. The command line of compileall reads a path in each line, as text of the
locale; a path may have a line feed in it, and need not be text."""


def check_compiler(executable: str) -> None:
    """Raise UsageError if the interpreter ``executable`` is not on this machine."""
    import shutil  # noqa: PLC0415  # only --compile needs it

    if shutil.which(executable) is None:
        raise UsageError(
            "byte code is made by the target's Python, which is not on this machine",
            hint="leave --compile out; Python makes byte code when it runs, if it may write",
        )


def compile_files(executable: str, paths: Iterable[str], data: int | None = None) -> None:
    """Compile the Python files among the absolute ``paths`` for the interpreter ``executable``.

    The child may hold ``data`` bytes, and never more than MEMORY. Raises OSError if the interpreter
    cannot be run.
    """
    import subprocess  # noqa: PLC0415  # rarely needed, and 2 ms

    command = [executable, "-I", "-c", _PROGRAM]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        limit = MEMORY if data is None else min(data, MEMORY)
        with suppress(OSError, ValueError):  # a seccomp filter may refuse it, or a hard limit
            resource.prlimit(child.pid, resource.RLIMIT_DATA, (limit, limit))
        try:
            assert child.stdin is not None
            for path in paths:
                if path.endswith(".py"):
                    child.stdin.write(os.fsencode(path) + b"\0")
            child.stdin.close()
        except BrokenPipeError:
            pass
