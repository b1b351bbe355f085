"""A file that is written without the page cache is on the disk as it was given."""

from __future__ import annotations

import _thread
import ctypes
import errno
import fcntl
import itertools
import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.budget.budget import SMALLEST_WINDOW
from executor.files import block_thread
from executor.files.direct_io import DirectFile, NotTaken, buffers
from executor.files.mounts import is_in_memory
from executor.files.writer import FileWriter

KIB = 1 << 10
BUFFER = 8 * KIB
CONTENT = os.urandom(100_000)


class Remembered:
    """Writes into the page cache, and remembers what."""

    def __init__(self) -> None:
        self.written: list[tuple[int, int]] = []
        self.finished: list[int] = []

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        self.written.append((offset, len(data)))
        while data:
            count = os.pwrite(descriptor, data, offset)
            offset, data = offset + count, data[count:]

    def finish(self, descriptor: int) -> None:
        self.finished.append(os.fstat(descriptor).st_size)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    made = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    yield made
    os.close(made)


def written(descriptor: int) -> bytes:
    # Not through the descriptor: what is read directly has to be aligned, too.
    return Path(f"/proc/self/fd/{descriptor}").read_bytes()


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def write_all(file: DirectFile, content: bytes) -> None:
    file.write(content)
    file.finish()


def is_direct(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT)


def in_memory(path: Path, size: int) -> int:
    """Pages of a file that the page cache holds (mincore(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    pages = -(-size // mmap.PAGESIZE)
    present = (ctypes.c_ubyte * pages)()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as mapped:
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), present) == 0
    return sum(page & 1 for page in present)


@given(
    cuts=st.lists(st.integers(0, len(CONTENT)), max_size=8),
    size=st.integers(0, len(CONTENT)),
    count=st.integers(2, 4),
)
def test_pieces_of_any_size_make_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], size: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("direct") / "file"
    bounds = sorted({0, size, *(cut for cut in cuts if cut < size)})
    cached = Remembered()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with DirectFile(descriptor, buffers(BUFFER, count), cached) as file:
            for start, end in itertools.pairwise(bounds):
                file.write(CONTENT[start:end])
            file.finish()
    finally:
        os.close(descriptor)
    assert path.read_bytes() == CONTENT[:size]
    assert cached.finished == [size]
    rest = size % 4096
    assert cached.written == ([(size - rest, rest)] if rest else [])


def test_only_the_rest_of_a_file_is_in_memory(tmp_path: Path) -> None:
    path, size = tmp_path / "large", 3 * (1 << 20) + 1000
    cache = FileWriter(None, is_awaited=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with cache.writing(descriptor, size) as file:
            file.write(bytes(size))
            file.finish()
    finally:
        os.close(descriptor)
    assert path.stat().st_size == size
    # One page, which cannot be dropped before the disk has it.
    assert in_memory(path, size) <= 1 or is_in_memory(str(path))


@pytest.mark.parametrize(
    ("cache", "size", "expected"),
    [
        pytest.param(FileWriter(None, is_awaited=True), 512 * KIB, True, id="awaited"),
        pytest.param(FileWriter(64 << 20), 512 * KIB, True, id="bounded"),
        pytest.param(FileWriter(64 << 20), 512 * KIB - 1, False, id="small"),
        pytest.param(FileWriter(SMALLEST_WINDOW), 256 * KIB, True, id="small where it is tight"),
        pytest.param(FileWriter(64 << 20), None, False, id="of unknown size"),
        pytest.param(FileWriter(None), 1 << 30, False, id="not bounded"),
    ],
)
def test_large_files_pass_by_where_memory_or_the_disk_counts(
    descriptor: int, cache: FileWriter, size: int | None, expected: bool
) -> None:
    with cache.writing(descriptor, size):
        assert is_direct(descriptor) is expected


def test_a_disk_that_wants_other_sizes_gets_all_through_the_page_cache(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwrite

    def refuse(fd: int, data: memoryview, offset: int) -> int:
        if is_direct(fd):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return whole(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", refuse)
    cached = Remembered()
    with DirectFile(descriptor, buffers(BUFFER, 2), cached) as file:
        file.write(CONTENT)
        file.finish()
    assert written(descriptor) == CONTENT
    assert sum(size for _, size in cached.written) == len(CONTENT)


def test_a_file_system_without_it_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*arguments: object) -> int:
        asked.append(arguments)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    cache = FileWriter(64 << 20)
    for number in range(3):
        descriptor = os.open(tmp_path / str(number), os.O_WRONLY | os.O_CREAT)
        try:
            with cache.writing(descriptor, 1 << 20) as file:
                file.write(CONTENT)
                file.finish()
        finally:
            os.close(descriptor)
        assert (tmp_path / str(number)).read_bytes() == CONTENT
    assert len(asked) == 1
    with pytest.raises(NotTaken):
        DirectFile(0, buffers(BUFFER, 2), cache)


@pytest.mark.parametrize("size", [4096, BUFFER, 5 * BUFFER])
def test_a_full_disk_shows_at_the_latest_in_the_end(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with (
        pytest.raises(OSError, match="No space left"),
        DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file,
    ):
        write_all(file, CONTENT[:size])


def test_what_shows_when_a_file_is_closed_is_told(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = os.close

    def fail(fd: int) -> None:
        close(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", fail)
        with (
            pytest.raises(OSError, match="Input/output error"),
            DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file,
        ):
            write_all(file, CONTENT)


def test_a_write_that_is_cut_short_goes_on(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: whole(fd, data[:4096], offset))
    with DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file:
        file.write(CONTENT)
        file.finish()
    assert written(descriptor) == CONTENT


def test_where_no_thread_can_be_made_the_page_cache_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    before = len(os.listdir("/proc/self/fd"))
    with (tmp_path / "file").open("wb") as opened:
        with FileWriter(64 << 20).writing(opened.fileno(), 1 << 20) as file:
            file.write(CONTENT)
            file.finish()
        assert not is_direct(opened.fileno())
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_takes_the_number_of_a_closed_file_is_never_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, may_write = os.pwrite, threading.Event()

    def late(fd: int, data: memoryview, offset: int) -> int:
        may_write.wait()
        return whole(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", late)
    first = os.open(tmp_path / "first", os.O_WRONLY | os.O_CREAT)
    file = DirectFile(first, buffers(BUFFER, 2), Remembered())
    file.write(CONTENT[:BUFFER])
    # As where a signal comes while the thread is waited for.
    os.close(first)
    second = os.open(tmp_path / "second", os.O_WRONLY | os.O_CREAT)
    assert second == first
    may_write.set()
    file.__exit__(None)
    os.close(second)
    assert (tmp_path / "first").read_bytes() == CONTENT[:BUFFER]
    assert (tmp_path / "second").read_bytes() == b""


def test_a_file_that_is_left_half_way_has_ended_its_thread(descriptor: int) -> None:
    before = threads()
    with DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file:
        file.write(CONTENT)
        assert threads() <= before + 1
    end = time.monotonic() + 5
    while threads() > before:  # those of other tests may end meanwhile
        assert time.monotonic() < end
    assert CONTENT.startswith(written(descriptor))


@pytest.mark.parametrize("use", [DirectFile.finish, lambda file: file.write(CONTENT)])
def test_a_thread_that_has_no_memory_to_begin_is_not_waited_for(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, use: Callable[[DirectFile], None]
) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: None)
    monkeypatch.setattr(block_thread, "_has_threads", lambda: False)
    monkeypatch.setattr(block_thread, "_PATIENCE", 0.01)
    with (
        pytest.raises(MemoryError),
        DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file,
    ):
        use(file)


@pytest.mark.parametrize("count", [2, 3])
def test_a_slow_disk_is_waited_for(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    whole = os.pwrite

    def slow(fd: int, data: memoryview, offset: int) -> int:
        time.sleep(0.05)
        return whole(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", slow)
    monkeypatch.setattr(block_thread, "_PATIENCE", 0.01)
    with DirectFile(descriptor, buffers(BUFFER, count), Remembered()) as file:
        write_all(file, CONTENT)
    assert written(descriptor) == CONTENT


def test_memory_that_runs_out_in_the_thread_is_reported(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(os, "pwrite", fail)
    with (
        pytest.raises(MemoryError),
        DirectFile(descriptor, buffers(BUFFER, 2), Remembered()) as file,
    ):
        write_all(file, CONTENT)
