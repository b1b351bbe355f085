"""The targets to plan for: from the command line, the project, the lock, or this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from packaging.markers import default_environment
from packaging.specifiers import SpecifierSet
from packaging.tags import sys_tags

from executor import read_input
from planner.inputs.inputs import Inputs
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target

__all__ = [
    "UNIVERSAL_PLATFORMS",
    "TargetChoice",
    "TargetRequest",
    "choose_targets",
    "targets_for",
]


UNIVERSAL_PLATFORMS = ("linux", "manylinux_2_28_aarch64", "macos", "windows")
"""What ``--universal`` plans for: the platforms for which most projects publish wheels."""

SUPPORTED_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The versions of Python that get fixes, and that most projects have wheels for
(https://devguide.python.org/versions/)."""

KNOWN_PYTHONS = tuple(f"3.{minor}" for minor in range(8, 16))
"""Where the oldest Python that a project supports is looked for."""

_PIN = re.compile(
    r"(?:cpython[@-]?)?(?P<python>(?:pypy[@-]?)?3\.\d+(?:\.\d+)?t?)"
    r"(?:-(?:linux|macos|windows|any)[a-z0-9_-]*)?"
)
"""A line of ``.python-version`` that names one Python, as pyenv and uv read it."""


@frozen(kw_only=True)
class TargetRequest:
    """The targets that a command line names, over those that a lock records."""

    python_versions: Sequence[str] = ()
    platforms: Sequence[str] = ()
    universal: bool = False
    """Whether every supported Python on every common platform is meant."""
    recorded: tuple[Target, ...] = ()
    """The targets of the existing lock."""
    are_recorded_named: bool = False
    """Whether a command line named them."""
    folder: str = ""
    """The folder of the project."""


@frozen
class TargetChoice:
    """The targets of a plan."""

    targets: tuple[Target, ...]
    origin: str
    """What decided, for a message."""
    are_named: bool = False
    """Whether a command line named them, this one or that of an earlier plan."""


def choose_targets(
    python_versions: Sequence[str] = (), platforms: Sequence[str] = ()
) -> tuple[Target, ...]:
    """Return a target for each named Python on each named platform; the running interpreter
    supplies whichever of the two is not named.

    Raise UsageError if a version or a platform is not known.
    """
    tags = tuple(sys_tags())
    environment = default_environment()
    # sys_tags begins with the native tag (linux_x86_64), which no wheel of an index has.
    own_platform = next(
        (tag.platform for tag in tags if not tag.platform.startswith("linux_")), tags[0].platform
    )
    own = Target(
        environment={key: str(value) for key, value in environment.items()},
        platform=own_platform,
        native_tags=tags,
    )
    if not python_versions and not platforms:
        return (own,)
    return tuple(
        Target.named(version, platform)
        for version in python_versions or (own.python_name.replace("+", ""),)
        for platform in platforms or (own_platform,)
    )


def targets_for(inputs: Inputs, request: TargetRequest) -> TargetChoice:
    """Return the targets that the command line names; else those of an earlier command line, of
    the settings, of ``.python-version``, of the lock, of ``.venv``, of ``requires-python``, of
    the running interpreter. Of a Python that is named without a release, the first release counts
    that the project supports.

    Raise UsageError if a version or a platform is not known.
    """
    choice = _choice(inputs, request)
    required = inputs.requires_python
    supported = tuple(
        next((release for release in one.releases() if _admits(required, release)), one)
        for one in choice.targets
    )
    return replace(choice, targets=supported)


def _choice(inputs: Inputs, request: TargetRequest) -> TargetChoice:
    if request.universal:
        pythons = _admitted(SUPPORTED_PYTHONS, inputs.requires_python)
        named = TargetRequest(python_versions=pythons, platforms=UNIVERSAL_PLATFORMS)
        return TargetChoice(_expand(named), "--universal", are_named=True)
    if request.python_versions or request.platforms:
        return TargetChoice(_expand(request), "the command line", are_named=True)
    if request.are_recorded_named and request.recorded:
        return TargetChoice(request.recorded, "the lock", are_named=True)
    if inputs.settings.targets:
        return TargetChoice(inputs.settings.targets, "[tool.lockstream] targets")
    return next(filter(None, _defaults(inputs, request)))


def _defaults(inputs: Inputs, request: TargetRequest) -> Iterator[TargetChoice | None]:
    """Yield the targets that apply if nothing names any, the strongest first."""
    required = inputs.requires_python
    if pin := _python_of_pin(os.path.join(request.folder, ".python-version")):
        pinned = replace(request, python_versions=(pin,))
        yield TargetChoice(_expand(pinned), ".python-version")
    if all(_admits(required, target) for target in request.recorded) and request.recorded:
        yield TargetChoice(request.recorded, "the lock")
    if version := _python_of_venv(os.path.join(request.folder, ".venv")):
        target = _expand(replace(request, python_versions=(version,)))
        if all(_admits(required, one) for one in target):
            yield TargetChoice(target, ".venv")
    own = choose_targets()[0]
    if _admits(required, own):
        # As the lock records it, so that the next plan is for the same target.
        yield TargetChoice((Target.from_table(own.to_table()) or own,), "the running Python")
    oldest = _admitted(KNOWN_PYTHONS, required)[:1]
    yield TargetChoice(_expand(replace(request, python_versions=oldest)), "requires-python")


def _expand(request: TargetRequest) -> tuple[Target, ...]:
    """Return each named Python on each named platform; the lock supplies what is not named."""
    pythons = dict.fromkeys(target.python_name for target in request.recorded)
    platforms = dict.fromkeys(target.platform for target in request.recorded)
    return choose_targets(
        tuple(request.python_versions) or tuple(pythons),
        tuple(request.platforms) or tuple(platforms),
    )


def _admitted(pythons: Sequence[str], required: SpecifierSet | None) -> tuple[str, ...]:
    """Return those of ``pythons`` that ``required`` admits. Raise UsageError if none is."""
    if required is None:
        return tuple(pythons)
    # A project that requires 3.12.4 supports 3.12, if not its first release.
    releases = {python: [f"{python}.{patch}" for patch in range(20)] for python in pythons}
    found: list[str] = []
    for python, versions in releases.items():
        if admitted := [*required.filter(versions)]:
            found.append(python if admitted[0] == f"{python}.0" else admitted[0])
    if not found:
        raise UsageError(
            f"the project requires Python {required}, and none of "
            f"{pythons[0]} to {pythons[-1]} is that",
            hint="name a target with --python-version",
        )
    return tuple(found)


def _admits(required: SpecifierSet | None, target: Target) -> bool:
    return required is None or required.contains(target.python_version, prereleases=True)


def _python_of_pin(path: str) -> str | None:
    """Return the Python that a ``.python-version`` file names, if it names one."""
    with suppress(OSError, UnicodeDecodeError):
        for line in read_input(path).decode().splitlines():
            if found := _PIN.fullmatch(line.partition("#")[0].strip().lower()):
                return re.sub("[@-]", "", found["python"])
    return None


def _python_of_venv(folder: str) -> str | None:
    """Return the version of CPython in the environment ``folder``, if it is one."""
    facts: dict[str, str] = {}
    path = os.path.join(folder, "pyvenv.cfg")
    with suppress(OSError, UnicodeDecodeError):
        for line in read_input(path).decode().splitlines():
            key, _, value = line.partition("=")
            facts[key.strip().lower()] = value.strip()
    # venv and virtualenv write the one, uv the other.
    version = facts.get("version") or facts.get("version_info") or ""
    is_cpython = facts.get("implementation", "CPython").lower() == "cpython"
    found = re.match(r"3\.\d+(?:\.\d+)?", version)
    return found[0] if found and is_cpython else None
