"""Whether an error that nothing explains is a lack of memory."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress

__all__ = ["is_shortage"]


def is_shortage(error: BaseException) -> bool:
    """Return whether ``error``, or what caused it, is a lack of memory.

    Just below a limit of its address space or data, a library may fail in any way.
    """
    for one in _causes(error):
        if isinstance(one, MemoryError):
            return True
        if isinstance(one, OSError) and one.errno == errno.ENOMEM:
            return True
        if isinstance(one, (ImportError, RuntimeError)) and any(
            text in str(one) for text in _SHORTAGES
        ):
            return True
    is_plain = type(error).__module__ == "builtins" and not isinstance(error, KeyboardInterrupt)
    return is_plain and _is_near_limit()


_SHORTAGES = ("annot allocate memory", "failed to map segment", "can't start new thread")
"""Texts of the dynamic linker and of threading."""

_NEAR_LIMIT = 8 << 20
"""Bytes below RLIMIT_AS or RLIMIT_DATA within which an unforeseen error counts as a lack of memory:
a shared library maps 2 to 6 MiB."""


def _is_near_limit() -> bool:
    with suppress(Exception):
        import resource  # noqa: PLC0415  # not on all systems

        with open("/proc/self/statm", "rb") as file:
            pages = list(map(int, file.read().split()))
        page = resource.getpagesize()
        for limit, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
            soft = resource.getrlimit(limit)[0]
            if soft != resource.RLIM_INFINITY and soft - used * page < _NEAR_LIMIT:
                return True
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
