"""Whatever wrote an archive and however it arrives, it is one tree or it is refused."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.archive.unzip import ForwardZip
from executor.wheels.errors import WheelRefused
from helpers.environments import chunked, schemes_below, stage
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel
from schemas.zipformat import InvalidZip

NAMES = st.text("aZ0._-+/ äß→😀", min_size=1, max_size=30)
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=300) | st.just(bytes(5000)), max_size=5)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


class Unseekable(io.RawIOBase):
    """zipfile writes data descriptors if it cannot seek back."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)


def members(chunks: Iterator[bytes]) -> dict[str, bytes]:
    archive = ForwardZip(chunks)
    found = {}
    for member in archive.members():
        content = member.whole()
        found[member.name] = b"".join(member.pieces()) if content is None else content
    assert len(list(archive.central_entries())) == len(found)
    return found


@given(CONTENTS, METHODS, st.integers(1, 90), st.booleans())
def test_archives_of_zipfile_are_read_in_any_chunks(
    contents: dict[str, bytes], method: int, chunk: int, zip64: bool
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in contents.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
    assert members(chunked(file.getvalue(), chunk)) == contents


@given(CONTENTS, st.integers(1, 90), st.booleans())
def test_archives_that_zipfile_streams_are_read_in_any_chunks(
    contents: dict[str, bytes], chunk: int, zip64: bool
) -> None:
    file = Unseekable()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
    assert members(chunked(bytes(file.content), chunk)) == contents


@given(st.data())
def test_members_that_are_stored_and_streamed_are_refused(data: st.DataObject) -> None:
    """Only a record after their data says where it ends."""
    contents = data.draw(CONTENTS.filter(bool))
    file = Unseekable()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(InvalidZip, match="its size is not stated"):
        members(iter([bytes(file.content)]))


@given(st.lists(st.integers(1, 60), max_size=60), st.binary(max_size=60))
def test_noise_is_refused_and_nothing_else_happens(sizes: list[int], noise: bytes) -> None:
    pieces, place = [], 0
    for size in sizes:
        pieces.append(noise[place : place + size])
        place += size
    with pytest.raises(ValueError):  # noqa: PT011  # InvalidZip or Truncated, which are these
        members(iter(pieces))


SMALL = build_wheel(files={"d.py": b"pass\n"})


@pytest.fixture(name="expected", scope="module")
def _expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("expected")
    staged = stage(SMALL, folder / "s", schemes=schemes_below(Path("/env")))
    return dict(snapshot(Path(staged.tree)))


def outcome(wheel: Wheel, folder: Path) -> dict[str, Any] | None:
    """Return the tree of the unpacked wheel; None if it is refused."""
    try:
        staged = stage(wheel, folder, schemes=schemes_below(Path("/env")))
        return dict(snapshot(Path(staged.tree)))
    except WheelRefused:
        return None
    finally:
        shutil.rmtree(folder)


def test_a_wheel_is_refused_at_every_length_it_is_cut_to(tmp_path: Path) -> None:
    for length in range(SMALL.size):
        cut = Wheel(SMALL.filename, SMALL.members, SMALL.content[:length])
        assert outcome(cut, tmp_path / "s") is None, length


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(
    tmp_path: Path, expected: dict[str, Any], bit: int
) -> None:
    """Times, versions and attributes of a member are nothing to an installation."""
    harmless = 0
    for place in range(SMALL.size):
        content = bytearray(SMALL.content)
        content[place] ^= 1 << bit
        flipped = outcome(Wheel(SMALL.filename, (), bytes(content)), tmp_path / "s")
        if flipped is not None:
            harmless += 1
            modes = {path: entry.mode & ~0o111 for path, entry in flipped.items()}
            assert modes == {path: entry.mode & ~0o111 for path, entry in expected.items()}, place
            contents = {path: entry.content for path, entry in flipped.items()}
            assert contents == {path: entry.content for path, entry in expected.items()}, place
    assert harmless < SMALL.size / 4


@settings(max_examples=60)
@given(st.data())
def test_damage_of_any_kind_is_refused_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, expected: dict[str, Any], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, SMALL.size - 1))
    length = data.draw(st.integers(0, 40))
    other = data.draw(st.binary(max_size=40))
    content = SMALL.content[:start] + other + SMALL.content[start + length :]
    found = outcome(Wheel(SMALL.filename, (), content), tmp_path_factory.mktemp("damage") / "s")
    if found is not None:
        assert {path: entry.content for path, entry in found.items()} == {
            path: entry.content for path, entry in expected.items()
        }
