"""Compare the trees of installers by ``tests/helpers/trees.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.installers import run

__all__ = ["BOOKKEEPING", "compare_trees", "first_of"]

TREES = Path(__file__).parent.parent / "tests" / "helpers" / "trees.py"

BOOKKEEPING = {
    "pyvenv.cfg": "names the folder",
    ".lock": "uv's bookkeeping",
    "bin": "scripts: each tool writes its own wrappers",
    "*.dist-info/RECORD": "lists the scripts",
    "*.dist-info/INSTALLER": "the tool's name",
    "*.dist-info/REQUESTED": "pip's and uv's mark of what the user required",
    "*.dist-info/uv_cache.json": "uv's bookkeeping",
    "*.dist-info/uv_build.json": "uv's bookkeeping",
}
"""What is left out of the comparison with other tools, and why."""


def compare_trees(left: Path, right: Path, ignore: Iterable[str] = ()) -> tuple[list[str], str]:
    """A line per difference in bytes or modes, and how much was compared."""
    ignored = [word for pattern in ignore for word in ("--ignore", pattern)]
    compared = run(sys.executable, TREES, left, right, *ignored)
    *differing, summary = compared.stdout.splitlines() or [compared.stderr]
    return differing, summary


def first_of(lines: Sequence[str], limit: int = 20) -> list[str]:
    rest = [f"and {len(lines) - limit} more"] if len(lines) > limit else []
    return [*lines[:limit], *rest]
