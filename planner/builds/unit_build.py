"""Build one unit on this machine, and leave its wheel and its figures in a store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from packaging.pylock import Pylock

from executor import BuildKilled, digest_file, stoppable
from planner.builds.builder import Builder
from planner.builds.fragment import Fragment
from planner.builds.interpreters import Interpreter, Interpreters
from planner.builds.lone_builder import lone_builder
from planner.builds.sdist import fetch_source
from planner.builds.source_tree import fetch_tree
from planner.builds.unit import (
    BuildUnit,
    next_class,
    recorded_build_policy,
    target_label,
    units_of,
)
from planner.builds.wheel_store import WheelStore, find_relative
from planner.index.access import Access
from planner.index.pages import ProjectFile
from planner.inputs.inputs import Inputs
from planner.inputs.options import PolicyRequest
from planner.inputs.recorded_options import options_from_table
from planner.planning.reporter import Reporter
from planner.review.recorded import recorded_indexes, recorded_table
from schemas.builds import BuildRecord
from schemas.data_class import with_fields
from schemas.errors import InvalidInput, NotEnough, UsageError
from schemas.sizes import format_size
from schemas.target import Target

__all__ = ["SourceElsewhere", "UnitBuild", "UnitNeedsMore"]


_ELSEWHERE = "another process has begun it: waiting for its wheel"


@with_fields
class UnitNeedsMore(NotEnough):
    """A build was ended because it needs more memory than it was given."""

    killed: BuildKilled

    @property
    def hint(self) -> str:  # type: ignore[override]  # it names the next size
        larger = next_class(max(self.killed.limit or 0, self.killed.peak))
        size = f"at least {format_size(larger)}" if larger else "a larger machine"
        return f"nothing was written; run it again with {size}"

    def __str__(self) -> str:
        return str(self.killed)


@with_fields
class SourceElsewhere(InvalidInput):
    """A lock names a source by a path, and this machine has no such file."""

    requirement: str
    path: str
    hint: str = (
        "give the machine the folder of the lock with that file, or plan from an index or an "
        "address that all machines reach"
    )

    def __str__(self) -> str:
        return f"{self.requirement} is built from {self.path}, which is not on this machine"


@dataclass(kw_only=True)
class UnitBuild:
    """The builds of one lock on this machine; the command owns it."""

    lock: Pylock
    folder: str
    """The folder of the lock."""
    targets: Sequence[Target] = ()
    """Those whose builds may make one wheel; by default those that the lock records."""
    access: Access = field(default_factory=Access)
    memory: int | None = None
    """The bytes that one build may take; None for no limit but that of the machine."""
    reporter: Reporter = field(default_factory=Reporter)

    def build(self, unit: BuildUnit, store: WheelStore) -> tuple[Fragment, bool]:
        """Return the finished build of ``unit``, and whether it was built now: one that the store
        has is not built again, nor one for another target whose wheel suits this one too.

        Raises UsageError if this machine is of another kind than the target, UnitNeedsMore,
        BuildFailed, FragmentUnusable, NotPermitted, NetworkError, NoSolution and ArtifactRefused.
        """
        units = units_of(self.lock, self.targets)
        if known := find_relative(store, unit, units):
            return known, False
        interpreter = Interpreters().find(unit.target)
        if interpreter is None:
            raise UsageError(
                f"this machine cannot build for {unit.target}",
                hint="run it on such a machine, or in a container of that kind, with that Python "
                "on its PATH",
            )
        store.prepare()
        with ExitStack() as stack:
            stack.enter_context(stoppable())
            for claim in store.claims(unit, units):
                look = partial(find_relative, store, unit, units)
                waits = partial(self.reporter.building, unit.requirement, _ELSEWHERE)
                if known := stack.enter_context(claim.held(look, waits)):
                    return known, False
            return self._build(unit, interpreter, store)

    def _build(
        self, unit: BuildUnit, interpreter: Interpreter, store: WheelStore
    ) -> tuple[Fragment, bool]:
        try:
            with self._built(unit, interpreter) as (fragment, path):
                is_first = store.publish(fragment, path)
        except BuildKilled as killed:
            if killed.reason in {"memory", "oom", "stall"}:
                raise UnitNeedsMore(killed) from None
            raise
        if not is_first and (quicker := store.find(unit)):
            return quicker, False
        return fragment, True

    @contextmanager
    def _built(self, unit: BuildUnit, interpreter: Interpreter) -> Iterator[tuple[Fragment, str]]:
        """Yield what a build of ``unit`` makes, with the path of the wheel while it is open."""
        indexes = recorded_indexes(self.lock, self.folder).resolve(Inputs(), os.environ)
        request = options_from_table(
            PolicyRequest, recorded_table(self.lock, "options").get("policy")
        )
        policy = replace(recorded_build_policy(self.lock), deferred=False, memory=self.memory)
        rules = request.resolve(Inputs(), datetime.now(UTC))
        with lone_builder(policy, indexes, rules, self.access, self.reporter) as builder:
            path, digest = self._fetch(unit, builder)
            build = builder.open_source(
                unit.name,
                f"{unit.requirement} for {target_label(unit.target)}",
                interpreter,
                path,
                digest,
                unit.source.subdirectory,
            )
            build.lock_name = f"build-{unit.name}-{target_label(unit.target)}"
            wheel, record = build.measure(str(unit.version) if unit.version else None)
            if unit.record is not None:
                wheel.check_plan(unit.record)
            yield _fragment(unit, wheel.path, record, build.lock), wheel.path

    def _fetch(self, unit: BuildUnit, builder: Builder) -> tuple[str, str]:
        """Fetch the source of ``unit`` and return its path and its digest."""
        source, client, folder = unit.source, builder.client, builder.folder
        if source.kind != "sdist":
            found = fetch_tree(source.reference(self.folder), unit.name, client, folder)
            return found.path, found.digest
        entry = {"url": source.address, "hashes": {"sha256": source.sha256}, "size": source.size}
        local = None if "://" in source.address else os.path.join(self.folder, source.address)
        if local is not None and not os.path.exists(local):
            raise SourceElsewhere(unit.requirement, local)
        return fetch_source(client, ProjectFile(source.filename, "", entry, path=local), folder)


def _fragment(unit: BuildUnit, wheel: str, record: BuildRecord, lock: str | None) -> Fragment:
    text = None
    if lock is not None:
        with open(lock, encoding="utf-8") as file:
            text = file.read()
    return Fragment(
        key=unit.key,
        name=unit.name,
        target=target_label(unit.target),
        sha256=digest_file(wheel).hex(),
        size=os.path.getsize(wheel),
        record=record,
        build_lock=text,
    )
