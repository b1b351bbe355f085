"""A run as Markdown, for the summary of a job or a comment on a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from planner.runs.advice import advise, at_work_text, error_lines, verdict
from planner.runs.run import Run, WheelRun
from schemas.sizes import format_size
from schemas.text import counted, one_line

__all__ = ["MAX_SIZE", "cell", "joined", "to_markdown"]


MAX_SIZE = 60 << 10
"""Bytes. GitHub takes 1 MiB as the summary of a step and 64 KiB as a comment."""


_SHOWN = 20
"""Packages in the table, the slowest first."""


_SIGNS = {"done": "✅", "failed": "❌", "killed": "💥"}


def to_markdown(runs: Sequence[Run]) -> str:
    """Return runs as Markdown of at most MAX_SIZE bytes."""
    return joined(line for run in runs for line in _lines(run))


def joined(lines: Iterable[str]) -> str:
    """Return lines of Markdown as a text of at most MAX_SIZE bytes, without what is not printable;
    each line as it is, since an indented one would mean something else.
    """
    data = "".join(f"{one_line(line)}\n" for line in lines).encode(errors="replace")
    if len(data) <= MAX_SIZE:
        return data.decode()
    kept = data[: MAX_SIZE - 100].decode(errors="ignore")
    return kept.rpartition("\n")[0] + "\n\n*The rest is left out: it would be too long.*\n"


def cell(text: str) -> str:
    """Return ``text`` so that it cannot end its cell, begin a tag or become a link."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#~@!" else sign for sign in text).replace(
        "\n", " "
    )


def _lines(run: Run) -> Iterator[str]:
    yield f"## {_SIGNS[run.outcome]} {cell(run.title)}: {cell(verdict(run))}"
    yield ""
    for sentence in advise(run):
        yield f"- {cell(sentence)}"
    yield ""
    yield from _quoted(error_lines(run)[1:])
    yield from _figures(run)
    if work := [*run.at_work()]:
        yield "**At work when the log ended:** " + cell("; ".join(map(at_work_text, work)))
        yield ""
    if failed := [wheel for wheel in run.wheels.values() if wheel.state == "failed"]:
        yield "**Failed:** " + "; ".join(cell(one.problem) for one in failed)
        yield ""
    yield from _packages(run)
    yield from _builds(run)
    for title, texts in (("Warnings", run.warnings), ("Startup files", run.startup)):
        if texts:
            yield f"**{title}**"
            yield ""
            yield from (f"- {cell(text)}" for text in texts[:_SHOWN])
            yield ""


def _quoted(lines: Sequence[str]) -> Iterator[str]:
    """Yield what a program has said, as a block of code that nothing in it can end."""
    if lines:
        longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
        fence = "`" * max(3, longest + 1)
        yield from (fence, *lines[-_SHOWN:], fence, "")


def _figures(run: Run) -> Iterator[str]:
    limit, peak = run.limit, run.peak
    rows = [
        ("packages", f"{len(run.complete())} of {len(run.planned) or len(run.wheels)}"),
        ("fetched", format_size(sum(wheel.fetched for wheel in run.wheels.values()))),
        ("unpacked", format_size(sum(wheel.bytes for wheel in run.wheels.values()))),
        ("peak of memory", format_size(peak) if peak is not None else "unknown"),
        ("limit", format_size(limit) if limit is not None else "none"),
        ("lanes", str(run.budget.get("lanes", run.lanes))),
    ]
    if run.requests:
        rows = [("requests", str(len(run.requests)))]
    yield "| " + " | ".join(name for name, _ in rows) + " |"
    yield "|" + "---|" * len(rows)
    yield "| " + " | ".join(value for _, value in rows) + " |"
    yield ""


def _packages(run: Run) -> Iterator[str]:
    wheels = sorted(run.wheels.values(), key=_seconds, reverse=True)
    if not wheels:
        return
    more = f", the {_SHOWN} slowest" if len(wheels) > _SHOWN else ""
    yield f"<details><summary>{counted(len(wheels), 'package')}{more}</summary>"
    yield ""
    yield "| package | seconds | waiting | unpacking | writing | fetched | unpacked | files |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for one in wheels[:_SHOWN]:
        yield (
            f"| {cell(f'{one.package} {one.version}')} | {_seconds(one):.2f} | {one.waiting:.2f} | "
            f"{one.unpacking:.2f} | {one.writing:.2f} | {format_size(one.fetched)} | "
            f"{format_size(one.bytes)} | {one.files:,} |"
        )
    yield ""
    yield "</details>"
    yield ""


def _builds(run: Run) -> Iterator[str]:
    if not run.builds:
        return
    yield "| build | seconds | held | measured when planned | limit |"
    yield "|---|--:|--:|--:|--:|"
    for one in run.builds:
        seconds = f"{one.end - one.begin:.1f}" if one.end is not None else "not ended"
        sizes = [
            format_size(size) if size is not None else "?"
            for size in (one.demand, one.planned, one.limit)
        ]
        name = f"{one.package} ({one.what})" if one.what else one.package
        yield f"| {cell(name)} | {seconds} | {' | '.join(sizes)} |"
    yield ""


def _seconds(wheel: WheelRun) -> float:
    return wheel.end - wheel.begin
