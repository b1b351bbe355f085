"""Destination: files are new, below the folder, and written whole."""

from __future__ import annotations

import _thread
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files import writer as writer_module
from executor.files.destination import Destination, PathTaken
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter
from helpers.trees import snapshot

SEGMENTS = st.text("ab", min_size=1, max_size=2)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_contents_and_digest_are_those_of_the_pieces(tmp_path: Path) -> None:
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder) as destination:
        digest = destination.write("a/b/c.py", [b"one ", b"", b"two"])
    assert (tmp_path / "a/b/c.py").read_bytes() == b"one two"
    assert digest == hashlib.sha256(b"one two").digest()


@pytest.fixture(name="started")
def threads_that_were_started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What each of them works on."""
    started: list[object] = []
    start = _thread.start_new_thread

    def counted(work: Any, arguments: Any) -> int:
        started.append(work)
        return start(work, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", counted)
    return started


@pytest.mark.parametrize("window", [None, 16 << 20, 1 << 20])
@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_large_file_is_hashed_and_written_whole_by_threads(
    tmp_path: Path,
    window: int | None,
    is_awaited: bool,
    started: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pieces = [os.urandom(100_003) for _ in range(32)]
    monkeypatch.setattr(writer_module, "_LARGE_FILE", 3 << 20)
    writer = FileWriter(window, is_awaited=is_awaited)
    size = sum(map(len, pieces))
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder, writer) as destination:
        digest = destination.write("large", pieces, size)
    content = b"".join(pieces)
    assert (tmp_path / "large").read_bytes() == content
    assert digest == hashlib.sha256(content).digest()
    # In a small window, only the disk is waited for by a thread.
    assert len(started) == (1 if window == 1 << 20 else 2)


@pytest.mark.parametrize("is_awaited", [False, True])
def test_threads_find_a_processor_or_are_not_made(
    tmp_path: Path, is_awaited: bool, started: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_LARGE_FILE", 1 << 20)
    writer = FileWriter(None, is_awaited=is_awaited)
    writer.has_spare_processor = False
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder, writer) as destination:
        destination.write("large", [bytes(1 << 20)], 1 << 20)
    assert (tmp_path / "large").read_bytes() == bytes(1 << 20)
    # What waits for the disk does not need one.
    assert len(started) == is_awaited


def test_what_is_written_at_once_is_what_is_written_in_pieces(tmp_path: Path) -> None:
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder) as destination:
        digest = destination.write("a/pieces", [b"one ", b"two"])
        assert destination.write_whole("a/whole", b"one two") == digest
        with pytest.raises(PathTaken):
            destination.write_whole("a/whole", b"again")
    assert (tmp_path / "a/whole").read_bytes() == (tmp_path / "a/pieces").read_bytes()


@given(st.lists(NAMES, max_size=12))
def test_members_in_any_order_land_where_their_names_say(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    written: dict[str, bytes] = {}
    with HeldFolder.at(str(root)) as folder, Destination(folder) as destination:
        for name in names:
            parents = {str(parent) for parent in Path(name).parents} - {"."}
            taken = name in written or any(other.startswith(f"{name}/") for other in written)
            if taken or parents & written.keys():
                with pytest.raises(PathTaken):
                    destination.write(name, [b"again"])
                break
            destination.write(name, [name.encode()])
            written[name] = name.encode()
    assert contents(root) == written


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(["a", "a"], "a member before it has the same name", id="twice"),
        pytest.param(["a/b", "a"], "a member before it has the same name", id="file on folder"),
        pytest.param(["a", "a/b"], "a member before it is a file named 'a'", id="folder on file"),
    ],
)
def test_a_path_that_is_taken_is_refused_and_stays(
    tmp_path: Path, names: list[str], message: str
) -> None:
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder) as destination:
        destination.write(names[0], [b"first"])
        with pytest.raises(PathTaken) as caught:
            destination.write(names[1], [b"second"])
    assert str(caught.value) == message
    assert (tmp_path / names[0]).read_bytes() == b"first"


@pytest.mark.parametrize("name", ["link", "link/file"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to("../outside")
    with (
        HeldFolder.at(str(tmp_path / "tree")) as folder,
        Destination(folder) as destination,
        pytest.raises(PathTaken),
    ):
        destination.write(name, [b"escaped"])
    assert not list((tmp_path / "outside").iterdir())


def test_a_folder_that_was_moved_away_meanwhile_is_still_the_one_written_to(
    tmp_path: Path,
) -> None:
    """Files are made below descriptors: no path is looked up a second time."""
    (tmp_path / "tree").mkdir()
    with HeldFolder.at(str(tmp_path / "tree")) as folder, Destination(folder) as destination:
        destination.write("a/b", [b"1"])
        (tmp_path / "tree").rename(tmp_path / "moved")
        (tmp_path / "tree").mkdir()
        destination.write("a/c", [b"2"])
    assert (tmp_path / "moved/a/c").read_bytes() == b"2"
    assert not list((tmp_path / "tree").iterdir())


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_modes_are_those_the_user_asks_for(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with HeldFolder.at(str(tmp_path)) as folder, Destination(folder) as destination:
            destination.write("a/b", [b""])
    finally:
        os.umask(before)
    tree = snapshot(tmp_path)
    assert {path: entry.mode for path, entry in tree.items()} == {
        "a": 0o777 & ~umask,
        "a/b": 0o666 & ~umask,
    }


def test_no_descriptor_stays_open_and_few_are_open_meanwhile(tmp_path: Path) -> None:
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_descriptors()
    deepest = "/".join("abcdefgh")
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder) as destination:
        for number in range(200):
            destination.write(f"{number}/{deepest}", [b""])
        assert open_descriptors() - before <= 1 + 1 + 9

        def failing() -> Iterator[bytes]:
            yield b"some"
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            destination.write("failed", failing())
    assert open_descriptors() == before


def test_files_that_wait_for_others_are_written_in_the_end(
    tmp_path: Path, tight: FileWriter
) -> None:
    with HeldFolder.at(str(tmp_path)) as folder, Destination(folder, tight) as destination:
        digest = destination.write_whole("a/waits", b"content")
        destination.write("b/large", [b"large"], 5)
        assert destination.digest("a/waits") == digest
        destination.write_whole("c/last", b"last")
    assert contents(tmp_path) == {"a/waits": b"content", "b/large": b"large", "c/last": b"last"}


def test_left_by_an_error_it_holds_no_descriptor(tmp_path: Path, tight: FileWriter) -> None:
    def write_and_end() -> None:
        with HeldFolder.at(str(tmp_path)) as folder, Destination(folder, tight) as destination:
            destination.write_whole("a/b/waits", b"content")
            raise KeyboardInterrupt

    before = os.listdir("/proc/self/fd")
    with pytest.raises(KeyboardInterrupt):
        write_and_end()
    assert os.listdir("/proc/self/fd") == before
    assert (tmp_path / "a/b/waits").read_bytes() == b""
