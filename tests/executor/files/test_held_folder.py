"""A held folder: what is done in it is done there, whatever its path leads to by then."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.files.held_folder import HeldFolder
from helpers.trees import snapshot

CALLS: dict[str, Callable[[HeldFolder], object]] = {
    "create": lambda held: held.create("a/new").close(),
    "write": lambda held: held.write("a/log", b"line"),
    "keep": lambda held: held.keep("a"),
    "make": lambda held: held.make("a/folder"),
    "unlink": lambda held: held.unlink("a/file"),
    "rmdir": lambda held: held.rmdir("a/inner"),
    "rename": lambda held: held.rename("a/file", "renamed"),
    "rename into": lambda held: held.rename("top", "a/renamed"),
    "make executable": lambda held: held.make_executable("a/file"),
    "remove": lambda held: held.remove("a/inner"),
    "open": lambda held: held.open("a/file"),
    "read": lambda held: held.read("a/file", 100),
    "names": lambda held: held.names("a"),
    "each name": lambda held: list(held.each_name("a")),
    "entries": lambda held: held.entries("a"),
    "inner": lambda held: held.inner("a"),
    "status": lambda held: held.status("a/file"),
}


def fill(folder: Path) -> Path:
    (folder / "a/inner").mkdir(parents=True)
    (folder / "a/file").write_text("text")
    (folder / "top").write_text("top")
    return folder


@pytest.fixture(name="held")
def _held(tmp_path: Path) -> Iterator[HeldFolder]:
    with HeldFolder.at(str(fill(tmp_path / "ours"))) as held:
        yield held


@pytest.mark.parametrize("name", CALLS)
def test_a_folder_that_is_exchanged_for_a_link_leads_nowhere(
    held: HeldFolder, tmp_path: Path, name: str
) -> None:
    outside = fill(tmp_path / "outside")
    before = snapshot(outside)
    (tmp_path / "ours/a").rename(tmp_path / "ours/b")
    (tmp_path / "ours/a").symlink_to(outside / "a")
    with pytest.raises(NotADirectoryError) as caught:
        CALLS[name](held)
    assert caught.value.filename.startswith(f"{tmp_path}/ours/a")
    assert snapshot(outside) == before


@pytest.mark.parametrize("name", CALLS)
def test_a_link_in_the_place_of_the_folder_is_not_looked_at(
    held: HeldFolder, tmp_path: Path, name: str
) -> None:
    outside = fill(tmp_path / "outside")
    before = snapshot(outside)
    (tmp_path / "ours").rename(tmp_path / "moved")
    (tmp_path / "ours").symlink_to(outside)
    found = CALLS[name](held)
    if hasattr(found, "close"):
        found.close()
    assert snapshot(outside) == before


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("open", errno.ELOOP), ("read", errno.ELOOP), ("write", errno.EEXIST),
        ("create", errno.EEXIST), ("make", errno.EEXIST), ("make_executable", errno.ELOOP),
    ],
)  # fmt: skip
def test_a_link_at_the_end_is_not_followed(
    held: HeldFolder, tmp_path: Path, call: str, error: int
) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "ours/link").symlink_to(tmp_path / "victim")
    more = {"read": (9,), "write": (b"x",)}.get(call, ())
    with pytest.raises(OSError, match=r"link") as caught:
        getattr(held, call)("link", *more)
    assert caught.value.errno == error
    assert (tmp_path / "victim").read_text() == "kept"


@pytest.mark.parametrize("call", ["open", "write"])
def test_a_pipe_is_neither_read_nor_waited_for(held: HeldFolder, tmp_path: Path, call: str) -> None:
    os.mkfifo(tmp_path / "ours/pipe")
    with pytest.raises(OSError, match="pipe"):
        getattr(held, call)("pipe", *((b"x",) if call == "write" else ()))


@pytest.mark.parametrize("name", ["..", "../ours/top", "a/../top", "a/..", ".", "a//file", "/top"])
def test_a_name_that_leads_up_is_none(held: HeldFolder, name: str) -> None:
    with pytest.raises(OSError, match="directory"):
        held.open(name)
    assert not held.is_file(name)
    assert not held.exists(name)


def test_it_says_what_is_there(held: HeldFolder, tmp_path: Path) -> None:
    (tmp_path / "ours/link").symlink_to("a")
    assert sorted(held.entries()) == [("a", True), ("link", False), ("top", False)]
    assert sorted(held.names("a")) == sorted(held.each_name("a")) == ["file", "inner"]
    assert [held.is_folder(name) for name in ("a", "top", "link", "none", "top/x")] == [
        True, False, False, False, False,
    ]  # fmt: skip
    assert [held.is_file(name) for name in ("a", "top", "link", "a/file")] == [
        False, True, False, True,
    ]  # fmt: skip
    assert held.exists("link")


def test_files_are_made_read_changed_and_removed(held: HeldFolder, tmp_path: Path) -> None:
    with held.create("a/new", 0o600) as file:
        file.write(b"new")
    with held.open("a/new") as opened:
        assert opened.read() == b"new"
    held.make_executable("a/new")
    assert (tmp_path / "ours/a/new").stat().st_mode & 0o777 == 0o711
    held.write("log", b"1\n")
    with pytest.raises(FileExistsError):
        held.write("log", b"2\n")
    assert held.read("log", 99) == b"1\n"
    held.remove("a")
    held.remove("log")
    held.remove("absent")
    assert held.names() == ["top"]
    held.empty()
    assert held.names() == []


def test_what_is_renamed_may_go_to_another_folder(held: HeldFolder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with HeldFolder.at(str(tmp_path / "other")) as other:
        held.rename("a/file", "file", other)
    assert (tmp_path / "other/file").read_text() == "text"


def test_no_descriptor_stays_open(held: HeldFolder) -> None:
    before = os.listdir("/proc/self/fd")
    for name in ("a/file", "absent/file", "top/file", "a"):
        with HeldFolder(held.path, os.dup(held.descriptor)) as copy:
            copy.exists(name)
            copy.is_folder(name)
            copy.remove("a/inner/none")
            with pytest.raises(OSError, match=r"File exists|directory"):
                copy.make(name)
    assert os.listdir("/proc/self/fd") == before


def test_a_folder_that_is_kept_open_is_the_same_one(held: HeldFolder, tmp_path: Path) -> None:
    held.keep("a")
    (tmp_path / "ours/a").rename(tmp_path / "ours/b")
    held.make("a")
    assert sorted(held.names("a")) == ["file", "inner"]
    held.write("a/new", b"new")
    held.rename("a/new", "a/file")
    held.release()
    assert held.names("a") == []
    assert held.read("b/file", 9) == b"new"


def test_a_folder_that_is_kept_open_is_closed_with_the_other(tmp_path: Path) -> None:
    with HeldFolder.at(str(fill(tmp_path / "ours"))) as held:
        held.keep("a")
        held.keep("a/inner")
        kept = held.kept
    for descriptor in (kept, held.descriptor):
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(descriptor)


def test_a_folder_is_opened_if_there_is_one(held: HeldFolder) -> None:
    for name in ("top", "none", "none/inner", "top/inner", ".."):
        assert held.found(name) is None
    found = held.found("a/inner")
    assert found is not None
    found.close()
