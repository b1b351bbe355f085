"""Sizes in bytes, as users write and read them."""

from __future__ import annotations

import re

from schemas.errors import UsageError

__all__ = ["format_size", "parse_size"]

_SIZE = r"(?ia)(\d{1,18})(?:\.(\d{1,9}))?\s*([KMGT]?)(?:iB?|B)?"
_SPACE = " \t\n\r\f\v"
"""White space that the expression accepts; str.strip() would remove more."""
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Return the bytes of ``64MiB``, ``64Mi``, ``64M``, ``1.5G`` or ``67108864``; all units are
    powers of 1024.

    Raises UsageError, also for ``64``: who writes that means 64 MiB.
    """
    match = re.fullmatch(_SIZE, text.strip(_SPACE))
    if match is None:
        raise UsageError(f"{text!r} is not a size", hint="write it as 64MiB or 2GiB")
    whole, fraction, unit = match[1], match[2] or "", _UNITS[match[3].upper()]
    if not match[0][-1].isalpha() and 0 < float(match[0]) < _UNITS["M"]:
        raise UsageError(
            f"{match[0]!r} is a size in bytes, which is less than 1 MiB",
            hint=f"write the unit, as in {match[0]}MiB",
        )
    return int(whole + fraction) * unit // int("1" + "0" * len(fraction))


def format_size(size: int) -> str:
    """Return ``size`` bytes as tables show them: ``12.3 MiB``."""
    return f"{size / (1 << 20):,.1f} MiB"
