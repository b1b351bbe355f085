"""Entries of a journal: a line says the same wherever the environment is, or is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from executor.transaction.journal_entries import Move, Removal, entry_of, line_of

ENTRIES = [
    Removal("/env/old-1.dist-info", "aside/0", ["/env", "/env/bin"], ["/env/shared.py"]),
    Move("0/data/scripts", "/env/bin"),
    Move("0/tree", "/env", "demo-1.0.dist-info"),
]


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    ((kind, fields),) = json.loads(line).items()
    return kind, fields


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_read_as_it_was_written(entry: Removal | Move) -> None:
    assert entry_of(*parsed(line_of(entry, "/env")), "/env") == entry


def test_its_paths_are_those_of_where_it_is_read() -> None:
    line = line_of(Move("0/tree", "/env/lib/packages", "d"), "/env/lib/packages")
    assert "env" not in line
    assert entry_of(*parsed(line), "/moved/lib") == Move("0/tree", "/moved/lib", "d")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Other", {}),
        ("Move", {}),
        ("Move", {"source": 1, "destination": "."}),
        ("Move", {"source": "0/tree", "destination": 1}),
        ("Move", {"source": "0/tree", "destination": "a\0"}),
        ("Move", {"source": "0/tree", "destination": ".", "last": 1}),
        ("Move", {"source": "0/tree", "destination": ".", "more": ""}),
        ("Removal", {"dist_info": "a", "aside": "b", "roots": "c", "keep": []}),
        ("Removal", {"dist_info": "a", "aside": "b", "roots": [["c"]], "keep": []}),
    ],
)
def test_what_is_no_entry_is_refused(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        entry_of(kind, fields, "/env")
