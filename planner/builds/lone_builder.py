"""A builder outside of a plan, whose build locks are not kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from executor import Keychain
from planner.builds.build_locks import BuildRequirements
from planner.builds.builder import Builder
from planner.builds.claimed_folder import claimed_folder
from planner.builds.policy import BuildPolicy
from planner.index.access import Access
from planner.index.client import IndexClient
from planner.index.indexes import Indexes
from planner.model.policy import Policy
from planner.planning.reporter import Reporter

__all__ = ["lone_builder"]


@contextmanager
def lone_builder(
    builds: BuildPolicy, indexes: Indexes, policy: Policy, access: Access, reporter: Reporter
) -> Iterator[Builder]:
    """Yield a builder that takes build requirements from ``indexes`` by the rules of ``policy``.
    Its ``folder``, with the locks of these requirements, is removed at the end.
    """
    keychain = Keychain(indexes.logins(), environment=os.environ, keyring=access.keyring)
    with (
        claimed_folder("lockstream-lone-") as (folder, _),
        IndexClient(
            keychain=keychain,
            cache=access.cache,
            offline=access.offline,
            refresh=access.refresh,
            trusted_hosts=indexes.trusted_hosts,
            recorder=reporter.recorder,
        ) as client,
    ):
        requirements = BuildRequirements(
            client=client,
            indexes=indexes,
            policy=policy,
            folder=folder,
            constraints=builds.constraints,
            keep=False,
        )
        with Builder(
            policy=builds,
            client=client,
            requirements=requirements,
            folder=folder,
            reporter=reporter,
        ) as builder:
            yield builder
