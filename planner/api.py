"""The part of ``plan`` that asks indexes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from packaging.pylock import Pylock

from executor import Keychain
from planner.builds.policy import BuildPolicy
from planner.index.access import Access
from planner.index.client import IndexClient
from planner.index.indexes import Indexes
from planner.index.reader import IndexReader
from planner.inputs.inputs import Inputs
from planner.lock.built import KnownBuild
from planner.lock.writer import render_lock
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Policy
from planner.planning.answer_cache import AnswerCache, Remembered
from planner.planning.reporter import Reporter, tell
from planner.resolver.direct import direct_logins

__all__ = ["resolve"]


def resolve(
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
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
    memo: AnswerCache | None = None,
) -> tuple[str, Pylock | None]:
    """The text of the lock for ``folder``, and the lock itself unless ``memo`` has the text.

    Raises what ``plan``, ``build_lock`` and ``render_lock`` raise.
    """
    logins = {**direct_logins(inputs.requirements), **indexes.logins()}
    keychain = Keychain(logins, environment=os.environ, keyring=access.keyring)
    with ExitStack() as stack:
        client = stack.enter_context(
            IndexClient(
                keychain=keychain,
                cache=access.cache,
                offline=access.offline,
                refresh=access.refresh,
            )
        )
        builder = None
        if builds.allowed or projects:
            # Loads the executor, which a plan without builds has no use for.
            from planner.builds.build_locks import BuildRequirements  # noqa: PLC0415
            from planner.builds.builder import Builder  # noqa: PLC0415

            requirements = BuildRequirements(
                client=client,
                indexes=indexes,
                policy=policy,
                folder=folder,
                keep=bool(policy.preferences),
            )
            builder = stack.enter_context(
                Builder(
                    policy=builds,
                    client=client,
                    requirements=requirements,
                    folder=folder,
                    known=known,
                    reporter=reporter,
                )
            )
        with reporter.watch(lambda: client.requests):
            if memo and (found := memo.confirm(IndexReader(indexes, client).look)):
                tell(found.remarks, reporter)
                return found.text, None
            # What searches takes as long to load as what is known takes to confirm.
            from planner.planning.plan import plan  # noqa: PLC0415

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
    from planner.lock.compose import LockContent, build_lock  # noqa: PLC0415

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
    text = render_lock(lock, keychain.secrets)
    if memo and answer.pages is not None:
        memo.keep(Remembered(text, answer.remarks, answer.pages))
    return text, lock
