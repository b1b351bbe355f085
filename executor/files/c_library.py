"""The C library of this process, for system calls and functions that Python has no name for."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["c_library"]


@cache
def c_library() -> Any:
    """Return the library, which sets the errno of ctypes; None if it cannot be had.

    Some Pythons have no ctypes, and on systems that make no memory executable it cannot be imported
    (https://docs.python.org/3/library/ctypes.html). It takes 0.4 MiB.
    """
    try:
        import ctypes  # noqa: PLC0415  # 0.4 MiB, which an execution may not need

        return ctypes.CDLL(None, use_errno=True)
    except (ImportError, MemoryError, OSError):
        return None
