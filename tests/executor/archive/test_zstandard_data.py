"""Zstandard by the library, by Python itself, and without either. ``test_inflate`` has the rest."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.errors import DecoderMissing
from executor.archive.zstandard_data import decompressed
from helpers.archives import compress
from helpers.environments import stage
from helpers.wheels import build_wheel
from schemas.errors import ExitCode
from schemas.zipformat import InvalidZip, Method

PIECE = 64 << 10
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
