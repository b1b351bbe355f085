"""A download is read once, and ends with its connection."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from executor.sources.download import Download, Progress
from executor.sources.errors import Replaced
from executor.sources.retries import Retryable


class Chunks:
    def __init__(self) -> None:
        self.is_closed = False

    def read(self, progress: Progress) -> Generator[bytes]:
        try:
            yield b"a"
            progress.is_doubtful = True
            yield b"b"
        finally:
            self.is_closed = True


def test_it_yields_each_chunk_once() -> None:
    progress = Progress("https://a.example", None)
    assert list(Download(progress, Chunks().read(progress))) == [b"a", b"b"]


def test_it_knows_whether_it_came_in_pieces() -> None:
    progress = Progress("https://a.example", None)
    download = Download(progress, Chunks().read(progress))
    seen = [(chunk, download.is_doubtful) for chunk in download]
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


class TestResuming:
    """Ten bytes have come before, of the version "1"."""

    @pytest.fixture(name="progress")
    def begun(self) -> Progress:
        return Progress("https://a.example", 20, received=10, etag='"1"')

    @pytest.mark.parametrize("etag", [{}, {"etag": '"1"'}], ids=["no tag", "the same tag"])
    def test_a_whole_file_is_read_from_where_the_last_attempt_ended(
        self, progress: Progress, etag: dict[str, str]
    ) -> None:
        assert progress.resume_at(etag, is_partial=False) == 10

    def test_nothing_of_a_part_is_skipped(self, progress: Progress) -> None:
        assert progress.resume_at({"content-range": "bytes 10-19/20"}, is_partial=True) == 0
        assert progress.can_resume

    @pytest.mark.parametrize("place", [{}, {"content-range": "bytes 9-19/20"}])
    def test_another_part_is_not_asked_for_again(
        self, progress: Progress, place: dict[str, str]
    ) -> None:
        with pytest.raises(Retryable, match="other bytes than those requested, from 10 on"):
            progress.resume_at(place, is_partial=True)
        assert not progress.can_resume

    @pytest.mark.parametrize("is_partial", [True, False])
    def test_another_version_is_not_resumed(self, progress: Progress, is_partial: bool) -> None:
        with pytest.raises(Replaced):
            progress.resume_at({"etag": '"2"'}, is_partial=is_partial)
