"""Events of a log, held to the schema that the recorder writes them by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import fastjsonschema

__all__ = ["problem_of"]


_DRAFT = "http://json-schema.org/draft-07/schema#"


def problem_of(event: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an event, as the end of a sentence; None if nothing is.

    Events and fields that are not known are of a later version, and not wrong.
    """
    kind = event["event"]
    if kind not in _definitions():
        return None
    try:
        _check_of(kind)(event)
    except fastjsonschema.JsonSchemaValueException as error:
        if error.rule == "required":
            return f"({kind}) lacks a field"
        field = ".".join(map(str, error.path[1:]))
        return f"({kind}) has a wrong {field}: {error.rule} is {error.rule_definition}"
    return None


@cache
def _check_of(kind: str) -> Callable[[Mapping[str, Any]], object]:
    # Compiled when a log has such an event: all of them would take 60 ms.
    check: Callable[[Mapping[str, Any]], object] = fastjsonschema.compile(
        {"$schema": _DRAFT, "definitions": _definitions(), "$ref": f"#/definitions/{kind}"}
    )
    return check


@cache
def _definitions() -> dict[str, Any]:
    text = files("schemas").joinpath("run-log-1.schema.json").read_text(encoding="utf-8")
    definitions: dict[str, Any] = _open(json.loads(text)["definitions"])
    return definitions


def _open(schema: Any) -> Any:
    """Return a schema in which every table may have more fields."""
    if isinstance(schema, dict):
        return {
            key: _open(value)
            for key, value in schema.items()
            if (key, value) != ("additionalProperties", False)
        }
    return [_open(one) for one in schema] if isinstance(schema, list) else schema
