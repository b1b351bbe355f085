"""Numbers in foreign text, which may have more digits than Python converts.

Source: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits: ``int`` raises a
ValueError for more than 4,300 digits, and takes quadratic time for fewer.
"""

from __future__ import annotations

import re

__all__ = ["has_huge_number", "small_int"]

_HUGE = re.compile(r"\d{1000}")
"""The longest number in a version on PyPI has some dozens of digits."""

_MAX_DIGITS = 18
"""Digits of any size, count or number of seconds that makes sense."""


def has_huge_number(text: str) -> bool:
    """Return whether ``text`` has a number of 1,000 digits or more."""
    return _HUGE.search(text) is not None


def small_int(text: str) -> int | None:
    """Return the number that ``text`` spells in up to 18 ASCII digits, or None."""
    if len(text) > _MAX_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    return int(text)
