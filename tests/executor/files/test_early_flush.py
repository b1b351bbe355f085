"""Files are on their way to the disk while more come; what that finds is not lost."""

from __future__ import annotations

import _thread
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from executor.files import early_flush
from executor.files.early_flush import EarlyFlush

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Disk:
    """Counts flushes, and lets them end one at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folders: list[str] = []
        self.threads: set[int] = set()
        self.may_end = threading.Semaphore(0)
        self.error: OSError | None = None
        monkeypatch.setattr(early_flush, "flush", self.flush)

    def flush(self, folders: Iterable[str]) -> None:
        self.folders += folders
        self.threads.add(threading.get_ident())
        assert self.may_end.acquire(timeout=10)
        if self.error is not None:
            raise self.error

    def began(self, count: int) -> None:
        _until(lambda: len(self.folders) >= count)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def _write_until(early: EarlyFlush, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        early.wrote()
        time.sleep(0.001)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(early_flush, "_APART", 0)
    return Disk(monkeypatch)


def test_a_flush_begins_in_another_thread_and_is_not_waited_for(disk: Disk) -> None:
    with EarlyFlush("packages") as early:
        early.wrote()
        disk.began(1)
        disk.may_end.release()
    assert disk.folders == ["packages"]
    assert threading.get_ident() not in disk.threads


def test_one_flush_is_at_work_at_a_time(disk: Disk) -> None:
    with EarlyFlush("packages") as early:
        early.wrote()
        disk.began(1)
        for _ in range(20):
            early.wrote()
        assert len(disk.folders) == 1
        disk.may_end.release()
        _write_until(early, lambda: len(disk.folders) == 2)
        disk.may_end.release()


def test_flushes_are_apart(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_flush, "_APART", 3600)
    with EarlyFlush("packages") as early:
        for _ in range(20):
            early.wrote()
    assert disk.folders == []


def test_the_last_flush_is_waited_for_however_short_the_time_was(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_flush, "_APART", 3600)
    ended = []

    def end() -> None:
        ended.append(True)
        disk.may_end.release()

    with EarlyFlush("packages") as early:
        early.wrote()
        early.finish()
        disk.began(1)
        threading.Timer(0.05, end).start()
    assert ended
    assert disk.folders == ["packages"]


def test_the_last_flush_is_the_one_that_is_at_work(disk: Disk) -> None:
    with EarlyFlush("packages") as early:
        early.wrote()
        disk.began(1)
        early.finish()
        disk.may_end.release()
    assert disk.folders == ["packages"]


def test_what_a_flush_finds_is_raised_by_the_next(disk: Disk) -> None:
    disk.error = FULL
    disk.may_end.release()
    early = EarlyFlush("packages")
    early.wrote()
    with pytest.raises(OSError, match="No space left"):
        _write_until(early, lambda: False)
    assert disk.folders == ["packages"]


def test_what_a_flush_finds_is_raised_at_the_end(disk: Disk) -> None:
    disk.error = FULL
    disk.may_end.release()
    with pytest.raises(OSError, match="No space left"), EarlyFlush("packages") as early:
        early.finish()


def test_the_error_of_the_body_is_not_kept_waiting_by_the_disk(disk: Disk) -> None:
    def fail() -> None:
        with EarlyFlush("packages") as early:
            early.finish()
            disk.began(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    disk.may_end.release()


def test_nothing_is_flushed_if_it_is_off(disk: Disk) -> None:
    with EarlyFlush("packages", is_on=False) as early:
        early.wrote()
        early.finish()
    assert disk.folders == []


def test_without_a_thread_the_flush_at_the_end_has_to_do(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    with EarlyFlush("packages") as early:
        early.wrote()
        early.finish()
    assert disk.folders == []


def test_a_real_folder_is_flushed_whether_it_exists_or_not(tmp_path: Path) -> None:
    with EarlyFlush(str(tmp_path / "packages")) as early:
        early.finish()
