"""Names and sizes: laws that hold for all of them."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from schemas.errors import UsageError
from schemas.sizes import parse_size
from schemas.wheel import (
    MAX_DEPTH,
    MAX_NAME_SIZE,
    MAX_SEGMENT_SIZE,
    InvalidMemberName,
    check_member_name,
)
from schemas.wheel_filename import dist_info_matches

LIKELY = st.lists(st.text("abZ\u00e9_-. ", min_size=1, max_size=8), min_size=1, max_size=5)
"""Segments of names, most of which are accepted."""

NAMES = (
    st.text(max_size=40)
    | st.text("ab./\\: -~", max_size=12)
    | LIKELY.map("/".join)
    | LIKELY.map(lambda segments: "/".join(f"{segment}x" for segment in segments))
)


def accepted(name: str) -> bool:
    try:
        check_member_name(name)
    except InvalidMemberName:
        return False
    return True


class TestMemberNames:
    @given(NAMES)
    def test_what_is_accepted_stays_below_its_folder(self, name: str) -> None:
        assume(accepted(name))
        root = "/root/of/all"
        path = os.path.normpath(os.path.join(root, name))
        assert path.startswith(root + "/")
        # Nothing of it was resolved away: each file has one name only.
        assert path == f"{root}/{name.removesuffix('/')}"

    @given(NAMES)
    def test_what_is_accepted_means_the_same_on_windows(self, name: str) -> None:
        assume(accepted(name))
        windows = PureWindowsPath(name)
        assert not windows.anchor
        assert windows.parts == PurePosixPath(name).parts

    @given(NAMES)
    def test_what_is_accepted_fits_into_file_systems(self, name: str) -> None:
        assume(accepted(name))
        segments = name.removesuffix("/").split("/")
        assert len(segments) <= MAX_DEPTH
        assert len(name.encode()) <= MAX_NAME_SIZE
        assert all(0 < len(segment.encode()) <= MAX_SEGMENT_SIZE for segment in segments)

    @given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{2,8}(\.py)?", fullmatch=True), min_size=1))
    def test_names_of_python_modules_are_accepted(self, segments: list[str]) -> None:
        reserved = {"con", "prn", "aux", "nul", "com", "lpt"}
        segments = [segment for segment in segments[:MAX_DEPTH] if segment[:3] not in reserved]
        assume(segments)
        assert accepted("/".join(segments))
        assert accepted("/".join(segments) + "/")

    @given(NAMES)
    def test_a_folder_is_accepted_as_a_file_is(self, name: str) -> None:
        assume(not name.endswith("/") and len(name.encode()) < MAX_NAME_SIZE)
        assert accepted(name) == accepted(name + "/")

    @given(st.text("abc/"), st.sampled_from(["..", ".", "", "NUL", "a.", "b ", "c:", "d\\e"]))
    def test_one_bad_part_spoils_a_name_wherever_it_stands(self, name: str, part: str) -> None:
        for spoilt in (f"{part}/{name}", f"a/{part}/{name}", f"{name}/{part}"):
            assert not accepted(f"{spoilt}/b")


class TestDistInfoFolders:
    names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)
    versions = st.builds(
        lambda release, local: ".".join(map(str, release)) + local,
        st.lists(st.integers(0, 20), min_size=1, max_size=3),
        st.sampled_from(["", "rc1", ".post2", ".dev3", "+cu118", "+local.1"]),
    )

    @given(names, versions, st.sampled_from(["dist-info", "data"]))
    def test_a_folder_in_normal_form_belongs_to_its_distribution(
        self, name: str, version: str, kind: str
    ) -> None:
        normal = canonicalize_name(name).replace("-", "_")
        assert dist_info_matches(f"{normal}-{version}.{kind}", name, version)
        assert dist_info_matches(f"{normal}-{Version(version)}.{kind}", name, version)

    @given(names, names, versions, versions)
    def test_it_belongs_to_no_other(
        self, name: str, other: str, version: str, another: str
    ) -> None:
        folder = f"{canonicalize_name(name).replace('-', '_')}-{version}.dist-info"
        same = canonicalize_name(name) == canonicalize_name(other)
        assert dist_info_matches(folder, other, version) is same
        assert dist_info_matches(folder, name, another) is (Version(version) == Version(another))

    @given(st.text(max_size=30), names, versions)
    def test_any_text_is_answered(self, folder: str, name: str, version: str) -> None:
        assert dist_info_matches(folder, name, version) in {True, False}


def lacks_no_unit(number: float) -> bool:
    """Whether a number without a unit can be meant as one of bytes."""
    return number == 0 or number >= 1 << 20


class TestSizes:
    UNITS = st.sampled_from(
        [("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)]
    )

    @given(st.integers(0, 10**18 - 1), UNITS, st.sampled_from(["", "i", "B", "iB"]))
    def test_a_number_means_as_many_units(
        self, number: int, unit: tuple[str, int], suffix: str
    ) -> None:
        letter, factor = unit
        assume(letter or suffix or lacks_no_unit(number))
        for text in (f"{number}{letter}{suffix}", f" {number} {letter}{suffix} ".lower()):
            assert parse_size(text) == number * factor

    @given(st.integers(1, (1 << 20) - 1), st.integers(0, 999))
    def test_a_small_number_lacks_its_unit(self, whole: int, thousandths: int) -> None:
        for text in (f"{whole}", f" {whole}.{thousandths:03} "):
            with pytest.raises(UsageError, match="is a size in bytes, which is less") as caught:
                parse_size(text)
            assert caught.value.hint == f"write the unit, as in {text.strip()}MiB"

    @given(st.integers(0, 10**6), st.integers(0, 999), UNITS)
    def test_a_fraction_is_rounded_down_to_bytes(
        self, whole: int, thousandths: int, unit: tuple[str, int]
    ) -> None:
        letter, factor = unit
        assume(letter or lacks_no_unit(whole + thousandths / 1000))
        text = f"{whole}.{thousandths:03}{letter}"
        assert parse_size(text) == (whole * 1000 + thousandths) * factor // 1000

    @given(st.text(max_size=20) | st.text("0123456789.kKmMiIbB -+e", max_size=8))
    def test_any_other_text_is_wrong_usage(self, text: str) -> None:
        if re.match(r"\s*\d+(\.\d+)?\s*[kmgt]?i?b?\s*$", text, re.IGNORECASE | re.ASCII):
            assume(text.strip()[-1].isalpha() or lacks_no_unit(float(text)))
            assert parse_size(text) >= 0
        else:
            with pytest.raises(UsageError, match="is not a size") as caught:
                parse_size(text)
            assert caught.value.hint == "write it as 64MiB or 2GiB"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-1",
            "1e3",
            "1.",
            ".5",
            "64MiBB",
            "i",
            "5 bits",
            "٣",
            "9" * 400,
            "∞",
            "auto",
            "1\x1f",
        ],
    )
    def test_what_is_no_size_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError):
            parse_size(text)
