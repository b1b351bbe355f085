"""The targets of a subset, and the environments that its header names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from executor import SelectOptions, Selector
from planner.inputs.targets import choose_targets
from planner.lock.decided_marker import Decide, decided
from planner.model.environments import VARIABLES, MarkerEnvironment
from planner.review.subset_choice import SubsetChoice
from schemas.errors import NoSolution
from schemas.lock import recorded_targets
from schemas.markers import holds
from schemas.target import Target

__all__ = ["deciding", "limits_of", "subset_targets"]


def subset_targets(lock: Pylock, choice: SubsetChoice) -> tuple[Target, ...]:
    """Return the targets that ``choice`` names, else those that ``lock`` records; empty if nothing
    does: then the subset is for whatever the lock is for.

    Of several Pythons and platforms, of which only one kind is named, the lock need not have each.
    Raises UsageError for a name that is not known, and NotForThisTarget.
    """
    is_named = bool(choice.python_versions or choice.platforms)
    known = recorded_targets(lock)
    if not is_named:
        return tuple(target for target in known if _admitted(lock, target))
    known = known or choose_targets()
    pythons = choice.python_versions or [one.python_name.replace("+", "") for one in known]
    platforms = choice.platforms or [one.platform for one in known]
    found = [
        Target.named(python, platform)
        for python in dict.fromkeys(pythons)
        for platform in dict.fromkeys(platforms)
    ]
    if choice.python_versions and choice.platforms:
        return tuple(target for target in found if _admitted(lock, target))
    kept = []
    refused: NoSolution | None = None
    for target in found:
        try:
            if _admitted(lock, target):
                kept.append(target)
        except NoSolution as error:
            refused = refused or error
    if refused is not None and not _are_all_named(kept, choice):
        raise refused
    return tuple(kept)


def _admitted(lock: Pylock, target: Target) -> bool:
    """Raise NotForThisTarget if ``lock`` as a whole excludes ``target``; else return True."""
    try:
        Selector(lock, target, SelectOptions())
    except NoSolution as error:
        error.hint = "name a target that the lock is for, with --python-version and --platform"
        raise
    return True


def _are_all_named(targets: Sequence[Target], choice: SubsetChoice) -> bool:
    """Return whether each name of ``choice`` has a target."""
    pythons = {Target.named(name, "linux").python_name for name in choice.python_versions}
    platforms = {Target.named("3.12", name).platform for name in choice.platforms}
    return pythons <= {one.python_name for one in targets} and platforms <= {
        one.platform for one in targets
    }


def limits_of(
    lock: Pylock, environments: Sequence[MarkerEnvironment]
) -> tuple[list[Marker] | None, SpecifierSet | None]:
    """Return the ``environments`` and the ``requires-python`` of a subset of ``lock`` for these
    environments; those of the lock if there are none.
    """
    if not environments:
        return list(lock.environments) if lock.environments else None, lock.requires_python
    markers = [Marker(text) for one in environments for text in _limits(lock, one)]
    if not recorded_targets(lock):
        return markers, lock.requires_python
    oldest = min((one.variables["python_version"] for one in environments), key=Version)
    return markers, SpecifierSet(f">={oldest}")


def _limits(lock: Pylock, environment: MarkerEnvironment) -> Iterable[str]:
    """Return the markers that hold in ``environment`` as far as ``lock`` is for it."""
    own = str(environment.marker)
    found = []
    for marker in lock.environments or ():
        left = decided(marker, deciding(environment, {}))
        if left is True:
            return [own]
        if left is not False:
            found.append(f"{own} and ({left})")
    return found or [own]


def deciding(environment: MarkerEnvironment | None, chosen: dict[str, frozenset[str]]) -> Decide:
    """Return what decides the comparisons of a marker with the ``chosen`` extras and groups, and
    those that have one answer in all of ``environment``.
    """
    variables = environment.variables if environment else {}

    def decide(comparison: Marker, variable: str) -> bool | None:
        is_decided = variable in chosen or (
            environment is not None
            and (
                variable in _FOLLOWING
                or (variable == "python_full_version" and _is_of_minor(comparison, variables))
            )
        )
        if not is_decided:
            return None
        return holds(comparison, {**variables, **chosen}, subject="the lock")

    return decide


_FOLLOWING = frozenset({*VARIABLES, "os_name", "platform_system", "platform_python_implementation"})
"""The variables with one value in an environment: the last follow from those that it names."""

_FULL_VERSION = re.compile(
    r"""python_full_version\s*(?P<operator>\S+)\s*["'](?P<minor>\d+\.\d+)(?P<rest>[.\d*]*)["']"""
)


def _is_of_minor(comparison: Marker, variables: Mapping[str, str]) -> bool:
    """Return whether a comparison with the full version has one answer for all releases of the
    minor version of Python in ``variables``.
    """
    found = _FULL_VERSION.fullmatch(str(comparison))
    if found is None:
        return False
    if found["minor"] != variables["python_version"]:
        return True
    return (found["operator"], found["rest"]) in {
        (">=", ""), (">=", ".0"), ("<", ""), ("<", ".0"), ("==", ".*"), ("!=", ".*"),
    }  # fmt: skip
