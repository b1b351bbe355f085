"""The files of a bundle that comes through a pipe are read in their order, once."""

from __future__ import annotations

import errno
import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO

import pytest

from executor.sources import bundle_stream
from executor.sources.bundle_stream import BundleStream
from executor.sources.errors import InvalidBundle, Unreachable

FILES = {
    "pylock.toml": b"lock",
    "b-1.whl": bytes(range(256)) * 1200,
    "empty.whl": b"",
    "a-1.whl": b"a",
}


def archive(files: Mapping[str, bytes] = FILES) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as written:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
    return file.getvalue()


@contextmanager
def stream(content: bytes) -> Iterator[BundleStream]:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        file.seek(0)
        assert isinstance(file, FileIO)
        yield BundleStream("standard input", file)


def test_files_are_read_in_their_order_and_others_passed_over() -> None:
    with stream(archive()) as found:
        assert b"".join(found.read("b-1.whl")) == FILES["b-1.whl"]
        assert b"".join(found.read("a-1.whl")) == b"a"


def test_what_is_left_of_a_file_is_passed_over() -> None:
    with stream(archive()) as found:
        assert next(found.read("b-1.whl"))[:3] == b"\0\1\2"
        assert b"".join(found.read("empty.whl")) == b""
        assert b"".join(found.read("a-1.whl")) == b"a"


def test_a_file_in_a_folder_has_its_name() -> None:
    with stream(archive({"./wheels/a-1.whl": b"a"})) as found:
        assert b"".join(found.read("a-1.whl")) == b"a"


def test_a_file_that_came_too_early_is_said() -> None:
    with stream(archive()) as found:
        assert b"".join(found.read("a-1.whl")) == b"a"
        with pytest.raises(Unreachable) as caught:
            next(found.read("b-1.whl"))
    assert (
        str(caught.value)
        == "standard input/b-1.whl: it came earlier than it is needed, and is gone"
    )
    assert caught.value.hint == "write the archive to a file and name that: --bundle FILE"


def test_a_file_that_does_not_come_is_said() -> None:
    with stream(archive()) as found, pytest.raises(Unreachable) as caught:
        next(found.read("c-1.whl"))
    assert str(caught.value) == "standard input/c-1.whl: the archive has no such file"
    with stream(b"") as found, pytest.raises(Unreachable) as caught:
        next(found.read("c-1.whl"))
    assert str(caught.value) == "standard input: no file came"


INVALID = {
    "text": (b"text" * 1000, "is no tar archive: a header is damaged"),
    "packed": (gzip.compress(archive()), r"is compressed \(gzip\); wheels are already"),
    "cut in a file": (archive()[:3000], "is cut short"),
    "cut in a header": (archive()[:1100], "is cut short"),
}


@pytest.mark.parametrize("case", INVALID)
def test_what_is_no_bundle_is_said(case: str) -> None:
    content, problem = INVALID[case]
    with (
        stream(content) as found,
        pytest.raises(InvalidBundle, match=f"^standard input: {problem}"),
    ):
        list(found.read("b-1.whl"))


def test_one_with_files_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_stream, "_MAX_FILES", 2)
    with stream(archive()) as found, pytest.raises(InvalidBundle, match="has more than 2 files"):
        list(found.read("a-1.whl"))


class Broken(FileIO):
    def read(self, _: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_pipe_that_breaks_is_said() -> None:
    with Broken(os.devnull) as file:
        found = BundleStream("standard input", file)
        with pytest.raises(InvalidBundle, match="cannot be read: Input/output error"):
            next(found.read("a-1.whl"))
        found.drain()
