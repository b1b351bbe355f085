"""Builds as the matrix of a job of GitHub Actions.

Source: https://docs.github.com/actions/using-jobs/using-a-matrix-for-your-jobs: a job takes it with
``strategy: matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}``.
"""

from __future__ import annotations

import json
from typing import Any

from planner.builds.unit import BuildUnit, target_label
from planner.engines.work import Work, machine_of, mebibytes
from schemas.errors import UsageError

__all__ = ["render"]


_STANDARD_MEMORY = 7 << 30
"""Bytes: a standard runner of a private repository has 8 GB, some of which the runner takes."""


_MOST_JOBS = 256
"""Of one matrix: https://docs.github.com/actions/reference/limits."""


def render(work: Work) -> str:
    """Return the matrix in one line. Raises UsageError if it would have too many jobs."""
    if len(work.units) > _MOST_JOBS:
        parts = -(-len(work.units) // _MOST_JOBS)
        raise UsageError(
            f"a matrix of GitHub Actions has at most {_MOST_JOBS} jobs, and these are "
            f"{len(work.units):,} builds",
            hint=f"write {parts} matrices, each for a job of its own: --part 1/{parts}, and so on",
        )
    rows = [_row(unit, work) for unit in work.units]
    return json.dumps({"include": rows}) + "\n"


def _row(unit: BuildUnit, work: Work) -> dict[str, Any]:
    request = work.request(unit)
    machine = machine_of(unit)
    runner = "standard" if request <= _STANDARD_MEMORY else "large"
    return {
        "build": unit.requirement,
        "target": target_label(unit.target),
        "python": unit.target.environment["python_version"],
        "machine": machine,
        "runner": f"{runner}-{machine}",
        "memory": f"{mebibytes(request)}MiB",
        "key": unit.key,
    }
