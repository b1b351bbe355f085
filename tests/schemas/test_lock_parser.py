"""A lock is read in one pass, a package at a time, or refused with its line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.errors import InvalidLockText
from schemas.lock import InvalidLock
from schemas.lock_parser import LockParser, parse_whole

HEADER = 'lock-version = "1.0"\ncreated-by = "tests"\n'
PACKAGE = '[[packages]]\nname = "{}"\ndirectory = {{ path = "src" }}\n'


def parser(text: str, *, keep_tool: bool = False) -> LockParser:
    return LockParser([text.encode()], keep_tool=keep_tool)


def test_the_header_is_known_before_any_package_is_read() -> None:
    assert parser(HEADER + 'extras = ["x"]\n[[packages]]\nname = 1\n').header.extras == ["x"]


def test_packages_come_with_their_lines() -> None:
    read = parser(HEADER + PACKAGE.format("b") + PACKAGE.format("a")).packages()
    assert [(package.name, line) for package, line in read] == [("b", 3), ("a", 6)]


def test_no_more_is_read_than_one_package_needs() -> None:
    def endless() -> Iterator[bytes]:
        yield (HEADER + PACKAGE.format("a") + PACKAGE.format("b")).encode()
        pytest.fail("read beyond the next package")

    assert next(LockParser(endless()).packages())[0].name == "a"


def test_a_whole_lock_has_the_tool_tables_of_all_its_parts() -> None:
    text = (
        f"{HEADER}[tool.a]\nx = 1\n{PACKAGE.format('p')}[tool.a.more]\ny = 2\n[[tool.b]]\nz = 3\n"
        f"{PACKAGE.format('q')}[[tool.b]]\nz = 4\n"
    )
    whole = parse_whole([text.encode()])
    assert whole.tool == {"a": {"x": 1, "more": {"y": 2}}, "b": [{"z": 3}, {"z": 4}]}
    assert [package.name for package in whole.packages] == ["p", "q"]


def test_a_value_that_two_parts_define_is_refused_with_its_line() -> None:
    text = f"{HEADER}[tool.a]\nx = 1\n{PACKAGE.format('p')}[tool]\na = 2\n"
    with pytest.raises(InvalidLock) as caught:
        parse_whole([text.encode()])
    assert str(caught.value) == "line 8: not valid TOML: tool.a is defined twice"


def test_tool_tables_are_dropped_unless_the_caller_keeps_them() -> None:
    text = f"{HEADER}[tool.a]\nx = 1\n{PACKAGE.format('p')}[tool.b]\ny = 2\n"
    for keep_tool, expected in ((False, {"a": {"x": 1}}), (True, {"a": {"x": 1}, "b": {"y": 2}})):
        read = parser(text, keep_tool=keep_tool)
        list(read.packages())
        assert read.tool == expected


def test_a_lock_without_tool_tables_has_none() -> None:
    assert parse_whole([(HEADER + "packages = []\n").encode()]).tool is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER, "line 1: it has no packages array"),
        (HEADER + "packages = {}\n", "line 1: packages is not an array of tables"),
        (HEADER + "packages = []\n" + PACKAGE.format("a"), "line 4: it has two packages arrays"),
        (
            HEADER + PACKAGE.format("a") + "[other]\n",
            "line 6: a lock must not have the table 'other'",
        ),
        (HEADER + PACKAGE.format("a") + "[[tool]]\n", "line 6: tool is not a table"),
    ],
)
def test_what_is_not_a_lock_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidLockText) as caught:
        list(parser(text).packages())
    assert str(caught.value) == problem
