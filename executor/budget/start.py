"""The memory that the program needs to start, checked before it imports its commands.

It imports little: in 8 MiB there has to be memory left to say that they are too few. If Python has
no byte code, ``typing`` and what it imports take 6 MiB alone, and ``contextlib`` 3; so neither this
module nor what it imports may import them.
"""

from __future__ import annotations

import os
from _tracemalloc import is_tracing  # the module ``tracemalloc`` imports ``re`` and ``pickle``
from importlib.machinery import PathFinder

from executor.budget.memory import smallest_limit

__all__ = ["START_MEMORY", "TRACED_START", "UNCOMPILED_START", "has_byte_code", "shortage_at_start"]


START_MEMORY = 18 << 20
"""Bytes that a command takes until it can decide what it needs. ``execute`` is killed in 14 MiB
while it is imported, and refuses in 18 MiB after it has read the environment."""


UNCOMPILED_START = 3 << 20
"""Further bytes if Python compiles what it imports: ``execute`` is killed in 18 MiB, and refuses in
20 MiB."""


TRACED_START = 256 << 20
"""Bytes if Python records where memory is allocated (``PYTHONTRACEMALLOC``). It then keeps a trace
of each object: an execution of 23 MiB takes 38 with one frame, 65 with 25 and 80 with all."""


def shortage_at_start() -> str:
    """Return an error and its hint if the memory limit is too small to start; else nothing."""
    limit = smallest_limit()
    if limit is None:
        return ""
    if is_tracing() and limit.available < TRACED_START:
        return (
            f"error: PYTHONTRACEMALLOC (or -X tracemalloc) needs {TRACED_START >> 20} MiB of "
            f"memory, but {limit.source} leaves {max(0, limit.available) >> 20} MiB\n"
            "hint: unset PYTHONTRACEMALLOC, or raise the memory limit\n"
        )
    needed = START_MEMORY + (0 if has_byte_code() else UNCOMPILED_START)
    if limit.available >= needed:
        return ""
    return (
        f"error: lockstream needs {needed >> 20} MiB of memory to start, but {limit.source} leaves "
        f"{max(0, limit.available) >> 20} MiB\n"
        "hint: raise the memory limit; 64 MiB are enough for any installation onto a disk\n"
    )


def has_byte_code() -> bool:
    """Return whether the interpreter finds byte code of its library and of the libraries we use.

    The official images of Python have none of its library, and nothing may be written in many.
    """
    library = os.path.join(os.path.dirname(os.__file__), "tomllib")
    specs = [PathFinder.find_spec("_parser", [library])]
    # uv installs without byte code, and they may not be imported yet.
    specs += map(PathFinder.find_spec, ("packaging", "click", "executor"))
    # lockstream.pyz holds byte code without its sources.
    return all(
        spec.cached == spec.origin or os.path.exists(spec.cached)
        for spec in specs
        if spec and spec.cached
    )
