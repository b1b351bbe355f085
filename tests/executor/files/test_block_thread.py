"""A thread works on every block in order, waits for none, and tells what went wrong."""

from __future__ import annotations

import _thread
import errno
import hashlib
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files import block_thread
from executor.files.block_thread import BlockThread, NoThread, handed_over


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def wait_for_threads(count: int) -> None:
    end = time.monotonic() + 5
    while threads() > count:  # those of other tests may end meanwhile
        assert time.monotonic() < end
        time.sleep(0.001)


def put(thread: BlockThread[bytes], count: int) -> None:
    for _ in range(count):
        thread.put(b"x")


@given(blocks=st.lists(st.binary(max_size=20)))
def test_every_block_comes_in_order_and_in_another_thread(blocks: list[bytes]) -> None:
    seen: list[tuple[bytes, bool]] = []
    own = threading.get_ident()
    with BlockThread(lambda block: seen.append((block, threading.get_ident() == own))) as thread:
        for block in blocks:
            thread.put(block)
        thread.finish()
        assert seen == [(block, False) for block in blocks]


def test_no_more_than_two_blocks_wait() -> None:
    may_work, put = threading.Event(), []
    with BlockThread(lambda _: may_work.wait()) as thread:

        def put_all() -> None:
            for number in range(5):
                thread.put(b"")
                put.append(number)

        other = threading.Thread(target=put_all)
        other.start()
        other.join(0.1)
        assert len(put) == 2
        may_work.set()
        other.join()
    assert len(put) == 5


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), MemoryError()])
@pytest.mark.parametrize("count", [1, 9])
def test_what_the_work_raises_is_raised_at_the_latest_at_the_end(
    error: Exception, count: int
) -> None:
    before, worked = threads(), []

    def fail(block: bytes) -> None:
        worked.append(block)
        raise error

    with pytest.raises(type(error)), BlockThread(fail) as thread:
        put(thread, count)
    assert worked == [b"x"]
    wait_for_threads(before)


def test_the_thread_ends_with_whatever_ends_the_body() -> None:
    before = threads()

    def fail(thread: BlockThread[bytes]) -> None:
        thread.put(b"x")
        raise KeyError

    with pytest.raises(KeyError), BlockThread[bytes](len) as thread:
        fail(thread)
    wait_for_threads(before)


def test_a_thread_that_has_no_memory_to_begin_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: None)
    monkeypatch.setattr(block_thread, "_has_threads", lambda: False)
    monkeypatch.setattr(block_thread, "_PATIENCE", 0.01)
    with pytest.raises(MemoryError), BlockThread[bytes](len) as thread:
        put(thread, 3)


class TestHandedOver:
    @pytest.mark.parametrize("in_thread", [False, True])
    def test_all_is_worked_on_at_the_end(self, in_thread: bool) -> None:
        digest, before = hashlib.sha256(), threads()
        with handed_over(digest.update, in_thread=in_thread) as update:
            assert threads() <= before + in_thread
            for _ in range(100):
                update(b"x" * 10_000)
        assert digest.digest() == hashlib.sha256(b"x" * 1_000_000).digest()
        wait_for_threads(before)

    def test_where_no_thread_can_be_made_the_caller_works(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(_thread, "start_new_thread", refuse)
        with pytest.raises(NoThread):
            BlockThread[bytes](len)
        digest = hashlib.sha256()
        with handed_over(digest.update, in_thread=True) as update:
            update(b"x")
        assert digest.digest() == hashlib.sha256(b"x").digest()

    def test_an_error_of_the_body_is_not_taken_for_a_missing_thread(self) -> None:
        with pytest.raises(NoThread), handed_over(len, in_thread=True):
            raise NoThread
