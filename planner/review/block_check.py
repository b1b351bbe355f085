"""Differences between the block of each package in a lock and the block that a plan would write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from packaging.pylock import Package, Pylock
from packaging.tags import Tag

from executor import digest_file
from planner.inputs.question import Question
from planner.resolver.applicable import applicable
from planner.resolver.required_hashes import RequiredHashes
from planner.review.derived import FACTS, Derived
from planner.review.recorded import recorded_table
from schemas.builds import build_records
from schemas.digests import SECURE_ALGORITHMS
from schemas.hints import wheel_hints
from schemas.text import titled
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["check_blocks", "parsed_name"]


parsed_name = lru_cache(maxsize=1 << 16)(parse_wheel_filename)
"""Each environment compares the tags of all wheels."""


def check_blocks(
    lock: Pylock, question: Question, found: Sequence[Derived], *, is_sound: bool
) -> Iterator[str]:
    """Yield what a plan of ``question`` would write differently into the block of each package;
    ``found`` is what it derives for each, in the order of the lock.

    Markers and dependencies are compared if the lock ``is_sound``: else they differ because of
    what was found before.
    """
    inputs = question.inputs
    lines = (*inputs.requirements, *inputs.overrides, *inputs.constraints)
    required = [RequiredHashes(applicable(lines, one)) for one in question.environments]
    are_required = inputs.require_hashes or question.policy.require_hashes
    ranks = [
        [{tag: rank for rank, tag in enumerate(target.tags)} for target in environment.targets]
        for environment in question.cases
    ]
    for package, derived in zip(lock.packages, found, strict=True):
        if not derived.places:
            continue
        for hashes in required:
            yield from _check_hashes(package, hashes, are_required=are_required)
        yield from _check_local_files(package, question.folder)
        if recorded_table(lock, "policy"):
            yield from _check_facts(package, derived)
            yield from _check_sizes(package)
        if is_sound:
            yield from _check_derived(package, derived)
            accepted = [one for place in sorted(derived.places) for one in ranks[place]]
            yield from _check_wheels(package, accepted)


def _check_derived(package: Package, derived: Derived) -> Iterator[str]:
    marker = str(package.marker) if package.marker else None
    if marker != derived.marker:
        yield (
            f"the marker of {titled(package.name, package.version)} is {marker or 'empty'}; "
            f"a plan now writes {derived.marker or 'none'}"
        )
    listed = _named(package.dependencies or ())
    needed = _named(one.to_table() for one in derived.dependencies)
    if listed.keys() != needed.keys():
        names = _list({(listed | needed)[key] for key in listed.keys() ^ needed.keys()})
        yield f"{titled(package.name, package.version)} now has other dependencies: {names}"


def _named(tables: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Return the names of dependencies, by all that their tables say: a lock may say anything."""
    return {
        repr(sorted(one.items(), key=_key)): str(one.get("name", "one without a name"))
        for one in tables
    }


def _key(item: tuple[str, object]) -> str:
    return item[0]


def _check_wheels(package: Package, accepted: Iterable[Mapping[Tag, int]]) -> Iterator[str]:
    """Yield the wheels that are the best of the package for no target that requires it.

    ``accepted`` has, for each target, the tags that it accepts with their rank.
    """
    if not package.wheels or build_records(package.tool):
        return
    needed = set()
    for ranks in accepted:
        ranked = []
        for wheel in package.wheels:
            _, _, build, tags = parsed_name(wheel.filename)
            if found := [ranks[tag] for tag in tags if tag in ranks]:
                ranked.append((-min(found), build or (-1, ""), wheel.filename))
        if ranked:
            needed.add(max(ranked)[-1])
    for wheel in package.wheels:
        if wheel.filename not in needed:
            yield f"no target of the lock uses {wheel.filename}"


_FACT_PROBLEMS = {
    "hashes": "the inputs allow other hashes for {name} than those it was planned with",
    "address": "the inputs give another address for {name}",
    "content": "the content of {name} at its local address has changed",
    "find-links": "the local folders of wheels have other files of {name}",
}
"""What it means that a fact of ``Decisions`` is not the recorded one."""


def _check_facts(package: Package, derived: Derived) -> Iterator[str]:
    recorded = recorded_table(package)
    for key in FACTS:
        before, now = recorded.get(key, []), derived.facts.get(key, [])
        if before == now:
            continue
        if key != "extras":
            yield _FACT_PROBLEMS[key].format(name=package.name)
            continue
        before = before if isinstance(before, list) else []
        for extra in sorted(set(now) - set(before)):
            yield f"the extra {extra} of {package.name} is required now"
        for extra in sorted(set(before) - set(now)):
            yield f"the extra {extra} of {package.name} is not required any more"


def _check_hashes(package: Package, hashes: RequiredHashes, *, are_required: bool) -> Iterator[str]:
    """Yield the files that the inputs do not allow by their hashes in one environment."""
    if are_required and package.name not in hashes:
        yield f"--require-hashes: the inputs give no hash for {package.name}"
    for wheel in package.wheels or ():
        if not hashes.allow(package.name, wheel.hashes):
            yield f"{wheel.filename}: its hash is not among those that the inputs give"


def _check_local_files(package: Package, folder: str) -> Iterator[str]:
    """Yield the files on this machine that are not those of the lock."""
    built = {record.wheel for record in build_records(package.tool)}
    wheels = [wheel for wheel in package.wheels or () if wheel.filename not in built]
    for file in (*wheels, *([package.archive] if package.archive else ())):
        if file.path is None:
            continue
        path = os.path.join(folder, file.path)
        known = [one for one in SECURE_ALGORITHMS if one in file.hashes]
        try:
            size = os.path.getsize(path)
            is_same = all(digest_file(path, one).hex() == file.hashes[one].lower() for one in known)
        except OSError as error:
            yield f"{file.path}: {error.strerror}"
            continue
        if not is_same or file.size not in {None, size}:
            yield f"{file.path} is another file than the one that was planned"


def _check_sizes(package: Package) -> Iterator[str]:
    """Yield the wheels of which the lock lacks what plans measure."""
    for wheel in package.wheels or ():
        if wheel.size is None or wheel_hints(package.tool, wheel.filename) is None:
            yield f"the sizes of {wheel.filename} are not in the lock"


def _list(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
