"""The request of ``plan`` without options, as the variables of its surroundings make it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from planner.plan_request import PlanRequest
from schemas.variables import PREFIX

if TYPE_CHECKING:
    from planner.cli.build_options import PlanBuildOptions
    from planner.cli.plan_options import LockOptions
    from planner.inputs.options import IndexRequest, PolicyRequest
    from planner.inputs.provenance import Provenance
    from planner.inputs.targets import TargetRequest

__all__ = ["request_of_variables"]


def request_of_variables() -> tuple[PlanRequest, tuple[str, ...]]:
    """Return the request that variables make of ``plan``, and a sentence for each that counts.

    Raises UsageError, and click.BadParameter for a value that no option takes.
    """
    if not any(name.startswith(PREFIX) for name in os.environ):
        return PlanRequest(), ()
    # Few set such a variable, and the options of plan take as long to load as a check.
    import click  # noqa: PLC0415

    from executor import prepare, set_by_variables  # noqa: PLC0415
    from planner.cli.build_options import build_options  # noqa: PLC0415
    from planner.cli.plan_options import (  # noqa: PLC0415
        index_options,
        input_options,
        lock_options,
        plan_target_options,
        policy_options,
    )

    @click.command("plan")
    @input_options
    @plan_target_options
    @index_options
    @policy_options
    @build_options
    @lock_options
    def bare(
        sources: Provenance,
        targets: TargetRequest,
        indexes: IndexRequest,
        policy: PolicyRequest,
        builds: PlanBuildOptions,
        locks: LockOptions,
    ) -> tuple[PlanRequest, tuple[str, ...]]:
        request = PlanRequest(
            sources=sources,
            targets=targets,
            indexes=indexes,
            policy=policy,
            builds=builds.request,
            forget=locks.forget,
            upgrade=locks.upgrade,
            upgraded=locks.upgraded,
        )
        return request, tuple(set_by_variables())

    prepare(bare, "plan")
    with bare.make_context("plan", []) as context:
        found: tuple[PlanRequest, tuple[str, ...]] = bare.invoke(context)
    return found
