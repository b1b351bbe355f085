"""The part of ``plan`` that asks indexes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from packaging.pylock import Pylock

from planner.access import Access
from planner.builds.built import KnownBuild
from planner.builds.policy import BuildPolicy
from planner.cache import Cache
from planner.client import IndexClient
from planner.direct import direct_logins
from planner.environments import Environment
from planner.indexes import Indexes
from planner.keychain import Keychain
from planner.lock import LockContent, build_lock
from planner.plan import plan
from planner.policy import Policy
from planner.reporter import Reporter
from planner.requirements import Inputs

__all__ = ["resolve"]


def resolve(
    inputs: Inputs,
    environments: Sequence[Environment],
    *,
    policy: Policy,
    indexes: Indexes,
    access: Access,
    reporter: Reporter,
    folder: str,
    provenance: Mapping[str, Mapping[str, Any]],
    builds: BuildPolicy,
    known: Sequence[KnownBuild] = (),
    projects: Sequence[str] = (),
) -> tuple[Pylock, frozenset[str]]:
    """The lock for ``folder``, and the secrets that may not stand in it.

    Raises what ``plan`` and ``build_lock`` raise.
    """
    cache = Cache(access.cache) if access.cache else None
    logins = {**direct_logins(inputs.requirements), **indexes.logins()}
    keychain = Keychain(logins, environment=os.environ, keyring=access.keyring)
    with ExitStack() as stack:
        client = stack.enter_context(
            IndexClient(
                keychain=keychain, cache=cache, offline=access.offline, refresh=access.refresh
            )
        )
        builder = None
        if builds.allowed or projects:
            # Loads the executor, which a plan without builds has no use for.
            from planner.builds.requirements import BuildRequirements  # noqa: PLC0415
            from planner.builds.workshop import Workshop  # noqa: PLC0415

            requirements = BuildRequirements(
                client=client,
                indexes=indexes,
                policy=policy,
                folder=folder,
                keep=bool(policy.preferences),
            )
            builder = stack.enter_context(
                Workshop(
                    policy=builds,
                    client=client,
                    requirements=requirements,
                    folder=folder,
                    known=known,
                    reporter=reporter,
                )
            )
        with reporter.watch(lambda: client.requests):
            answer = plan(
                inputs,
                environments,
                client=client,
                indexes=indexes,
                policy=policy,
                reporter=reporter,
                builder=builder if builds.allowed else None,
            )
        if builder and projects:
            from planner.builds.projects import lock_projects  # noqa: PLC0415

            targets = [target for one in environments for target in one.targets]
            lock_projects(builder, projects, targets)
    if cache:
        cache.tidy()
    lock = build_lock(
        LockContent(
            environments=answer.environments,
            entries=answer.entries,
            extras=inputs.extras,
            groups=inputs.groups,
            inputs=provenance["inputs"],
            policy=provenance["policy"],
            folder=folder,
            built=builder.built if builder else {},
        )
    )
    return lock, keychain.secrets
