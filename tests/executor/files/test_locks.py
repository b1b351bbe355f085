"""One process holds a lock; a system without locks is no reason to fail."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from executor.files.locks import try_lock


def test_a_lock_is_held_until_its_file_is_closed(tmp_path: Path) -> None:
    first, second = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert try_lock(first)
    assert not try_lock(second)
    os.close(first)
    assert try_lock(second)
    os.close(second)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOLCK, errno.ENOSYS])
def test_where_locks_are_refused_one_goes_without(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert try_lock(0)


def test_a_fault_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "fault")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match="fault"):
        try_lock(0)
