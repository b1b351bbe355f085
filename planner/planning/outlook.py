"""What an upgrade of a lock would choose, next to the newest releases there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from packaging.pylock import Pylock
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.access import Access
from planner.inputs.question import Question
from planner.planning.hindrance import Choice, Hindrances, basis_of
from planner.planning.newest import newest_release, remarks_on
from planner.planning.plan import FinishedSearch, index_remarks, searched
from planner.planning.reporter import Reporter, tell
from planner.planning.session import OpenBuilder, open_session
from planner.review.standing import Outlook, Standing, locked_versions

__all__ = ["find_outlook"]


DROPPED = "nothing requires it any more"


ADDRESSED = "it is required by its address"


def find_outlook(
    lock: Pylock,
    question: Question,
    access: Access,
    reporter: Reporter,
    open_builder: OpenBuilder | None = None,
) -> Outlook:
    """Return what a plan of ``question``, which prefers no versions, chooses in place of those of
    ``lock``. Nothing is sized, built or written.

    Raises what ``plan`` raises before it builds.
    """
    with (
        open_session(question, access, reporter, open_builder) as session,
        searched(
            question.inputs,
            question.cases,
            client=session.client,
            indexes=question.indexes,
            policy=question.policy,
            reporter=reporter,
            builder=session.builder,
            foresees=False,
        ) as search,
    ):
        outlook = _compare(lock, question, search)
        tell(index_remarks(search.reader), reporter)
        return outlook


def _compare(lock: Pylock, question: Question, search: FinishedSearch) -> Outlook:
    locked, uncompared = locked_versions(lock.packages)
    chosen: dict[NormalizedName, list[Choice]] = {}
    for solution in search.solutions:
        for package in solution.packages:
            chosen.setdefault(package.name, []).append((solution, package))
    direct = [name for name in locked if any(map(_has_address, chosen.get(name, ())))]
    hindrances = Hindrances(search.solutions)
    required = {one.name for one in question.inputs.requirements}
    standings = []
    for name, versions in locked.items():
        if name not in chosen:
            one = Standing(name=name, locked=versions, upgrade=(), newest=None, remarks=(DROPPED,))
        elif name in direct:
            upgrade = _versions(chosen[name])
            one = Standing(
                name=name, locked=versions, upgrade=upgrade, newest=None, remarks=(ADDRESSED,)
            )
            if not one.changes:
                uncompared = (*uncompared, f"{name} is required by its address")
                continue
        else:
            one = _chosen(name, versions, chosen[name], hindrances)
        standings.append(replace(one, is_required_by_inputs=name in required))
    known = {one.name for one in lock.packages}
    return Outlook(
        standings=tuple(standings),
        added={name: _versions(chosen[name]) for name in sorted(chosen.keys() - known)},
        uncompared=uncompared,
        is_resolved=True,
    )


def _has_address(choice: Choice) -> bool:
    return any(one.file.is_direct for one in choice[1].wheels)


def _versions(choices: Iterable[Choice]) -> tuple[Version, ...]:
    return tuple(sorted({package.version for _, package in choices}))


def _chosen(
    name: NormalizedName,
    locked: tuple[Version, ...],
    choices: Sequence[Choice],
    hindrances: Hindrances,
) -> Standing:
    """Return the standing of a project of which the upgrade has a version."""
    finders = [basis_of(solution).finder for solution, _ in choices]
    projects = [one.project(name) for one in finders]
    upgrade = _versions(choices)
    floor = max(locked[-1], upgrade[-1])
    found = [
        newest_release(project, floor, finder.favoured(name))
        for project, finder in zip(projects, finders, strict=True)
    ]
    newest = max(filter(None, found), key=lambda one: one.version, default=None)
    reasons: Iterable[tuple[Version, str]] = ()
    if newest and newest.version > upgrade[0]:
        # All environments but those of projects of two indexes have the same page.
        at = found.index(newest)
        others = projects[at].members(finders[at].favoured(name))
        reasons = hindrances.find(
            newest, choices, (one for one in others if one.version < newest.version)
        )
    return Standing(
        name=name,
        locked=locked,
        upgrade=upgrade,
        newest=newest.version if newest else None,
        hindrances=tuple(reasons),
        remarks=tuple(remarks_on(projects[0], locked)),
    )
