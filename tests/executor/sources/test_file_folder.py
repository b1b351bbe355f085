"""A folder gets a file under its name when all of it has come, and from one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from executor.lock.step import Step
from executor.sources.errors import FolderBusy, InTheWay
from executor.sources.file_folder import FileFolder
from helpers.wheels import Wheel, build_wheel

DEMO = build_wheel("demo", "1.0")


def step_of(wheel: Wheel) -> Step:
    return Step(
        name=wheel.name,
        version=wheel.version,
        filename=wheel.filename,
        url=None,
        path=wheel.filename,
        size=len(wheel.content),
        hashes=(("sha256", wheel.sha256),),
        hints=None,
        is_direct=False,
    )


def test_a_file_is_there_when_all_of_it_has_come(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield DEMO.content[:100]
        assert not (tmp_path / "new" / DEMO.filename).exists()
        yield DEMO.content[100:]

    with FileFolder.opened(str(tmp_path / "new")) as folder:
        assert not folder.has(step_of(DEMO))
        folder.add(step_of(DEMO), chunks())
        assert folder.has(step_of(DEMO))
    assert os.listdir(tmp_path / "new") == [DEMO.filename]


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), FileFolder.opened(str(tmp_path / "a")) as one:
        one.add(step_of(DEMO), chunks())
    assert not (tmp_path / "a").exists()


def test_what_a_killed_fetch_left_is_removed_and_other_files_stay(tmp_path: Path) -> None:
    for name in (".fetching", ".fetching-0123456789abcdef"):
        (tmp_path / name).write_bytes(b"half")
    for name in ("notes.txt", ".fetching-notes"):
        (tmp_path / name).write_bytes(b"mine")
    with FileFolder.opened(str(tmp_path)):
        assert sorted(os.listdir(tmp_path)) == [".fetching-notes", "notes.txt"]


def test_only_an_archive_by_its_name_may_be_replaced(tmp_path: Path) -> None:
    """A lock names archives as it likes."""
    for name in ("Makefile", DEMO.filename, "src.tar.xz"):
        (tmp_path / name).write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    with FileFolder.opened(str(tmp_path)) as folder:
        for name in (DEMO.filename, "src.tar.xz", "new", "folder"):
            folder.check(replace(step_of(DEMO), filename=name))
        with pytest.raises(InTheWay) as raised:
            folder.check(replace(step_of(DEMO), filename="Makefile"))
    assert str(raised.value) == (
        f"{tmp_path}/Makefile is there with other contents, and is by its name no wheel and no "
        "archive that could be replaced"
    )


def test_another_file_of_the_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / DEMO.filename).write_bytes(b"old")
    with FileFolder.opened(str(tmp_path)) as folder:
        assert not folder.has(step_of(DEMO))
        folder.add(step_of(DEMO), [DEMO.content])
    assert (tmp_path / DEMO.filename).read_bytes() == DEMO.content


def test_only_distributions_that_are_not_needed_are_pruned(tmp_path: Path) -> None:
    for name in ("a-1.0-py3-none-any.whl", "b-1.0.tar.gz", "c-1.0.zip", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.whl").mkdir()
    with FileFolder.opened(str(tmp_path)) as folder:
        assert folder.prune({"b-1.0.tar.gz"}) == ["a-1.0-py3-none-any.whl", "c-1.0.zip"]
    assert sorted(os.listdir(tmp_path)) == ["b-1.0.tar.gz", "folder.whl", "notes.txt"]


def test_two_processes_do_not_fetch_into_one_folder(tmp_path: Path) -> None:
    with FileFolder.opened(str(tmp_path)), pytest.raises(FolderBusy) as raised:
        FileFolder.opened(str(tmp_path)).__enter__()
    assert str(raised.value) == f"{tmp_path}: another process is fetching files into it"


def test_where_nothing_locks_no_half_of_a_file_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executor.sources.file_folder.try_lock", lambda _: True)
    path = tmp_path / DEMO.filename

    with FileFolder.opened(str(tmp_path)) as one, ExitStack() as stack:

        def chunks() -> Iterator[bytes]:
            yield DEMO.content
            # Another one begins: it removes the part of this one, and has a part of its own.
            other = stack.enter_context(FileFolder.opened(str(tmp_path)))
            stack.push(other.folder.create(other.part))

        with pytest.raises(FileNotFoundError):
            one.add(step_of(DEMO), chunks())
        assert not path.exists()
