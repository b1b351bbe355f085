"""Targets."""

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
    """The targets that are named, each Python on each platform; what is not named is as in the
    interpreter that runs this.

    Raises UsageError for a version or a platform that is none.
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
    """The targets that are named, else those of the project, else this interpreter.

    Raises UsageError.
    """
    if python_versions or platforms or not inputs.settings.targets:
        return choose_targets(python_versions, platforms)
    return inputs.settings.targets
