"""The projects at hand: what building them takes, locked and measured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from packaging.pylock import Pylock

from planner.builds.builder import Builder
from planner.builds.interpreters import Interpreters
from planner.inputs.project import read_document
from planner.lock.reader import read_lock
from planner.lock.writer import render_lock, write_atomically
from schemas.builds import build_lock_name, project_name
from schemas.errors import UsageError
from schemas.hints import TOOL_NAME
from schemas.target import Target

__all__ = ["lock_projects"]


def lock_projects(workshop: Builder, folders: Sequence[str], targets: Sequence[Target]) -> None:
    """For each project write the lock of what it is built with, with what building it took, into
    the folder of the lock.

    Raises UsageError where this machine is none of ``targets``, BuildFailed, and what resolving
    its build requirements raises.
    """
    hosts = Interpreters()
    host = next(filter(None, map(hosts.find, targets)), None)
    if host is None:
        raise UsageError(
            "no target is this machine, so the project cannot be built here",
            hint="plan on a machine, or in a container, of the target's kind",
        )
    for folder in folders:
        path, document = read_document(folder)
        name = project_name(document)
        if name is None:
            raise UsageError(f"{path} does not name a project", hint="it needs [project] name")
        site = workshop.open_site(name, f"{name} ({folder})", host, os.path.abspath(folder), "")
        site.prepare(("wheel", "editable"))
        if site.lock is None:
            # Nothing is needed, which is worth telling too.
            site.lock = workshop.requirements(site.lock_name, (), host.target)
        _, record = site.measure(None)
        lock = read_lock(site.lock)
        assert os.path.basename(site.lock) == build_lock_name(name)
        told = _with_record(lock, record.wheel, record.to_table())
        write_atomically(site.lock, render_lock(told))


def _with_record(lock: Pylock, wheel: str, table: object) -> Pylock:
    tool = dict(lock.tool or {})
    tool[TOOL_NAME] = {**dict(tool.get(TOOL_NAME, {})), "build": {wheel: table}}
    return replace(lock, tool=tool)
