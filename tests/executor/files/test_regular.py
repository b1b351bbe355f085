"""Files that somebody else may have made are read without waiting and without end, or refused."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from executor.files import regular
from executor.files.regular import (
    open_at_once,
    open_regular,
    read_input,
    read_regular,
    refuse_planted,
    replaced_place,
    unmarked_text,
)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_regular(str(tmp_path / "file"), 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes") as caught:
        read_regular(str(tmp_path / "file"), 4)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("content", ["", "a", "\u20ac\r\nb\n", "a\ufeff"])
def test_text_is_read_without_its_mark(tmp_path: Path, mark: bytes, content: str) -> None:
    (tmp_path / "f").write_bytes(mark + content.encode())
    with unmarked_text(open_regular(str(tmp_path / "f"))) as text:
        assert text.read() == content


def test_a_name_in_an_open_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert read_regular("file", 1, dir_fd=folder) == b"x"
    finally:
        os.close(folder)


def test_a_link_is_followed_only_if_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(str(tmp_path / "link"), 1)
    assert read_regular(str(tmp_path / "link"), 1, follow=True) == b"x"


@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/zero")
    match = "Is a directory" if kind == "folder" else "not a regular file"
    with pytest.raises(OSError, match=match):
        read_regular(str(path), 1)
    with pytest.raises(OSError, match=match):
        read_input(str(path))
    with pytest.raises(OSError, match=match):
        open_regular(str(path))


def test_a_file_without_an_end_is_refused_in_time(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(OSError, match="larger than 67108864 bytes"):
        read_input(str(path))


def test_a_file_that_has_nothing_yet_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As /proc/kmsg of the kernel, which is a regular file, and which root may open."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    monkeypatch.setattr(regular, "_opened", lambda *_, **__: (os.dup(reading), 0))
    for read in (lambda file: file.read(10), lambda file: file.read(), list):
        with regular.open_regular("log") as file, pytest.raises(BlockingIOError):
            read(file)
    os.write(writing, b"some")
    os.close(writing)
    with regular.open_regular("log") as file:
        assert file.read() == b"some"
    os.close(reading)


def test_the_pipe_of_a_shell_is_read() -> None:
    """``plan -r <(command)``"""

    def opened(path: str) -> bytes:
        with open_regular(path) as file:
            return file.read()

    for read in (read_input, opened):
        reader, writer = os.pipe()
        os.write(writer, b"demo")
        os.close(writer)
        assert read(f"/dev/fd/{reader}") == b"demo"
        os.close(reader)


def test_a_pipe_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device or address"):
        open(tmp_path / "pipe", "w", opener=open_at_once)  # noqa: SIM115  # nothing is opened
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with open(tmp_path / "pipe", "w", opener=open_at_once) as file:
        assert os.get_blocking(file.fileno())
        file.write("text")
    assert os.read(reader, 9) == b"text"
    os.close(reader)


@pytest.mark.parametrize(
    ("mode", "is_mine", "is_refused"),
    [(0o1777, False, True), (0o1777, True, False), (0o755, False, False), (0o777, False, False)],
)
def test_the_link_of_another_user_in_a_folder_for_all_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, is_mine: bool, is_refused: bool
) -> None:
    """As Linux has it with fs.protected_symlinks, which is off in some containers."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(mode)
    link = tmp_path / "folder" / "out"
    link.symlink_to("../victim")
    ours = os.geteuid() + 1
    lstat = os.lstat

    def of(path: Any, **keys: Any) -> os.stat_result:
        """Return what says that the link is of another user than the folder."""
        status = list(lstat(path, **keys))
        status[stat.ST_UID] = ours if is_mine else ours + 1
        return os.stat_result(status)

    monkeypatch.setattr(os, "lstat", of)
    monkeypatch.setattr(os, "geteuid", lambda: ours)
    if is_refused:
        with pytest.raises(PermissionError, match="it is a link of another user"):
            open_at_once(str(link), os.O_WRONLY)
    else:
        os.close(open_at_once(str(link), os.O_WRONLY))
    refuse_planted(str(tmp_path / "victim"))
    refuse_planted(str(tmp_path / "none"))


def test_a_new_file_replaces_what_a_link_leads_to_and_no_device(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    place = os.path.realpath(tmp_path)
    assert replaced_place(str(tmp_path / "link")) == f"{place}/file"
    assert replaced_place(str(tmp_path / "new")) == f"{place}/new"
    assert replaced_place(str(tmp_path / "pipe")) is None
    assert replaced_place(os.devnull) is None
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileNotFoundError, match="it is a link to nothing"):
        replaced_place(str(tmp_path / "dangling"))
