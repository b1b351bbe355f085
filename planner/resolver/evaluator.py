"""Judgement of the files of an index: which a target can use, and why it cannot use the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
)
from packaging.version import Version

from planner.index.pages import ProjectFile, parse_time
from planner.metadata.distribution import Distribution
from planner.model.policy import UploadLimits
from planner.model.project_set import ProjectSet
from planner.model.specifiers import read_specifiers
from planner.resolver.required_hashes import RequiredHashes
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

__all__ = [
    "FileEvaluator",
    "FileRules",
    "Rejection",
    "SourceRule",
    "nearest_python",
    "python_advice",
    "refuse_python",
]


SourceRule = Callable[[NormalizedName, Target], str | None]
"""Returns why no wheel of a project may be built for a target; None if one may be."""


TOO_LATE = "too late for --exclude-newer"


_NEEDS_PYTHON = "it needs Python "


_REMEDIES = (
    (
        "it was yanked",
        "pin the yanked version (NAME==VERSION) to use it all the same, or allow others",
    ),
    ("its hash is not among", "correct the hashes of the requirements, or leave them out"),
    (
        "it is a wheel, and --no-binary",
        "leave the project out of --no-binary, or build it (--build)",
    ),
    ("it is at ", "name the host of its files with --allow-host, or choose another index"),
    (
        "it was uploaded on ",
        "choose a later --exclude-newer or --exclude-newer-package, or allow older versions",
    ),
    (
        "the index does not record when",
        "leave out --exclude-newer, or exempt the project (--exclude-newer-package NAME=false)",
    ),
)
"""What helps against the rules that refuse a file, by how the reasons begin."""


_MINORS = 20
"""The minor versions of Python 3 that a hint may name; those of ten years."""


_LAST_RESORT = -(1 << 30)
"""The preference of a source distribution: every wheel is preferred to a build."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that the target cannot use, and the reason."""

    file: ProjectFile
    reason: str
    """A sentence about the file; files refused alike have equal ones."""
    is_elsewhere: bool = False
    """True if the file is for another Python or platform."""
    needs_build: bool = False
    """True if the file is a source distribution that may not be built."""

    @property
    def is_too_new(self) -> bool:
        """Return True if the file was uploaded too late for the user's policy."""
        return self.reason.endswith(TOO_LATE)

    @property
    def remedy(self) -> str:
        """Return what the user can do about a rule that refuses the file; nothing if none does."""
        return next((one for start, one in _REMEDIES if self.reason.startswith(start)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """The files that may be used for any target, as the user's options and inputs restrict them."""

    hashes: RequiredHashes = field(default_factory=RequiredHashes)
    """The hashes that the requirements allow."""
    pins: Mapping[NormalizedName, frozenset[Version]] = field(default_factory=dict)
    """The exact versions that the user's requirements name or the lock has: no others may be
    yanked (https://packaging.python.org/specifications/file-yanking/)."""
    uploads: UploadLimits = field(default_factory=UploadLimits)
    """Which files are refused because they were uploaded too late."""
    no_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects that are built from source, so that their wheels are refused."""
    only_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects that are never built, so that their source distributions are refused."""
    hosts: frozenset[str] = frozenset()
    """The hosts that files may come from; empty if any host may."""
    sources: SourceRule | None = None
    """Decides what may be built; None if nothing may be."""

    def refuse(self, project: NormalizedName, version: Version, file: ProjectFile) -> str | None:
        """Return why ``file`` may not be used, or None if it may."""
        is_ready = not (file.is_direct or file.is_built or file.is_source)
        if project in self.no_binary and is_ready:
            return "it is a wheel, and --no-binary requires building the project"
        if file.yanked is not None and version not in self.pins.get(project, ()):
            return f"it was yanked: {file.yanked}" if file.yanked else "it was yanked"
        if not self.hashes.allow(project, file.hashes):
            return "its hash is not among those that the requirements give"
        return self._refuse_time(project, file) or self._refuse_host(file)

    def _refuse_time(self, project: NormalizedName, file: ProjectFile) -> str | None:
        limit = self.uploads.limit(project, file.index)
        if limit is None or file.path is not None or file.is_direct:
            return None
        uploaded = parse_time(file.upload_time)
        if uploaded is None:
            return "the index does not record when it was uploaded, which --exclude-newer needs"
        if uploaded >= limit:
            return f"it was uploaded on {uploaded:%Y-%m-%d}, {TOO_LATE}"
        return None

    def _refuse_host(self, file: ProjectFile) -> str | None:
        if not self.hosts or file.path is not None:
            return None
        host = urlsplit(file.url).hostname or ""
        return None if host in self.hosts else f"it is at {host}, which --allow-host does not name"


class FileEvaluator:
    """A judge of index files for one target; a ReleaseJudge owns one for each of its targets."""

    def __init__(self, target: Target, rules: FileRules | None = None) -> None:
        self.target = target
        self._python_version = target.python_version
        self._rules = rules or FileRules()
        self._ranks = {tag: rank for rank, tag in enumerate(target.tags)}
        parts = [(tag.interpreter, tag.abi, tag.platform) for tag in target.tags]
        self._pythons = {(interpreter, abi) for interpreter, abi, _ in parts}
        self._tag_parts = [frozenset(each) for each in zip(*parts, strict=True)]

    def is_elsewhere(self, filename: str) -> bool:
        """Return whether the name of a file says that no wheel of its tags is for the target, so
        that ``evaluate`` refuses it; in a tenth of the time. False if that has to be found out.
        """
        if not filename.endswith(".whl"):
            return False
        tags = filename[: -len(".whl")].lower().split("-")[-3:]
        parts = zip(self._tag_parts, tags, strict=False)
        return any(known.isdisjoint(part.split(".")) for known, part in parts)

    def evaluate(self, project: NormalizedName, file: ProjectFile) -> Distribution | Rejection:
        """Return the distribution that ``file``, of the page of ``project``, is, or why the target
        cannot use it.
        """
        if file.filename.endswith((".tar.gz", ".zip")):
            return self._evaluate_source(project, file)
        try:
            name, version, build, tags = parse_wheel_filename(file.filename)
        except InvalidWheelFilename:
            return Rejection(file, "its name is not one that a wheel may have")
        if name != project:
            return Rejection(file, f"it is a wheel of {name}")
        ranks = [self._ranks[tag] for tag in tags if tag in self._ranks]
        if not ranks:
            return Rejection(file, self._explain_tags(tags), is_elsewhere=True)
        reason = refuse_python(file.requires_python, self._python_version)
        if reason := reason or self._rules.refuse(name, version, file):
            return Rejection(file, reason)
        return Distribution(file, name, version, (-min(ranks), build or (-1, ""), file.filename))

    def _evaluate_source(
        self, project: NormalizedName, file: ProjectFile
    ) -> Distribution | Rejection:
        try:
            name, version = parse_sdist_filename(file.filename)
        except ValueError:  # InvalidSdistFilename, or a number of thousands of digits
            return Rejection(file, "its name is not one that a source distribution may have")
        if name != project:
            return Rejection(file, f"it is a source distribution of {name}")
        reason = refuse_python(file.requires_python, self._python_version)
        if reason := reason or self._rules.refuse(name, version, file):
            return Rejection(file, reason)
        if name in self._rules.only_binary and not file.is_direct:
            return Rejection(
                file, "it is a source distribution, and --only-binary forbids building the project"
            )
        if self._rules.sources is None:
            return Rejection(
                file, "it is a source distribution, and only wheels are used", needs_build=True
            )
        # Called last: it may have to look for an interpreter.
        if reason := self._rules.sources(name, self.target):
            return Rejection(file, reason)
        return Distribution(file, name, version, (_LAST_RESORT, (-1, ""), file.filename))

    def _explain_tags(self, tags: Iterable[Tag]) -> str:
        platforms = sorted(
            tag.platform for tag in tags if (tag.interpreter, tag.abi) in self._pythons
        )
        if platforms:
            return f"it is built for {platforms[0]}"
        return f"it is built for {min(f'{tag.interpreter}-{tag.abi}' for tag in tags)}"


def refuse_python(requires_python: str | None, version: Version) -> str | None:
    """Return why a ``Requires-Python`` field excludes the Python ``version``, or None."""
    if not requires_python:
        return None
    try:
        supported = read_specifiers(requires_python)
    except InvalidSpecifier:
        return f"its Requires-Python {requires_python!r} cannot be read"
    if supported.contains(version, prereleases=True):
        return None
    return f"{_NEEDS_PYTHON}{supported}"


def nearest_python(reason: str, version: Version) -> str | None:
    """Return the supported Python that is nearest to ``version``, such as ``3.12``, if ``reason``
    is that of ``refuse_python``; None if it is not, or there is none.
    """
    if not reason.startswith(_NEEDS_PYTHON):
        return None
    supported = SpecifierSet(reason.removeprefix(_NEEDS_PYTHON))
    minors = sorted(range(_MINORS), key=lambda minor: abs(minor - version.minor))
    return next((f"3.{minor}" for minor in minors if supported.contains(f"3.{minor}")), None)


def python_advice(reason: str, version: Version) -> str:
    """Return what helps against ``reason`` if it is that of ``refuse_python`` for the Python
    ``version``; else nothing.
    """
    if not reason.startswith(_NEEDS_PYTHON):
        return ""
    advice = "choose versions that support the target's Python"
    nearest = nearest_python(reason, version)
    if nearest is None:
        return advice
    return f"{advice}, or plan for one that they support (--python-version {nearest})"
