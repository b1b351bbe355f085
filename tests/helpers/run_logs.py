"""The events of run logs, held to their schema; and logs to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema

__all__ = ["SCHEMA", "check_event", "read_log"]

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
