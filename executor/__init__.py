"""Lock to files, in bounded memory.

``from executor import execute`` and its arguments' types is the library. The names are looked up
when they are asked for: ``import executor.reader`` alone must not load a client for HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from executor.builds.artifact import Artifact
    from executor.builds.backend import BuildSystem, read_build_system
    from executor.builds.containment import Outcome, Terms
    from executor.builds.errors import BackendUnusable
    from executor.builds.repository import check_out
    from executor.builds.toolchain import default_flags, describe, with_jobs
    from executor.builds.workplace import LEFT_OUT, Workplace
    from executor.changes import Changes, Sync
    from executor.decision import decide, verify_environment
    from executor.drift import Drift
    from executor.environment import Environment
    from executor.install import Building, execute
    from executor.keychain import Keychain
    from executor.project import LocalProject
    from executor.report import Report
    from executor.reporter import Reporter
    from executor.sources import Places
    from executor.stopping import stoppable
    from executor.wanted import Wanted

__all__ = [
    "LEFT_OUT",
    "Artifact",
    "BackendUnusable",
    "BuildSystem",
    "Building",
    "Changes",
    "Drift",
    "Environment",
    "Keychain",
    "LocalProject",
    "Outcome",
    "Places",
    "Report",
    "Reporter",
    "Sync",
    "Terms",
    "Wanted",
    "Workplace",
    "check_out",
    "decide",
    "default_flags",
    "describe",
    "execute",
    "read_build_system",
    "stoppable",
    "verify_environment",
    "with_jobs",
]

_HOMES = {
    "LEFT_OUT": "builds.workplace",
    "Artifact": "builds.artifact",
    "BackendUnusable": "builds.errors",
    "BuildSystem": "builds.backend",
    "Building": "install",
    "Changes": "changes",
    "Drift": "drift",
    "Environment": "environment",
    "Keychain": "keychain",
    "LocalProject": "project",
    "Outcome": "builds.containment",
    "Places": "sources",
    "Report": "report",
    "Reporter": "reporter",
    "Sync": "changes",
    "Terms": "builds.containment",
    "Wanted": "wanted",
    "Workplace": "builds.workplace",
    "check_out": "builds.repository",
    "decide": "decision",
    "default_flags": "builds.toolchain",
    "describe": "builds.toolchain",
    "execute": "install",
    "read_build_system": "builds.backend",
    "stoppable": "stopping",
    "verify_environment": "decision",
    "with_jobs": "builds.toolchain",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
