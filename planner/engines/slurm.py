"""Builds as array jobs of Slurm, in a script that submits them.

Source: https://slurm.schedmd.com/job_array.html. All tasks of an array have one memory request, so
there is an array for each machine and each size, rounded up to the next power of two.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence

from planner.builds.unit import MEMORY_CLASSES, BuildUnit
from planner.engines.work import Work, machine_of, mebibytes
from schemas.errors import ExitCode

__all__ = ["render"]


_SMALLEST = 64 << 20
"""Bytes. The programs of Slurm themselves count in a smaller job."""

_MOST_TASKS = 1000
"""Of one array: the largest number is smaller than MaxArraySize, which is 1001 by default."""

_HEAD = """\
#!/bin/sh
# Submits the builds of {lock}. Run it in the folder of the lock, which all nodes have to see.
# OPTIONS_x86_64='--partition=...' adds options of sbatch to the builds for that machine.
set -eu
"""

_OPTIONS = 'export OPTIONS_{machine}="${{OPTIONS_{machine}-}}"\n'

_TASK = """\
sbatch $OPTIONS_{machine} --parsable --job-name=lockstream-{size} --array=0-{last} \\
  --mem={size}M --cpus-per-task=1 --output=lockstream-%A-%a.log <<'LOCKSTREAM'
#!/bin/sh
case "$SLURM_ARRAY_TASK_ID" in
{cases}
esac
status=0
"$@" --memory "${{SLURM_MEM_PER_NODE}}MiB" || status=$?
# It needs more than this: once more, with twice as much.
if [ "$status" -eq {more} ] && [ "$SLURM_MEM_PER_NODE" -lt {largest} ]; then
  exec sbatch $OPTIONS_{machine} --job-name="$SLURM_JOB_NAME" --array="$SLURM_ARRAY_TASK_ID" \\
    --mem="$((SLURM_MEM_PER_NODE * 2))M" --cpus-per-task=1 --output=lockstream-%A-%a.log "$0"
fi
exit "$status"
LOCKSTREAM
"""


def render(work: Work) -> str:
    """Return the script. It prints the number of each array that it submits."""
    arrays: dict[tuple[str, int], list[BuildUnit]] = defaultdict(list)
    for unit in work.units:
        arrays[machine_of(unit), _rounded(work.request(unit))].append(unit)
    machines = sorted({machine for machine, _ in arrays})
    options = "".join(_OPTIONS.format(machine=machine) for machine in machines)
    parts = [
        _array(machine, size, units[first : first + _MOST_TASKS], work)
        for (machine, size), units in sorted(arrays.items())
        for first in range(0, len(units), _MOST_TASKS)
    ]
    return "\n".join([_HEAD.format(lock=work.lock) + options, *parts])


def _array(machine: str, size: int, units: Sequence[BuildUnit], work: Work) -> str:
    return _TASK.format(
        machine=machine,
        size=mebibytes(size),
        last=len(units) - 1,
        cases="\n".join(_cases(units, work)),
        more=int(ExitCode.NOT_ENOUGH),
        largest=mebibytes(MEMORY_CLASSES[-1]),
    )


def _cases(units: Sequence[BuildUnit], work: Work) -> Iterator[str]:
    for number, unit in enumerate(units):
        yield f"  {number}) set -- {shlex.join(work.command(unit))} ;;"


def _rounded(size: int) -> int:
    rounded = _SMALLEST
    while rounded < size:
        rounded *= 2
    return rounded
