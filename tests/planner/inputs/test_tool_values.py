"""The values in tables of other tools are of the kind that is meant, or an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.inputs.settings import Settings
from planner.inputs.tool_values import ToolTables, table_at, tables_of, text_of, texts_of, unread


def test_a_table_that_is_none_is_empty() -> None:
    document = {"tool": {"uv": {"index": 1}}}
    assert table_at(document, "tool", "uv") == {"index": 1}
    assert table_at(document, "tool", "uv", "index") == {}
    assert table_at(document, "tool", "pdm") == {}


def test_what_is_left_out_is_empty() -> None:
    assert (tables_of(None), text_of(None), texts_of(None)) == ([], None, [])
    assert (tables_of([{}]), text_of("a"), texts_of("a"), texts_of(["a", "b"])) == (
        [{}], "a", ["a"], ["a", "b"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("read", "value", "problem"),
    [
        (tables_of, {}, "a list of tables was expected"),
        (tables_of, [1], "a list of tables was expected"),
        (text_of, 1, "a string was expected"),
        (texts_of, {}, "a list of strings was expected"),
        (texts_of, [1], "a list of strings was expected"),
    ],
)
def test_another_kind_of_value_is_an_error(
    read: Callable[[object], object], value: object, problem: str
) -> None:
    with pytest.raises(TypeError, match=problem):
        read(value)


def test_a_key_that_is_not_read_is_remarked_unless_ours_say_it() -> None:
    keys = {"other": "exclude-newer", "unlike": ""}
    table = {"other": 1, "unlike": 2, "known": 3}
    assert list(unread(table, keys, "[tool.x]", Settings())) == [
        "[tool.x] other is not read; set exclude-newer in [tool.lockstream]",
        "[tool.x] unlike is not read; [tool.lockstream] has nothing like it",
    ]
    assert len(list(unread(table, keys, "[tool.x]", Settings(exclude_newer="1 day")))) == 1


def test_what_two_tables_say_is_joined_and_the_first_counts() -> None:
    first = ToolTables(settings=Settings(exclude_newer="1 day"), trusted_hosts=("a",))
    second = ToolTables(settings=Settings(exclude_newer="2 days"), trusted_hosts=("b",))
    both = first.with_defaults(second)
    assert both.settings.exclude_newer == "1 day"
    assert both.trusted_hosts == ("a", "b")
