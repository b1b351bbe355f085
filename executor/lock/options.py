"""The user's choice of extras, dependency groups, builds, local projects and targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from executor.lock.errors import Excluding, UnknownName
from schemas.data_class import frozen
from schemas.hints import tool_value
from schemas.wheel_filename import normalized_name

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from executor.lock.local_project import LocalProject

__all__ = ["SelectOptions", "TargetNames"]


@frozen(kw_only=True)
class SelectOptions:
    """What to install of a lock beyond its plain packages."""

    extras: frozenset[str] = frozenset()
    all_extras: bool = False
    groups: frozenset[str] = frozenset()
    all_groups: bool = False
    default_groups: bool = True
    """Whether to install the default groups of the lock too."""
    skip_unbuildable: bool = False
    """Whether to leave out packages that must be built, instead of refusing the lock."""
    build: bool = False
    """Whether to build packages that have no wheel."""
    projects: tuple[LocalProject, ...] = ()
    """Local projects to build and install as well."""
    no_deps: bool = False
    """Whether to install only the local projects, and nothing of the lock."""

    def variables(self, header: Pylock) -> dict[str, frozenset[str]]:
        """Return the marker variables ``extras`` and ``dependency_groups`` (PEP 751, installation,
        1).

        Raises what ``selected`` raises, and Excluding for extras and groups that the lock has no
        common answer to.
        """
        variables = self.selected(header)
        scopes = {f"extra {one}" for one in variables["extras"]}
        scopes |= {f"group {normalized_name(one)}" for one in variables["dependency_groups"]}
        for conflict in _conflicts(header):
            both = sorted(scopes.intersection(conflict))
            if len(both) > 1:
                raise Excluding(tuple(both))
        return variables

    def selected(self, header: Pylock) -> dict[str, frozenset[str]]:
        """Return what ``variables`` returns, also for extras and groups that exclude each other.

        Raises UnknownName for an extra or a group that the lock does not have.
        """
        known_extras = frozenset(header.extras or ())
        extras = frozenset(normalized_name(extra) for extra in self.extras)
        known_groups = frozenset(header.dependency_groups or ())
        default = frozenset(header.default_groups or ())
        # Groups are compared by normalized name (PEP 735), but markers see the lock's spelling.
        spelled = {normalized_name(group): group for group in known_groups | default}
        groups = frozenset(normalized_name(group) for group in self.groups)
        for kind, unknown, known in (
            ("extra", extras - known_extras, known_extras),
            ("dependency group", groups - spelled.keys(), known_groups),
        ):
            if unknown:
                is_subset = tool_value(header.tool, "subset") is not None
                raise UnknownName(kind, min(unknown), tuple(sorted(known)), is_subset)
        chosen = {spelled[group] for group in groups}
        return {
            "extras": known_extras if self.all_extras else extras,
            "dependency_groups": frozenset(
                chosen
                | (known_groups if self.all_groups else frozenset())
                | (default if self.default_groups else frozenset())
            ),
        }


@frozen(kw_only=True)
class TargetNames:
    """The targets that the user names, as ``Target.named`` takes them. Of the targets of the lock
    those parts count that are not named.
    """

    python_versions: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


def _conflicts(header: Pylock) -> Iterator[list[str]]:
    """Yield the sets of extras and groups that exclude each other, as the planner records them."""
    found = tool_value(header.tool, "policy", "conflicts")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, str):
            yield one.split(" and ")
