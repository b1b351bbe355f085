"""A wheel's file name is read as ``packaging`` reads it, which is imported only to compare."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, canonicalize_name
from packaging.version import Version

import schemas
from schemas.wheel import MAX_NAME_SIZE
from schemas.wheel_filename import (
    dist_info_matches,
    normalized_name,
    parse_wheel_filename,
    same_version,
    split_wheel_filename,
    stated_tags,
)

NAMES = st.text("aZ9-_.İß", max_size=12)
VERSIONS = st.from_regex(
    r"(1!)?[01]{1,2}(\.[01]){0,2}((a|rc|\.post|\.dev)[01])?(\+l[01])?", fullmatch=True
)


@given(NAMES | st.text(max_size=12))
def test_names_are_normalized_as_packaging_does(name: str) -> None:
    assert normalized_name(name) == canonicalize_name(name)


@given(VERSIONS, VERSIONS)
def test_versions_are_compared_as_packaging_does(one: str, other: str) -> None:
    assert same_version(one, other) is (Version(one) == Version(other))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("2004d", "2004d", True), ("2004d", "2004e", False), ("9" * 5000, "1.0", False)],
)
def test_what_is_not_a_version_is_compared_as_text(one: str, other: str, same: bool) -> None:
    assert same_version(one, other) is same


@pytest.mark.parametrize(
    "filename",
    [
        "demo-1.0-py3-none-any.whl",
        "demo-1.0-1a-py2.py3-none-any.whl",
        "demo-1.0-CP311-CP311-Linux_x86_64.whl",
        "x-1.0-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    ],
)
def test_the_stated_tags_are_those_that_packaging_finds(filename: str) -> None:
    assert stated_tags(filename) == {str(tag) for tag in parse_wheel_filename(filename)[3]}


def test_equal_spellings_are_compared_without_packaging() -> None:
    program = (
        f"import sys; sys.path.append({str(Path(schemas.__file__).parent.parent)!r})\n"
        "from schemas.wheel_filename import dist_info_matches, split_wheel_filename, stated_tags\n"
        "name, version = split_wheel_filename('Demo-1.0-py3-none-any.whl')\n"
        "assert dist_info_matches('demo-1.0.dist-info', name, version)\n"
        "assert stated_tags('Demo-1.0-py3-none-any.whl') == {'py3-none-any'}\n"
        "print('packaging' in sys.modules)"
    )
    command = [sys.executable, "-I", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("filename", "parts"),
    [
        ("demo-1.0-py3-none-any.whl", ("demo", "1.0")),
        ("demo-1.0-1-py3-none-any.whl", ("demo", "1.0")),
        ("Demo_Pkg-1.0+cu118-cp311-cp311-linux_x86_64.whl", ("Demo_Pkg", "1.0+cu118")),
    ],
)
def test_a_wheel_is_named_for_its_project_and_version(
    filename: str, parts: tuple[str, str]
) -> None:
    assert split_wheel_filename(filename) == parts


@pytest.mark.parametrize(
    "filename", ["demo.whl", "demo-1.0.whl", "demo-1.0-py3-none-any.zip", "a-b-c-d-e-f-g.whl", ""]
)
def test_what_is_no_wheel_name_is_refused(filename: str) -> None:
    with pytest.raises(InvalidWheelFilename, match="Invalid wheel filename"):
        split_wheel_filename(filename)


@pytest.mark.parametrize(
    ("folder", "name", "version", "matches"),
    [
        ("demo-1.0.dist-info", "demo", "1.0", True),
        ("demo-1.0.data", "demo", "1.0", True),
        ("Demo_Pkg-1.0.dist-info", "demo-pkg", "1.0", True),
        ("demo.pkg-1.0.dist-info", "demo_pkg", "1.0", True),
        ("demo-1.0.0.dist-info", "demo", "1.0", True),
        ("demo-1.0+cu118.dist-info", "demo", "1.0_cu118", True),
        ("demo-1.0_cu118.dist-info", "demo", "1.0+cu118", True),
        ("demo-1.0+cu118_x.dist-info", "Demo", "1.0+cu118.x", True),
        ("demo-1.0_cu118_x.dist-info", "demo", "1.0+cu118.x", True),
        ("demo-2004d.dist-info", "demo", "2004d", True),
        ("demo-2004d.dist-info", "demo", "2004e", False),
        ("demo-1.1.dist-info", "demo", "1.0", False),
        ("other-1.0.dist-info", "demo", "1.0", False),
        ("demo.dist-info", "demo", "1.0", False),
        ("demo-pkg-1.0.dist-info", "demo-pkg", "1.0", False),
        ("-1.0.dist-info", "demo", "1.0", False),
        ("dist-info", "demo", "1.0", False),
        ("", "demo", "1.0", False),
    ],
)
def test_a_folder_belongs_to_a_distribution_however_either_is_spelled(
    folder: str, name: str, version: str, matches: bool
) -> None:
    assert dist_info_matches(folder, name, version) is matches


@pytest.mark.parametrize(
    "filename",
    [
        f"demo-1.0-{'-'.join('.'.join(f'{part}{n}' for n in range(220)) for part in 'abc')}.whl",
        f"demo-{'9' * 900}-py3-none-any.whl",
        f"demo-1.0-{'9' * 5000}-py3-none-any.whl",
        "demo-1.0.whl",
    ],
)
def test_a_file_name_that_costs_too_much_is_not_parsed(filename: str) -> None:
    if len(filename) > MAX_NAME_SIZE or filename.count("-") < 4:
        with pytest.raises(InvalidWheelFilename):
            parse_wheel_filename(filename)
    else:
        assert str(parse_wheel_filename(filename)[1]) == "9" * 900


def test_the_tags_of_a_real_file_name_are_few() -> None:
    name = "x-1.0-cp39.cp310.cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    assert len(parse_wheel_filename(name)[3]) == 6
