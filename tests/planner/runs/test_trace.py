"""A trace has the wheels in the rows of their lanes, in microseconds."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.run_logs import whole_log, write_log
from planner.runs.reading import read_run
from planner.runs.trace import to_trace


def test_wheels_lanes_and_memory_are_in_it(tmp_path: Path) -> None:
    run = read_run(str(write_log(tmp_path / "log", whole_log(4))))
    events = json.loads(json.dumps(to_trace(run)))["traceEvents"]
    names = {one["args"]["name"] for one in events if one["ph"] == "M"}
    assert {"lockstream execute", "lane 1", "lane 2", "commit"} <= names
    spans = {one["name"]: one for one in events if one["ph"] == "X"}
    for wheel in run.wheels.values():
        span = spans[f"{wheel.package} {wheel.version}"]
        assert span["tid"] == wheel.lane
        assert span["ts"] == round(wheel.begin * 1e6)
        assert abs(span["dur"] - (wheel.end - wheel.begin) * 1e6) <= 1
    assert sum(one["ph"] == "C" for one in events) == len(run.samples)
