"""The page of runs: one file of HTML that needs nothing else, not even a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from planner.runs.advice import advise, at_work_text, error_lines, verdict
from planner.runs.run import Interval, Run, WheelRun
from planner.runs.treemap import Rectangle, squarify
from schemas.sizes import format_size

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Cell", "render_runs", "template", "treemap_cells"]


_FOLDER = "planner.runs"


_MAP = Rectangle(0, 0, 1000, 420)
"""The plane of a treemap."""


_LEAST_SHARE = 0.0005
"""The part of the whole from which a package has a cell of its own."""


_MOST_SAMPLES = 4000
"""Samples that are drawn: twice as many as a wide screen has columns."""


_MOST_INTERVALS = 20_000
"""Intervals of all wheels that are drawn; a run of hours has some hundred thousand."""


Cell = dict[str, Any]
"""A cell of a treemap, for its template."""


def render_runs(runs: Sequence[Run], required_by: Mapping[str, Sequence[str]]) -> str:
    """Return the page of ``runs``; ``required_by`` names what requires each package."""
    text: str = template("run.html").render(
        title=_title(runs),
        runs=[_view(number, run, required_by) for number, run in enumerate(runs)],
        rows=_comparison(runs) if len(runs) > 1 else [],
        data=_script_safe([_data(run) for run in runs]),
        assets={name: _asset(name) for name in ("uplot.js", "uplot.css", "page.css", "page.js")},
        licence=_asset("uplot-LICENSE"),
    )
    return text


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader  # noqa: PLC0415  # 10 MiB

    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = format_size
    return environment


def template(name: str) -> Any:
    """Return the template ``name`` of the folder of pages."""
    return _environment().get_template(name)


@cache
def _asset(name: str) -> str:
    return files(_FOLDER).joinpath("page", name).read_text(encoding="utf-8")


def _script_safe(content: object) -> str:
    """Return ``content`` as JSON that cannot end the element that it stands in."""
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _title(runs: Sequence[Run]) -> str:
    first = runs[0]
    return f"{first.title}: {verdict(first)}"


def treemap_cells(sizes: Sequence[tuple[str, int, str]]) -> list[Cell]:
    """Return the cells of a treemap for names, sizes (bytes) and what to say of each."""
    ordered = sorted(((name, size, text) for name, size, text in sizes if size > 0),
                     key=lambda one: -one[1])  # fmt: skip
    total = sum(size for _, size, _ in ordered)
    shown = [one for one in ordered if one[1] >= total * _LEAST_SHARE]
    more = None
    if rest := total - sum(size for _, size, _ in shown):
        count = len(ordered) - len(shown)
        more = f"{count} more"
        shown.append((more, rest, f"{more}: {format_size(rest)}"))
        shown.sort(key=lambda one: -one[1])
    places = squarify([size for _, size, _ in shown], _MAP)
    return [
        {
            "name": name,
            "is_rest": name == more,
            "size": format_size(size),
            "text": text,
            "x": round(place.x / _MAP.width * 100, 3),
            "y": round(place.y / _MAP.height * 100, 3),
            "width": round(place.width / _MAP.width * 100, 3),
            "height": round(place.height / _MAP.height * 100, 3),
            "tone": min(4, int(5 * size / shown[0][1])),
        }
        for (name, size, text), place in zip(shown, places, strict=True)
    ]


def _view(number: int, run: Run, required_by: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    wheels = list(run.wheels.values())
    cells = treemap_cells(
        [(one.package, _unpacked(run, one), _about(run, one, required_by)) for one in wheels]
    )
    return {
        "number": number,
        "run": run,
        "verdict": verdict(run),
        "advice": [*advise(run)],
        "said": "\n".join(error_lines(run)[1:]),
        "wheels": wheels,
        "failed": [one for one in wheels if one.state == "failed"],
        "at_work": [at_work_text(one) for one in run.at_work()],
        "complete": len(run.complete()),
        "total": len(run.planned) or len(wheels),
        "fetched": sum(one.fetched for one in wheels),
        "unpacked": sum(one.bytes for one in wheels),
        "files": sum(one.files for one in wheels),
        "cells": cells,
        "required_by": required_by,
    }


def _unpacked(run: Run, wheel: WheelRun) -> int:
    return wheel.bytes or run.planned.get(wheel.package, {}).get("unpacked") or 0


def _about(run: Run, wheel: WheelRun, required_by: Mapping[str, Sequence[str]]) -> str:
    text = (
        f"{wheel.package}: {format_size(_unpacked(run, wheel))} unpacked; version {wheel.version}"
    )
    if parents := required_by.get(wheel.package):
        more = f" and {len(parents) - 5} more" if len(parents) > 5 else ""
        text += f"; required by {', '.join(parents[:5])}{more}"
    return text


def _comparison(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Return rows of figures that runs are compared by."""

    def sizes(values: Sequence[int | None]) -> list[str]:
        first = values[0]
        return [
            ("-" if value is None else format_size(value)) + _change(first, value, number)
            for number, value in enumerate(values)
        ]

    seconds = [run.seconds for run in runs]
    return [
        ("outcome", [run.outcome for run in runs]),
        (
            "seconds",
            [f"{one:.1f}{_change(seconds[0], one, n)}" for n, one in enumerate(seconds)],
        ),
        ("peak charged", sizes([run.peak for run in runs])),
        ("limit", sizes([run.limit for run in runs])),
        ("peak RSS of one process", sizes([run.end.get("rss_peak") for run in runs])),
        ("fetched", sizes([_fetched(run) for run in runs])),
        ("packages", ["-" if run.is_other else str(len(run.complete())) for run in runs]),
        (
            "lanes",
            ["-" if run.is_other else str(run.budget.get("lanes", run.lanes)) for run in runs],
        ),
    ]


def _fetched(run: Run) -> int | None:
    return None if run.is_other else sum(one.fetched for one in run.wheels.values())


def _change(first: float | None, value: float | None, number: int) -> str:
    return f" ({value / first - 1:+.0%})" if number and first and value is not None else ""


def _data(run: Run) -> dict[str, Any]:
    """Return what the script of the page draws."""
    step = -(-len(run.samples) // _MOST_SAMPLES) or 1
    samples = run.samples[::step]
    intervals = sum(len(one.intervals) for one in run.wheels.values())
    joined = -(-intervals // _MOST_INTERVALS) or 1
    return {
        "seconds": run.seconds,
        "outcome": run.outcome,
        "lanes": run.lanes,
        "limit": run.limit_of_group,
        "limits": [
            [one["source"], one["available"] + run.others(one["source"])]
            for one in run.limits
            if run.limit is None or one["available"] <= 4 * run.limit
        ],
        "at": [one["at"] for one in samples],
        "memory": _stack([one["group"] for one in samples]) if run.samples_group else _own(samples),
        "wheels": [
            [
                one.package, one.version, one.lane, round(one.begin, 4), round(one.end, 4),
                one.state, [[*(round(n, 4) for n in (s.begin, s.end, *s.spent))]
                            for s in _joined(one.intervals, joined)],
                one.fetched, one.bytes, one.files, one.problem, round(one.building, 4),
            ]
            for one in run.wheels.values()
        ],
        "builds": [[one.package, one.begin, one.end, one.demand, one.planned, one.limit]
                   for one in run.builds],
        "commit": [[step, round(at, 4)] for step, at in run.commit],
        "requests": [[one["url"], one["at"], one["seconds"], one["status"], one["bytes"]]
                     for one in run.requests],
    }  # fmt: skip


def _joined(intervals: Sequence[Interval], count: int) -> Iterator[Interval]:
    """Yield intervals that each stand for ``count`` of those that follow each other."""
    for begin in range(0, len(intervals), count):
        some = intervals[begin : begin + count]
        waiting, unpacking, writing = (
            sum(parts) for parts in zip(*(one.spent for one in some), strict=True)
        )
        yield Interval(some[0].begin, some[-1].end, (waiting, unpacking, writing))


def _stack(groups: Sequence[Mapping[str, int]]) -> list[tuple[str, list[int]]]:
    """Return the parts of what is charged to a group, from the bottom of the stack up."""
    return [
        ("held before", [one.get("outside", 0) for one in groups]),
        ("anonymous", [one["anonymous"] for one in groups]),
        ("kernel", [one["kernel"] for one in groups]),
        ("tmpfs", [one["tmpfs"] for one in groups]),
        ("dirty cache", [one["dirty"] + one["writeback"] for one in groups]),
        (
            "clean cache",
            [
                max(0, one["cache"] - one["dirty"] - one["writeback"] - one["tmpfs"])
                for one in groups
            ],
        ),
    ]


def _own(samples: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """Return the memory of the processes, if there is no group."""
    processes = [one["processes"] for one in samples]
    return [
        ("anonymous", [one["anonymous"] for one in processes]),
        ("mapped files", [one["mapped"] for one in processes]),
    ]
