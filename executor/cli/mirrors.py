"""Mirrors that the user has set: on the command line, in the environment, in the project."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from executor.files.regular import read_input
from schemas.errors import InvalidInput, UsageError
from schemas.hints import TOOL_NAME
from schemas.urls import redacted

__all__ = ["MIRROR_VARIABLE", "read_mirrors"]

MIRROR_VARIABLE = "LOCKSTREAM_MIRRORS"
"""The environment variable of pairs ``FROM=TO``, separated by spaces."""


def read_mirrors(options: Iterable[str], lock: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of a URL prefix and its replacement, in the order in which they are tried.

    They come from ``options``, MIRROR_VARIABLE, and ``[tool.lockstream] mirrors`` of the
    pyproject.toml in the folder of ``lock``. Raises InvalidInput and UsageError.
    """
    words = [*options, *os.environ.get(MIRROR_VARIABLE, "").split()]
    pairs: list[tuple[Any, Any]] = [
        (prefix, replacement) for prefix, _, replacement in (word.partition("=") for word in words)
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(lock)), "pyproject.toml")
    if os.path.exists(path):
        from schemas.text import MERGE_CONFLICT, conflict_line  # noqa: PLC0415  # as below
        from schemas.toml import parse_toml  # noqa: PLC0415  # it stays in memory

        text = ""
        try:
            text = read_input(path).decode()
            document = parse_toml(text)
            tool = document.get("tool", {}).get(TOOL_NAME, {})
            for prefix, places in tool.get("mirrors", {}).items():
                several = places if isinstance(places, list) else [places]
                pairs.extend((prefix, place) for place in several)
        except (OSError, ValueError) as error:  # not TOML, or not UTF-8
            line = conflict_line(text)
            problem = f"line {line}: {MERGE_CONFLICT}" if line else str(error)
            failure = InvalidInput(f"{path}: {problem}")
            failure.hint = "correct it: execute reads the mirrors of [tool.lockstream] from it"
            raise failure from None
        except AttributeError:
            failure = InvalidInput(f"{path}: [tool.{TOOL_NAME}] mirrors is not a table")
            failure.hint = 'write lines such as "https://from.example/" = "https://to.example/"'
            raise failure from None
    for prefix, replacement in pairs:
        if not (_is_url(prefix) and _is_url(replacement)):
            said = "=".join(redacted(str(one)) for one in (prefix, replacement) if one)
            raise UsageError(
                f"{said!r} is not a mirror: a pair of addresses is",
                hint="write --mirror https://from.example/=https://to.example/",
            )
    return tuple(pairs)


def _is_url(text: object) -> bool:
    return isinstance(text, str) and "://" in text
