"""The planner reads a lock as the executor does: it accepts nothing that the executor refuses."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from executor.lock.reader import LockReader
from planner.inputs.errors import UnreadableInput
from planner.lock.reader import parse_lock, read_lock
from schemas.errors import InvalidLockText

HEADER = 'lock-version = "1.0"\ncreated-by = "tests"\n'
PACKAGE = '[[packages]]\nname = "{}"\ndirectory = {{ path = "src" }}\n'

REFUSED = {
    "empty": "",
    "no packages": HEADER,
    "no packages, but a tool table": HEADER + "[tool.x]\n",
    "packages that are a table": HEADER + "[packages]\n",
    "two packages arrays": HEADER + "packages = []\n" + PACKAGE.format("a"),
    "an unknown table at the end": HEADER + PACKAGE.format("a") + "[other]\nx = 1\n",
    "a package without a source": HEADER + '[[packages]]\nname = "a"\n',
    "no TOML": HEADER + "[[packages]]\nname = \n",
    "another version": 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n',
    "another encoding": HEADER + "x = '\udcff'\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_phases_refuse_a_lock_with_the_same_words(name: str, tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_bytes(REFUSED[name].encode(errors="surrogateescape"))
    with pytest.raises(InvalidLockText) as planned:
        read_lock(str(path))
    with pytest.raises(InvalidLockText) as executed:
        list(LockReader(str(path)).packages())
    assert str(planned.value) == str(executed.value)
    assert str(planned.value).startswith(f"{path}: ")


def test_a_lock_is_all_its_packages(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(HEADER + PACKAGE.format("b") + PACKAGE.format("a") + "[tool.x]\ny = 1\n")
    lock = read_lock(str(path))
    assert [package.name for package in lock.packages] == ["b", "a"]
    assert lock.tool == {"x": {"y": 1}}
    assert parse_lock(path.read_text()) == lock


def test_a_file_that_cannot_be_read_is_an_unreadable_input(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read_lock(str(tmp_path / "absent"))
    assert "No such file" in str(caught.value)


def test_one_that_is_not_there_is_told_with_what_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableInput) as caught:
        read_lock("pylock.toml")
    assert caught.value.hint.startswith("lockstream plan writes it, and so does uv export")
    with pytest.raises(UnreadableInput) as caught:
        read_lock(str(tmp_path))
    assert caught.value.hint == f"name the lock in it, such as {tmp_path}/pylock.toml"


def test_what_is_no_file_is_not_said_to_be_written_by_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    path = Path("pylock.toml")
    os.mkfifo(path)
    with pytest.raises(UnreadableInput, match="not a regular file") as caught:
        read_lock(str(path))
    assert caught.value.hint == "locks are regular files: remove it, or name another path"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    with pytest.raises(UnreadableInput) as caught:
        read_lock(str(path))
    assert caught.value.hint == "locks are regular files: remove it, or name another path"
