"""The user's decisions about building: which packages, with which flags, within which limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from packaging.requirements import Requirement

from planner.inputs.build_settings import BuildSetting
from planner.inputs.inputs import InputRequirement
from planner.model.project_set import ProjectSet
from schemas.builds import BuildFlags
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import storable

__all__ = ["MAX_SECONDS", "WHEELHOUSE", "BuildPolicy", "spelled"]


MAX_SECONDS = 3600.0
"""The time limit of one build, if the user names none: large ones in C++ take half an hour."""

WHEELHOUSE = "wheelhouse"
"""The folder next to the lock, if the user names no other."""


@frozen(kw_only=True)
class BuildPolicy:
    """The user's decisions about building."""

    allowed: ProjectSet = field(default_factory=ProjectSet)
    """Projects that may be built if they have no wheel for a target."""
    requested: Mapping[str, BuildSetting] = field(default_factory=dict)
    """Flags of the command line by project; those under the empty name apply to all projects."""
    configured: Mapping[str, BuildSetting] = field(default_factory=dict)
    """Flags of the project's settings, by project."""
    deferred: bool = False
    """True to list sources instead of building from them."""
    defaults: bool = True
    """True to add flags that bound the memory of a build without changing its wheel."""
    measured_jobs: int = 1
    """The largest number of parallel compiler processes to measure."""
    network: bool = True
    seconds: float = MAX_SECONDS
    """The time limit of one build."""
    memory: int | None = None
    """The bytes that one build may take; None for no limit."""
    wheelhouse: str | None = WHEELHOUSE
    """The folder for the built wheels; None if they are not kept."""
    wheelhouse_url: str | None = None
    """The URL at which that folder will be served."""
    constraints: tuple[InputRequirement, ...] = ()
    """Limits on the versions of whatever a build requires."""

    def flags(self, package: str, backend: str) -> BuildFlags:
        """Return the flags for one build, with one job unless the user requests more."""
        # Loading the executor takes a tenth of the time of a plan, and few plans build anything.
        from executor import default_flags, with_jobs  # noqa: PLC0415

        settings = [
            setting
            for setting in (
                self.configured.get(package),
                self.requested.get(""),
                self.requested.get(package),
            )
            if setting is not None
        ]
        wants_defaults = self.defaults and all(one.defaults is not False for one in settings)
        flags = default_flags(backend) if wants_defaults else BuildFlags()
        jobs = 1
        for one in settings:
            flags = replace(
                flags,
                config_settings={**flags.config_settings, **one.config_settings},
                environment={**flags.environment, **one.environment},
            )
            jobs = one.jobs or jobs
        return with_jobs(flags, backend, jobs) if wants_defaults else replace(flags, jobs=jobs)

    def requires(self, package: str) -> tuple[str, ...]:
        """Return the requirements of the build of ``package`` that its source does not declare,
        sorted.
        """
        settings = (self.configured.get(package), self.requested.get(package))
        return tuple(sorted({text for one in settings if one for text in one.requires}))

    def check_keeps(self, option: str) -> None:
        """Raise UsageError if ``option`` lists wheels that would not be kept."""
        if self.wheelhouse is None:
            raise UsageError(
                f"--no-wheelhouse keeps no wheels, and {option} lists them",
                hint="name their folder with --wheelhouse DIR, also if the lock records "
                f"--no-wheelhouse, or leave {option} out",
            )

    def to_table(self) -> dict[str, Any]:
        """Return the table of all that influences the lock, for the lock to record."""
        if not self.allowed:
            return {}
        table: dict[str, Any] = {
            "packages": "missing" if self.allowed.are_excluded else sorted(self.allowed.named)
        }
        for key, settings in (("flags", self.requested), ("settings", self.configured)):
            if tables := {name or "*": one.to_table() for name, one in sorted(settings.items())}:
                table[key] = tables
        if self.deferred:
            table["deferred"] = True
        if self.constraints:
            table["constraints"] = spelled(self.constraints)
        if not self.defaults:
            table["defaults"] = False
        if self.measured_jobs > 1:
            table["measured-jobs"] = self.measured_jobs
        if self.wheelhouse is None:
            table["wheelhouse"] = False
        if self.wheelhouse_url:
            table["wheelhouse-url"] = self.wheelhouse_url
        return table


def spelled(constraints: Iterable[InputRequirement]) -> list[str]:
    """Return the lines as a lock records them: sorted, and without credentials."""
    return sorted(
        " ".join([_spell(one.requirement), *(f"--hash={text}" for text in sorted(one.hashes))])
        for one in constraints
    )


def _spell(requirement: Requirement) -> str:
    if requirement.url is None:
        return str(requirement)
    shown = Requirement(str(requirement))
    shown.url = storable(requirement.url)
    return str(shown)
