"""The reader of run logs: whole lines of JSON, the last of which a kill may have torn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any

from executor import open_regular
from planner.inputs.errors import UnreadableInput
from schemas.errors import InvalidInput

__all__ = ["Event", "InvalidLog", "read_events"]


Event = dict[str, Any]
"""One event, as ``schemas/run-log-1.schema.json`` describes it."""


_FORMAT = 1
"""The newest format that is read."""


_MAX_SIZE = 1 << 30
"""Bytes of a log; an execution of a day writes 100 MiB."""


@dataclass(eq=False)
class InvalidLog(InvalidInput):
    """A file is not the log of a run."""

    path: str
    problem: str
    hint: str = "name a file that --log has written"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def read_events(path: str) -> list[Event]:
    """Return the events of the log at ``path``.

    A last line without an end is left out: the run was killed while it wrote. Raises
    UnreadableInput and InvalidLog.
    """
    try:
        with TextIOWrapper(open_regular(path), "utf-8", "surrogateescape") as file:
            text = file.read(_MAX_SIZE)
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from None
    *lines, torn = text.split("\n")
    events = [_event(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not events and torn:
        events = [_event(path, 1, torn)]
    if not events:
        raise InvalidLog(path, "it is empty")
    first = events[0]
    if first["event"] != "run" or not isinstance(first.get("format"), int):
        raise InvalidLog(path, "its first line is not the beginning of a run")
    if first["format"] > _FORMAT:
        raise InvalidLog(
            path,
            f"it has format {first['format']}, and this version reads format {_FORMAT}",
            hint=f"use lockstream {first.get('lockstream', 'of the version that wrote it')}",
        )
    return events


def _event(path: str, number: int, line: str) -> Event:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidLog(path, f"line {number} is not JSON") from None
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("event"), str)
        or not isinstance(event.get("at"), int | float)
    ):
        raise InvalidLog(path, f"line {number} is not an event: it has no name or no time")
    return event
