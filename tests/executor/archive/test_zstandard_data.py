"""Zstandard by the library, by Python itself, and without either. ``test_inflate`` has the rest."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.errors import DecoderMissing, WindowTooLarge
from executor.archive.zstandard_data import decompressed
from executor.budget.budget import History
from helpers.archives import compress
from helpers.environments import stage
from helpers.wheels import build_wheel
from schemas.errors import ExitCode
from schemas.zipformat import InvalidZip, Method

PIECE = 64 << 10
MIB = 1 << 20
CONTENT = bytes(range(256)) * 4096
PACKED = compress(CONTENT, Method.ZSTANDARD)

needs_python_314 = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="Python reads zstandard from 3.14 on"
)


@pytest.fixture(name="without_library")
def _without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)


@pytest.mark.usefixtures("without_library")
@needs_python_314
class TestPython:
    def test_it_reads_a_frame_in_pieces(self) -> None:
        feed = ChunkReader([PACKED, b"next"])
        pieces = list(decompressed(feed, len(PACKED), PIECE))
        assert b"".join(pieces) == CONTENT
        assert max(map(len, pieces)) <= PIECE
        assert feed.exactly(4) == b"next"

    @pytest.mark.parametrize("packed", [PACKED[:-1], PACKED + b"junk", b"junk" + PACKED])
    def test_anything_but_one_frame_is_refused(self, packed: bytes) -> None:
        with pytest.raises(InvalidZip, match="zstandard"):
            list(decompressed(ChunkReader([packed]), len(packed), PIECE))

    def test_truncated_data_is_noticed(self) -> None:
        with pytest.raises(Truncated):
            list(decompressed(ChunkReader([PACKED[:-1]]), len(PACKED), PIECE))


def frame(window_log: int, size: int, *, is_whole: bool = False) -> bytes:
    """A frame of zeros that states a window, or one segment (``is_whole``)."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    if is_whole:
        return compressor.compress(bytes(size))
    stream = compressor.compressobj()
    return stream.compress(bytes(size)) + stream.flush()


@pytest.mark.parametrize(
    ("packed", "window"),
    [
        pytest.param(frame(21, 9 * MIB), 2 * MIB, id="of a stream"),
        pytest.param(frame(23, 3 * MIB), 8 * MIB, id="of a short stream"),
        pytest.param(frame(23, 3 * MIB, is_whole=True), 3 * MIB, id="one segment"),
    ],
)
def test_a_window_that_no_memory_was_kept_for_is_an_error_that_names_what_is_enough(
    tmp_path: Path, packed: bytes, window: int
) -> None:
    for most in (window, window - 1):
        reader = ChunkReader([packed[:3], packed[3:]])
        pieces = decompressed(reader, len(packed), PIECE, History(most, 26 * MIB))
        if most == window:
            assert sum(map(len, pieces)) >= window // 3
            continue
        with pytest.raises(WindowTooLarge) as caught:
            next(pieces)
    assert str(caught.value) == (
        f"a wheel: to decompress 'a member' takes a window of {window // MIB} MiB, but the memory "
        f"that is left for each lane allows {window // MIB - 1} MiB"
    )
    assert caught.value.hint == (
        "the environment is as it was before; run the command again with --lanes 1, where others "
        f"leave at least {26 + window // MIB} MiB of the memory limit"
    )
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH


@pytest.mark.parametrize("size", [1, 200, 255, 256, 70_000])
def test_a_frame_of_one_small_segment_needs_no_more_than_itself(size: int) -> None:
    packed = zstandard.ZstdCompressor().compress(random.Random(size).randbytes(size))
    assert b"".join(decompressed(ChunkReader([packed]), len(packed), PIECE, History(size, 0)))
    if len(packed) >= 18:
        with pytest.raises(WindowTooLarge):
            next(decompressed(ChunkReader([packed]), len(packed), PIECE, History(size - 1, 0)))


def test_the_error_names_the_wheel_and_the_member(tmp_path: Path) -> None:
    wheel = build_wheel(files={"demo/data.bin": CONTENT})
    packed = wheel.rebuilt(replace(member, method=Method.ZSTANDARD) for member in wheel.members)
    with pytest.raises(WindowTooLarge) as caught:
        stage(packed, tmp_path / "one", history=History(1000, 26 * MIB))
    assert str(caught.value).startswith(
        f"{wheel.filename}: to decompress 'demo/data.bin' takes a window of 1 MiB, but"
    )


@pytest.mark.usefixtures("without_library")
def test_without_either_the_error_names_the_wheel_and_the_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = build_wheel(files={"demo/data.bin": CONTENT})
    packed = wheel.rebuilt(replace(member, method=Method.ZSTANDARD) for member in wheel.members)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(DecoderMissing) as caught:
        stage(packed, tmp_path / "one")
    assert str(caught.value) == (
        f"{wheel.filename}: {wheel.members[0].name!r} is compressed with zstandard, which this "
        "Python cannot read"
    )
    assert caught.value.hint == (
        "run lockstream with Python 3.14 or newer, or install zstandard for the Python that runs it"
    )
    assert caught.value.exit_code is ExitCode.USAGE
