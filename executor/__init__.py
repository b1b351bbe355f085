"""Lock to files, in bounded memory.

``from executor import execute`` and its arguments' types is the library. The names are looked up
when they are asked for: ``import executor.reader`` alone must not load a client for HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from executor.api import Building, execute
    from executor.builds.backend import BuildSystem, read_build_system
    from executor.builds.built_wheel import BuiltWheel
    from executor.builds.errors import BackendUnusable
    from executor.builds.git import check_out
    from executor.builds.sandbox import SandboxLimits, SandboxResult
    from executor.builds.toolchain import default_flags, describe, with_jobs
    from executor.builds.workspace import LEFT_OUT, Workspace
    from executor.cli.option_group import json_option, lock_argument, option_group
    from executor.environment.changes import Changes, Sync
    from executor.environment.drift import Drift
    from executor.environment.environment import Environment
    from executor.install.decide import decide, verify_environment
    from executor.lanes.signals import stoppable
    from executor.lock.local_project import LocalProject
    from executor.lock.options import SelectOptions
    from executor.report.report import Report
    from executor.report.reporter import Reporter
    from executor.sources.keychain import Keychain
    from executor.sources.origins import Origins

__all__ = [
    "LEFT_OUT",
    "BackendUnusable",
    "BuildSystem",
    "Building",
    "BuiltWheel",
    "Changes",
    "Drift",
    "Environment",
    "Keychain",
    "LocalProject",
    "Origins",
    "Report",
    "Reporter",
    "SandboxLimits",
    "SandboxResult",
    "SelectOptions",
    "Sync",
    "Workspace",
    "check_out",
    "decide",
    "default_flags",
    "describe",
    "execute",
    "json_option",
    "lock_argument",
    "option_group",
    "read_build_system",
    "stoppable",
    "verify_environment",
    "with_jobs",
]

_HOMES = {
    "LEFT_OUT": "builds.workspace",
    "BuiltWheel": "builds.built_wheel",
    "BackendUnusable": "builds.errors",
    "BuildSystem": "builds.backend",
    "Building": "api",
    "Changes": "environment.changes",
    "Drift": "environment.drift",
    "Environment": "environment.environment",
    "Keychain": "sources.keychain",
    "LocalProject": "lock.local_project",
    "SandboxResult": "builds.sandbox",
    "Origins": "sources.origins",
    "Report": "report.report",
    "Reporter": "report.reporter",
    "Sync": "environment.changes",
    "SandboxLimits": "builds.sandbox",
    "SelectOptions": "lock.options",
    "Workspace": "builds.workspace",
    "check_out": "builds.git",
    "decide": "install.decide",
    "default_flags": "builds.toolchain",
    "describe": "builds.toolchain",
    "execute": "api",
    "json_option": "cli.option_group",
    "lock_argument": "cli.option_group",
    "option_group": "cli.option_group",
    "read_build_system": "builds.backend",
    "stoppable": "lanes.signals",
    "verify_environment": "install.decide",
    "with_jobs": "builds.toolchain",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
