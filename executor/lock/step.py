"""One wheel to install, or a source that is built into one; and the order of such steps.

The parser of locks is not imported here, so that an execution that holds steps does not load it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from schemas.data_class import frozen
from schemas.hints import WheelHints

if TYPE_CHECKING:
    from schemas.builds import BuildRecord

__all__ = ["Source", "Step", "fixed_order", "folder_of", "is_full_commit"]


_COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
"""The full name of a commit, by SHA-1 or SHA-256."""


def folder_of(lock: str) -> str:
    """Return the absolute folder that relative paths in the file ``lock`` start from (PEP 751)."""
    return os.path.dirname(os.path.abspath(lock))


def is_full_commit(revision: str) -> bool:
    """Return whether ``revision`` is the full name of a commit: a shorter one may come to mean
    another commit.
    """
    return re.fullmatch(_COMMIT, revision) is not None


@frozen
class Source:
    """A source that must be built before it can be installed."""

    record: BuildRecord | None
    """The build that the plan made of it; None if the lock records none."""
    subdirectory: str = ""
    folder: str = ""
    """The source tree, if it is a folder; absolute, or relative to the folder of the lock."""
    commit: str = ""
    """The commit, if the path or URL of the step is a git repository."""
    revision: str = ""
    """The branch or tag that the user requested when the commit was found."""
    editable: bool = False
    """Whether to install a link to the folder (PEP 660)."""
    lock: str | None = None
    """Absolute path of the lock of its build requirements, if that is in another folder than the
    lock."""


@frozen(kw_only=True)
class Step:
    """One wheel to install, or a source that is built first."""

    name: str
    """Normalized name of the project."""
    version: str
    filename: str
    url: str | None
    path: str | None
    """Absolute, or relative to the folder of the lock; used before ``url``."""
    size: int | None
    """Bytes to fetch, if the lock records it."""
    hashes: tuple[tuple[str, str], ...]
    hints: WheelHints | None
    is_direct: bool
    """Whether the lock names this file by its address (an archive), not by its version."""
    source: Source | None = None
    """Set if the file is not a wheel."""


def fixed_order(steps: Iterable[Step]) -> list[Step]:
    """Return ``steps`` in the order in which wheels are staged and committed.

    Largest first, so that lanes end together, then by name; packages that must be built come last.
    The order depends on the steps alone.
    """
    return sorted(steps, key=lambda step: (bool(step.source), -(step.size or 0), step.name))
