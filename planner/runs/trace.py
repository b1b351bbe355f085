"""A run as a trace for Perfetto and chrome://tracing.

The format is the Trace Event Format, with complete events (``X``), counters (``C``) and names
(``M``): https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from planner.runs.run import STATES, Run

__all__ = ["to_trace"]


_KINDS = ("anonymous", "kernel", "cache", "dirty", "tmpfs")


def to_trace(run: Run) -> dict[str, Any]:
    """Return the content of a trace file; its times are microseconds."""
    return {"displayTimeUnit": "ms", "traceEvents": [*_events(run)]}


def _events(run: Run) -> Iterator[dict[str, Any]]:
    yield _name("process_name", 0, run.title)
    for lane in range(run.lanes):
        yield _name("thread_name", lane, f"lane {lane + 1}")
    for wheel in run.wheels.values():
        facts = {"file": wheel.file, "fetched": wheel.fetched, "unpacked": wheel.bytes}
        label = f"{wheel.package} {wheel.version}"
        yield _span(label, wheel.lane, wheel.begin, wheel.end, {**facts, "state": wheel.state})
        for one in wheel.intervals:
            begin, scale = one.begin, (one.end - one.begin) / sum(one.spent)
            for state, part in zip(STATES, one.spent, strict=True):
                if part:
                    yield _span(state, wheel.lane, begin, begin + part * scale, {})
                begin += part * scale
    place = run.lanes
    yield _name("thread_name", place, "builds")
    for build in run.builds:
        end = run.seconds if build.end is None else build.end
        yield _span(build.package, place, build.begin, end, {"demand": build.demand})
    yield _name("thread_name", place + 1, "commit")
    steps = [*run.commit, ("", run.seconds)]
    for (step, begin), (_, end) in pairwise(steps):
        if step != "done":
            yield _span(step, place + 1, begin, end, {})
    yield _name("thread_name", place + 2, "requests")
    for request in run.requests:
        at = float(request["at"])
        yield _span(request["url"], place + 2, at - request["seconds"], at, {})
    for sample in run.samples:
        group = sample.get("group")
        sizes = {kind: group[kind] for kind in _KINDS} if group else sample["processes"]
        yield {
            "ph": "C", "pid": 1, "tid": 0, "name": "memory", "ts": _micro(sample["at"]),
            "args": {kind: size for kind, size in sizes.items() if kind != "count"},
        }  # fmt: skip


def _span(name: str, lane: int, begin: float, end: float, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "ph": "X", "pid": 1, "tid": lane, "name": name, "ts": _micro(begin),
        "dur": max(0, _micro(end) - _micro(begin)), "args": facts,
    }  # fmt: skip


def _name(kind: str, lane: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": 1, "tid": lane, "name": kind, "args": {"name": name}}


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
