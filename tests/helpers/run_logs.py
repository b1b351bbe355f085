"""The events of run logs, held to their schema; and logs to read."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import fastjsonschema

__all__ = [
    "MIB",
    "SCHEMA",
    "Checked",
    "beginning",
    "check_event",
    "event",
    "logs_of_programs",
    "read_log",
    "sample",
    "wheel_events",
    "whole_log",
    "write_log",
]

SCHEMA = Path(__file__).parents[2] / "schemas/run-log-1.schema.json"


@cache
def _checks() -> dict[str, Callable[[object], object]]:
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    return {
        name: fastjsonschema.compile(
            {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": definitions}
            | {"$ref": f"#/definitions/{name}"}
        )
        for name in definitions
    }


def check_event(event: dict[str, Any]) -> None:
    """Assert that an event is as the schema says."""
    assert event["event"] in _checks(), f"no event of the schema: {event}"
    try:
        _checks()[event["event"]](event)
    except fastjsonschema.JsonSchemaException as error:
        raise AssertionError(f"{error}: {event}") from None


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the events of a log, each held to the schema."""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        check_event(event)
    return events


class Checked:
    """How many events were held to the schema; a session of tests owns one."""

    def __init__(self) -> None:
        self.own = 0
        """Of executions in the process of the tests."""
        self.of_programs = 0
        self.logs = 0
        """Logs that programs wrote."""

    def check_log(self, path: str) -> None:
        """Hold each line of a log that a program wrote to the schema. A kill may have torn the
        last one; what is no file has no lines, and a file that is no log was not replaced.
        """
        if not os.path.isfile(path):
            return
        data = Path(path).read_bytes()
        lines = data.split(b"\n")[:-1] if data.startswith(b"{") else []
        for line in lines:
            check_event(json.loads(line))
        self.of_programs += len(lines)
        self.logs += 1


@contextmanager
def logs_of_programs(folder: Path | None = None) -> Iterator[list[str]]:
    """Gather the paths of the logs that programs are started with in the body. With a ``folder``,
    each program that is given no log writes one there.
    """
    found: list[str] = []
    start = subprocess.Popen.__init__

    def started(self: Any, args: Any, *words: Any, **options: Any) -> None:
        if isinstance(args, Sequence) and not isinstance(args, str | bytes):
            texts = [os.fsdecode(one) for one in args]
            place = os.fspath(options.get("cwd") or os.curdir)
            named = [path for name, path in pairwise(texts) if name == "--log"]
            found.extend(os.path.abspath(os.path.join(place, path)) for path in named)
            if folder and not named:
                found.append(str(folder / f"{len(found)}.ndjson"))
                variables = options.get("env")
                variables = dict(os.environ if variables is None else variables)
                options["env"] = {"LOCKSTREAM_LOG": found[-1], **variables}
        start(self, args, *words, **options)

    with mock.patch.object(subprocess.Popen, "__init__", started):
        yield found


MIB = 1 << 20


def event(name: str, at: float, process: int = 100, /, **facts: Any) -> dict[str, Any]:
    """Return an event, held to the schema."""
    content = {"event": name, "at": at, "process": process, **facts}
    check_event(content)
    return content


def beginning(**facts: Any) -> list[dict[str, Any]]:
    """Return the first events of an execution in 64 MiB."""
    about: dict[str, Any] = {
        "format": 1,
        "lockstream": "1.0",
        "command": "execute",
        "target": "CPython 3.12",
    }
    return [
        event("run", 0.0, **about, started="2030-01-02T03:04:05Z", **facts),
        event("limits", 0.01, found=[
            {"source": "/sys/fs/cgroup/memory.max", "available": 64 * MIB, "others": 0}
        ]),
        event("budget", 0.02, memory=64 * MIB, source="--memory", lanes=2, wanted=4,
              next_lane=80 * MIB, window=8 * MIB),
    ]  # fmt: skip


def wheel_events(name: str, at: float, seconds: float, process: int = 100) -> list[dict[str, Any]]:
    """Return the events of one wheel that is staged in ``seconds``."""

    def effort(part: float) -> dict[str, Any]:
        spent = seconds * part
        return {
            "fetched": int(2 * MIB * part),
            "waiting": round(spent * 0.2, 4),
            "unpacking": round(spent * 0.3, 4),
            "writing": round(spent * 0.5, 4),
        }

    file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    return [
        event("begins", at, process, package=name, version="1.0", file=file, size=2 * MIB),
        event("waits", at, process, package=name, source="https://files.example.com/x"),
        event("bytes", at + seconds / 2, process, package=name, read=MIB, **effort(0.5)),
        event("unpacked", at + seconds * 0.9, process, package=name, read=2 * MIB, **effort(0.9)),
        event("staged", at + seconds, process, package=name, files=10, bytes=5 * MIB,
              reused=False, startup=[], **effort(1)),
    ]  # fmt: skip


def sample(at: float, usage: int) -> dict[str, Any]:
    """Return a sample in which ``usage`` bytes are charged."""
    group = {
        "usage": usage, "anonymous": usage // 2, "cache": usage // 4, "dirty": usage // 8,
        "writeback": 0, "tmpfs": 0, "kernel": usage // 8,
    }  # fmt: skip
    processes = {"count": 2, "anonymous": usage // 2, "mapped": MIB, "shared": 0}
    return event("sample", at, processes=processes, group=group)


def whole_log(packages: int = 3) -> list[dict[str, Any]]:
    """Return the log of a run on two lanes that installed ``packages`` packages."""
    events = [*beginning(), event("selected", 0.03, install=packages, remove=0, unchanged=0,
                                  left_out=0)]  # fmt: skip
    free = [0.1, 0.1]
    for number in range(packages):
        lane = free.index(min(free))
        seconds = 0.02 + (number * 37 % 11) / 50
        events += wheel_events(f"package-{number}", free[lane], seconds, 100 + lane)
        free[lane] = round(free[lane] + seconds, 4)
    end = max(free)
    events += [sample(n * end / 40, (20 + n) * MIB) for n in range(41)]
    steps = ("checks", "journal", "moves", "done")
    events += [event("commit", end + n * 0.1, step=step) for n, step in enumerate(steps)]
    figures = {"installed": packages, "charged_peak": 60 * MIB, "sampled": False}
    last = event("end", end + 0.31, ok=True, status=0, **figures)
    return [*sorted(events, key=lambda one: one["at"]), last]


def write_log(path: Path, events: list[dict[str, Any]], torn: str = "") -> Path:
    """Write a log; ``torn`` is the beginning of a line that a kill has cut off."""
    path.write_text("".join(json.dumps(one) + "\n" for one in events) + torn)
    return path
