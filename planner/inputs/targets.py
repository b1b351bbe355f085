"""The targets to plan for: from the command line, the project, or this interpreter."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.markers import default_environment
from packaging.tags import sys_tags

from planner.inputs.inputs import Inputs
from schemas.target import Target

__all__ = ["choose_targets", "targets_for"]


def choose_targets(
    python_versions: Sequence[str] = (), platforms: Sequence[str] = ()
) -> tuple[Target, ...]:
    """Return a target for each named Python on each named platform; the running interpreter
    supplies whichever of the two is not named.

    Raise UsageError if a version or a platform is not known.
    """
    tags = tuple(sys_tags())
    environment = default_environment()
    # sys_tags begins with the native tag (linux_x86_64), which no wheel of an index has.
    own_platform = next(
        (tag.platform for tag in tags if not tag.platform.startswith("linux_")), tags[0].platform
    )
    own = Target(
        environment={key: str(value) for key, value in environment.items()},
        tags=tags,
        platform=own_platform,
    )
    if not python_versions and not platforms:
        return (own,)
    return tuple(
        Target.named(version, platform)
        for version in python_versions or (own.python_name.replace("+", ""),)
        for platform in platforms or (own_platform,)
    )


def targets_for(
    inputs: Inputs, python_versions: Sequence[str], platforms: Sequence[str]
) -> tuple[Target, ...]:
    """Return the named targets, else those of the project, else this interpreter.

    Raise UsageError if a version or a platform is not known.
    """
    if python_versions or platforms or not inputs.settings.targets:
        return choose_targets(python_versions, platforms)
    return inputs.settings.targets
