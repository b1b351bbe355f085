"""Two lists hold the same rows if their hashes are equal."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from executor.wheels.multiset_hash import MultisetHash

ROWS = st.lists(st.text(max_size=8), max_size=8)


def counted(rows_hash: MultisetHash, rows: list[str]) -> MultisetHash:
    for row in rows:
        rows_hash.add(row.encode())
    return rows_hash


@given(ROWS, st.randoms())
def test_the_order_of_rows_is_nothing_to_it(rows: list[str], random: Random) -> None:
    rows_hash = counted(MultisetHash(), rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert counted(rows_hash.empty(), shuffled) == rows_hash


@given(ROWS, ROWS)
def test_other_rows_make_another_tally(one: list[str], other: list[str]) -> None:
    rows_hash = counted(MultisetHash(), one)
    assert (counted(rows_hash.empty(), other) == rows_hash) == (sorted(one) == sorted(other))


def test_a_row_twice_is_not_a_row_once() -> None:
    rows_hash = counted(MultisetHash(), ["a,,"])
    assert counted(rows_hash.empty(), ["a,,", "a,,"]) != rows_hash


def test_nobody_knows_what_a_row_counts_in_another_tally() -> None:
    assert counted(MultisetHash(), ["a,,"]) != counted(MultisetHash(), ["a,,"])
