"""Zip records are read as they were written, and refused in one sentence if ambiguous."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.archives import Descriptor, Member, build_archive, zip64_extra
from helpers.zip_records import entries_of, read_central, refusal
from schemas.zip_end import END_RECORD, parse_end_record
from schemas.zipformat import (
    CENTRAL_HEADER,
    LOCAL_HEADER,
    InvalidZip,
    LocalHeader,
    Method,
    parse_local_header,
)

METHODS = st.sampled_from(list(Method))
NAMES = st.text("aZ0._-+/ äß\u0301→😀", min_size=1, max_size=40)


@st.composite
def members(draw: st.DrawFn) -> Member:
    return Member(
        draw(NAMES),
        draw(st.binary(max_size=200)),
        draw(METHODS),
        mode=draw(st.sampled_from([0o100644, 0o100755, 0o100600])),
        zip64=draw(st.booleans()),
    )


def read_local(archive: bytes, offset: int = 0) -> LocalHeader:
    header = archive[offset : offset + LOCAL_HEADER.size]
    name_size, extra_size = struct.unpack_from("<HH", header, 26)
    rest = archive[offset + LOCAL_HEADER.size :]
    return parse_local_header(header, rest[:name_size], rest[name_size : name_size + extra_size])


class TestRoundTrip:
    @given(st.lists(members(), max_size=5), st.booleans())
    def test_every_record_that_is_written_is_read_back(
        self, written: list[Member], zip64: bool
    ) -> None:
        archive = build_archive(written, zip64=zip64)
        entries = read_central(archive)
        assert len(entries) == len(written)
        for member, entry in zip(written, entries, strict=True):
            assert (entry.name, entry.method) == (member.name, member.method)
            assert (entry.size, entry.mode) == (len(member.data), member.mode)
            assert entry.crc == zlib.crc32(member.data)
            assert entry.is_executable == bool(member.mode & 0o111)
            local = read_local(archive, entry.offset)
            assert (local.name, local.flags, local.method) == (
                entry.name,
                entry.flags,
                entry.method,
            )
            assert (local.crc, local.compressed_size, local.size) == (
                entry.crc,
                entry.compressed_size,
                entry.size,
            )

    @given(
        st.dictionaries(NAMES, st.binary(max_size=200), max_size=5),
        st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    )
    def test_archives_of_the_standard_library_are_read(
        self, contents: dict[str, bytes], method: int
    ) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        infos = archive.infolist()
        entries = read_central(file.getvalue())
        assert [
            (entry.name, entry.size, entry.compressed_size, entry.crc, entry.offset)
            for entry in entries
        ] == [
            (info.filename, info.file_size, info.compress_size, info.CRC, info.header_offset)
            for info in infos
        ]
        for entry in entries:
            assert read_local(file.getvalue(), entry.offset).name == entry.name

    def test_sizes_behind_a_descriptor_are_not_told_before_the_data(self) -> None:
        archive = build_archive([Member("a", b"data", descriptor=Descriptor())])
        local = read_local(archive)
        assert local.has_descriptor
        assert (local.crc, local.size) == (0, 0)
        (entry,) = read_central(archive)
        assert entry.has_descriptor
        assert entry.size == 4

    def test_a_zip64_field_that_repeats_sizes_which_fit_is_read(self) -> None:
        """Bazel writes it into every local header."""
        member = Member("a", b"data", Method.STORED, local={"extra": zip64_extra(4, 4)})
        assert read_local(build_archive([member])).size == 4

    def test_extra_fields_that_do_not_concern_us_are_passed_over(self) -> None:
        timestamps = struct.pack("<HHBL", 0x5455, 5, 1, 0)
        padding = b"\0\0\0"
        member = Member("a", b"data", headers={"extra": timestamps + padding})
        assert read_local(build_archive([member])).name == "a"

    def test_a_mode_counts_only_where_a_unix_wrote_it(self) -> None:
        member = Member("a", mode=0o100755, central={"made_by": 20})
        (entry,) = read_central(build_archive([member]))
        assert entry.mode == 0
        assert not entry.is_executable


UNICODE_PATH = struct.pack("<HHBL", 0x7075, 5 + 1, 1, zlib.crc32(b"a")) + b"b"

BAD_HEADERS = [
    pytest.param({"version": 64}, "it needs version 6.4 of the zip format", id="newer version"),
    pytest.param({"flags": 1}, "it is encrypted", id="encrypted"),
    pytest.param({"flags": 1 | 1 << 6}, "it is encrypted", id="strongly encrypted"),
    pytest.param(
        {"flags": 1 << 5}, "its flags 0x0020 are not those of a plain member", id="patch data"
    ),
    pytest.param(
        {"flags": 1 << 13}, "its flags 0x2000 are not those of a plain member", id="masked"
    ),
    pytest.param(
        {"method": 12},
        "its compression method is 12; wheels use 0 (stored), 8 (deflated), 93 (zstandard)",
        id="bzip2",
    ),
    pytest.param({"name": b"\xe4"}, "its name b'\\xe4' is not ASCII", id="code page"),
    pytest.param(
        {"name": b"\xe4", "flags": 1 << 11}, "its name b'\\xe4' is not UTF-8", id="not UTF-8"
    ),
    pytest.param(
        {"extra": b"\x55\x54\xff\x00"},
        "an extra field is longer than the space it has",
        id="overlong extra",
    ),
    pytest.param(
        {"extra": zip64_extra(4, 4) * 2}, "it has two ZIP64 extra fields", id="two ZIP64 fields"
    ),
    pytest.param(
        {"extra": UNICODE_PATH}, "an extra field gives it a second name", id="second name"
    ),
    pytest.param(
        {"size": 0xFFFFFFFF},
        "the ZIP64 extra field of a size is missing",
        id="missing ZIP64 field",
    ),
    pytest.param(
        {"extra": b"\x01\x00\x04\x00abcd"},
        "its ZIP64 extra field is malformed",
        id="short ZIP64 field",
    ),
    pytest.param(
        {"extra": zip64_extra(5, 4)},
        "its ZIP64 extra field does not have exactly the missing sizes",
        id="contrary ZIP64 field",
    ),
    pytest.param(
        {"extra": zip64_extra(4)},
        "its ZIP64 extra field does not have exactly the missing sizes",
        id="ZIP64 field with one of two sizes",
    ),
    pytest.param(
        {"extra": zip64_extra(4, 4), "size": 0xFFFFFFFF},
        "its ZIP64 extra field does not have exactly the missing sizes",
        id="ZIP64 field with a size too many",
    ),
]


class TestRefusals:
    @pytest.mark.parametrize(("lie", "message"), BAD_HEADERS)
    def test_of_local_headers(self, lie: dict[str, Any], message: str) -> None:
        archive = build_archive([Member("a", b"data", Method.STORED, local=lie)])
        assert refusal(lambda: read_local(archive)) == message

    @pytest.mark.parametrize(
        ("lie", "message"),
        [
            *BAD_HEADERS,
            pytest.param({"disk": 1}, "the archive is spread over several disks", id="disk"),
            pytest.param(
                {"signature": b"PK\x05\x05"},
                "an entry of the central directory does not begin with its signature",
                id="signature",
            ),
            pytest.param(
                {"comment_size": 1},
                "the central directory ends inside an entry",
                id="missing comment",
            ),
        ],
    )
    def test_of_central_entries(self, lie: dict[str, Any], message: str) -> None:
        archive = build_archive([Member("a", b"data", Method.STORED, central=lie)])
        assert refusal(lambda: read_central(archive)) == message

    @given(st.data())
    def test_a_truncated_central_directory_is_never_read(self, data: st.DataObject) -> None:
        written = data.draw(st.lists(members(), min_size=1, max_size=3))
        archive = build_archive(written)
        place = parse_end_record(archive[-END_RECORD.size :])
        directory = archive[place.directory_offset :][: place.directory_size]
        size = data.draw(st.integers(0, len(directory) - 1))
        assert refusal(lambda: entries_of(directory[:size], place.entries)).startswith(
            "the central directory ends"
        )

    @given(st.binary(min_size=CENTRAL_HEADER.size, max_size=CENTRAL_HEADER.size), st.binary())
    def test_noise_is_refused_and_nothing_else_happens(self, header: bytes, rest: bytes) -> None:
        with pytest.raises(InvalidZip):
            entries_of(header + rest, 1)


class TestTypes:
    @pytest.mark.parametrize(
        ("name", "mode"),
        [
            pytest.param("a", 0o100644, id="file"),
            pytest.param("a", 0o644, id="file without type bits"),
            pytest.param("a/", 0o040755, id="directory"),
            pytest.param("a/", 0, id="directory without a mode"),
        ],
    )
    def test_files_and_directories_pass(self, name: str, mode: int) -> None:
        (entry,) = read_central(build_archive([Member(name, mode=mode)]))
        entry.check_type()
        assert entry.is_directory == name.endswith("/")

    @pytest.mark.parametrize(
        ("name", "kind", "words"),
        [
            pytest.param("a", stat.S_IFLNK, "a symbolic link", id="link"),
            pytest.param("a", stat.S_IFIFO, "a pipe", id="pipe"),
            pytest.param("a", stat.S_IFSOCK, "a socket", id="socket"),
            pytest.param("a", stat.S_IFCHR, "a character device", id="character device"),
            pytest.param("a", stat.S_IFBLK, "a block device", id="block device"),
            pytest.param("a", stat.S_IFDIR, "a directory", id="directory named as a file"),
            pytest.param("a/", stat.S_IFREG, "a regular file", id="file named as a directory"),
            pytest.param("a", 0o150000, "an unknown type", id="unknown"),
        ],
    )
    def test_anything_else_is_refused(self, name: str, kind: int, words: str) -> None:
        (entry,) = read_central(build_archive([Member(name, mode=kind | 0o644)]))
        assert refusal(entry.check_type) == (
            f"its mode {kind | 0o644:#o} says {words}, "
            "a wheel holds regular files and directories only"
        )
