"""Locks on disk: of wheels next to them, or as the planner writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lockstream
from helpers.index import Index
from helpers.wheels import Wheel, lock_of

__all__ = ["LINUX", "WINDOWS", "plan_into", "write_lock"]

LINUX = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
WINDOWS = ("--platform", "win_amd64")


def write_lock(folder: Path, wheels: Iterable[Wheel], **options: Any) -> str:
    """Write ``wheels`` and a lock of them into ``folder``; return the path of the lock.

    ``options`` are those of ``lock_of``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = list(wheels)
    for wheel in listed:
        wheel.write(folder)
    lock = folder / "pylock.toml"
    lock.write_text(lock_of(listed, **options))
    return str(lock)


def plan_into(
    index: Index,
    folder: Path,
    lines: Sequence[str],
    *arguments: str,
    name: str = "pylock.toml",
    targets: Sequence[str] = LINUX,
) -> Path:
    """Plan these lines of a requirements file next to the lock; return the path of the lock."""
    requirements, lock = folder / "requirements.in", folder / name
    requirements.write_text("".join(f"{line}\n" for line in lines))
    words = ["plan", "-q", "-r", str(requirements), "-o", str(lock), "-i", index.url, *targets]
    assert lockstream.main([*words, *arguments]) == 0
    return lock
