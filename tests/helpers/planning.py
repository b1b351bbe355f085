"""Run ``lockstream plan`` in the working directory, and look at the lock that it writes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lockstream
from helpers.index import Index
from helpers.locks import LINUX

__all__ = ["plan_here", "planned_packages"]


def plan_here(
    index: Index | None,
    *arguments: str,
    lines: Iterable[str] | None = None,
    targets: Sequence[str] = LINUX,
) -> int:
    """Plan requirements.in from ``index``; return the exit status.

    ``lines`` are written to requirements.in first. Without an index, ``arguments`` name one.
    """
    if lines is not None:
        Path("requirements.in").write_text("".join(f"{line}\n" for line in lines))
    place = [] if index is None else ["-i", index.url]
    words = ["plan", "-q", "-r", "requirements.in", *place, *targets, *arguments]
    return lockstream.main(words)


def planned_packages() -> dict[str, dict[str, Any]]:
    """Return the packages of the lock in the working directory, by name."""
    document = tomllib.loads(Path("pylock.toml").read_text())
    return {package["name"]: package for package in document["packages"]}
