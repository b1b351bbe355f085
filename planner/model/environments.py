"""Groups of targets that markers cannot tell apart.

The standard has no marker for the C library, its version or the ABI. Targets that differ in
nothing else are one environment: they get the same packages, and each of these packages has a wheel
for each of the targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from packaging.markers import Marker
from packaging.version import Version

from planner.model.dependencies import Scope
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target
from schemas.text import enumerate_some

__all__ = ["VARIABLES", "MarkerEnvironment", "group_targets"]


VARIABLES = ("implementation_name", "platform_machine", "python_version", "sys_platform")
"""The marker variables by which a lock distinguishes environments. Patch releases of one minor
version of Python are one environment."""


@frozen
class MarkerEnvironment:
    """One or more targets for which all marker variables have the same values; with a choice of the
    extras and dependency groups that exclude each other, if there are any.
    """

    targets: tuple[Target, ...]
    chosen: frozenset[Scope] = frozenset()
    """Of those that exclude others, the ones that an installation selects in it."""
    excluded: frozenset[Scope] = frozenset()
    """Those that it does not select."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the values of all marker variables but ``extra``."""
        return self.targets[0].environment

    @property
    def python_version(self) -> Version:
        return self.targets[0].python_version

    @property
    def marker(self) -> Marker:
        """Return the marker that holds in this environment and in no other."""
        return Marker(" and ".join(f'{name} == "{self.variables[name]}"' for name in VARIABLES))

    def __str__(self) -> str:
        targets = " and ".join(map(str, self.targets))
        if self.chosen:
            return f"{targets} with {enumerate_some(sorted(self.chosen))}"
        return (
            f"{targets} without {enumerate_some(sorted(self.excluded))}"
            if self.excluded
            else targets
        )


def group_targets(targets: Iterable[Target]) -> tuple[MarkerEnvironment, ...]:
    """Return the environments of ``targets``, in the order of their first target.

    Raise UsageError for two targets that a lock could not tell apart although their answers may
    differ.
    """
    groups: dict[tuple[str, ...], list[Target]] = {}
    for target in targets:
        group = groups.setdefault(tuple(target.environment[name] for name in VARIABLES), [])
        if group and group[0].environment != target.environment:
            raise UsageError(
                f"a lock cannot tell {group[0]} from {target}",
                hint="environments of a lock differ in platform, machine or minor version of "
                "Python; name one of the two",
            )
        # 3.12 and 3.12.0 are the same here: its first release is what is planned for.
        if all(replace(target, is_series=one.is_series) != one for one in group):
            group.append(target)
    return tuple(MarkerEnvironment(tuple(group)) for group in groups.values())
