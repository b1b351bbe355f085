"""A smaller lock out of a larger one: what one selection of it installs, and nothing else.

It is a function of what the selection concerns: what else changes in the large lock does not change
the subset. An execution of the subset makes the steps that one of the large lock makes with the
same selection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packaging.pylock import Package, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from executor import SelectOptions, Selector
from planner.inputs.inputs import Inputs
from planner.lock.references import References, Subject, refers_to
from planner.model.environments import MarkerEnvironment, group_targets
from planner.review.closure import Records
from planner.review.recorded import recorded_places
from planner.review.subset_block import (
    Files,
    Folders,
    chosen_files,
    left_marker,
    moved,
    tool_of,
)
from planner.review.subset_cases import Case, select_cases
from planner.review.subset_choice import PLANNED, SUBSET, SubsetOrigin
from planner.review.subset_targets import limits_of, subset_targets
from schemas.hints import TOOL_NAME
from schemas.target import Target

__all__ = ["subset_of"]


_REFERRING = {"name", "version", "index"}
"""The keys of an entry of ``dependencies`` by which lockstream names another package."""


def subset_of(
    lock: Pylock, origin: SubsetOrigin, places: Folders, projects: Inputs | None = None
) -> Pylock:
    """Return the subset of ``lock`` that the choice of ``origin`` selects; ``projects`` are the
    inputs of the projects that it names.

    Raises UsageError, UnknownName, Excluding, NotForThisTarget, Unlocked, DoubleSelection,
    RequirementsUnknown, NoFile, NotInstallable, InsecureHashes and MarkerUnusable.
    """
    targets = subset_targets(lock, origin.choice)
    environments = group_targets(targets)
    cases = select_cases(lock, origin.choice, environments or (None,), projects)
    packages = list(_Blocks(lock, cases, targets, places).packages())
    markers, requires_python = limits_of(lock, environments)
    return Pylock(
        lock_version=Version("1.0"),
        environments=markers,
        requires_python=requires_python,
        created_by=TOOL_NAME,
        packages=packages,
        tool={TOOL_NAME: _tool_table(lock, origin, environments, places)},
    )


def _tool_table(
    lock: Pylock,
    origin: SubsetOrigin,
    environments: Sequence[MarkerEnvironment],
    places: Folders,
) -> dict[str, Any]:
    targets = [target.to_table() for one in environments for target in one.targets]
    table: dict[str, Any] = {"targets": targets} if targets else {}
    planned = {PLANNED: True} if Records(lock).is_ours else {}
    table[SUBSET] = {**origin.to_table(places.new), **planned}
    # Logins are found by the names of indexes.
    named = [one for one in recorded_places(lock) if "=" in one]
    return {**table, **({"policy": {"indexes": named}} if named else {})}


class _Blocks:
    """The packages of one subset."""

    def __init__(
        self, lock: Pylock, cases: Sequence[Case], targets: Sequence[Target], places: Folders
    ) -> None:
        self._cases = cases
        self._targets = targets
        self._places = places
        options = SelectOptions(build=True)
        self._selectors = {id(target): Selector(lock, target, options) for target in targets}
        self._kept = [one for one in lock.packages if any(case.has(one) for case in cases)]
        self._by_name: dict[str, list[Package]] = {}
        for package in self._kept:
            self._by_name.setdefault(package.name, []).append(package)
        self._references = References(map(Subject.of, self._kept))

    def packages(self) -> Iterator[Package]:
        """Yield the packages of the subset, in the order of the lock."""
        for package in self._kept:
            cases = [case for case in self._cases if case.has(package)]
            needed = [one for case in cases for one in _targets_of(case)]
            selectors = [(self._selectors[id(target)], target) for target in needed]
            yield self._block(package, cases, chosen_files(package, selectors))

    def _block(self, package: Package, cases: Sequence[Case], files: Files | None) -> Package:
        wheels = package.wheels
        sdist = package.sdist
        if files is not None:
            wheels = [one for one in wheels or () if one.filename in files.wheels]
            sdist = sdist if files.has_source else None
        return replace(
            package,
            marker=left_marker(package, self._cases),
            dependencies=self._dependencies(package, cases) or None,
            wheels=[moved(one, self._places) for one in wheels or ()] or None,
            sdist=sdist and moved(sdist, self._places),
            archive=package.archive and moved(package.archive, self._places),
            directory=package.directory and moved(package.directory, self._places),
            vcs=package.vcs and moved(package.vcs, self._places),
            tool=tool_of(package, files, cases, self._targets, self._places),
        )

    def _dependencies(self, package: Package, cases: Sequence[Case]) -> list[Mapping[str, Any]]:
        """Return the entries of ``dependencies`` for packages of the subset that it requires."""
        is_known = all(case.reached for case in cases)
        required = {
            name
            for case in cases
            if case.reached
            for name in case.reached.edges.get(package.name, ())
        }
        found: list[Mapping[str, Any]] = []
        for table in package.dependencies or ():
            entry = self._entry(table)
            name = canonicalize_name(str(table.get("name", "")))
            if entry is not None and (not is_known or name in required) and entry not in found:
                found.append(entry)
        return found

    def _entry(self, table: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return an entry of ``dependencies`` as the subset has it; None if it has none of it."""
        for package in self._by_name.get(canonicalize_name(str(table.get("name", ""))), ()):
            if not refers_to(table, package):
                continue
            if table.keys() <= _REFERRING:
                return self._references.to(Subject.of(package)).to_table()
            return table
        return None


def _targets_of(case: Case) -> tuple[Target, ...]:
    return case.environment.targets if case.environment else ()
