"""The options of an execution, as one value."""

from __future__ import annotations

from dataclasses import field

from executor.budget.budget import PageCachePolicy
from executor.environment.changes import Sync
from executor.files.durability import Durability
from executor.lock.options import SelectOptions
from executor.sources.origins import Origins
from executor.wheels.rules import STRICT, Rules
from schemas.data_class import frozen

__all__ = ["ExecuteOptions"]


@frozen(kw_only=True)
class ExecuteOptions:
    """How a lock is executed. Every default is what ``lockstream execute`` does without options."""

    memory: int | None = None
    """The budget in bytes; None for what the surrounding cgroups leave."""
    lanes: int | None = None
    """How many wheels to work on at once; None for as many as suit the budget."""
    select: SelectOptions = field(default_factory=SelectOptions)
    """Which extras, groups and projects to install."""
    sync: Sync = field(default_factory=Sync)
    """Which installed packages to replace or remove."""
    origins: Origins = field(default_factory=Origins)
    """Where files may come from."""
    last_wins: bool = False
    """Whether the later of two distributions, by name, gets a path that both own."""
    compile_files: bool = False
    """Whether to compile the installed files to byte code."""
    rules: Rules = STRICT
    """Which checks on wheels are waived."""
    page_cache: PageCachePolicy = "auto"
    """Whether written files stay in the page cache. ``auto`` drops them if memory is limited, and
    large ones if the disk is waited for."""
    durability: Durability = "full"
    """What the environment survives: the loss of power, or only the end of the process."""
