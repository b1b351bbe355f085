"""The time that reproducible files state.

Source: https://reproducible-builds.org/specs/source-date-epoch/.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from schemas.errors import UsageError
from schemas.text import one_line

__all__ = ["stated_moment"]

_VARIABLE = "SOURCE_DATE_EPOCH"


def stated_moment(environment: Mapping[str, str]) -> int | None:
    """Return the time that the user wants files to state, in seconds since 1970; None for no wish.

    Raises UsageError if it is not a time.
    """
    if not (text := environment.get(_VARIABLE)):
        return None
    with suppress(ValueError, OverflowError, OSError):
        moment = int(text)
        if datetime.fromtimestamp(moment, UTC).year >= 1970:
            return moment
    raise UsageError(
        f"{_VARIABLE} is {one_line(text, 40)!r}, which is not a time in seconds since 1970",
        hint="unset it, or give it the output of: git log -1 --format=%ct",
    )
