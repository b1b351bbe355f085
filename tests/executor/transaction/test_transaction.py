"""A transaction that fails: what it leaves, and what the next run says of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from executor.files import early_flush
from executor.report.reporter import Reporter
from executor.transaction.errors import FileConflict, WriteFailed
from helpers.environments import check_nothing_lies, environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel

OLD = build_wheel(files={"demo/a.py": "1", "demo/b.py": "1"})
NEW = build_wheel(version="2.0", files={"demo/a.py": "2"})


class Listener(Reporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


def test_a_refusal_leaves_the_environment_and_no_staging_folder(
    tmp_path: Path, environment: Environment
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    before = snapshot(tmp_path / "env")
    evil = build_wheel("evil", files={"demo/a.py": "evil"})
    with pytest.raises(FileConflict):
        execute(write_lock(tmp_path / "new", [OLD, evil]), environment)
    assert snapshot(tmp_path / "env") == before


def test_the_next_run_says_why_a_commit_failed_and_finishes_it(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is not blamed on the kernel, or on a lack of memory."""
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    new = write_lock(tmp_path / "new", [NEW])
    rename = os.rename

    def fail(source: str, destination: str, **keywords: int) -> None:
        if destination.endswith("demo-2.0.dist-info"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), destination)
        rename(source, destination, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(WriteFailed) as caught:
            execute(new, environment, lanes=1)
    assert "run the command again: it finishes what was begun" in caught.value.hint
    check_nothing_lies(environment)
    listener = Listener()
    execute(new, environment, reporter=listener)
    (warning,) = listener.warnings
    assert "failed (" in warning
    assert "Input/output error" in warning
    assert "while it was changing the environment, which is finished now" in warning
    assert "killed" not in warning
    fresh = environment_below(tmp_path / "fresh")
    execute(new, fresh)
    assert snapshot(tmp_path / "env") == snapshot(tmp_path / "fresh")


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_in_the_staging_folder_is_open_when_it_is_removed(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """On NFS and FUSE, a file that is open has a name there until it is closed."""
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    evil = [build_wheel("evil", files={"demo/a.py": "evil"})] if fails else []
    lock = write_lock(tmp_path / "new", [OLD if fails else NEW, *evil])
    rmdir = os.rmdir
    still_open: list[str] | None = None

    def look(path: str, **keywords: int) -> None:
        nonlocal still_open
        if os.path.basename(path) == STAGING:
            descriptors = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
            targets = [os.readlink(path) for path in descriptors if os.path.lexists(path)]
            still_open = [target for target in targets if f"/{STAGING}/" in target]
        rmdir(path, **keywords)

    monkeypatch.setattr(os, "rmdir", look)
    with pytest.raises(FileConflict) if fails else nullcontext():
        execute(lock, environment, lanes=1)
    assert still_open == []


def test_a_commit_that_cannot_begin_is_undone(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    new = write_lock(tmp_path / "new", [NEW])
    before = snapshot(tmp_path / "env")
    rename = os.rename

    def fail(source: str, destination: str, **keywords: int) -> None:
        if source.endswith("demo-1.0.dist-info"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), source)
        rename(source, destination, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(WriteFailed) as caught:
            execute(new, environment, lanes=1)
    assert "the environment is as it was before" in caught.value.hint
    assert snapshot(tmp_path / "env") == before
    listener = Listener()
    execute(new, environment, reporter=listener)
    assert listener.warnings == []


def test_a_file_that_another_distribution_owns_stays(
    tmp_path: Path, environment: Environment
) -> None:
    other = build_wheel("other", files={"demo/a.py": "1"})
    execute(write_lock(tmp_path / "old", [OLD, other]), environment)
    execute(write_lock(tmp_path / "new", [other]), environment, sync=Sync(exact=True))
    packages = Path(environment.interpreter.schemes.purelib)
    assert (packages / "demo/a.py").read_text() == "1"
    assert not (packages / "demo/b.py").exists()
    assert not (packages / STAGING).exists()


@pytest.mark.parametrize(
    ("options", "is_flushed"),
    [({}, True), ({"durability": "kill"}, False), ({"memory": 64 << 20}, False)],
    ids=["by default", "if power may be lost", "with windows of its own"],
)
def test_files_are_flushed_before_the_commit_only_if_nothing_else_does_it(
    tmp_path: Path,
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    is_flushed: bool,
) -> None:
    flushed: list[bool] = []

    def flush(folders: Iterable[str]) -> None:
        (folder,) = folders
        flushed.append("journal" in os.listdir(folder))

    monkeypatch.setattr(early_flush, "flush", flush)
    execute(write_lock(tmp_path / "old", [OLD]), environment, **options)
    assert flushed == [False] * is_flushed


def test_an_error_of_the_disk_before_the_commit_leaves_the_environment(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    before = snapshot(tmp_path / "env")

    def flush(_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(early_flush, "flush", flush)
    with pytest.raises(WriteFailed, match="Input/output error"):
        execute(write_lock(tmp_path / "new", [NEW]), environment)
    assert snapshot(tmp_path / "env") == before
