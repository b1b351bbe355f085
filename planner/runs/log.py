"""The reader of run logs: whole lines of JSON, the last of which a kill may have torn."""

from __future__ import annotations

import json
from io import TextIOWrapper
from typing import Any

from executor import open_regular
from planner.inputs.errors import UnreadableInput
from planner.runs.event_check import problem_of
from schemas.data_class import with_fields
from schemas.errors import InvalidInput
from schemas.text import one_line
from schemas.urls import hidden, may_be_hidden

__all__ = ["Event", "InvalidLog", "read_events"]


Event = dict[str, Any]
"""One event, as ``schemas/run-log-1.schema.json`` describes it."""


_FORMAT = 1
"""The newest format that is read."""


_MAX_SIZE = 1 << 29
"""Bytes of a log; an execution of a day writes 250 MiB."""


_LARGEST = 10**15
"""Numbers beyond it are none of a log: bytes of a petabyte, or seconds of a million years."""


_MOST_DAMAGED = 10
"""Lines that are not events, in a file that is a log all the same."""


@with_fields
class InvalidLog(InvalidInput):
    """A file is not the log of a run."""

    path: str
    problem: str
    hint: str = "name a file that --log has written"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def read_events(path: str) -> list[Event]:
    """Return the events of the log at ``path``.

    In the place of a last line without an end, and of a few damaged ones, stand warnings. Raises
    UnreadableInput and InvalidLog.
    """
    events = _parsed(path)
    first = events[0]
    if first["event"] != "run" or not isinstance(first.get("format"), int):
        raise InvalidLog(path, "its first line is not the beginning of a run")
    if first["format"] > _FORMAT:
        raise InvalidLog(
            path,
            f"it has format {first['format']}, and this version reads format {_FORMAT}",
            hint=f"use lockstream {first.get('lockstream', 'of the version that wrote it')}",
        )
    for number, event in enumerate(events, 1):
        if problem := problem_of(event):
            raise InvalidLog(path, f"event {number} {problem}")
        if number > 1 and event["event"] == "run":
            raise InvalidLog(
                path,
                f"event {number} is the beginning of another run",
                hint="give each run a log of its own, and show several with lockstream report A B",
            )
    return events


def _parsed(path: str) -> list[Event]:
    """Return the events of at least one line. The disk of a log may have been full, and a run may
    be killed while it writes.
    """
    *lines, torn = _read(path).split("\n")
    events: list[Event] = []
    damaged = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            events.append(_event(path, number, line))
        except InvalidLog:
            damaged += 1
            if not events or damaged > _MOST_DAMAGED:
                raise
            text = f"line {number} of the log is damaged, and left out"
            events.append({**events[-1], "event": "warning", "text": text})
    if not events and torn:
        events = [_event(path, 1, torn)]
    elif torn.strip():
        text = "the last line of the log is torn: its disk may have been full"
        events.append({**events[-1], "event": "warning", "text": text})
    if not events:
        raise InvalidLog(path, "it is empty")
    return events


def _read(path: str) -> str:
    try:
        with TextIOWrapper(open_regular(path), "utf-8", "replace") as file:
            text = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise UnreadableInput.because(
            path, error, "name the file that lockstream execute --log or plan --log has written"
        ) from None
    if len(text) > _MAX_SIZE:
        raise InvalidLog(path, f"it is larger than {_MAX_SIZE >> 20} MiB")
    return text


def _event(path: str, number: int, line: str) -> Event:
    try:
        event = json.loads(line, parse_constant=_number, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError):
        if line.strip() == "{":
            raise InvalidLog(path, "it is one document, as --report writes it, not a log") from None
        raise InvalidLog(path, f"line {number} is not JSON") from None
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("event"), str)
        or not isinstance(event.get("at"), int | float)
    ):
        raise InvalidLog(path, f"line {number} is not an event: it has no name or no time")
    if "\\u" in line or not line.isprintable() or may_be_hidden(line):
        # Whoever wrote it, a page obeys nothing in it and shows no secret; a surrogate it cannot
        # hold.
        return {key: _shown(value) for key, value in event.items()}
    return dict(event)


def _number(text: str) -> float:
    number = float(text)
    if not -_LARGEST < number < _LARGEST:  # nor NaN
        raise ValueError
    return int(number) if text.lstrip("-").isdigit() else number


def _shown(value: Any) -> Any:
    """Return a value of JSON with each of its texts as it may be shown."""
    if isinstance(value, str):
        text = hidden(value.encode(errors="replace").decode())
        return "\n".join(map(one_line, text.split("\n")))
    if isinstance(value, dict):
        return {_shown(key): _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list) else value
