"""A wheel is read from its end, in few requests, with or without ranges."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from helpers.archives import ArchiveOptions, Descriptor, Member, build_archive, compress
from helpers.index import Index, served
from helpers.wheels import Wheel, build_wheel
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile
from planner.metadata.range_readers import TAIL_SIZE, open_wheel
from planner.metadata.remote_zip import read_directory, read_member
from schemas.zipformat import InvalidZip, Method

NOISE = random.Random(0).randbytes(3 * TAIL_SIZE)


def names_and_metadata(client: IndexClient, file: ProjectFile) -> tuple[list[str], bytes]:
    with open_wheel(client, file) as reader:
        found = read_directory(reader)
        member = next(entry for entry in found.metadata if entry.name.endswith("/METADATA"))
        names = [place.removeprefix("lib/") for place, _ in found.listing.files()]
        return names, read_member(reader, member, limit=1 << 20)


@pytest.fixture(
    params=[
        pytest.param({}, id="small"),
        pytest.param({"files": {"demo/data.bin": NOISE}}, id="large"),
        pytest.param({"files": {f"demo/{n}.py": "" for n in range(2000)}}, id="many files"),
        pytest.param({"comment": b"made by hand " * 999}, id="comment"),
        pytest.param({"suffix": bytes(64)}, id="trailing zeros"),
        pytest.param({"zip64": True}, id="zip64"),
        pytest.param({"method": Method.STORED}, id="stored"),
    ]
)
def wheel(request: pytest.FixtureRequest) -> Wheel:
    return build_wheel(**request.param)


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("ranges", ["all", "no-suffix", "none"])
def test_directory_and_metadata_are_those_of_the_wheel(
    index: Index, client: IndexClient, wheel: Wheel, form: str, ranges: str
) -> None:
    index.form, index.ranges = form, ranges  # type: ignore[assignment]
    index.add(wheel)
    names, metadata = names_and_metadata(client, served(index, wheel))
    listed = [member.name for member in wheel.members]
    assert names == [name for name in listed if ".dist-info/" not in name]
    assert metadata == wheel.metadata


def test_one_request_is_enough_where_the_size_is_known(index: Index, client: IndexClient) -> None:
    wheel = build_wheel(files={"demo/data.bin": NOISE})
    index.add(wheel)
    names_and_metadata(client, served(index, wheel))
    (asked,) = index.asked
    assert asked.headers["Range"] == f"bytes={wheel.size - TAIL_SIZE}-{wheel.size - 1}"


def test_a_large_directory_costs_two_more_and_nothing_twice(
    index: Index, client: IndexClient
) -> None:
    files: dict[str, bytes | str] = {f"demo/{n}.py": "" for n in range(2000)}
    files["demo/data.bin"] = NOISE
    wheel = build_wheel(files=files)
    index.add(wheel)
    names_and_metadata(client, served(index, wheel))
    ranges = [asked.headers["Range"].removeprefix("bytes=").split("-") for asked in index.asked]
    read = [range(int(first), int(last) + 1) for first, last in ranges]
    assert len(read) == 3
    assert read[1].stop == read[0].start
    assert read[2].stop <= read[1].start


class Memory:
    """A reader of bytes that are at hand."""

    digests: Mapping[str, str] = MappingProxyType({})

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= self.size
        return self.content[offset : offset + length]


MEMBERS = [Member("demo/__init__.py", b"x = 1\n"), Member("demo-1.0.dist-info/METADATA", b"M\n")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param({"suffix": b"tail"}, "it does not end as a zip archive does", id="tail"),
        pytest.param({"suffix": bytes(65)}, "it does not end as a zip archive does", id="zeros"),
        pytest.param({"comment": build_archive([])}, "its central directory is not at the offset "
                     "of the end record", id="an archive as comment"),
        pytest.param({"prefix": b"#!/bin/sh\n", "end": {"offset": 0}},
                     "its central directory is not at the offset of the end record", id="prefix"),
        pytest.param({"end": {"size": 1}},
                     "its central directory is not at the offset of the end record", id="size"),
        pytest.param({"end": {"entries": 1, "entries_here": 1}},
                     "the central directory holds 73 bytes after its last entry", id="fewer"),
        pytest.param({"end": {"entries": 9, "entries_here": 9}},
                     "the central directory ends before its last entry", id="more"),
        pytest.param({"end": {"comment_size": 5}}, "it does not end as a zip archive does",
                     id="comment"),
        pytest.param({"end": {"size": (64 << 20) + 1}},
                     "its central directory has more than 67108864 bytes", id="huge"),
        pytest.param({"zip64": True, "locator": {"offset": 0}},
                     "its ZIP64 end record is not at the offset of the locator", id="locator"),
        pytest.param({"end": {"entries": 0xFFFF, "entries_here": 0xFFFF}},
                     "the ZIP64 end record is not followed by a locator", id="no locator"),
    ],
)  # fmt: skip
def test_an_archive_that_contradicts_itself_is_refused(
    options: ArchiveOptions, problem: str
) -> None:
    with pytest.raises(InvalidZip) as raised:
        read_directory(Memory(build_archive(MEMBERS, **options)))
    assert str(raised.value) == problem


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 22, b"x" * 100_000])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidZip):
        read_directory(Memory(content))


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        pytest.param(Member("demo/METADATA", b"M" * 101), "demo/METADATA has more than 100 bytes",
                     id="too large"),
        pytest.param(Member("demo/METADATA", b"M", headers={"crc": 0}),
                     "demo/METADATA is damaged", id="crc"),
        pytest.param(Member("demo/METADATA", b"M", headers={"size": 2}),
                     "demo/METADATA is damaged", id="size"),
        pytest.param(Member("demo/METADATA", b"M", payload=b"\xff\xff\xff"),
                     "demo/METADATA is damaged: Error -3 while decompressing data: "
                     "invalid block type", id="stream"),
        pytest.param(Member("demo/METADATA", b"M", local={"name": b"demo/OTHERDATA"}),
                     "its directory names demo/METADATA, but the member there is demo/OTHERDATA",
                     id="name"),
        pytest.param(Member("demo/METADATA", b"M", method=Method.ZSTANDARD),
                     "demo/METADATA is packed with zstandard", id="method"),
    ],
)  # fmt: skip
def test_a_member_that_is_damaged_is_refused(member: Member, problem: str) -> None:
    reader = Memory(build_archive([member]))
    (entry,) = read_directory(reader).metadata
    with pytest.raises(InvalidZip) as raised:
        read_member(reader, entry, limit=100)
    assert str(raised.value) == problem


def test_a_bomb_is_not_inflated_beyond_what_it_declares() -> None:
    bomb = Member("demo/METADATA", b"M" * 90, payload=compress(b"M" * (8 << 20), Method.DEFLATED))
    reader = Memory(build_archive([bomb]))
    (entry,) = read_directory(reader).metadata
    with pytest.raises(InvalidZip):
        read_member(reader, entry, limit=1 << 16)


@pytest.mark.parametrize("extra", [0, 28, 5000])
def test_the_extra_field_of_the_local_header_may_be_longer(extra: int) -> None:
    field = b"UT" + (max(extra - 4, 0)).to_bytes(2, "little") + b"\0" * max(extra - 4, 0)
    member = Member("demo/METADATA", b"M" * 50, local={"extra": field if extra else b""})
    reader = Memory(build_archive([member, Member("other", b"o")]))
    entry = read_directory(reader).metadata[0]
    assert read_member(reader, entry, limit=100) == b"M" * 50


def test_a_member_with_a_descriptor_is_read_by_its_directory() -> None:
    member = Member("demo/METADATA", b"M" * 50, descriptor=Descriptor())
    reader = Memory(build_archive([member]))
    assert read_member(reader, read_directory(reader).metadata[0], limit=100) == b"M" * 50


@pytest.mark.parametrize(
    "lie", [{"offset": 0xFFFFFF}, {"compressed_size": 90}, {"name_size": 0xFFFF}]
)
def test_a_member_outside_the_archive_is_refused(lie: dict[str, int]) -> None:
    local, central = (lie, {}) if "name_size" in lie else ({}, lie)
    member = Member("demo/METADATA", b"M", local=local, central=central)
    reader = Memory(build_archive([member]))
    (entry,) = read_directory(reader).metadata
    with pytest.raises(InvalidZip, match="demo/METADATA lies beyond the end of the archive"):
        read_member(reader, entry, limit=100)
