"""Gzip is decompressed in bounded pieces, however it is cut into chunks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

import executor.archive.gzip_decoder
from executor.archive.gzip_decoder import DamagedGzip, GzipDecoder

PIECE = 1000


@pytest.fixture(params=[zlib, isal_zlib], ids=["zlib", "isal"], autouse=True, scope="module")
def _inflater(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both libraries, whichever is installed where lockstream runs."""
    module: ModuleType = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor.archive.gzip_decoder, "decompressor", module.decompressobj)
        patch.setattr(executor.archive.gzip_decoder, "inflate_errors", module.error)
        yield


@given(st.binary(max_size=5000), st.integers(1, 600))
def test_chunks_of_any_size_give_the_content(content: bytes, size: int) -> None:
    packed = gzip.compress(content)
    decoder = GzipDecoder(PIECE)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(piece for chunk in chunks for piece in decoder.pieces(chunk)) == content
    assert decoder.is_complete


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_several_members_are_one_content(size: int) -> None:
    packed = b"".join(map(gzip.compress, (b"one ", b"", b"two ", b"three")))
    decoder = GzipDecoder(PIECE)
    found: list[bytes] = []
    for at in range(0, len(packed), size):
        assert decoder.goes_on(packed[at : at + size])
        found += decoder.pieces(packed[at : at + size])
    assert b"".join(found) == b"one two three"
    assert decoder.is_complete
    assert not decoder.goes_on(b"junk")


def test_a_piece_is_bounded() -> None:
    pieces = list(GzipDecoder(PIECE).pieces(gzip.compress(bytes(100_000))))
    assert sum(map(len, pieces)) == 100_000
    assert max(map(len, pieces)) <= PIECE


def test_an_end_that_is_missing_is_known() -> None:
    decoder = GzipDecoder(PIECE)
    assert b"".join(decoder.pieces(gzip.compress(b"x")[:-8])) == b"x"
    assert not decoder.is_complete


def test_what_follows_the_end_is_ignored() -> None:
    decoder = GzipDecoder(PIECE)
    assert b"".join(decoder.pieces(gzip.compress(b"x") + b"junk")) == b"x"
    assert list(decoder.pieces(b"more")) == []


@pytest.mark.parametrize("content", [b"not gzip at all", b"{}", b"x"])
def test_what_is_not_gzip_is_damaged(content: bytes) -> None:
    with pytest.raises(DamagedGzip):
        list(GzipDecoder(PIECE).pieces(content))


@pytest.mark.parametrize("position", range(-8, 0))
def test_a_checksum_or_size_that_differs_is_damage(position: int) -> None:
    packed = bytearray(gzip.compress(b"content"))
    packed[position] ^= 1
    with pytest.raises(DamagedGzip):
        list(GzipDecoder(PIECE).pieces(bytes(packed)))
