"""A download is read once, and ends with its connection."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from executor.sources.download import Download, Progress


class Chunks:
    def __init__(self) -> None:
        self.is_closed = False

    def read(self, progress: Progress) -> Generator[bytes]:
        try:
            yield b"a"
            progress.is_pieced = True
            yield b"b"
        finally:
            self.is_closed = True


def test_it_yields_each_chunk_once() -> None:
    progress = Progress("https://a.example", None)
    assert list(Download(progress, Chunks().read(progress))) == [b"a", b"b"]


def test_it_knows_whether_it_came_in_pieces() -> None:
    progress = Progress("https://a.example", None)
    download = Download(progress, Chunks().read(progress))
    seen = [(chunk, download.is_pieced) for chunk in download]
    assert seen == [(b"a", False), (b"b", True)]


@pytest.mark.parametrize("end", [Download.close, lambda _: None], ids=["closed", "dropped"])
def test_its_resources_are_free_when_it_ends_without_the_collector_of_garbage(
    end: object,
) -> None:
    assert callable(end)
    chunks, progress = Chunks(), Progress("https://a.example", None)
    download = Download(progress, chunks.read(progress))
    next(download)
    gone = weakref.ref(download)
    gc.disable()
    try:
        end(download)
        del download
        assert gone() is None
    finally:
        gc.enable()
    assert chunks.is_closed
