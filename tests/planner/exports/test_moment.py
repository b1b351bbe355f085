"""SOURCE_DATE_EPOCH, the time that reproducible files state."""

from __future__ import annotations

import pytest

from planner.exports.moment import stated_moment
from schemas.errors import UsageError


def test_without_the_variable_no_time_is_stated() -> None:
    assert stated_moment({}) is None
    assert stated_moment({"SOURCE_DATE_EPOCH": ""}) is None


def test_it_is_in_seconds_since_1970() -> None:
    assert stated_moment({"SOURCE_DATE_EPOCH": "1700000000"}) == 1_700_000_000


@pytest.mark.parametrize("text", ["now", "-1", "1.5", "9" * 20, "9" * 5000])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        stated_moment({"SOURCE_DATE_EPOCH": text})
