"""Locks as the planner writes them, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lockstream
from helpers.index import Index

__all__ = ["LINUX", "WINDOWS", "plan_into"]

LINUX = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
WINDOWS = ("--platform", "win_amd64")


def plan_into(
    index: Index,
    folder: Path,
    lines: Sequence[str],
    *arguments: str,
    name: str = "pylock.toml",
    targets: Sequence[str] = LINUX,
) -> Path:
    """Plan these lines of a requirements file beside the lock; the path of the lock."""
    requirements, lock = folder / "requirements.in", folder / name
    requirements.write_text("".join(f"{line}\n" for line in lines))
    words = ["plan", "-q", "-r", str(requirements), "-o", str(lock), "-i", index.url, *targets]
    assert lockstream.main([*words, *arguments]) == 0
    return lock
