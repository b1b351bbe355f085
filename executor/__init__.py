"""Lock to files, in bounded memory.

``from executor import execute`` and its arguments' types is the library. The names are looked up
when they are asked for: ``import executor.reader`` alone must not load a client for HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from executor.changes import Changes, Sync
    from executor.drift import Drift
    from executor.environment import Environment
    from executor.install import decide, execute, verify_environment
    from executor.report import Report
    from executor.reporter import Reporter
    from executor.selection import Wanted
    from executor.sources import Places

__all__ = [
    "Changes",
    "Drift",
    "Environment",
    "Places",
    "Report",
    "Reporter",
    "Sync",
    "Wanted",
    "decide",
    "execute",
    "verify_environment",
]

_HOMES = {
    "Changes": "changes",
    "Drift": "drift",
    "Environment": "environment",
    "Places": "sources",
    "Report": "report",
    "Reporter": "reporter",
    "Sync": "changes",
    "Wanted": "selection",
    "decide": "install",
    "execute": "install",
    "verify_environment": "install",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
