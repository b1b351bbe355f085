"""Open the builder of one plan, with the builds that it already knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from packaging.pylock import Pylock

from planner.builds.adoption import Adoption
from planner.builds.build_locks import BuildRequirements
from planner.builds.builder import Builder
from planner.builds.claimed_folder import claimed_folder
from planner.builds.policy import WHEELHOUSE, BuildPolicy
from planner.builds.projects import lock_projects
from planner.builds.wheel_store import open_store
from planner.index.client import IndexClient
from planner.inputs.question import Question
from planner.lock.built import KnownBuild, Stock, known_builds
from planner.planning.plan import PlanBuilder
from planner.planning.reporter import Reporter
from schemas.data_class import frozen

__all__ = ["BuilderOrder"]


def _undo(requirements: BuildRequirements, kind: type[BaseException] | None, *_: object) -> None:
    if kind is not None:
        requirements.undo()


@frozen(kw_only=True)
class BuilderOrder:
    """What the builder of one plan is opened with; the plan owns it."""

    question: Question
    policy: BuildPolicy
    previous: Pylock | None
    """The existing lock, whose builds are known."""
    fragments: Sequence[str]
    """Folders and URLs with wheels that other machines have built for it."""
    projects: Sequence[str]
    """The folders of projects that are built and locked themselves."""
    reporter: Reporter
    is_trial: bool = False
    """Whether nothing is kept: no lock of build requirements is written."""

    @contextmanager
    def open(self, client: IndexClient) -> Iterator[tuple[PlanBuilder | None, Stock]]:
        """Yield the builder, which is None if the plan itself builds nothing, and what it adds to
        the files of the indexes; at the end, lock the projects.
        """
        question, policy, folder = self.question, self.policy, self.question.folder
        with ExitStack() as stack:
            unkept, _ = stack.enter_context(claimed_folder("lockstream-plan-"))
            requirements = BuildRequirements(
                client=client,
                indexes=question.indexes,
                policy=question.policy,
                # A build that is left to others is done with the build lock that they make.
                folder=unkept if policy.deferred or self.is_trial else folder,
                constraints=policy.constraints,
                keep=bool(question.policy.preferences),
            )
            stack.push(partial(_undo, requirements))
            builder = Builder(
                policy=policy,
                client=client,
                requirements=requirements,
                folder=folder,
                known=self._known(client),
                reporter=self.reporter,
            )
            stack.enter_context(builder)
            yield (builder if policy.allowed else None), Stock(builder.built, builder.sources)
            if self.projects:
                lock_projects(builder, self.projects, tuple(question.targets))

    def _known(self, client: IndexClient) -> tuple[KnownBuild, ...]:
        if self.previous is None:
            return ()
        folder = self.question.folder
        known = known_builds(self.previous, folder, self.policy.wheelhouse or "")
        if not self.fragments:
            return known
        for place in self.fragments:
            if "://" not in place and not os.path.lexists(place):
                self.reporter.input_remark(f"there is no folder {place} with builds yet")
        adoption = Adoption(
            lock=self.previous,
            folder=folder,
            stores=[open_store(place, client) for place in self.fragments],
            wheelhouse=self.policy.wheelhouse or WHEELHOUSE,
            wheelhouse_url=self.policy.wheelhouse_url,
        )
        return (*adoption.take(), *known)
