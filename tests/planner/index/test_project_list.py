"""The root of an index lists its projects, in HTML or JSON."""

from __future__ import annotations

import json

import pytest

from planner.index.project_list import parse_project_list

URL = "https://index.example/simple/"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('<!DOCTYPE html><a href="a/">A</a> <a href="b_c/">\n B_c </a>', {"a", "b-c"}),
        ("<html><p>no links</p>", set()),
        ("", set()),
        ("nothing but text", set()),
        (json.dumps({"projects": [{"name": "A.b"}, {"name": 3}, {}, "c", {"name": "d"}]}),
         {"a-b", "d"}),
        (json.dumps({"projects": 3}), set()),
        ('{"projects": [', set()),
        ('{"a":' * 9000, set()),
    ],
)  # fmt: skip
def test_names_are_read_and_nothing_else(content: str, names: set[str]) -> None:
    assert parse_project_list(content.encode(), URL) == names
