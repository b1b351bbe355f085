"""Measured builds as settings of fromager, one file for each package.

Source: https://fromager.readthedocs.io/, files below ``overrides/settings``. fromager divides the
memory of a machine by ``memory_per_job_gb`` to choose the number of its jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from planner.builds.unit import BuildUnit
from planner.engines.work import Work

__all__ = ["render"]


_GIB = 1 << 30
"""Its ``gb`` are divided into the memory of the machine in GiB."""

_LEAST = 0.1
"""It takes no smaller number."""


def render(work: Work) -> str:
    """Return the files as documents of one YAML text, each after a comment with its path. Of
    several targets of a package the largest demand counts; builds without figures are left out.
    """
    largest: dict[str, BuildUnit] = {}
    for unit in work.units:
        known = largest.get(unit.name)
        if unit.record and (known is None or unit.request > known.request):
            largest[unit.name] = unit
    return "".join(_document(unit) for unit in largest.values())


def _document(unit: BuildUnit) -> str:
    return "\n".join(["---", *_lines(unit)]) + "\n"


def _lines(unit: BuildUnit) -> Iterator[str]:
    assert unit.record is not None
    yield f"# overrides/settings/{unit.name.replace('-', '_')}.yaml"
    yield "build_options:"
    yield "  cpu_cores_per_job: 1"
    yield f"  memory_per_job_gb: {max(unit.request / _GIB, _LEAST):.3f}"
    if unit.record.flags.environment:
        yield "env:"
        for name, value in sorted(unit.record.flags.environment.items()):
            yield f"  {name}: {json.dumps(value)}"
