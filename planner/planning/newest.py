"""The newest release of each project of a lock, as its index lists it now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from packaging.pylock import Pylock
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.access import Access
from planner.index.indexes import parse_index
from planner.index.reader import IndexReader
from planner.index.request_pool import RequestPool
from planner.index.requester import CONNECTIONS
from planner.inputs.question import Question
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Policy
from planner.planning.plan import index_remarks
from planner.planning.reporter import Reporter, tell
from planner.planning.session import open_session
from planner.resolver.candidates import CandidateFinder, ReleaseJudge
from planner.resolver.evaluator import FileEvaluator, FileRules
from planner.resolver.releases import Project, Release
from planner.review.standing import Outlook, Standing, locked_versions
from schemas.text import one_line

__all__ = ["MAX_JUDGED", "find_newest", "newest_release", "remarks_on"]


_MAX_REASON = 200
"""Characters of what an index says of a version or a project."""


MAX_JUDGED = 50
"""Newer releases of a project that are judged, to tell which of them a target can use, and why
others are not chosen."""


def newest_release(project: Project, floor: Version, favoured: int | None = None) -> Release | None:
    """Return the newest release that is not yanked: of the set ``favoured``, by default the final
    ones; of all, if there is none, or if the ``floor`` is a newer pre-release. None if the project
    has no such release.
    """
    found = None
    for releases in (project.final if favoured is None else favoured, project.all):
        found = next((one for one in project.members(releases) if not _is_yanked(one)), found)
        if found and (found.version >= floor or not floor.is_prerelease):
            break
    return found


def _is_yanked(release: Release) -> bool:
    return all(file.yanked is not None for file in release.files)


def remarks_on(project: Project, locked: Sequence[Version]) -> Iterator[str]:
    """Yield what the index says of the project and its locked versions that should be known."""
    if not project.exists:
        yield "the index does not have the project"
        return
    page = project.page
    if page.status != "active":
        yield f"the project is {page.status}{_because(page.status_reason)}"
    for version in locked:
        one = project.set_of(version)
        if not one:
            yield f"the index does not have {version} any more"
        elif _is_yanked(project.release_of(one)):
            reasons = filter(None, (file.yanked for file in project.release_of(one).files))
            yield f"{version} is yanked{_because(next(reasons, ''))}"


def _because(reason: str) -> str:
    """Return the words of an index, which may be long, as the end of a sentence."""
    return f": {one_line(reason, _MAX_REASON)}" if reason else ""


def find_newest(lock: Pylock, question: Question, access: Access, reporter: Reporter) -> Outlook:
    """Return the newest releases of a lock that does not record its inputs, and which of them the
    targets of ``question`` could use. What an upgrade would choose is not known.

    Raises IndexUnreachable, IndexAnswer and IndexDenied, and UsageError if the lock names an index
    that is none.
    """
    locked, uncompared = locked_versions(lock.packages)
    places = {one.name: one.index for one in lock.packages if one.index}
    with open_session(question, access, reporter) as session:
        reader = IndexReader(question.indexes, session.client, [*locked])

        def read(name: NormalizedName) -> Project:
            place = places.get(name)
            return Project(reader.page_of(name, parse_index(place)) if place else reader.page(name))

        with RequestPool(CONNECTIONS) as pool:
            standings = tuple(
                _standing(project, locked[project.name], question)
                for project in pool.ask_all(read, locked)
            )
    tell(index_remarks(reader), reporter)
    return Outlook(standings=standings, added={}, uncompared=uncompared, is_resolved=False)


def _standing(project: Project, locked: tuple[Version, ...], question: Question) -> Standing:
    newest = newest_release(project, locked[-1])
    remarks = list(remarks_on(project, locked))
    hindrances: list[tuple[Version, str]] = []
    if newest is not None and newest.version > locked[0]:
        for environment in question.environments:
            finder = _finder(project, environment, question.policy)
            if not (refusal := finder.judgement(newest).refusal):
                continue
            hindrances.append((newest.version, refusal))
            usable = _newest_usable(project, finder, locked[0])
            what = f"{usable} is the newest" if usable else "there is no newer one"
            remarks.append(f"{what} for {environment}")
            break
    return Standing(
        name=project.name,
        locked=locked,
        upgrade=None,
        newest=newest.version if newest else None,
        hindrances=tuple(hindrances),
        remarks=tuple(remarks),
    )


def _finder(project: Project, environment: MarkerEnvironment, policy: Policy) -> CandidateFinder:
    rules = FileRules(uploads=policy.uploads)
    judge = ReleaseJudge([FileEvaluator(target, rules) for target in environment.targets])
    return CandidateFinder(
        lambda _name: project,
        judge,
        prereleases=policy.prereleases,
        named_prereleases=frozenset(),
    )


def _newest_usable(project: Project, finder: CandidateFinder, locked: Version) -> Version | None:
    """Return the newest version above ``locked`` that the environment can use."""
    for release in islice(project.members(finder.favoured(project.name)), MAX_JUDGED):
        if release.version <= locked:
            return None
        if finder.judgement(release).wheels:
            return release.version
    return None
