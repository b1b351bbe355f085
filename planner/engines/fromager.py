"""Measured builds as settings of fromager, one file for each package.

Source: https://fromager.readthedocs.io/, files below ``overrides/settings``. fromager divides the
memory of a machine by ``memory_per_job_gb`` to choose the number of its jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from packaging.utils import NormalizedName

from planner.engines.work import Work
from schemas.builds import BuildRecord, foreseen

__all__ = ["render"]


_GIB = 1 << 30
"""Its ``gb`` are divided into the memory of the machine in GiB."""

_LEAST = 0.1
"""It takes no smaller number."""


def render(work: Work) -> str:
    """Return the files as documents of one YAML text, each after a comment with its path. Of
    several builds of a package the largest demand counts.
    """
    largest: dict[NormalizedName, BuildRecord] = {}
    for name, record in work.measured:
        known = largest.get(name)
        if known is None or record.peak > known.peak:
            largest[name] = record
    return "".join("\n".join(["---", *_lines(*one)]) + "\n" for one in largest.items())


def _lines(name: NormalizedName, record: BuildRecord) -> Iterator[str]:
    yield f"# overrides/settings/{name.replace('-', '_')}.yaml"
    yield "build_options:"
    yield "  cpu_cores_per_job: 1"
    yield f"  memory_per_job_gb: {max(foreseen(record.peak) / _GIB, _LEAST):.3f}"
    if settings := record.flags.config_settings:
        yield "config_settings:"
        for key, setting in sorted(settings.items()):
            yield f"  {_quoted(key)}: {_quoted(setting)}"
    variables = record.flags.environment
    # It refuses a value that a shell would run.
    usable = {key: value for key, value in variables.items() if "$(" not in value}
    for key in sorted(variables.keys() - usable.keys()):
        yield f"# left out, since fromager takes no $(...): {key}"
    if usable:
        yield "env:"
        for key, value in sorted(usable.items()):
            # It replaces $NAME in values; two dollars stand for one.
            yield f"  {_quoted(key)}: {_quoted(value.replace('$', '$$'))}"


def _quoted(value: str | list[str]) -> str:
    """Return ``value`` in YAML, which has the strings and lists of JSON, without surrogates."""
    return json.dumps(value, ensure_ascii=False)
