"""The part of ``plan`` that asks indexes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.pylock import Pylock

from planner.access import Access
from planner.builds.built import KnownBuild
from planner.builds.policy import BuildPolicy
from planner.builds.requirements import BuildRequirements
from planner.builds.workshop import Workshop
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
) -> tuple[Pylock, frozenset[str]]:
    """The lock for ``folder``, and the secrets that may not stand in it.

    Raises what ``plan`` and ``build_lock`` raise.
    """
    cache = Cache(access.cache) if access.cache else None
    logins = {**direct_logins(inputs.requirements), **indexes.logins()}
    keychain = Keychain(logins, environment=os.environ, keyring=access.keyring)
    with (
        IndexClient(
            keychain=keychain, cache=cache, offline=access.offline, refresh=access.refresh
        ) as client,
        Workshop(
            policy=builds,
            client=client,
            requirements=BuildRequirements(
                client=client,
                indexes=indexes,
                policy=policy,
                folder=folder,
                keep=bool(policy.preferences),
            ),
            folder=folder,
            known=known,
            reporter=reporter,
        ) as workshop,
    ):
        answer = plan(
            inputs,
            environments,
            client=client,
            indexes=indexes,
            policy=policy,
            reporter=reporter,
            builder=workshop if builds.allowed else None,
        )
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
            built=workshop.built,
        )
    )
    return lock, keychain.secrets
