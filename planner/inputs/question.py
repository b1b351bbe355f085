"""A plan that is to be made: everything that its answer depends on, except what indexes serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.index.indexes import Indexes
from planner.inputs.inputs import Inputs
from planner.model.choices import with_choices
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Policy
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["Question"]


@frozen(kw_only=True)
class Question:
    """The inputs, targets and rules of one plan; made once and handed down."""

    inputs: Inputs
    environments: tuple[MarkerEnvironment, ...]
    policy: Policy
    indexes: Indexes
    folder: str
    """The folder of the lock; paths in the lock start there."""
    provenance: Mapping[str, Mapping[str, Any]]
    """The tables of the lock that record the ``inputs``, the ``options`` of the command line, and
    the ``policy`` that follows from options and settings."""

    @property
    def cases(self) -> tuple[MarkerEnvironment, ...]:
        """Return the environments, each with every choice of the extras and groups of the lock that
        exclude each other: each case has an answer of its own.

        Raises UsageError if there are too many.
        """
        return with_choices(self.environments, self.inputs.conflicts)

    @property
    def targets(self) -> Iterator[Target]:
        """Yield the targets of all environments."""
        return (target for one in self.environments for target in one.targets)

    def check_pythons(self) -> None:
        """Raise UsageError if the project does not support the Python of a target."""
        required = self.inputs.requires_python
        for environment in self.environments:
            version = environment.python_version
            if required and not required.contains(version, prereleases=True):
                raise UsageError(
                    f"the project requires Python {required}, and the target has {version}",
                    hint="name another target with --python-version",
                )

    def cache_key(self) -> tuple[object, ...]:
        """Return what distinguishes this question from others whose answer may differ."""
        return (self.inputs, self.environments, self.policy, self.indexes, self.provenance)
