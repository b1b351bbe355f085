"""A bundle is written in one pass, and a file that fails leaves nothing in it."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from executor.sources.bundle_writer import BundleWriter

FILES = {"a.whl": b"a" * 512, "b.whl": b"b" * 70_000, "x" * 150 + ".whl": b"", "c.whl": b"c"}


def write(path: Path, *, sizes: bool) -> bytes:
    with FileIO(path, "w") as file:
        writer = BundleWriter(file)
        for name, content in FILES.items():
            chunks = [content[:100], content[100:]]
            assert writer.add(name, len(content) if sizes else None, chunks) == len(content)
        writer.finish()
    return path.read_bytes()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    assert write(tmp_path / "1.tar", sizes=True) == write(tmp_path / "2.tar", sizes=False)


def test_other_programs_read_it(tmp_path: Path) -> None:
    write(tmp_path / "b.tar", sizes=True)
    with tarfile.open(tmp_path / "b.tar") as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.uname, member.mode) == (0, 0, "", 0o644)
            taken = archive.extractfile(member)
            assert taken is not None
            assert taken.read() == FILES[member.name]
    listed = subprocess.run(
        ["tar", "-tf", tmp_path / "b.tar"], check=True, capture_output=True, text=True
    )
    assert listed.stdout.split() == list(FILES)
    assert listed.stderr == ""


@pytest.mark.parametrize("size", [3, None])
def test_a_file_that_fails_is_added_again(tmp_path: Path, size: int | None) -> None:
    def failing() -> Iterator[bytes]:
        yield b"xx"
        raise EOFError

    with FileIO(tmp_path / "b.tar", "w") as file:
        writer = BundleWriter(file)
        writer.add("first.whl", 1, [b"1"])
        with pytest.raises(EOFError):
            writer.add("second.whl", size, failing())
        writer.add("second.whl", size, [b"222"])
        writer.finish()
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert archive.getnames() == ["first.whl", "second.whl"]


@pytest.mark.parametrize("kind", ["what a shell appends to", "a device"])
def test_nothing_is_cut_off_where_there_is_no_way_back(tmp_path: Path, kind: str) -> None:
    """``>>`` begins at 0, whatever the file holds; a device cannot be cut."""
    path = tmp_path / "log" if kind == "what a shell appends to" else Path(os.devnull)
    if path.name == "log":
        path.write_bytes(b"before")

    def failing() -> Iterator[bytes]:
        yield b"xx"
        raise EOFError

    with FileIO(os.open(path, os.O_WRONLY | os.O_APPEND), "w") as file:
        writer = BundleWriter(file)
        with pytest.raises(EOFError):
            writer.add("a.whl", 3, failing())
        writer.add("a.whl", 3, [b"222"])
    assert path.name != "log" or path.read_bytes().startswith(b"beforea.whl\0")


def test_a_pipe_gets_the_same_bytes(tmp_path: Path) -> None:
    expected = write(tmp_path / "b.tar", sizes=True)
    reading, writing = os.pipe()
    with subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.PIPE) as cat:
        os.close(reading)
        with FileIO(writing, "w") as file:
            writer = BundleWriter(file)
            for name, content in FILES.items():
                writer.add(name, len(content), [content])
            writer.finish()
        assert cat.communicate()[0] == expected
