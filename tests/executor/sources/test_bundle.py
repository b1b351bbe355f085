"""A bundle gives the bytes of each of its files, and what is none is said."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from executor.sources import bundle_stream
from executor.sources.bundle import Bundle, bundle_at
from executor.sources.bundle_stream import BundleStream
from executor.sources.errors import InvalidBundle
from helpers.steps import steps

FILES = {"a-1.whl": b"a" * 700, "empty.whl": b"", "b-1.whl": bytes(range(256)) * 1200}


def write(path: Path, files: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> str:
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return str(path)


def opened(path: str) -> Bundle:
    found = bundle_at(path)
    assert isinstance(found, Bundle)
    return found


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("folder", ["", "./", "wheels/"])
def test_each_file_is_read_from_its_place(tmp_path: Path, form: int, folder: str) -> None:
    names = {f"{folder}{name}": content for name, content in FILES.items()}
    found = bundle_at(write(tmp_path / "b.tar", names, form=form))
    for name, content in reversed(FILES.items()):
        assert b"".join(found.read(name)) == content
        assert next(found.read(name), b"") == content[: 128 << 10]


def test_names_longer_than_a_header_holds_are_found(tmp_path: Path) -> None:
    name = "x" * 180 + "-1-py3-none-any.whl"
    found = bundle_at(write(tmp_path / "b.tar", {name: b"x", **FILES}))
    assert b"".join(found.read(name)) == b"x"
    assert b"".join(found.read("a-1.whl")) == FILES["a-1.whl"]


def test_what_is_between_the_headers_is_not_read(tmp_path: Path) -> None:
    """A bundle of 4 GiB is opened at once."""
    path = tmp_path / "b.tar"
    with path.open("wb") as file:
        for name in ("large.whl", "larger.whl"):
            header = tarfile.TarInfo(name)
            header.size = 9 << 30
            file.write(header.tobuf(tarfile.PAX_FORMAT))
            file.seek(header.size, os.SEEK_CUR)
        file.truncate(file.tell() + 1024)
    found = opened(str(path))
    assert found.place("large.whl") == (1536, 9 << 30)
    assert found.place("larger.whl") == (1536 + (9 << 30) + 1536, 9 << 30)


def test_a_file_of_another_size_is_not_that_of_the_lock(tmp_path: Path) -> None:
    found = bundle_at(write(tmp_path / "b.tar", FILES))
    step = replace(steps(1)[0], filename="a-1.whl", size=700)
    assert found.holds(step)
    assert found.holds(replace(step, size=None))
    assert not found.holds(replace(step, size=701))
    assert not found.holds(replace(step, filename="c-1.whl"))


def test_one_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    assert opened(write(path, FILES)).place("a-1.whl") is not None
    write(path, {"new.whl": b"new"})
    assert opened(str(path)).place("a-1.whl") is None
    assert opened(str(path)).place("new.whl") is not None


def test_of_files_with_one_name_the_last_counts_as_for_tar(tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    write(path, FILES)
    (tmp_path / "a-1.whl").write_bytes(b"new")
    subprocess.run(["tar", "-rf", path, "-C", tmp_path, "a-1.whl"], check=True)
    found = opened(str(path))
    assert b"".join(found.read("a-1.whl")) == b"new"
    assert b"".join(found.read("b-1.whl")) == FILES["b-1.whl"]
    with pytest.raises(KeyError):
        next(found.read("c-1.whl"))


def test_names_take_no_memory(tmp_path: Path) -> None:
    """Who made the archive may have given 60 KB to each name, which a container has not."""
    path = tmp_path / "b.tar"
    with path.open("wb") as file:
        for number in range(200):
            file.write(tarfile.TarInfo(f"{number}-{'x' * 60_000}").tobuf(tarfile.PAX_FORMAT))
            file.write(tarfile.TarInfo(f"demo-{number}.whl").tobuf())
        file.write(bytes(1024))
    found = opened(str(path))
    assert len(found.places) == 200 * 24
    assert all(found.place(f"demo-{number}.whl") is not None for number in range(200))


HUGE = tarfile.TarInfo("a.whl")
HUGE.size = (1 << 88) - 1
CUT = "is cut short, or something follows its end"
INVALID = {
    "absent": (None, "cannot be read: No such file or directory"),
    "text": (
        b"text" * 1000,
        "is no tar archive: a header is damaged: a number in it cannot be read",
    ),
    "packed": (gzip.compress(b"x"), "is compressed (gzip); wheels are already"),
    "empty": (b"", CUT),
    "cut in a file": (1000, CUT),
    "larger than any file": (HUGE.tobuf(tarfile.GNU_FORMAT) + bytes(1024), CUT),
    "cut between files": (4 * 512, CUT),
}


@pytest.mark.parametrize("case", INVALID)
def test_what_is_no_bundle_is_said(tmp_path: Path, case: str) -> None:
    content, problem = INVALID[case]
    path = tmp_path / "b.tar"
    if isinstance(content, int):
        content = Path(write(path, FILES)).read_bytes()[:content]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidBundle) as caught:
        bundle_at(str(path))
    assert str(caught.value) == f"{path}: {problem}"


def test_a_folder_and_a_pipe_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="cannot be read: Is a directory"):
        bundle_at(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidBundle, match="cannot be read: not a regular file"):
        bundle_at(str(tmp_path / "pipe"))


def test_one_with_files_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_stream, "_MAX_FILES", 2)
    with pytest.raises(InvalidBundle, match="has more than 2 files"):
        bundle_at(write(tmp_path / "b.tar", FILES))


@pytest.mark.parametrize("prefix", ["/dev/fd/", "/proc/self/fd/"])
def test_the_pipe_of_a_shell_is_read_as_it_comes(tmp_path: Path, prefix: str) -> None:
    content = Path(write(tmp_path / "b.tar", FILES)).read_bytes()
    reading, writing = os.pipe()

    def write_all() -> None:
        with open(writing, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write_all)
    writer.start()
    found = bundle_at(f"{prefix}{reading}")
    assert isinstance(found, BundleStream)
    assert found is bundle_at(f"{prefix}{reading}")
    assert b"".join(found.read("b-1.whl")) == FILES["b-1.whl"]
    found.drain()
    writer.join()
    os.close(reading)


def test_a_file_that_a_shell_has_opened_has_places(tmp_path: Path) -> None:
    with open(write(tmp_path / "b.tar", FILES), "rb") as file:
        found = opened(f"/proc/self/fd/{file.fileno()}")
        assert b"".join(found.read("a-1.whl")) == FILES["a-1.whl"]


def test_a_terminal_is_none() -> None:
    controller, terminal = os.openpty()
    with pytest.raises(InvalidBundle, match="is a terminal") as caught:
        bundle_at(f"/dev/fd/{terminal}")
    assert caught.value.hint == "pipe an archive to it, or name a file"
    os.close(controller)
    os.close(terminal)
