"""Unzip: members come forwards, and an archive that could be read otherwise is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from executor.archive.chunk_reader import Truncated
from executor.archive.unzip import MAX_TRAILING_ZEROS, ForwardZip
from helpers.archives import Descriptor, Member, build_archive, zip64_extra
from helpers.environments import chunked
from schemas.zipformat import InvalidZip, Method

NAMES = ["a.py", "b/c.py"]
MEMBERS = [Member("a.py", b"first" * 40), Member("b/c.py", b"second" * 40)]


def read(chunks: Iterable[bytes]) -> dict[str, bytes]:
    archive = ForwardZip(chunks)
    found = {member.name: b"".join(member.pieces()) for member in archive.members()}
    assert [entry.name for entry in archive.central_entries()] == list(found)
    return found


def refusal(archive: bytes) -> str:
    with pytest.raises(InvalidZip) as caught:
        read([archive])
    return str(caught.value)


class TestMembers:
    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    @pytest.mark.parametrize("method", list(Method))
    @pytest.mark.parametrize("zip64", [False, True], ids=["", "zip64"])
    def test_they_are_read_in_any_chunks(self, method: Method, chunk: int, zip64: bool) -> None:
        members = [Member(name, name.encode() * 50, method, zip64=zip64) for name in NAMES]
        archive = build_archive(members, zip64=zip64)
        assert read(chunked(archive, chunk)) == {name: name.encode() * 50 for name in NAMES}

    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    @pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
    @pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
    def test_a_data_descriptor_is_read_in_each_of_its_forms(
        self, wide: bool, signed: bool, chunk: int
    ) -> None:
        told = Descriptor(signed=signed, wide=wide)
        for data in (b"data" * 9, b""):
            archive = build_archive([Member(name, data, descriptor=told) for name in NAMES])
            assert read(chunked(archive, chunk)) == dict.fromkeys(NAMES, data)

    def test_what_is_not_read_of_a_member_is_passed_over_and_checked(self) -> None:
        archive = ForwardZip([build_archive(MEMBERS)])
        assert [member.name for member in archive.members()] == NAMES
        damaged = build_archive([Member("a.py", b"data", headers={"crc": 1}), MEMBERS[1]])
        with pytest.raises(InvalidZip, match="its CRC is"):
            list(ForwardZip([damaged]).members())

    def test_an_archive_without_members_is_read(self) -> None:
        assert read([build_archive([])]) == {}

    def test_offsets_and_sizes_are_those_that_were_read(self) -> None:
        members = []
        archive = ForwardZip([build_archive(MEMBERS)])
        for member in archive.members():
            list(member.pieces())
            members.append(member)
        assert [
            (member.offset, member.compressed_size, member.size, member.crc) for member in members
        ] == [
            (entry.offset, entry.compressed_size, entry.size, entry.crc)
            for entry in archive.central_entries()
        ]


class TestEnd:
    @pytest.mark.parametrize("comment", [b"", b"built by hand", b"x" * 0xFFFF])
    def test_a_comment_is_passed_over(self, comment: bytes) -> None:
        assert set(read([build_archive(MEMBERS, comment=comment)])) == set(NAMES)

    @pytest.mark.parametrize("chunk", [1, 64 << 10])
    def test_a_few_zeros_behind_the_end_are_padding(self, chunk: int) -> None:
        archive = build_archive(MEMBERS, suffix=bytes(MAX_TRAILING_ZEROS))
        assert set(read(chunked(archive, chunk))) == set(NAMES)

    @pytest.mark.parametrize(
        "suffix",
        [
            pytest.param(bytes(MAX_TRAILING_ZEROS + 1), id="more zeros"),
            pytest.param(b"\0x", id="something else"),
            pytest.param(build_archive(MEMBERS), id="another archive"),
        ],
    )
    @pytest.mark.parametrize("chunk", [1, 64 << 10])
    def test_anything_else_behind_the_end_is_refused(self, suffix: bytes, chunk: int) -> None:
        with pytest.raises(InvalidZip, match=r"^bytes follow its end$"):
            read(chunked(build_archive(MEMBERS, suffix=suffix), chunk))

    def test_it_stops_reading_where_bytes_follow_the_end(self) -> None:
        taken = []

        def chunks() -> Iterable[bytes]:
            yield build_archive(MEMBERS)
            for number in range(1000):
                taken.append(number)
                yield b"x"

        with pytest.raises(InvalidZip, match=r"^bytes follow its end$"):
            read(chunks())
        assert taken == [0]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            pytest.param(
                {"end": {"entries": 1, "entries_here": 1}},
                "its end record does not describe the central directory before it",
                id="entries",
            ),
            pytest.param(
                {"end": {"size": 1}},
                "its end record does not describe the central directory before it",
                id="size",
            ),
            pytest.param(
                {"end": {"offset": 1}},
                "its end record does not describe the central directory before it",
                id="offset",
            ),
            pytest.param(
                {"zip64": True, "zip64_end": {"offset": 1}},
                "its end record does not describe the central directory before it",
                id="zip64 offset",
            ),
            pytest.param(
                {"zip64": True, "end": {"entries": 7, "entries_here": 7}},
                "its two end records contradict each other",
                id="contradiction",
            ),
            pytest.param(
                {"end": {"entries": 0xFFFF, "entries_here": 0xFFFF}},
                "its end record leaves sizes to a ZIP64 end record that is missing",
                id="missing zip64",
            ),
            pytest.param(
                {"zip64": True, "locator": {"offset": 3}},
                "the locator of the ZIP64 end record points elsewhere",
                id="locator",
            ),
            pytest.param(
                {"zip64": True, "zip64_end": {"record_size": 45}},
                "the ZIP64 end record has an extensible data sector",
                id="extensible data",
            ),
            pytest.param(
                {"comment": b"PK\x05\x06" + bytes(18)},
                "its comment could be read as another archive",
                id="comment",
            ),
        ],
    )
    def test_an_end_that_lies_is_refused(self, options: Any, message: str) -> None:
        assert refusal(build_archive(MEMBERS, **options)) == message


class TestFraming:
    """Members, entries and the end follow each other without gaps."""

    def test_a_prefix_is_refused(self) -> None:
        assert refusal(build_archive(MEMBERS, prefix=b"#!/bin/sh\n")) == (
            "expected a member, an entry or the end at byte 0, found b'#!/b'"
        )

    def test_a_gap_between_members_is_refused(self) -> None:
        members = [MEMBERS[0], Member("b/c.py", before=b"gap!")]
        assert refusal(build_archive(members)).endswith("found b'gap!'")

    def test_a_gap_before_the_central_directory_is_refused(self) -> None:
        assert refusal(build_archive(MEMBERS, gap=b"gap!")).endswith("found b'gap!'")

    def test_a_member_that_is_not_listed_is_refused(self) -> None:
        members = [MEMBERS[0], Member("hidden.py", b"x", listed=False)]
        assert refusal(build_archive(members)) == (
            "it holds 2 members, but its central directory lists 1"
        )

    def test_more_members_than_any_wheel_has_are_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.archive.unzip.MAX_MEMBERS", 3)
        assert set(read([build_archive([Member(f"{n}") for n in range(3)])])) == {"0", "1", "2"}
        assert refusal(build_archive([Member(f"{n}") for n in range(4)])) == (
            "it holds more than 3 members"
        )

    @pytest.mark.parametrize("descriptor", [None, Descriptor()], ids=["", "descriptor"])
    def test_an_archive_is_refused_at_every_length_it_is_cut_to(
        self, descriptor: Descriptor | None
    ) -> None:
        archive = build_archive([Member("a.py", b"data" * 9, descriptor=descriptor)], zip64=True)
        for length in range(len(archive)):
            with pytest.raises((Truncated, InvalidZip)):
                read([archive[:length]])


class TestContents:
    @pytest.mark.parametrize(
        ("lie", "message"),
        [
            pytest.param(
                {"crc": 1}, "its CRC is b4fa1177, not the 00000001 it states", id="another CRC"
            ),
            pytest.param({"size": 7}, "it unpacks to more than the 7 bytes it states", id="size"),
            pytest.param({"size": 9}, "it unpacks to 8 bytes, not to the 9 it states", id="larger"),
        ],
    )
    @pytest.mark.parametrize("method", [Method.DEFLATED, Method.ZSTANDARD])
    def test_that_are_not_what_the_header_states_are_refused(
        self, method: Method, lie: dict[str, int], message: str
    ) -> None:
        assert refusal(build_archive([Member("a.py", b"contents", method, headers=lie)])) == message

    @pytest.mark.parametrize("lie", ["crc", "compressed_size", "size"])
    @pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
    @pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
    def test_that_are_not_what_the_descriptor_states_are_refused(
        self, signed: bool, wide: bool, lie: str
    ) -> None:
        told = Descriptor(signed=signed, wide=wide, **{lie: 77})
        members = [Member("a.py", b"contents", descriptor=told), MEMBERS[1]]
        assert refusal(build_archive(members)) == (
            "its data descriptor does not state what was read"
        )

    def test_that_have_no_descriptor_though_it_is_announced_are_refused(self) -> None:
        member = Member("a.py", b"contents", local={"flags": 1 << 3, "crc": 0, "size": 0})
        assert refusal(build_archive([member, MEMBERS[1]])) == (
            "its data descriptor does not state what was read"
        )

    def test_a_stated_size_stops_a_bomb_while_it_is_inflated(self) -> None:
        bomb = Member("a.py", bytes(4 << 20), headers={"size": 10})
        (member,) = [member for _, member in zip(range(1), _members(bomb), strict=False)]
        pieces = member.pieces()
        with pytest.raises(InvalidZip, match="more than the 10 bytes"):
            next(pieces)

    def test_sizes_told_twice_in_agreement_are_read(self) -> None:
        """Bazel does so."""
        member = Member("a.py", b"data", Method.STORED, local={"extra": zip64_extra(4, 4)})
        assert read([build_archive([member])]) == {"a.py": b"data"}


def _members(*members: Member) -> Iterable[Any]:
    return ForwardZip([build_archive(members)]).members()
