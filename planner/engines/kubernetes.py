"""Builds as Jobs of Kubernetes, in the JSON that ``kubectl apply -f -`` reads.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from planner.builds.unit import BuildUnit
from planner.engines.work import MACHINES, Work, machine_of, mebibytes
from schemas.errors import ExitCode

__all__ = ["render"]


_IMAGE = "registry.example.com/lockstream-build:{python}"
"""To be replaced: an image with lockstream, the Python of the target and a compiler; the tag names
another implementation, and another C library than glibc (``pypy3.11``, ``3.12-musl``)."""

_FINAL = [
    int(code)
    for code in ExitCode
    if code not in {ExitCode.DONE, ExitCode.REFUSED, ExitCode.NETWORK}
]
"""Exit codes after which the same build would end in the same way."""

_RULES = [
    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    {
        "action": "FailJob",
        "onExitCodes": {"containerName": "build", "operator": "In", "values": _FINAL},
    },
]

_ATTEMPTS = 4
"""For what may pass: a network or an index that does not answer, a node that leaves."""


def render(work: Work) -> str:
    """Return a list of Jobs, one for each build.

    The lock is expected in the config map ``lockstream-lock``, and a volume for the wheels behind
    the claim ``lockstream-built``; if they go to a server, the secret ``lockstream-netrc`` may have
    the credentials, as a file ``netrc``.
    """
    items = [_job(unit, work) for unit in work.units]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2) + "\n"


def _job(unit: BuildUnit, work: Work) -> dict[str, Any]:
    project = unit.name[:40].rstrip("-")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"build-{project}-{unit.key[:12]}",
            "labels": {"app.kubernetes.io/managed-by": "lockstream"},
            "annotations": {
                "lockstream/build": unit.requirement,
                "lockstream/key": unit.key,
                "lockstream/measured": "true" if unit.record else "false",
            },
        },
        "spec": {
            "backoffLimit": _ATTEMPTS,
            "podFailurePolicy": {"rules": _RULES},
            "template": {"spec": _pod(unit, work)},
        },
    }


def _pod(unit: BuildUnit, work: Work) -> dict[str, Any]:
    machine = machine_of(unit)
    built = {"name": "built", "persistentVolumeClaim": {"claimName": "lockstream-built"}}
    login = {"name": "login", "secret": {"secretName": "lockstream-netrc", "optional": True}}
    return {
        "restartPolicy": "Never",
        "nodeSelector": {"kubernetes.io/arch": MACHINES.get(machine, machine)},
        "containers": [_container(unit, work)],
        "volumes": [
            {"name": "lock", "configMap": {"name": "lockstream-lock"}},
            login if work.is_served else built,
        ],
    }


def _container(unit: BuildUnit, work: Work) -> dict[str, Any]:
    store = work.store if work.is_served else "/built"
    inside = replace(work, lock="/lock/pylock.toml", store=store)
    request, limit = work.request(unit), work.limit(unit)
    container: dict[str, Any] = {
        "name": "build",
        "image": _IMAGE.format(python=_python(unit)),
        "command": [*inside.command(unit), "--memory", str(request)],
        "resources": {
            "requests": {"memory": f"{mebibytes(request)}Mi", "cpu": "1"},
            "limits": {"memory": f"{mebibytes(limit)}Mi"},
        },
        "volumeMounts": [
            {"name": "lock", "mountPath": "/lock", "readOnly": True},
            {"name": "login", "mountPath": "/login", "readOnly": True}
            if work.is_served
            else {"name": "built", "mountPath": "/built"},
        ],
    }
    if work.is_served:
        container["env"] = [{"name": "NETRC", "value": "/login/netrc"}]
    return container


def _python(unit: BuildUnit) -> str:
    """Return the tag of the image for ``unit``."""
    name = re.sub(r"(\d+\.\d+)\.\d+", r"\1", unit.target.python_name)
    return f"{name}-musl" if unit.target.platform.startswith("musllinux") else name
