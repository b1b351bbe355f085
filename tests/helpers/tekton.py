"""What Tekton accepts as a Task of ``tekton.dev/v1``, written from its documentation and from the
checks of its admission webhook (https://tekton.dev/docs/pipelines/tasks/). No package has a schema
of it; the containers of steps are checked by that of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import fastjsonschema

__all__ = ["faults_of"]

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_ANY = {"type": "object"}
_LABEL = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
_VARIABLE = {"type": "string", "pattern": "^[_a-zA-Z][_a-zA-Z0-9.-]*$"}


def _table(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """Unknown fields are refused by the webhook."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_KINDS = {"enum": ["string", "array", "object"]}
_PARAM = _table(
    ("name",), name=_VARIABLE, type=_KINDS, description=_TEXT, properties=_ANY, enum=_TEXTS,
    default={"type": ["string", "array", "object"]},
)  # fmt: skip
_RESULT = _table(
    ("name",), name=_VARIABLE, type=_KINDS, description=_TEXT, properties=_ANY, value=_TEXT
)
_WORKSPACE = _table(
    ("name",), name=_TEXT, description=_TEXT, mountPath=_TEXT, readOnly={"type": "boolean"},
    optional={"type": "boolean"},
)  # fmt: skip
_CONTAINER: dict[str, Any] = {
    "image": _TEXT, "command": _TEXTS, "args": _TEXTS, "workingDir": _TEXT, "envFrom": _list(_ANY),
    "env": _list(_ANY), "computeResources": _ANY, "volumeMounts": _list(_ANY),
    "volumeDevices": _list(_ANY), "securityContext": _ANY,
    "imagePullPolicy": {"enum": ["Always", "Never", "IfNotPresent"]},
}  # fmt: skip
_STEP = _table(
    ("image",), name=_LABEL, script=_TEXT, timeout=_TEXT, workspaces=_list(_ANY),
    onError={"enum": ["continue", "stopAndFail"]}, **_CONTAINER,
)  # fmt: skip
_SCHEMA = _table(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "tekton.dev/v1"},
    kind={"const": "Task"},
    metadata={**_ANY, "required": ["name"], "properties": {"name": _LABEL}},
    spec=_table(
        ("steps",), displayName=_TEXT, description=_TEXT, params=_list(_PARAM),
        results=_list(_RESULT), workspaces=_list(_WORKSPACE), volumes=_list(_ANY),
        stepTemplate=_table(**_CONTAINER), sidecars=_list(_ANY),
        steps={**_list(_STEP), "minItems": 1},
    ),
)  # fmt: skip


_VALIDATE = fastjsonschema.compile(_SCHEMA)


def faults_of(task: dict[str, Any]) -> list[str]:
    """Return what Tekton refuses in ``task``, a sentence for each fault."""
    try:
        _VALIDATE(task)
    except fastjsonschema.JsonSchemaException as error:
        return [str(error)]
    return [*_params(task["spec"]), *_steps(task["spec"])]


def _params(spec: dict[str, Any]) -> Iterator[str]:
    for one in spec.get("params", ()):
        expected = {"array": list, "object": dict}.get(one.get("type", "string"), str)
        if "default" in one and not isinstance(one["default"], expected):
            yield f"the default of {one['name']} is not of its type"


def _steps(spec: dict[str, Any]) -> Iterator[str]:
    arrays = {one["name"] for one in spec.get("params", ()) if one.get("type") == "array"}
    declared = {
        kind: {one["name"] for one in spec.get(kind, ())}
        for kind in ("params", "results", "workspaces")
    }
    names = [one["name"] for one in spec["steps"] if "name" in one]
    if len(names) != len(set(names)):
        yield "two steps have one name"
    for step in spec["steps"]:
        if "script" in step and "command" in step:
            yield "a step has a script and a command"
        text = str(step)
        for kind, name in re.findall(r"\$\((params|results|workspaces)\.([\w-]+)", text):
            if name not in declared[kind]:
                yield f"$({kind}.{name}) is not declared"
        # An array is spread over arguments of their own, and is never part of a text.
        elsewhere = str({key: value for key, value in step.items() if key != "args"})
        for name in arrays:
            if f"$(params.{name}" in elsewhere:
                yield f"$(params.{name}) is an array outside of args"
            for word in step.get("args", ()):
                if f"$(params.{name}" in word and word != f"$(params.{name}[*])":
                    yield f"{word} is more than an array"
