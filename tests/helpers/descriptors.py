"""Descriptors of files: made, looked at, and limited in what they take."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["created", "is_open", "limited_file_size"]


def created(path: Path) -> int:
    """A new file, open for writing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def is_open(path: Path) -> bool:
    """Whether this process has the file open, or one below the folder.

    A number says nothing: threads of other tests may take one that has just been given back.
    """
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            if Path(os.readlink(f"/proc/self/fd/{number}")).is_relative_to(path):
                return True
    return False


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let no file of this process become larger than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
