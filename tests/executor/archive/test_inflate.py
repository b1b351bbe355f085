"""Inflate: every method gives back what was compressed, in pieces of a limited size."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from types import ModuleType

import isal
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

import executor.archive.inflate
from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.inflate import MAX_OUTPUT, contents, crc32
from helpers.archives import compress
from helpers.environments import chunked
from schemas.zipformat import InvalidZip, Method

MIB = 1 << 20
NOISE = bytes((number * number >> 3) % 251 for number in range(3000))


@pytest.fixture(params=[zlib, isal_zlib], ids=["zlib", "isal"])
def _inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries, whichever is installed where lockstream runs."""
    module: ModuleType = request.param
    monkeypatch.setattr(executor.archive.inflate, "decompressor", module.decompressobj)
    monkeypatch.setattr(executor.archive.inflate, "inflate_errors", module.error)
    streams = executor.archive.inflate._fastest_inflater(module)
    monkeypatch.setattr(executor.archive.inflate, "_inflater", streams)


@pytest.mark.parametrize(
    ("version", "is_used"), [("1.8.0", False), ("1.9.0", True), ("1.10.1", True), ("2.0", True)]
)
def test_only_a_version_of_isal_that_ends_where_the_data_ends_is_used(
    monkeypatch: pytest.MonkeyPatch, version: str, is_used: bool
) -> None:
    monkeypatch.setattr(isal, "__version__", version)
    assert executor.archive.inflate._fastest_zlib() is (isal_zlib if is_used else zlib)


def test_without_isal_the_standard_library_inflates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    assert executor.archive.inflate._fastest_zlib() is zlib


def refusal(feed: ChunkReader, method: Method, compressed_size: int | None) -> str:
    with pytest.raises(InvalidZip) as caught:
        list(contents(feed, method, compressed_size))
    return str(caught.value)


@pytest.mark.usefixtures("_inflater")
class TestDeflated:
    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    @pytest.mark.parametrize("told", [True, False], ids=["size told", "size behind"])
    def test_it_ends_where_the_data_ends(self, chunk: int, told: bool) -> None:
        data = NOISE * 10
        packed = compress(data, Method.DEFLATED)
        feed = ChunkReader(chunked(packed + b"what follows", chunk))
        assert b"".join(contents(feed, Method.DEFLATED, len(packed) if told else None)) == data
        assert feed.offset == len(packed)
        assert feed.exactly(12) == b"what follows"

    @pytest.mark.parametrize("told", [True, False], ids=["size told", "size behind"])
    @pytest.mark.parametrize("beyond", [-1, 0, 1, 2, 257, 258, 259, 1031, 2000])
    @pytest.mark.parametrize("pieces", [1, 2])
    def test_output_that_goes_on_behind_a_full_piece_is_not_lost(
        self, pieces: int, beyond: int, told: bool
    ) -> None:
        """The input is used up by then, but the stream holds output back."""
        data = bytes(pieces * MAX_OUTPUT + beyond)
        packed = compress(data, Method.DEFLATED)
        feed = ChunkReader(chunked(packed + b"PK", 64 << 10))
        assert b"".join(contents(feed, Method.DEFLATED, len(packed) if told else None)) == data
        assert feed.exactly(2) == b"PK"

    def test_a_bomb_comes_in_pieces_and_takes_no_memory(self) -> None:
        packed = compress(bytes(64 * MIB), Method.DEFLATED)
        size = 0
        tracemalloc.start()
        try:
            for piece in contents(ChunkReader([packed]), Method.DEFLATED, len(packed)):
                assert len(piece) <= MAX_OUTPUT
                size += len(piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size == 64 * MIB
        assert peak < 2 * MIB

    def test_bytes_behind_the_end_of_its_stream_are_refused(self) -> None:
        packed = compress(NOISE, Method.DEFLATED)
        message = refusal(ChunkReader([packed + b"junk"]), Method.DEFLATED, len(packed) + 4)
        assert message == (
            f"its data ends after {len(packed)} of {len(packed) + 4} compressed bytes"
        )

    def test_data_that_goes_on_behind_its_size_is_refused(self) -> None:
        packed = compress(NOISE, Method.DEFLATED)
        message = refusal(ChunkReader([packed]), Method.DEFLATED, len(packed) - 1)
        assert message == "its compressed data goes on after its compressed size"

    def test_damage_is_refused(self) -> None:
        message = refusal(ChunkReader([b"\x07" + bytes(40)]), Method.DEFLATED, 41)
        assert message.startswith("its deflated data is damaged (")

    @given(cut=st.integers(0, len(compress(NOISE, Method.DEFLATED)) - 1))
    def test_truncated_data_is_noticed(self, cut: int) -> None:
        packed = compress(NOISE, Method.DEFLATED)
        with pytest.raises(Truncated):
            list(contents(ChunkReader([packed[:cut]]), Method.DEFLATED, len(packed)))

    @given(data=st.binary(max_size=400), junk=st.binary(max_size=40), chunk=st.integers(1, 50))
    def test_any_data_in_any_chunks_is_given_back(
        self, data: bytes, junk: bytes, chunk: int
    ) -> None:
        packed = compress(data, Method.DEFLATED)
        feed = ChunkReader(chunked(packed + junk, chunk))
        assert b"".join(contents(feed, Method.DEFLATED, None)) == data
        assert feed.exactly(len(junk)) == junk


class TestStored:
    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    def test_it_is_passed_through_to_its_size(self, chunk: int) -> None:
        feed = ChunkReader(chunked(NOISE + b"next", chunk))
        assert b"".join(contents(feed, Method.STORED, len(NOISE))) == NOISE
        assert feed.exactly(4) == b"next"

    def test_it_must_tell_its_size_before_its_data(self) -> None:
        assert refusal(ChunkReader([NOISE]), Method.STORED, None) == (
            "it is stored, and its size is not stated before its data"
        )

    def test_truncated_data_is_noticed(self) -> None:
        with pytest.raises(Truncated):
            list(contents(ChunkReader([NOISE]), Method.STORED, len(NOISE) + 1))


class TestZstandard:
    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    def test_it_ends_where_its_size_ends(self, chunk: int) -> None:
        packed = compress(NOISE, Method.ZSTANDARD)
        feed = ChunkReader(chunked(packed + b"next", chunk))
        assert b"".join(contents(feed, Method.ZSTANDARD, len(packed))) == NOISE
        assert feed.exactly(4) == b"next"

    def test_a_bomb_comes_in_pieces(self) -> None:
        packed = compress(bytes(64 * MIB), Method.ZSTANDARD)
        sizes = [
            len(piece) for piece in contents(ChunkReader([packed]), Method.ZSTANDARD, len(packed))
        ]
        assert sum(sizes) == 64 * MIB
        assert max(sizes) <= MAX_OUTPUT

    def test_a_window_that_would_take_more_memory_than_the_standard_asks_for_is_refused(
        self,
    ) -> None:
        parameters = zstandard.ZstdCompressionParameters(window_log=27)
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        packed = compressor.compress(NOISE) + compressor.flush()
        message = refusal(ChunkReader([packed]), Method.ZSTANDARD, len(packed))
        assert message.startswith("its zstandard data is damaged (")

    @pytest.mark.parametrize("junk", [b"junk", b"jk"])
    def test_bytes_behind_its_frame_are_refused(self, junk: bytes) -> None:
        packed = compress(NOISE, Method.ZSTANDARD) + junk
        message = refusal(ChunkReader([packed]), Method.ZSTANDARD, len(packed))
        assert message.startswith("its zstandard data is damaged (")

    def test_it_must_tell_its_size_before_its_data(self) -> None:
        assert refusal(ChunkReader([NOISE]), Method.ZSTANDARD, None) == (
            "it is zstandard-compressed, and its size is not stated before its data"
        )

    def test_truncated_data_is_noticed(self) -> None:
        packed = compress(NOISE, Method.ZSTANDARD)
        with pytest.raises(Truncated):
            list(contents(ChunkReader([packed[:-1]]), Method.ZSTANDARD, len(packed)))


@given(st.binary(max_size=300), st.integers(1, 60))
def test_crcs_are_those_of_zlib_piece_by_piece(data: bytes, chunk: int) -> None:
    crc = 0
    for piece in chunked(data, chunk):
        crc = crc32(piece, crc)
    assert crc == zlib.crc32(data)


def test_only_what_is_asked_for_is_inflated() -> None:
    """A reader that stops leaves the rest unread."""
    read = []

    def chunks() -> Iterator[bytes]:
        for chunk in chunked(compress(bytes(MIB), Method.STORED), 64 << 10):
            read.append(len(chunk))
            yield chunk

    next(contents(ChunkReader(chunks()), Method.STORED, MIB))
    assert len(read) == 1
