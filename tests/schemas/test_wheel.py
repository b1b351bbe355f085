"""A name of a member means the same file on all systems, or is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wheel import (
    MAX_DEPTH,
    MAX_NAME_SIZE,
    MAX_SEGMENT_SIZE,
    InvalidMemberName,
    check_last_segment,
    check_member_name,
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
