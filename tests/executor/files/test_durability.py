"""Durability: each file system is waited for once, and its errors are told."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executor.files import durability
from executor.files.durability import flush, sync_descriptor, sync_folder


class Libc:
    def __init__(self, result: int = 0) -> None:
        self.result = result
        self.synced = 0

    def syncfs(self, _descriptor: int) -> int:
        self.synced += 1
        return self.result


def use(monkeypatch: pytest.MonkeyPatch, libc: Any) -> None:
    monkeypatch.setattr(durability, "_libc", lambda: libc)


def test_what_was_written_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    flush([str(tmp_path)])


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_in_the_place_of_a_folder_is_not_opened(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for, after a commit has begun."""
    place = tmp_path / "include"
    if kind == "pipe":
        os.mkfifo(place)
    else:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(place))
    flush([str(place)])


def test_a_file_system_is_synced_once_however_many_of_its_folders_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, libc := Libc())
    flush([str(tmp_path), str(tmp_path / "absent/below"), str(tmp_path), "/proc"])
    assert libc.synced == 2


def test_an_error_of_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Libc(-1))
    monkeypatch.setattr("ctypes.get_errno", lambda: errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        flush([str(tmp_path)])


def test_without_such_a_call_everything_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    use(monkeypatch, None)
    monkeypatch.setattr("os.sync", lambda: synced.append(True))
    flush([str(tmp_path)])
    assert synced == [True]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.ENOSYS])
def test_a_filter_that_refuses_the_call_makes_it_sync_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    use(monkeypatch, Libc(-1))
    monkeypatch.setattr("ctypes.get_errno", lambda: refusal)
    synced: list[bool] = []
    monkeypatch.setattr("os.sync", lambda: synced.append(True))
    flush([str(tmp_path)])
    assert synced == [True]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_that_cannot_be_synced_alone_is_synced_with_its_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    use(monkeypatch, libc := Libc())
    monkeypatch.setattr(os, "fsync", failing_with(refusal))
    sync_folder(str(tmp_path))
    with open(tmp_path / "file", "wb") as file:
        sync_descriptor(file.fileno())
    assert libc.synced == 2


def test_an_error_of_the_disk_is_no_refusal_to_sync_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, libc := Libc())
    monkeypatch.setattr(os, "fsync", failing_with(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(str(tmp_path))
    assert libc.synced == 0


def failing_with(number: int) -> Callable[[int], None]:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    return fail
