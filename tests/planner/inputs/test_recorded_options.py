"""Options become a table and options again; what is given replaces what is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from planner.inputs.recorded_options import (
    given_fields,
    keep_recorded,
    options_from_table,
    options_to_table,
)


@dataclass(frozen=True, slots=True)
class Options:
    name: str | None = None
    several_names: Sequence[str] = ()
    flag: bool | None = None
    count: int | None = None
    seconds: float | None = None


GIVEN = Options("a", ("b", "c"), flag=False, count=2, seconds=1.5)


def test_what_is_not_given_is_not_recorded() -> None:
    assert options_to_table(Options()) == {}
    assert options_to_table(Options(several_names=[])) == {}
    assert options_to_table(GIVEN) == {
        "name": "a", "several-names": ["b", "c"], "flag": False, "count": 2, "seconds": 1.5,
    }  # fmt: skip
    assert given_fields(Options(count=1)) == ["count"]


@pytest.mark.parametrize("options", [Options(), GIVEN, Options(several_names=("x",))])
def test_options_are_read_back_as_they_were(options: Options) -> None:
    assert options_from_table(Options, options_to_table(options)) == options


@pytest.mark.parametrize(
    "table",
    [None, [], "x", {"name": 1, "several-names": "b", "flag": "yes", "count": True, "more": 1},
     {"several-names": [1]}],
)  # fmt: skip
def test_values_of_a_wrong_type_count_as_not_given(table: object) -> None:
    assert options_from_table(Options, table) == Options()


def test_an_option_replaces_the_recorded_one_and_no_other() -> None:
    assert keep_recorded(Options(), GIVEN) == GIVEN
    assert keep_recorded(Options("z", ("y",)), GIVEN) == Options(
        "z", ("y",), flag=False, count=2, seconds=1.5
    )
    assert keep_recorded(Options(flag=True), GIVEN).flag is True
