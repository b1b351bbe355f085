"""Requirements to a lock: resolve, size, build and record.

``from planner import plan_lock, PlanRequest`` is the library. The names are looked up when they are
first used, so that ``import planner.lock.reader`` alone does not load a client for HTTP.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.advisories.audit import AuditRequest
    from planner.api import audit_lock, check_lock, find_outdated, plan_lock, subset_lock
    from planner.plan_request import PlanRequest
    from planner.planning.reporter import Reporter
    from planner.review.subset_choice import SubsetChoice

__all__ = [
    "AuditRequest",
    "PlanRequest",
    "Reporter",
    "SubsetChoice",
    "audit_lock",
    "check_lock",
    "find_outdated",
    "plan_lock",
    "subset_lock",
]

_HOMES = {
    "AuditRequest": "advisories.audit",
    "PlanRequest": "plan_request",
    "Reporter": "planning.reporter",
    "SubsetChoice": "review.subset_choice",
    "audit_lock": "api",
    "check_lock": "api",
    "find_outdated": "api",
    "plan_lock": "api",
    "subset_lock": "api",
}


if not TYPE_CHECKING:  # a checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
