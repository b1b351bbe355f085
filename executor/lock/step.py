"""Step: one wheel to install, or a source that becomes one; and the order of steps.

What a lock is read with is not imported here: a run that holds steps needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.hints import WheelHints

if TYPE_CHECKING:
    from schemas.builds import BuildRecord

__all__ = ["Source", "Step", "fixed_order", "folder_of"]


def folder_of(lock: str) -> str:
    """What relative paths in the lock file ``lock`` begin at (PEP 751); absolute."""
    return os.path.dirname(os.path.abspath(lock))


@dataclass(frozen=True, slots=True)
class Source:
    """What has to become a wheel first."""

    record: BuildRecord | None
    """How that went where it was planned; None where the lock does not tell."""
    subdirectory: str = ""
    folder: str = ""
    """The source tree, where it is a folder; relative to that of the lock, or absolute."""
    commit: str = ""
    """Of the git repository that is at the path or URL of the step, where it is one."""
    revision: str = ""
    """What was asked for when the commit was found."""
    editable: bool = False
    """Whether what is installed leads to that folder (PEP 660)."""
    lock: str | None = None
    """The lock of what it is built with, where that is not beside the lock; absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One wheel to install, or a source that is built first."""

    name: str
    """Normalized name of the project."""
    version: str
    filename: str
    url: str | None
    path: str | None
    """Relative to the folder of the lock, or absolute; it goes before ``url``."""
    size: int | None
    """Bytes to fetch, where the lock tells."""
    hashes: tuple[tuple[str, str], ...]
    hints: WheelHints | None
    is_direct: bool
    """Whether the lock asks for this file by its address (an archive), not by its version."""
    source: Source | None = None
    """Set where the file is no wheel."""


def fixed_order(steps: Iterable[Step]) -> list[Step]:
    """The order that wheels are staged and committed in: largest first, so that lanes end
    together, then by name; what has to be built comes last. It depends on the steps alone.
    """
    return sorted(steps, key=lambda step: (bool(step.source), -(step.size or 0), step.name))
