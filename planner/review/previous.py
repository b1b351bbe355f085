"""What a plan keeps of the lock that it replaces: all of it if it is current, else the versions
that still match. A file is never replaced under its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from packaging.pylock import Pylock
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.inputs.question import Question
from planner.lock.locked_files import locked_files
from planner.model.dependencies import scopes_of
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Preferences
from planner.review.check import find_problems
from planner.review.graph import RequirementsUnknown
from planner.review.recorded import recorded_table
from planner.review.verdicts import Verdicts
from schemas.builds import build_records
from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused

__all__ = ["FileExchanged", "check_files", "is_current", "preferences"]


@with_fields
class FileExchanged(ArtifactRefused):
    """An index or an address serves another file than before under the same name."""

    filename: str
    expected: str
    found: str
    hint = "find out why; if it is right, delete the lock and plan again"

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


def is_current(lock: Pylock, question: Question) -> bool:
    """Return whether a plan of ``question`` that prefers the versions of ``lock`` would write it
    as it is.

    Raises InvalidRequirementLine.
    """
    if not recorded_table(lock, "policy"):
        return False
    try:
        return not find_problems(lock, question)
    except RequirementsUnknown:
        return False


def preferences(
    lock: Pylock,
    environments: Iterable[MarkerEnvironment],
    *,
    upgrade: Collection[NormalizedName] = (),
) -> list[Preferences]:
    """Return, for each environment, the versions that ``lock`` has of each project: first that of
    the environment and its choice of extras and groups, then the others. The projects ``upgrade``
    are left out.
    """
    kept = [one for one in lock.packages if one.version is not None and one.name not in upgrade]
    scopes = frozenset(scopes_of(lock.extras, lock.dependency_groups))
    found: list[Preferences] = []
    for environment in environments:
        versions: dict[NormalizedName, list[Version]] = {}
        selected = scopes - environment.excluded
        here = {id(one) for one in Verdicts(kept, environment.variables).installed(selected)}
        for package in kept:
            known = versions.setdefault(package.name, [])
            assert package.version is not None
            if id(package) in here:
                known.insert(0, package.version)
            else:
                known.append(package.version)
        found.append(versions)
    return found


def check_files(old: Pylock, new: Pylock) -> None:
    """Raise FileExchanged if a file of ``new`` has another hash than in ``old``."""
    known = {name: hashes for package in old.packages for name, hashes in locked_files(package)}
    for package in new.packages:
        # A wheel that is built anew is another file; the source that it is built from may not be.
        ours = {record.wheel for record in build_records(package.tool)}
        # A path is on this machine, and the user may write another file there.
        ours.update(one.filename for one in package.wheels or () if one.path and not one.url)
        if package.archive is not None and package.archive.path:
            ours.add(package.archive.path)
        for name, hashes in locked_files(package):
            before = {} if name in ours else known.get(name, {})
            for kind in before.keys() & hashes.keys():
                if before[kind].lower() != hashes[kind]:
                    raise FileExchanged(name, f"{kind}:{before[kind]}", f"{kind}:{hashes[kind]}")
