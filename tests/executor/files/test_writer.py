"""PageCache: what waits for the disk is bounded, and every byte is written once, in its place."""

from __future__ import annotations

import errno
import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.budget.budget import SMALLEST_WINDOW
from executor.files.destination import Destination
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter
from helpers.descriptors import created, is_open, limited_file_size
from helpers.power import Disk, can_lose_power

MIB = 1 << 20


class Calls:
    """Stands before the system calls and remembers them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, dontcache: int | None = None) -> None:
        self.synced: list[int] = []
        self.dropped = 0
        self.at_once = 0
        fdatasync, pwritev = os.fdatasync, os.pwritev

        def remember_sync(descriptor: int) -> None:
            self.synced.append(os.fstat(descriptor).st_size)
            fdatasync(descriptor)

        def remember_advice(*_: Any) -> None:
            self.dropped += 1

        def remember_write(descriptor: int, data: Any, offset: int, flags: int) -> int:
            if dontcache is not None:
                raise OSError(dontcache, os.strerror(dontcache))
            self.at_once += 1
            return pwritev(descriptor, data, offset)

        monkeypatch.setattr(os, "fdatasync", remember_sync)
        monkeypatch.setattr(os, "posix_fadvise", remember_advice)
        monkeypatch.setattr(os, "pwritev", remember_write)


def write(cache: FileWriter, path: Path, *pieces: bytes) -> None:
    descriptor = created(path)
    try:
        offset = 0
        for piece in pieces:
            cache.write(descriptor, piece, offset)
            offset += len(piece)
        cache.finish(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("window", [None, SMALLEST_WINDOW, 1])
def test_what_is_written_is_what_was_given(tmp_path: Path, window: int | None) -> None:
    pieces = [b"a" * 10, b"b" * (300 << 10), b"c" * (64 << 10), b"", b"d"]
    write(FileWriter(window), tmp_path / "file", *pieces)
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


def test_a_filter_that_refuses_advice_does_not_stop_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    write(FileWriter(1), tmp_path / "file", b"a" * 10, b"b" * (300 << 10))
    assert (tmp_path / "file").stat().st_size == 10 + (300 << 10)


def test_without_a_bound_nothing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    write(FileWriter(None), tmp_path / "file", *[b"x" * MIB] * 20)
    assert (calls.synced, calls.dropped, calls.at_once) == ([], 0, 0)


def test_after_each_window_the_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    write(FileWriter(6 * MIB), tmp_path / "file", *[b"x" * MIB] * 15)
    assert calls.synced == [6 * MIB, 12 * MIB]
    assert calls.dropped == 2


def test_many_small_files_are_a_window_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    cache = FileWriter(SMALLEST_WINDOW)
    for number in range(600):
        write(cache, tmp_path / str(number), b"x")
    assert len(calls.synced) == 2


def test_folders_are_counted_as_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    with (
        HeldFolder.at(str(tmp_path)) as folder,
        Destination(folder, FileWriter(SMALLEST_WINDOW)) as destination,
    ):
        for number in range(300):
            destination.write(f"{number}/file", [b"x"])
    assert len(calls.synced) == 2


def test_large_pieces_are_dropped_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    write(FileWriter(MIB), tmp_path / "file", b"x" * (64 << 10), b"x" * ((64 << 10) - 1))
    assert calls.at_once == 1


@pytest.mark.parametrize("answer", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM])
def test_where_that_is_not_taken_it_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    Calls(monkeypatch, dontcache=answer)
    asked = []
    refuse = os.pwritev

    def count(*arguments: Any) -> int:
        asked.append(arguments)
        return refuse(*arguments)

    monkeypatch.setattr(os, "pwritev", count)
    write(FileWriter(MIB), tmp_path / "file", *[b"x" * (64 << 10)] * 5)
    assert len(asked) == 1
    assert (tmp_path / "file").stat().st_size == 5 * (64 << 10)


def test_a_full_disk_is_no_missing_feature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Calls(monkeypatch, dontcache=errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        write(FileWriter(MIB), tmp_path / "file", b"x" * (64 << 10))


def test_a_write_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: whole(fd, data[:1000], offset))
    content = os.urandom(12_345)
    write(FileWriter(None), tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == content


@pytest.mark.parametrize(("window", "started"), [(SMALLEST_WINDOW, 3), (6 * MIB, 0), (None, 0)])
def test_in_the_smallest_window_every_file_starts_on_its_way_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int | None, started: int
) -> None:
    calls = Calls(monkeypatch)
    cache = FileWriter(window)
    for number in range(3):
        write(cache, tmp_path / str(number), b"small")
    assert (calls.dropped, calls.synced) == (started, [])


def write_whole(cache: FileWriter, path: Path, content: bytes) -> None:
    cache.write_whole(created(path), content)


@given(
    st.lists(st.sampled_from([0, 1, 10_000, 16 << 10, (16 << 10) + 1, 64 << 10]), max_size=40),
    st.sampled_from([None, SMALLEST_WINDOW]),
)
def test_whole_files_hold_what_was_given_when_they_are_flushed(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], window: int | None
) -> None:
    root = tmp_path_factory.mktemp("files")
    contents = [bytes([number]) * size for number, size in enumerate(sizes)]
    with closing(FileWriter(window)) as cache:
        for number, content in enumerate(contents):
            write_whole(cache, root / str(number), content)
        cache.flush()
    assert [(root / str(number)).read_bytes() for number in range(len(sizes))] == contents
    assert not is_open(root)


def test_in_the_smallest_window_small_files_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tight: FileWriter
) -> None:
    calls = Calls(monkeypatch)
    alone = []
    monkeypatch.setattr(os, "pwrite", lambda *arguments: alone.append(arguments))
    for number in range(600):
        write_whole(tight, tmp_path / str(number), b"x")
    tight.flush()
    assert (len(calls.synced), alone) == (2, [])


def test_where_no_batch_is_taken_files_are_written_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tight: FileWriter
) -> None:
    monkeypatch.setattr("executor.files.writer._RWF_DONTCACHE", 1 << 30)  # no kernel knows it
    write_whole(tight, tmp_path / "first", b"first")
    assert is_open(tmp_path / "first")
    tight.flush()
    write_whole(tight, tmp_path / "second", b"second")
    assert not is_open(tmp_path)
    assert (tmp_path / "first").read_bytes() == b"first"
    assert (tmp_path / "second").read_bytes() == b"second"


def test_a_batch_that_fails_tells_it_and_closes_all(tmp_path: Path, tight: FileWriter) -> None:
    for name in ("one", "two"):
        write_whole(tight, tmp_path / name, bytes(5000))
    with limited_file_size(4096), pytest.raises(OSError, match="File too large"):
        tight.flush()
    assert not is_open(tmp_path)


@pytest.mark.skipif(not can_lose_power(), reason="needs root, loop devices and mkfs.ext4")
def test_a_disk_that_is_full_within_a_batch_is_told_of(tmp_path: Path, tight: FileWriter) -> None:
    (place := tmp_path / "place").mkdir()
    with Disk(tmp_path / "image", place).mounted():
        with (place / "rest").open("wb", buffering=0) as rest, suppress(OSError):
            while rest.write(bytes(64 << 10)):
                pass
        for name in ("a", "b"):
            write_whole(tight, place / name, bytes(16 << 10))
        with pytest.raises(OSError, match="No space left"):
            tight.flush()
        assert not is_open(place)


def test_what_is_discarded_is_closed(tmp_path: Path, tight: FileWriter) -> None:
    write_whole(tight, tmp_path / "file", b"content")
    assert is_open(tmp_path / "file")
    tight.discard()
    assert not is_open(tmp_path)
