"""The tar reader finds what tarfile wrote, and bounds what anybody else wrote."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.tar_reader import MAX_HEADER, InvalidTar, TarMember, read_tar

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def tar_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def regular(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def members_of(data: bytes) -> list[tuple[TarMember, bytes]]:
    reader = ChunkReader(chunks(data))
    return [(member, reader.exactly(member.size)) for member in read_tar(reader)]


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_members_are_what_tarfile_wrote(form: int) -> None:
    long = "/".join(["folder-of-some-length"] * 7) + "/file"
    script = regular("demo/run", b"#!", mode=0o755)
    link = regular("demo/link", type=tarfile.SYMTYPE, linkname="run")
    written = [regular("demo", type=tarfile.DIRTYPE), script, regular(long, b"x" * 1500), link]
    found = members_of(tar_of(*written, form=form))
    assert [member.name.rstrip("/") for member, _ in found] == [
        "demo",
        "demo/run",
        long,
        "demo/link",
    ]
    assert [member.kind for member, _ in found] == ["folder", "file", "file", "symlink"]
    assert [data for _, data in found] == [b"", b"#!", b"x" * 1500, b""]
    assert found[1][0].mode & 0o100
    assert found[3][0].target == "run"


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_names_longer_than_a_header_are_read(form: str) -> None:
    name = "a" * 240
    target = "b" * 300
    info = regular(name, type=tarfile.SYMTYPE, linkname=target)
    ((member, _),) = members_of(tar_of(info, form=FORMATS[form]))
    assert (member.name, member.target) == (name, target)


def test_contents_that_are_not_read_are_skipped() -> None:
    data = tar_of(regular("one", b"1" * 5000), regular("two", b"2"))
    assert [member.name for member in read_tar(ChunkReader(chunks(data)))] == ["one", "two"]


def test_a_comment_for_all_members_is_passed_over() -> None:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "of git"}
    ) as archive:
        archive.addfile(regular("one")[0])
    assert [member.name for member, _ in members_of(buffer.getvalue())] == ["one"]


def test_a_name_for_all_members_is_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "evil"}
    ) as archive:
        archive.addfile(regular("one")[0])
    with pytest.raises(InvalidTar, match="a global header names all its members"):
        members_of(buffer.getvalue())


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a FIFO"),
        (b"S", "a sparse file"),
        (b"Z", "of the unknown type"),
    ],
)
def test_what_no_source_holds_is_refused(kind: bytes, what: str) -> None:
    with pytest.raises(InvalidTar, match=f"'odd' is {what}"):
        members_of(tar_of(regular("odd", type=kind)))


def test_an_extended_header_is_not_read_beyond_its_bound() -> None:
    data = tar_of(regular("n" * (MAX_HEADER + 1)))
    with pytest.raises(InvalidTar, match="more than 65536"):
        members_of(data)


def test_a_damaged_header_is_refused() -> None:
    data = bytearray(tar_of(regular("one", b"1")))
    data[0] ^= 1
    with pytest.raises(InvalidTar, match="its checksum is wrong"):
        members_of(bytes(data))


def test_an_archive_that_ends_too_early_is_not_complete() -> None:
    data = tar_of(regular("one", b"1" * 2000))
    with pytest.raises(Truncated):
        members_of(data[:1500])


def test_an_archive_without_its_end_blocks_is_complete() -> None:
    assert len(members_of(tar_of(regular("one", b"1"))[:1024])) == 1


@given(st.integers(0, 2**32), st.binary(min_size=1, max_size=8))
def test_any_bytes_are_members_or_one_of_two_errors(seed: int, patch: bytes) -> None:
    data = bytearray(tar_of(regular("one", b"1"), regular("n" * 200, b"2" * 600)))
    draw = random.Random(seed)
    at = draw.randrange(len(data) - len(patch))
    data[at : at + len(patch)] = patch
    for start in range(0, len(data), 512):  # so that the change is not only found by its sum
        header = data[start : start + 512]
        if start <= at < start + 512 and any(header):
            total = sum(header[:148]) + 8 * 32 + sum(header[156:])
            data[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    with suppress(InvalidTar, Truncated):
        members_of(bytes(data))
