"""Tables are aligned."""

from __future__ import annotations

import pytest

from planner.cli.table import print_table


def test_the_first_column_is_left_and_the_others_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("name", "size"), ("a", "1,000"), ("longer", "7")])
    assert capsys.readouterr().out == "name     size\na       1,000\nlonger      7\n"
