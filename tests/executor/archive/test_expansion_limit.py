"""Expansion: a wheel unpacks to 64 MiB, or to 50 times its size, and to no more."""

from __future__ import annotations

import pytest

from executor.archive.expansion_limit import MAX_FACTOR, MAX_UNSTATED, MIN_LIMIT, ExpansionLimit
from schemas.zipformat import InvalidZip

MIB = 1 << 20


def add(expansion: ExpansionLimit, size: int) -> None:
    for _ in range(size // MIB):
        expansion.add(MIB)
    expansion.add(size % MIB)


@pytest.mark.parametrize("size", [1, MIB, MIN_LIMIT // MAX_FACTOR, 2 * MIB, 100 * MIB])
def test_the_size_of_the_lock_is_the_measure_from_the_first_byte_on(size: int) -> None:
    limit = max(MIN_LIMIT, MAX_FACTOR * size)
    expansion = ExpansionLimit(size, lambda: size)
    add(expansion, limit)
    expansion.finish()
    with pytest.raises(InvalidZip, match=f"the wheel, of {size} bytes, unpacks to more than 50"):
        expansion.add(1)


def test_without_a_size_what_was_read_is_the_measure_in_the_end() -> None:
    expansion = ExpansionLimit(None, lambda: MIB)
    add(expansion, MIN_LIMIT)
    expansion.finish()
    expansion.add(1)
    with pytest.raises(InvalidZip):
        expansion.finish()


def test_without_a_size_there_is_a_limit_meanwhile() -> None:
    read = 0
    expansion = ExpansionLimit(None, lambda: read)
    add(expansion, MAX_UNSTATED)
    read = MAX_UNSTATED // MAX_FACTOR + MIB
    add(expansion, MAX_FACTOR * read - MAX_UNSTATED)
    with pytest.raises(InvalidZip):
        expansion.add(1)


def test_much_is_fine_where_much_was_read() -> None:
    expansion = ExpansionLimit(None, lambda: 10 * MAX_UNSTATED)
    for _ in range(20):
        expansion.add(MAX_UNSTATED)
    expansion.finish()
