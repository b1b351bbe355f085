"""Tally: two lists of rows are equal when their tallies are."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from executor.wheels.multiset_hash import MultisetHash

ROWS = st.lists(st.text(max_size=8), max_size=8)


def counted(tally: MultisetHash, rows: list[str]) -> MultisetHash:
    for row in rows:
        tally.add(row)
    return tally


@given(ROWS, st.randoms())
def test_the_order_of_rows_is_nothing_to_it(rows: list[str], random: Random) -> None:
    tally = counted(MultisetHash(), rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert counted(tally.empty(), shuffled) == tally


@given(ROWS, ROWS)
def test_other_rows_make_another_tally(one: list[str], other: list[str]) -> None:
    tally = counted(MultisetHash(), one)
    assert (counted(tally.empty(), other) == tally) == (sorted(one) == sorted(other))


def test_a_row_twice_is_not_a_row_once() -> None:
    tally = counted(MultisetHash(), ["a,,"])
    assert counted(tally.empty(), ["a,,", "a,,"]) != tally


def test_nobody_knows_what_a_row_counts_in_another_tally() -> None:
    assert counted(MultisetHash(), ["a,,"]) != counted(MultisetHash(), ["a,,"])
