"""Batch: many files are written at once, each as it was given, and what is not is told."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files import aio as module
from executor.files.aio import MAX_FILES, MAX_SIZE, Batch
from helpers.descriptors import created, is_open, limited_file_size

NOT_TAKEN = 1 << 30
"""A flag that no kernel knows."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Batch]:
    batch = Batch.opened(0)
    assert batch is not None
    yield batch
    batch.close()


@pytest.fixture
def batch(opened: Batch) -> Iterator[Batch]:
    yield opened
    opened.clear()


def contexts() -> int:
    """Those of the whole machine (https://docs.kernel.org/admin-guide/sysctl/fs.html, aio-nr)."""
    return int(Path("/proc/sys/fs/aio-nr").read_text())


@given(st.lists(st.binary(max_size=MAX_SIZE // MAX_FILES), max_size=MAX_FILES))
def test_each_file_holds_what_was_given(
    tmp_path_factory: pytest.TempPathFactory, opened: Batch, contents: list[bytes]
) -> None:
    root = tmp_path_factory.mktemp("files")
    paths = [root / str(number) for number in range(len(contents))]
    descriptors = [created(path) for path in paths]
    for descriptor, content in zip(descriptors, contents, strict=True):
        assert opened.has_room(len(content))
        opened.add(descriptor, content)
    told = [(one, bytes(content), size) for one, content, size in opened.write()]
    opened.clear()
    sizes = map(len, contents)
    assert told == list(zip(descriptors, contents, sizes, strict=True))
    assert not opened.is_refused
    assert [path.read_bytes() for path in paths] == contents


def test_it_is_used_again_when_it_is_cleared(tmp_path: Path, batch: Batch) -> None:
    for name in ("first", "second"):
        batch.add(created(tmp_path / name), name.encode())
        assert [file.size for file in batch.write()] == [len(name)]
        batch.clear()
    assert (tmp_path / "first").read_bytes() == b"first"
    assert (tmp_path / "second").read_bytes() == b"second"


def test_room_is_for_so_many_files_and_bytes(tmp_path: Path, batch: Batch) -> None:
    assert batch.has_room(MAX_SIZE)
    assert not batch.has_room(MAX_SIZE + 1)
    batch.add(created(tmp_path / "large"), bytes(MAX_SIZE - 1))
    assert batch.has_room(1)
    assert not batch.has_room(2)
    for number in range(MAX_FILES - 1):
        assert batch.has_room(0)
        batch.add(created(tmp_path / str(number)), b"")
    assert not batch.has_room(0)


def test_cleared_files_are_closed_and_stay_empty(tmp_path: Path, batch: Batch) -> None:
    batch.add(created(tmp_path / "file"), b"content")
    assert is_open(tmp_path / "file")
    batch.clear()
    assert not is_open(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b""


def test_flags_that_are_not_taken_leave_all_to_the_caller(tmp_path: Path) -> None:
    batch = Batch.opened(NOT_TAKEN)
    assert batch is not None
    batch.add(created(tmp_path / "file"), b"content")
    assert [(bytes(file.content), file.size) for file in batch.write()] == [(b"content", 0)]
    assert batch.is_refused
    batch.close()
    assert (tmp_path / "file").read_bytes() == b""


def test_what_one_file_does_not_take_ends_the_batch_there(tmp_path: Path, batch: Batch) -> None:
    batch.add(created(tmp_path / "one"), b"content")
    batch.add(os.open("/dev/full", os.O_WRONLY), b"content")
    batch.add(created(tmp_path / "two"), b"content")
    assert [file.size for file in batch.write()] == [7, 0, 0]
    assert not batch.is_refused
    assert (tmp_path / "one").read_bytes() == b"content"


def test_a_file_that_is_cut_short_tells_where(tmp_path: Path, batch: Batch) -> None:
    batch.add(created(tmp_path / "long"), bytes(5000))
    batch.add(created(tmp_path / "short"), b"content")
    with limited_file_size(4096):
        sizes = [file.size for file in batch.write()]
    assert sizes == [4096, 7]
    assert [(tmp_path / name).stat().st_size for name in ("long", "short")] == sizes


def test_where_the_kernel_gives_none_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = module._Numbers(setup=100_000, destroy=0, getevents=0, submit=0)
    monkeypatch.setitem(module._NUMBERS, os.uname().machine, unknown)
    assert Batch.opened(0) is None
    monkeypatch.delitem(module._NUMBERS, os.uname().machine)
    assert Batch.opened(0) is None


def test_where_results_may_not_be_asked_for_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, before = os.uname().machine, contexts()
    known = module._NUMBERS[machine]
    monkeypatch.setitem(module._NUMBERS, machine, known._replace(getevents=100_000))
    assert Batch.opened(0) is None
    assert contexts() <= before


def test_a_closed_batch_leaves_nothing_in_the_kernel() -> None:
    before = contexts()
    batch = Batch.opened(0)
    assert batch is not None
    assert contexts() > before
    batch.close()
    deadline = time.monotonic() + 10
    while contexts() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert contexts() <= before
