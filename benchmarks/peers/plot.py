"""The results as a plot: an SVG written by hand, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.installers import PEERS
from benchmarks.peers.runs import Results, Run

__all__ = ["plot"]

TOOLS = ("lockstream", *PEERS)
TOLD = "lockstream --memory 64MiB"
LIMIT = 64 << 20
"""Bytes; the limit that the plot shows."""

WIDTH, HEIGHT = 470, 300
"""Of a panel, with its labels."""
LEFT, TOP, RIGHT, BOTTOM = 56, 50, 24, 44
"""What the labels of a panel take."""

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #444 } .title { font-weight: 600; fill: #111 }
.page { fill: #fff } .grid { stroke: #ddd } .limit { stroke: #c00; stroke-dasharray: 6 4 }
.limited { fill: #c00 }
.line { fill: none; stroke-width: 2 } .part { stroke-width: 1; stroke-dasharray: 2 2 }
.lockstream { stroke: #0969da } .uv { stroke: #a0459b } .pip { stroke: #b35900 }
tspan.lockstream { fill: #0969da } tspan.uv { fill: #a0459b } tspan.pip { fill: #b35900 }
tspan.lockstream, tspan.uv, tspan.pip { stroke: none; font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #bbb } .title { fill: #eee } .page { fill: #0d1117 } .grid { stroke: #30363d }
.limit { stroke: #f66 } .limited { fill: #f66 }
.lockstream { stroke: #58a6ff } .uv { stroke: #e28fdc }
.pip { stroke: #f0a04b } tspan.lockstream { fill: #58a6ff } tspan.uv { fill: #e28fdc }
tspan.pip { fill: #f0a04b } }
"""


@dataclass(frozen=True)
class Curve:
    """Points in the units of the axes, bytes upwards."""

    tool: str
    points: Sequence[tuple[float, int]]
    part: bool = False
    """Thin: a part of another curve."""
    name: str = ""
    """With how the run ended, if that is the point."""
    completed: bool = True


@dataclass(frozen=True)
class Panel:
    title: str
    axis: str
    """What stands below: what grows to the right, and its unit."""
    curves: Sequence[Curve]
    logarithmic: bool = False
    limit: int | None = None


def plot(results: Results) -> str:
    """The panels for which there are results."""
    panels = [panel for panel in panels_of(results) if panel.curves]
    rows = max(1, -(-len(panels) // 2))
    width, height = 2 * WIDTH, rows * HEIGHT
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">',
        "<title>Memory of lockstream, uv and pip</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for number, panel in enumerate(panels):
        place = f"translate({number % 2 * WIDTH} {number // 2 * HEIGHT})"
        parts += [f'<g transform="{place}">', *drawn(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def panels_of(results: Results) -> Iterator[Panel]:
    limit = f"{LIMIT >> 20} MiB"
    for record in results.of("peers")[:1]:
        runs = {(run.tool, run.limit): run for run in record.runs if run.trace}
        for charged in results.of("charged"):
            if charged.subject == record.subject:
                runs |= {(run.tool, run.limit): run for run in charged.runs if run.trace}
        ours = TOLD if (TOLD, None) in runs else TOOLS[0]
        free = [run for tool in (ours, *PEERS) if (run := runs.get((tool, None)))]
        curves = [over_time(run, run.tool) for run in free]
        title = f"{record.subject}, charged, without a limit"
        yield Panel(title, "seconds", curves, limit=LIMIT)
        inside = [run for tool in TOOLS if (run := runs.get((tool, LIMIT)))]
        curves = [curve for run in inside for curve in (anonymous(run), over_time(run, ended(run)))]
        title = f"{record.subject}, in {limit}: charged, and anonymous (dotted)"
        yield Panel(title, "seconds", curves, limit=LIMIT)
    yield Panel("Peak RSS by packages", "packages", growing(results, "packages-"), True)
    yield Panel("Peak RSS by size of a file", "MiB in one file", growing(results, "size-"), True)


def over_time(run: Run, name: str) -> Curve:
    points = [(0.0, 0), *((at, charged) for at, charged, _ in run.trace)]
    return Curve(tool_of(run), points, name=name, completed=run.completed)


def anonymous(run: Run) -> Curve:
    return Curve(tool_of(run), [(at, private) for at, _, private in run.trace], part=True)


def ended(run: Run) -> str:
    how = "not in" if run.cost.timed_out else "killed after" if not run.completed else "in"
    return f"{run.tool} {how} {run.cost.wall:.0f} s"


def growing(results: Results, series: str) -> list[Curve]:
    """Peak RSS of each tool along a synthetic series."""
    curves: dict[str, list[tuple[float, int]]] = {}
    for record in results.of("extremes"):
        if record.subject.startswith(series):
            at = float(record.subject.removeprefix(series))
            for run in record.runs:
                if run.completed:
                    curves.setdefault(tool_of(run), []).append((at, run.cost.rss_peak))
    return [Curve(tool, sorted(points), name=tool) for tool, points in curves.items()]


def tool_of(run: Run) -> str:
    return run.tool.partition(" ")[0]


def drawn(panel: Panel) -> Iterator[str]:
    every = [point for curve in panel.curves for point in curve.points]
    highest = max([size for _, size in every] + [panel.limit or 0])
    ticks, top = scale(highest / (1 << 20))
    least, most = min(at for at, _ in every), max(at for at, _ in every)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def across(at: float) -> float:
        begin, end, here = least, most, at
        if panel.logarithmic:
            begin, end, here = math.log(least), math.log(most), math.log(at)
        return LEFT + (here - begin) / ((end - begin) or 1) * (right - LEFT)

    def up(size: float) -> float:
        return bottom - size / (top * (1 << 20)) * (bottom - TOP)

    yield f'<text class="title" x="{LEFT}" y="20">{escape(panel.title)}</text>'
    for tick in ticks:
        height = up(tick * (1 << 20))
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{height:.1f}" y2="{height:.1f}"/>'
        yield text(LEFT - 6, height + 4, f"{tick:g}", "end")
    yield text(LEFT - 6, TOP - 12, "MiB", "end")
    marks = sorted({at for at, _ in every}) if panel.logarithmic else scale(most)[0]
    for mark in marks:
        if mark <= most:
            yield text(across(mark), bottom + 18, f"{mark:g}", "middle")
    yield text((LEFT + right) / 2, bottom + 36, panel.axis, "middle")
    for curve in panel.curves:
        yield from line(curve, across, up)
    if panel.limit:
        height = up(panel.limit)
        yield f'<line class="limit" x1="{LEFT}" x2="{right}" y1="{height:.1f}" y2="{height:.1f}"/>'
        yield text(right, height - 5, f"{panel.limit >> 20} MiB", "end", "limited")
    yield from legend(panel)


def legend(panel: Panel) -> Iterator[str]:
    """The names of the curves in their colours."""
    named = (curve for curve in panel.curves if not curve.part)
    words = (
        f'<tspan class="{curve.tool}" dx="{10 if number else 0}">{escape(curve.name)}</tspan>'
        for number, curve in enumerate(named)
    )
    yield f'<text x="{LEFT}" y="38">{"".join(words)}</text>'


def line(
    curve: Curve, across: Callable[[float], float], up: Callable[[float], float]
) -> Iterator[str]:
    points = " ".join(f"{across(at):.1f},{up(size):.1f}" for at, size in curve.points)
    kind = f"line {curve.tool}" + (" part" if curve.part else "")
    yield f'<polyline class="{kind}" points="{points}"/>'
    if not curve.part and curve.points:
        x, y = (move(value) for move, value in zip((across, up), curve.points[-1], strict=True))
        if curve.completed:
            yield f'<circle class="line {curve.tool}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        else:
            cross = f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"
            yield f'<path class="line {curve.tool}" d="{cross}"/>'


def text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def scale(highest: float) -> tuple[list[float], float]:
    """Round marks from 0 to at least ``highest``, and the last of them."""
    power = 10 ** math.floor(math.log10(highest or 1))
    step = next(
        part * power / 10 for part in (1, 2, 5, 10, 20, 50) if 6 * part * power / 10 >= highest
    )
    count = max(1, math.ceil(highest / step))
    return [number * step for number in range(count + 1)], count * step
