"""Builds as the matrix of a job of GitHub Actions.

Source: https://docs.github.com/actions/using-jobs/using-a-matrix-for-your-jobs: a job takes it with
``strategy: matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}``.
"""

from __future__ import annotations

import json
from typing import Any

from planner.builds.unit import BuildUnit, target_label
from planner.engines.work import Work, mebibytes

__all__ = ["render"]


_STANDARD_MEMORY = 7 << 30
"""Bytes: a standard runner of a private repository has 8 GB, some of which the runner takes."""


def render(work: Work) -> str:
    """Return the matrix in one line."""
    rows = [_row(unit, work) for unit in work.units]
    return json.dumps({"include": rows}) + "\n"


def _row(unit: BuildUnit, work: Work) -> dict[str, Any]:
    request = work.request(unit)
    machine = unit.target.environment["platform_machine"]
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
