"""Files of the kernel are read from one descriptor, until what they tell of is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.budget.kernel_file import KernelFile
from helpers.descriptors import is_open


def test_each_read_says_what_the_file_says_now(tmp_path: Path) -> None:
    path = tmp_path / "usage"
    path.write_text("1\n")
    file = KernelFile(str(path))
    assert file.read() == b"1\n"
    path.write_text("22\n")
    assert file.read() == b"22\n"
    file.close()
    path.write_text("3\n")
    assert file.read() == b"3\n", "it may be read again after it was closed"
    file.close()


def test_it_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "usage"
    path.write_text("1\n")
    file = KernelFile(str(path))
    file.read()

    def refused(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(os, "open", refused)
    assert file.read() == b"1\n"
    file.close()


def test_a_file_that_is_absent_says_nothing(tmp_path: Path) -> None:
    file = KernelFile(str(tmp_path / "absent"))
    assert file.read() == b""
    file.close()


def test_a_process_that_has_ended_says_nothing_and_holds_no_descriptor() -> None:
    waiting, going = os.pipe()
    if (pid := os.fork()) == 0:
        os.read(waiting, 1)
        os._exit(0)
    path = Path(f"/proc/{pid}/status")
    file = KernelFile(str(path))
    assert b"RssAnon" in file.read()
    assert is_open(path)
    os.write(going, b"!")
    os.waitpid(pid, 0)
    assert file.read() == b""
    assert not is_open(path)
    for end in (waiting, going):
        os.close(end)
