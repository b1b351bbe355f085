"""Lock and measure the builds of the projects at hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from packaging.pylock import Pylock

from planner.builds.builder import Builder
from planner.builds.interpreters import Interpreters
from planner.inputs.project_document import read_document
from planner.lock.reader import read_lock
from planner.lock.writer import render_lock, write_atomically
from schemas.builds import build_lock_name, project_name
from schemas.errors import UsageError
from schemas.hints import TOOL_NAME
from schemas.target import Target

__all__ = ["lock_projects"]


def lock_projects(builder: Builder, folders: Sequence[str], targets: Sequence[Target]) -> None:
    """Write the lock of the build requirements of each project, with the measured demand of its
    build, into the folder of the lock.

    Raise UsageError if this machine is not one of ``targets``, BuildFailed, or what resolving the
    build requirements raises.
    """
    interpreters = Interpreters()
    interpreter = next(filter(None, map(interpreters.find, targets)), None)
    if interpreter is None:
        raise UsageError(
            "this machine is not one of the targets, so the project cannot be built here",
            hint="plan on a machine, or in a container, of the target's kind",
        )
    for folder in folders:
        path, document = read_document(folder)
        name = project_name(document)
        if name is None:
            raise UsageError(f"{path} does not name a project", hint="it needs [project] name")
        build = builder.open_source(
            name, f"{name} ({folder})", interpreter, os.path.abspath(folder), ""
        )
        build.prepare(("wheel", "editable"))
        if build.lock is None:
            # It requires nothing; an empty lock records that.
            build.lock = builder.requirements(build.lock_name, (), interpreter.target)
        _, record = build.measure(None)
        lock = read_lock(build.lock)
        assert os.path.basename(build.lock) == build_lock_name(name)
        extended = _with_record(lock, record.wheel, record.to_table())
        write_atomically(build.lock, render_lock(extended))


def _with_record(lock: Pylock, wheel: str, table: object) -> Pylock:
    tool = dict(lock.tool or {})
    tool[TOOL_NAME] = {**dict(tool.get(TOOL_NAME, {})), "build": {wheel: table}}
    return replace(lock, tool=tool)
