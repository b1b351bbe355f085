"""Descriptors of files: made, looked at, and limited in what they take."""

from __future__ import annotations

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

__all__ = ["created", "high_numbers", "is_open", "limited_file_size"]

_SELECTABLE = 1024
"""FD_SETSIZE (https://man7.org/linux/man-pages/man2/select.2.html)."""


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


@contextmanager
def high_numbers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pipes have numbers that select(2) does not take, as where a program holds many files."""
    made = os.pipe
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= 2 * _SELECTABLE:
        pytest.skip("the hard limit of open files is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * _SELECTABLE), hard))

    def high() -> tuple[int, int]:
        low = made()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _SELECTABLE) for end in low]
        for end in low:
            os.close(end)
        return ends[0], ends[1]

    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pipe", high)
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
