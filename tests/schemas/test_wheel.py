"""A name of a member means the same file on all systems, or is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename

from schemas.wheel import (
    MAX_DEPTH,
    MAX_NAME_SIZE,
    MAX_SEGMENT_SIZE,
    InvalidMemberName,
    check_last_segment,
    check_member_name,
    dist_info_matches,
    parse_wheel_filename,
    split_wheel_filename,
)

NOT_SHORTEST = (
    "its name is absolute or not in its shortest form (it has an empty, '.' or '..' part)"
)


def refusal(check: Callable[[str], None], name: str) -> str | None:
    try:
        check(name)
    except InvalidMemberName as error:
        return str(error)
    return None


SEGMENTS = st.text("aNUL.: \\\x1fä", min_size=1, max_size=6) | st.text(
    "ab", min_size=250, max_size=260
)


@given(SEGMENTS)
def test_the_last_part_of_a_name_is_held_to_the_rules_of_the_whole(segment: str) -> None:
    assert refusal(check_last_segment, segment) == refusal(check_member_name, f"demo/{segment}")


@pytest.mark.parametrize(
    "name",
    [
        "demo/__init__.py",
        "demo/",
        "demo-1.0.dist-info/RECORD",
        "demo-1.0.data/data/share/man/man1/demo.1",
        "..demo/...x",
        ".hidden/.file",
        "console/auxiliary/com/nul_.py",
        "com10",
        "with space/and ünïcode/😀.py",
        "~tilde/$HOME/%TEMP%",
        "a" * MAX_SEGMENT_SIZE,
        "ä" * (MAX_SEGMENT_SIZE // 2),
        "/".join(["d"] * MAX_DEPTH),
        "/".join(["d"] * MAX_DEPTH) + "/",
    ],
)
def test_a_plain_relative_name_is_accepted(name: str) -> None:
    check_member_name(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "its name is empty"),
        ("/", NOT_SHORTEST),
        ("//", NOT_SHORTEST),
        ("/etc/passwd", NOT_SHORTEST),
        ("../evil", NOT_SHORTEST),
        ("demo/../../evil", NOT_SHORTEST),
        ("demo/..", NOT_SHORTEST),
        ("demo/../evil", NOT_SHORTEST),
        ("./demo", NOT_SHORTEST),
        ("demo/./x", NOT_SHORTEST),
        ("demo//x", NOT_SHORTEST),
        ("demo//", NOT_SHORTEST),
        ("demo\\x", "its name contains '\\\\', which some systems do not allow"),
        ("C:/x", "its name contains ':', which some systems do not allow"),
        ("x.py:stream", "its name contains ':', which some systems do not allow"),
        ("x\0.py", "its name contains '\\x00', which some systems do not allow"),
        ("x\n.py", "its name contains '\\n', which some systems do not allow"),
        ("x\x7f", "its name contains '\\x7f', which some systems do not allow"),
        ("a?b", "its name contains '?', which some systems do not allow"),
        ("demo/x.", "its part 'x.' ends with a dot or a space"),
        ("demo /x", "its part 'demo ' ends with a dot or a space"),
        ("...", "its part '...' ends with a dot or a space"),
        ("demo/NUL", "its part 'NUL' is a reserved name on Windows"),
        ("aux.py", "its part 'aux.py' is a reserved name on Windows"),
        ("Com1.tar.gz/x", "its part 'Com1.tar.gz' is a reserved name on Windows"),
        ("lpt¹.txt", "its part 'lpt¹.txt' is a reserved name on Windows"),
        ("a" * 256, f"its part {'a' * 256!r} is longer than 255 bytes"),
        ("ä" * 128, f"its part {'ä' * 128!r} is longer than 255 bytes"),
        ("/".join(["d" * 60] * 17), f"its name is longer than {MAX_NAME_SIZE} bytes"),
        ("/".join(["d"] * (MAX_DEPTH + 1)), f"it is more than {MAX_DEPTH} folders deep"),
    ],
)
def test_any_other_name_is_refused_with_the_rule(name: str, rule: str) -> None:
    with pytest.raises(InvalidMemberName) as caught:
        check_member_name(name)
    assert str(caught.value) == rule


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
