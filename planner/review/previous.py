"""What an existing lock means for the one that replaces it: its versions are kept where they may,
and its files are not exchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.pylock import Pylock
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.inputs.inputs import Inputs
from planner.lock.locked_files import locked_files
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Preferences
from planner.review.check import find_problems
from planner.review.graph import RequirementsUnknown
from schemas.builds import build_records
from schemas.errors import ArtifactRefused
from schemas.hints import TOOL_NAME
from schemas.markers import holds

__all__ = ["FileExchanged", "check_files", "is_current", "preferences"]


@dataclass(eq=False)
class FileExchanged(ArtifactRefused):
    """An index or an address has another file than before under the same name."""

    filename: str
    expected: str
    found: str
    hint = "find out why; if it is right, delete the lock and plan anew"

    @property
    def _source(self) -> str:
        if "://" in self.filename:
            return "the address has another file"
        return "the index has another file of this name"

    def __str__(self) -> str:
        return (
            f"{self.filename}: {self._source} than the lock\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )


def is_current(
    lock: Pylock,
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
    provenance: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Whether ``lock`` is for these environments and answers the inputs, and was made as it would
    be made now: from the same sources by the same policy.

    Raises InvalidRequirementLine.
    """
    targets = tuple(target for environment in environments for target in environment.targets)
    told = (lock.tool or {}).get(TOOL_NAME)
    if not isinstance(told, Mapping) or [one.to_table() for one in targets] != told.get("targets"):
        return False
    if any(told.get(key, {}) != dict(table) for key, table in provenance.items()):
        return False
    try:
        return not find_problems(lock, inputs, environments)
    except RequirementsUnknown:
        return False


def preferences(
    lock: Pylock,
    environments: Iterable[MarkerEnvironment],
    *,
    upgrade: Collection[NormalizedName] = (),
) -> list[Preferences]:
    """For each environment the versions that ``lock`` has of each project: first the one that is
    for the environment, then the others. Those of the projects ``upgrade`` are free.
    """
    kept = [one for one in lock.packages if one.version is not None and one.name not in upgrade]
    found: list[Preferences] = []
    for environment in environments:
        versions: dict[NormalizedName, list[Version]] = {}
        variables: dict[str, Any] = {
            **environment.variables,
            "extras": frozenset(lock.extras or ()),
            "dependency_groups": frozenset(lock.dependency_groups or ()),
        }
        for package in kept:
            known = versions.setdefault(package.name, [])
            assert package.version is not None
            if holds(package.marker, variables, subject=package.name):
                known.insert(0, package.version)
            else:
                known.append(package.version)
        found.append(versions)
    return found


def check_files(old: Pylock, new: Pylock) -> None:
    """Hold the files of ``new`` to what ``old`` says of files of the same name.

    Raises FileExchanged.
    """
    known = {name: hashes for package in old.packages for name, hashes in locked_files(package)}
    for package in new.packages:
        # A wheel that is built anew is another file; the source that it is built from may not be.
        ours = {record.wheel for record in build_records(package.tool)}
        for name, hashes in locked_files(package):
            # A path is on this machine, and the user may write another file there.
            is_local = package.archive is not None and package.archive.path == name
            before = {} if is_local or name in ours else known.get(name, {})
            for kind in before.keys() & hashes.keys():
                if before[kind].lower() != hashes[kind]:
                    raise FileExchanged(name, f"{kind}:{before[kind]}", f"{kind}:{hashes[kind]}")
