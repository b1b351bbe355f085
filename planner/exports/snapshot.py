"""A lock as a dependency snapshot, which GitHub's dependency graph takes.

Source: https://docs.github.com/en/rest/dependency-graph/dependency-submission.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from packaging.pylock import Pylock

from planner.exports.depends import Depends
from planner.exports.direct import Direct
from planner.exports.purl import package_url, plain_package_url
from planner.exports.selection import ExportedPackage
from planner.exports.workflow_run import WorkflowRun
from schemas.data_class import frozen
from schemas.hints import TOOL_NAME
from schemas.text import json_text
from schemas.version import VERSION

__all__ = ["Scan", "dependency_snapshot"]


@frozen(kw_only=True)
class Scan:
    """When and where a lock was read."""

    run: WorkflowRun
    moment: float
    """Seconds since 1970."""
    place: str
    """Path of the lock from the root of the repository, with slashes."""


def dependency_snapshot(
    lock: Pylock, packages: Sequence[ExportedPackage], direct: Direct | None, scan: Scan
) -> str:
    """Return the snapshot of ``packages`` of ``lock``. Folders of the repository are not in it, as
    the graph is of what the repository takes from elsewhere. If ``direct`` is None, it does not say
    which packages are direct.
    """
    run = scan.run
    job = {
        # Of one correlator the last snapshot counts: each lock of a job has its own.
        "correlator": f"{run.workflow}_{run.job}_{scan.place}",
        "id": run.run_id,
        **({"html_url": run.url} if run.url else {}),
    }
    document = {
        "version": 0,
        "job": job,
        "sha": run.sha,
        "ref": run.ref,
        "detector": {
            "name": TOOL_NAME,
            "version": VERSION,
            "url": plain_package_url(TOOL_NAME, VERSION),
        },
        "scanned": datetime.fromtimestamp(scan.moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "manifests": {
            scan.place: {
                "name": scan.place,
                "file": {"source_location": scan.place},
                "resolved": _resolved(lock, packages, direct),
            }
        },
    }
    return f"{json_text(document)}\n"


def _resolved(
    lock: Pylock, packages: Sequence[ExportedPackage], direct: Direct | None
) -> dict[str, Any]:
    depends = Depends(lock, packages)
    found: dict[str, Any] = {}
    for one in packages:
        if (purl := package_url(one)) is None:
            continue
        entry: dict[str, Any] = {"package_url": purl}
        if direct is not None:
            entry["relationship"] = "direct" if one.name in direct.names else "indirect"
        entry["scope"] = "development" if one.is_development else "runtime"
        entry["dependencies"] = [url for other in depends.of(one) if (url := package_url(other))]
        found[purl] = entry
    return found
