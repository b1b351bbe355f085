"""Feed: what is read does not depend on where the chunks are cut."""

from __future__ import annotations

from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.archive.chunk_reader import ChunkReader, FileReader, Truncated

CHUNKS = st.lists(st.binary(max_size=12), max_size=12)


@given(CHUNKS, st.lists(st.integers(0, 20), max_size=12))
def test_counts_are_read_across_chunks(chunks: list[bytes], counts: list[int]) -> None:
    whole, feed, place = b"".join(chunks), ChunkReader(chunks), 0
    for count in counts:
        if place + count > len(whole):
            with pytest.raises(Truncated):
                feed.exactly(count)
            return
        assert feed.exactly(count) == whole[place : place + count]
        place += count
        assert feed.offset == place


@given(CHUNKS, st.integers(1, 20))
def test_some_gives_all_bytes_in_order_and_never_more_than_asked_for(
    chunks: list[bytes], limit: int
) -> None:
    feed = ChunkReader(chunks)
    pieces = []
    while piece := bytes(feed.some(limit)):
        assert len(piece) <= limit
        pieces.append(piece)
    assert b"".join(pieces) == b"".join(chunks)
    assert feed.offset == len(b"".join(chunks))
    assert not feed.some(limit)


@given(CHUNKS, st.data())
def test_what_is_given_back_is_read_again_even_if_it_came_in_several_chunks(
    chunks: list[bytes], data: st.DataObject
) -> None:
    whole, feed = b"".join(chunks), ChunkReader(chunks)
    read = data.draw(st.integers(0, len(whole)))
    back = data.draw(st.integers(0, read))
    feed.exactly(read)
    feed.give_back(whole[read - back : read])
    assert feed.offset == read - back
    assert feed.exactly(len(whole) - read + back) == whole[read - back :]


def test_no_more_than_one_chunk_is_taken_ahead() -> None:
    taken = []
    source = (taken.append(number) or b"0123456789" for number in range(5))  # type: ignore[func-returns-value]
    feed = ChunkReader(source)
    feed.exactly(11)
    assert taken == [0, 1]


@given(CHUNKS)
def test_what_is_held_is_not_read_yet(chunks: list[bytes]) -> None:
    feed = ChunkReader(chunks)
    feed.hold()
    chunk, place = feed.chunk()
    assert feed.offset == place == 0
    assert b"".join(chunks).startswith(chunk)
    assert bool(chunk) == any(chunks)


@given(st.binary(max_size=80), st.lists(st.integers(0, 20), max_size=12), st.integers(1, 9))
def test_what_is_left_is_passed_over_however_it_is_read(
    whole: bytes, counts: list[int], block: int
) -> None:
    with TemporaryFile(buffering=0) as file:
        file.write(whole)
        file.seek(0)
        chunks = [whole[start : start + block] for start in range(0, len(whole), block)]
        readers, place = [ChunkReader(chunks), FileReader(file, block)], 0
        for count in counts:
            for reader in readers:
                if place + count + 1 > len(whole):
                    with pytest.raises(Truncated):
                        reader.leave(len(whole) - place + 1)
                    continue
                reader.leave(count)
                assert reader.exactly(1) == whole[place + count : place + count + 1]
                assert reader.offset == place + count + 1
            if place + count + 1 > len(whole):
                return
            place += count + 1
