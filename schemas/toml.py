"""TOML from anybody, parsed in bounded time.

tomllib takes quadratic time for a dotted key, and ends in a RecursionError for deep nesting.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["MAX_KEY_PARTS", "parse_toml"]

MAX_KEY_PARTS = 64
"""Parts of a dotted key; real ones have up to six."""

_LONG_LINE = 16 << 10
"""Characters; a dotted key that fits into a shorter line costs less than 50 ms."""

_NOT_KEYS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+(?:"|$)'
    r"|'[^'\n]*+(?:'|$)"
    r"|\#[^\n]*+",
    re.MULTILINE | re.DOTALL,
)
"""Strings and comments, closed or not: a place that cannot be read is passed over once."""

_BETWEEN_KEYS = re.compile(r"[=,\[\]{}\n]")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document, without the byte order mark that editors of Windows put before it.

    Raises ValueError, of which tomllib.TOMLDecodeError is a subclass.
    """
    text = text.removeprefix("\ufeff")
    if any(len(line) > _LONG_LINE for line in text.split("\n")):
        for part in _BETWEEN_KEYS.split(_NOT_KEYS.sub('""', text)):
            if part.count(".") >= MAX_KEY_PARTS:
                raise ValueError(f"a key has more than {MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ValueError("one of its numbers has too many digits") from None
    except RecursionError:
        raise ValueError("its arrays or tables are nested too deeply") from None
