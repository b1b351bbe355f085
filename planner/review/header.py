"""Differences between the header of a lock and the one that a plan would write now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.inputs.build_settings import BuildSetting
from planner.inputs.provenance import Provenance
from planner.inputs.question import Question
from planner.review.recorded import recorded_table
from schemas.builds import build_records
from schemas.data_class import frozen

__all__ = ["HeaderChange", "describe_changes", "find_changed_flags", "find_header_changes"]


@frozen
class HeaderChange:
    """One entry of the header that a plan would write differently."""

    subject: str
    """Such as ``extras``, ``targets`` or ``exclude-newer``."""
    old: str
    new: str

    def as_problem(self) -> str:
        """Return the sentence for a check."""
        return f"{self.subject}: the lock has {self.old}, a plan now has {self.new}"

    def as_note(self) -> str:
        """Return the line for a plan that made the change."""
        return f"{self.subject}: {self.old} -> {self.new}"


def find_header_changes(lock: Pylock, question: Question) -> Iterator[HeaderChange]:
    """Yield what ``lock`` records otherwise than a plan of ``question`` would."""
    inputs = question.inputs
    for subject, old, new in (
        ("extras", lock.extras, inputs.extras),
        ("groups", lock.dependency_groups, inputs.groups),
    ):
        if sorted(old or ()) != list(new):
            yield HeaderChange(subject, _spell(sorted(old or ())), _spell(new))
    recorded = recorded_table(lock)
    targets = [target.to_table() for target in question.targets]
    before = recorded.get("targets")
    if before != targets:
        yield HeaderChange("targets", _spell_targets(before), _spell_targets(targets))
    else:
        yield from _compare_limits(lock, question)
    for key, table in question.provenance.items():
        yield from _compare_tables(recorded.get(key), table, key)


def _compare_limits(lock: Pylock, question: Question) -> Iterator[HeaderChange]:
    """Yield the keys that limit where a lock may be installed, if they do not suit its targets."""
    markers = [str(one.marker) for one in question.environments]
    oldest = min(Version(one.variables["python_version"]) for one in question.environments)
    for subject, old, new in (
        ("environments", [str(one) for one in lock.environments or ()], markers),
        ("requires-python", str(lock.requires_python or "none"), f">={oldest}"),
    ):
        if old != new:
            yield HeaderChange(subject, _spell(old), _spell(new))


def describe_changes(lock: Pylock, question: Question, given: Provenance) -> Iterator[str]:
    """Yield a line for each thing that a plan changes of the inputs and options of ``lock``;
    ``given`` are the inputs of the command line, which say why.
    """
    inputs = question.inputs
    for kind, old, new, reason in (
        ("extras", lock.extras, inputs.extras, _reason_of_extras(given)),
        ("groups", lock.dependency_groups, inputs.groups, _reason_of_groups(given)),
    ):
        before, after = set(old or ()), set(new)
        for verb, names in (("dropped", before - after), ("added", after - before)):
            if names:
                yield f"{kind} {', '.join(sorted(names))}: {verb}, for {reason}"
    # What options change shows in the policy and the targets.
    shown = {
        "extras",
        "groups",
        *(name for (key, _), name in _SUBJECTS.items() if key == "options"),
    }
    for change in find_header_changes(lock, question):
        if change.subject not in shown:
            yield change.as_note()


def _reason_of_extras(given: Provenance) -> str:
    return _reason("extra", given.extras, given.no_extras, everything=given.all_extras)


def _reason_of_groups(given: Provenance) -> str:
    return _reason("group", given.groups, given.no_groups, everything=given.all_groups)


def _reason(
    kind: str, named: Sequence[str], left_out: Sequence[str], *, everything: bool | None
) -> str:
    words = [*(f"--{kind} {name}" for name in named), *(f"--no-{kind} {name}" for name in left_out)]
    if everything is not None:
        words.append(f"--{'' if everything else 'no-'}all-{kind}s")
    if not words:
        return "the inputs changed"
    return f"{' '.join(words)} was given"


def find_changed_flags(lock: Pylock, configured: Mapping[str, BuildSetting]) -> Iterator[str]:
    """Yield a sentence for each package of ``lock`` that was built with other flags than the
    project sets now.
    """
    before = recorded_table(lock, "policy", "build", "settings")
    now = {canonicalize_name(name): one.to_table() for name, one in configured.items()}
    for package in lock.packages:
        was_built = bool(build_records(package.tool))
        if was_built and before.get(package.name, {}) != now.get(package.name, {}):
            yield f"{package.name} was built with other flags than the project sets"


def _compare_tables(old: object, new: Mapping[str, Any], key: str) -> Iterator[HeaderChange]:
    """Yield the keys of one table that differ, by their names in it."""
    before: Mapping[str, Any] = old if isinstance(old, Mapping) else {}
    for name in sorted(before.keys() | new.keys()):
        if before.get(name) != new.get(name):
            yield HeaderChange(
                _SUBJECTS.get((key, name), name),
                *(_spell(table.get(name)) for table in (before, new)),
            )


_SUBJECTS = {
    ("inputs", "requirements"): "requirements files",
    ("inputs", "constraints"): "constraints files",
    ("inputs", "overrides"): "overrides files",
    ("policy", "sources"): "projects of one index",
    ("policy", "build"): "builds",
    ("options", "index"): "options about indexes",
    ("options", "policy"): "options about versions",
    ("options", "build"): "options about builds",
    ("options", "named-targets"): "targets of the command line",
}
"""Names of keys for people, if the key alone is not enough."""


def _spell_targets(tables: object) -> str:
    if not isinstance(tables, list):
        return "none"
    named = (one for one in tables if isinstance(one, Mapping))
    return _spell(f"{one.get('python')} on {one.get('platform')}" for one in named)


def _spell_value(value: object) -> str:
    return f"({_spell(value)})" if isinstance(value, Mapping) else _spell(value)


def _spell(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_spell_value(one)}" for key, one in value.items()) or "none"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return str(value)
