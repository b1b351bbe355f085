"""Lock the requirements of builds in files next to the lock, with a hash for each wheel.

PEP 751 has no place for them in the lock itself, so each build has a lock of its own, which any
installer can install.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from packaging.requirements import InvalidRequirement, Requirement

from planner.builds.policy import spelled
from planner.index.client import IndexClient
from planner.index.indexes import Indexes
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement, Inputs
from planner.lock.compose import LockContent, build_lock
from planner.lock.reader import read_lock
from planner.lock.writer import render_lock, write_atomically
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.model.project_set import ProjectSet
from planner.planning.plan import plan
from planner.review.previous import preferences
from schemas.target import Target

__all__ = ["BuildRequirements"]


@dataclass(kw_only=True)
class BuildRequirements:
    """The build requirements of one plan. Only wheels are used, so a build never starts another."""

    client: IndexClient
    indexes: Indexes
    policy: Policy
    folder: str
    constraints: tuple[InputRequirement, ...] = ()
    """Limits on the versions of whatever a build requires."""
    keep: bool = True
    """True if the versions of an existing lock are kept."""
    before: dict[str, str | None] = field(default_factory=dict)
    """What was at the path of each lock that was written; None if there was nothing."""

    def __call__(
        self, name: str, requirements: Sequence[str], target: Target, added: Sequence[str] = ()
    ) -> str:
        """Resolve ``requirements``, and those that the user has ``added``, for ``target``; write
        ``pylock.NAME.toml`` and return its path.

        Raise what ``plan`` and ``build_lock`` raise.
        """
        path = os.path.join(self.folder, f"pylock.{name}.toml")
        package = name.removeprefix("build-")
        inputs = Inputs(
            requirements=(
                *map(partial(_parse, f"{package} (build requirements)"), requirements),
                *map(partial(_parse, f"{package} (--build-requires, or its settings)"), added),
            ),
            constraints=self.constraints,
        )
        environments = group_targets((target,))
        known = (
            preferences(read_lock(path), environments)
            if self.keep and path not in self.before and os.path.exists(path)
            else ()
        )
        answer = plan(
            inputs,
            environments,
            client=self.client,
            indexes=self.indexes,
            policy=replace(
                self.policy,
                no_binary=ProjectSet(),
                require_hashes=False,
                preferences=known,
            ),
        )
        lock = build_lock(
            LockContent(
                environments=answer.environments,
                entries=answer.entries,
                extras=(),
                groups=(),
                inputs=self._inputs(requirements, added),
                folder=self.folder,
            )
        )
        if path not in self.before:
            self.before[path] = _content(path)
        write_atomically(path, render_lock(lock, self.client.keychain.secrets))
        return path

    def undo(self) -> None:
        """Leave each lock as it was: what they lock was not built. What cannot be undone stays."""
        for path, content in self.before.items():
            with suppress(OSError):
                if content is None:
                    os.unlink(path)
                else:
                    write_atomically(path, content)

    def _inputs(self, requirements: Sequence[str], added: Sequence[str]) -> dict[str, list[str]]:
        """Return what the lock records of its inputs."""
        found = {"requires": sorted(requirements)}
        if added:
            found["added"] = sorted(added)
        if self.constraints:
            found["constraints"] = spelled(self.constraints)
        return found


def _content(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _parse(origin: str, text: str) -> InputRequirement:
    try:
        return InputRequirement(requirement=Requirement(text), origin=origin)
    except InvalidRequirement as error:
        problem = str(error).partition("\n")[0]
        raise InvalidRequirementLine(origin, f"{text!r} is not a requirement: {problem}") from None
