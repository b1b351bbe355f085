"""Every parser of foreign text takes time in proportion to its length.

Processor time is compared: at ten times the length, a quadratic parser takes a hundred times as
long. ``python -m stress.growth`` prints a table, with a hundred times the length too.
"""

from __future__ import annotations

import pytest

from helpers.growth import PARSERS, SIZE, grows_too_much, seconds


@pytest.mark.parametrize("what", PARSERS)
def test_ten_times_the_text_takes_about_ten_times_as_long(what: str) -> None:
    parse, make = PARSERS[what]
    short, long = seconds(parse, make(SIZE)), seconds(parse, make(10 * SIZE))
    assert not grows_too_much(short, long), f"{short:.4f} s, then {long:.4f} s"
