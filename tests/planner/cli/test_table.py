"""Tables are aligned."""

from __future__ import annotations

import pytest

from planner.cli.table import print_table


def test_the_first_column_is_left_and_the_others_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("name", "size"), ("a", "1,000"), ("longer", "7")])
    assert capsys.readouterr().out == "name     size\na       1,000\nlonger      7\n"


def test_the_last_columns_may_be_texts(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("name", "size", "why"), ("a", "1,000", "it is"), ("b", "7", "")], texts=1)
    assert capsys.readouterr().out == "name   size  why\na     1,000  it is\nb         7\n"
