"""Bytes become lines as pip makes them, in every encoding that pip reads."""

from __future__ import annotations

import pytest

from planner.inputs.requirements_text import decode, logical_lines


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"]
)
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    assert decode(f"{mark}demo\r\n# caf\u00e9\r\n".encode(encoding)).startswith(
        "demo\r\n# caf\u00e9"
    )


@pytest.mark.parametrize(
    "line", ["# -*- coding: latin-1 -*-", "# coding=latin-1", "#!x\n# vim: fileencoding: latin-1"]
)
def test_a_comment_in_one_of_two_lines_names_the_encoding(line: str) -> None:
    assert decode(f"{line}\n# caf\u00e9\n".encode("latin-1")).endswith("caf\u00e9\n")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"demo # caf\xe9\n", "byte 10 is not UTF-8 text"),
        (b"demo\n\n# coding: latin-1\n# \xe9\n", "byte 26 is not UTF-8 text"),
        (b"# coding: ascii\n# \xe9\n", "byte 18 is not ascii text"),
        (b"# coding: no-such\ndemo\n", "its encoding 'no-such' is not known"),
        (b"# coding: base64\ndemo\n", "its encoding 'base64' is not known"),
        (b"# coding: undefined\ndemo\n", "its encoding 'undefined' is not known"),
        (b"\xff\xfed", "byte 0 is not utf-16-le text"),
    ],
)
def test_what_is_not_text_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\\\n# comment\nb\n", [(1, "a"), (3, "b")]),
        ("a\\\n  # comment\\\nb\n", [(1, "a"), (3, "b")]),
        ("a \\\n  >=1 # why\nb", [(1, "a   >=1"), (3, "b")]),
        ("a # why \\\nb\n", [(1, "a")]),
        ("a\\\n\\\n\\\n>=1\n", [(1, "a>=1")]),
        ("\n\n# x\na#b\n", [(4, "a#b")]),
        ("a \\", [(1, "a")]),
        ("\\\n\\\n", []),
        ("", []),
    ],
)
def test_lines_are_joined_before_comments_are_removed(
    text: str, expected: list[tuple[int, str]]
) -> None:
    assert list(logical_lines(text)) == expected
