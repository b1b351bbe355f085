"""The block of one package in a subset: its marker, its files and what is recorded of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
)

from executor import Selector, Step
from planner.lock.decided_marker import decided
from planner.lock.markers import Conditions
from planner.metadata.core_metadata import parse_requirement
from planner.model.paths import relative_path
from planner.review.recorded import recorded_table
from planner.review.subset_cases import Case
from schemas.builds import build_records
from schemas.data_class import frozen, with_fields
from schemas.errors import NoSolution
from schemas.hints import TOOL_NAME
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["Files", "Folders", "NoFile", "chosen_files", "left_marker", "moved", "tool_of"]

_Placed = TypeVar(
    "_Placed", PackageWheel, PackageSdist, PackageArchive, PackageDirectory, PackageVcs
)


@with_fields
class NoFile(NoSolution):
    """A package of the selection has no file for a target."""

    name: str
    target: str
    hint = "name the targets that the lock is for, with --python-version and --platform"

    def __str__(self) -> str:
        return f"{self.name}: the lock has no file of it that suits {self.target}"


@frozen
class Folders:
    """The folder of a lock, and that of its subset, which paths are relative to; absolute."""

    old: str
    new: str

    def moved(self, path: str) -> str:
        """Return a path of the lock as the subset has it."""
        if os.path.isabs(path) or self.old == self.new:
            return path
        return relative_path(os.path.join(self.old, path), self.new)


@frozen
class Files:
    """What of a package some target installs."""

    wheels: frozenset[str]
    """The file names of its wheels."""
    has_source: bool
    """Whether its source is needed: to be built, or because a wheel that stays was built of it."""


def chosen_files(package: Package, selectors: Iterable[tuple[Selector, Target]]) -> Files | None:
    """Return what the targets that need ``package`` take of it; None if there are none of them:
    then everything stays.

    Raises NoFile, NotInstallable and InsecureHashes.
    """
    steps: list[Step] = []
    bare = replace(package, marker=None)
    for selector, target in selectors:
        step = selector.candidate(bare)
        if step is None:
            raise NoFile(package.name, str(target))
        steps.append(step)
    if not steps:
        return None
    wheels = frozenset(step.filename for step in steps if step.source is None)
    built = {record.wheel for record in build_records(package.tool)}
    return Files(wheels, any(step.source for step in steps) or not wheels.isdisjoint(built))


def left_marker(package: Package, cases: Sequence[Case]) -> Marker | None:
    """Return the condition on which a subset for ``cases`` needs ``package``; None if it always
    does.
    """
    where = [at for at, case in enumerate(cases) if case.has(package)]
    found: list[str] = []
    variables = [case.environment.variables for case in cases if case.environment]
    if variables and (condition := Conditions(variables).marker({None: where})):
        found.append(str(condition))
    if package.marker is not None:
        left = {str(decided(package.marker, cases[at].decide)) for at in where}
        if len(left) > 1:
            # Each environment leaves something else, and the marker has it all.
            left = {str(decided(package.marker, cases[0].decide_choice))}
        found += left - {"True"}
    texts = [f"({text})" if len(found) > 1 and " or " in text else text for text in found]
    return Marker(" and ".join(texts)) if texts else None


def tool_of(
    package: Package,
    files: Files | None,
    cases: Sequence[Case],
    targets: Iterable[Target],
    places: Folders,
) -> Mapping[str, Any] | None:
    """Return the tool tables of ``package`` in the subset. Of ours stay the sizes and builds of
    what is listed, and the requirements that count; what decided the plan does not.
    """
    if package.tool is None or TOOL_NAME not in package.tool:
        return package.tool
    ours = recorded_table(package)
    lines = {
        line
        for case in cases
        if case.reached
        for line, _ in case.reached.lines.get(package.name, ())
    }
    requires = [one for one in ours.get("requires", ()) if str(parse_requirement(one)) in lines]
    builds = _kept_builds(package, files, targets)
    wheels = None if files is None else {*files.wheels, *builds}
    table: dict[str, Any] = {"requires": requires} if requires else {}
    for key, names in (("wheels", wheels), ("build", builds)):
        if kept := _entries(recorded_table(package, key), names):
            table[key] = kept
    if "build" in table:
        table["build"] = {key: _moved_lock(one, places) for key, one in table["build"].items()}
    others = {key: one for key, one in package.tool.items() if key != TOOL_NAME}
    return {**others, **({TOOL_NAME: table} if table else {})} or None


def _entries(table: Mapping[str, Any], names: Collection[str] | None) -> dict[str, Any]:
    return {key: one for key, one in table.items() if names is None or key in names}


def _kept_builds(package: Package, files: Files | None, targets: Iterable[Target]) -> set[str]:
    """Return the names of the wheels of which the builds stay recorded."""
    tags = {tag for target in targets for tag in target.tags}
    kept = set()
    for record in build_records(package.tool):
        suits = not parse_wheel_filename(record.wheel)[3].isdisjoint(tags)
        if files is None or record.wheel in files.wheels or (files.has_source and suits):
            kept.add(record.wheel)
    return kept


def _moved_lock(record: Mapping[str, Any], places: Folders) -> dict[str, Any]:
    """Return a record of a build with the path of the lock of its requirements."""
    path = record.get("lock")
    return {**record, **({"lock": places.moved(path)} if isinstance(path, str) else {})}


def moved(file: _Placed, places: Folders) -> _Placed:
    """Return a file, folder or repository of the lock with the path that the subset has for it."""
    path = file.path
    return file if path is None else replace(file, path=places.moved(path))
