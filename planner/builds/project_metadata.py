"""The metadata of projects that only their build backend knows."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from planner.builds.build_request import BuildRequest
from planner.builds.policy import BuildPolicy
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.remote_file import file_fetcher
from planner.inputs.targets import choose_targets
from planner.planning.reporter import Reporter
from schemas.data_class import frozen
from schemas.errors import UsageError

if TYPE_CHECKING:
    from planner.index.access import Access

__all__ = ["ProjectMetadata"]


@frozen
class ProjectMetadata:
    """Runs build backends for their metadata; owned by one plan."""

    builds: BuildRequest
    indexes: IndexRequest
    policy: PolicyRequest
    access: Access | None
    reporter: Reporter

    def __call__(self, folder: str, name: str, inputs: Inputs) -> str:
        """Return the metadata of the project in ``folder``, which has the settings of ``inputs``.

        Raise UsageError if ``--build`` does not allow it, BuildFailed, or what locking the build
        requirements raises.
        """
        policy = self.builds.resolve(inputs.settings.build, file_fetcher(self.access))
        label = name or os.path.basename(os.path.abspath(folder))
        allowed = policy.allowed
        if not (canonicalize_name(name) in allowed if name else allowed.are_excluded):
            raise UsageError(
                f"{folder or os.curdir}: only the build backend of {label} knows its requirements, "
                "and --build does not allow running it",
                hint=f"add --build {name or 'missing'}",
            )
        return self._prepare(policy, inputs, folder, label)

    def _prepare(self, policy: BuildPolicy, inputs: Inputs, folder: str, label: str) -> str:
        # Loads the executor and a client for HTTP, which a plan of static projects does not need.
        from planner.builds.interpreters import Interpreters  # noqa: PLC0415
        from planner.builds.lone_builder import lone_builder  # noqa: PLC0415
        from planner.index.access import Access  # noqa: PLC0415

        (target,) = choose_targets()
        interpreter = Interpreters().find(target)
        assert interpreter is not None, "this interpreter builds for itself"
        with lone_builder(
            policy,
            self.indexes.resolve(inputs, os.environ),
            self.policy.resolve(inputs, datetime.now(UTC)),
            self.access or Access(),
            self.reporter,
        ) as builder:
            source = os.path.abspath(folder)
            build = builder.open_source(
                canonicalize_name(label), f"{label} ({source})", interpreter, source, ""
            )
            return build.metadata().decode("utf-8", "replace")
