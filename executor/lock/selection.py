"""Select the files of a lock that the target needs, before anything is written.

Source: https://packaging.python.org/specifications/pylock-toml/#installation, followed step by
step. Packages are read one at a time, and only one small ``Step`` per selected package is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from sys import intern
from typing import Any

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, create_compatible_tags_selector
from packaging.utils import InvalidWheelFilename

from executor.lock.errors import (
    OTHER_PLACE,
    OTHER_PYTHON,
    Ambiguous,
    InsecureHashes,
    NeedsBuild,
    NoCompatibleWheel,
    NotForThisTarget,
    NotInstallable,
)
from executor.lock.options import SelectOptions
from executor.lock.step import Source, Step, is_full_commit
from schemas.builds import BuildRecord, suitable_record
from schemas.digests import Digests
from schemas.hints import wheel_hints
from schemas.lock import archive_filename
from schemas.markers import for_some_choice, holds
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["Selector"]


_Selected = Iterator[PackageWheel]


class _Unbuilt(Exception):  # it never leaves this module
    """The lock lists only a source of this kind for a package."""


class Selector:
    """Selects packages of one lock for one target, and is used for one pass over them.

    Of a target that stands for a series of releases, the first that the lock is for counts. Raises
    NotForThisTarget if the lock as a whole excludes the target, UnknownName, and MarkerUnusable.
    """

    def __init__(self, header: Pylock, target: Target, options: SelectOptions) -> None:
        self.skipped: list[str] = []
        """Names of the packages that were left out because they must be built."""
        self._to_build: list[str] = []
        self._skip_unbuildable = options.skip_unbuildable
        self._build = options.build
        self._tool = header.tool
        self._target = self._suitable(header, target)
        variables = options.variables(header)
        self._environment: dict[str, Any] = {**self._target.environment, **variables}
        self._choose: Callable[[Iterable[tuple[PackageWheel, frozenset[Tag]]]], _Selected] = (
            create_compatible_tags_selector(target.tags)
        )
        self._lines: dict[str, int] = {}

    def select(self, package: Package, line: int) -> Step | None:
        """Return the step for the package at ``line``.

        None if its marker excludes the target, or if it must be built and may not be.
        Raises NotForThisTarget, Ambiguous, NoCompatibleWheel, NotInstallable, InsecureHashes and
        MarkerUnusable.
        """
        if not holds(package.marker, self._environment, subject=package.name):
            return None
        if not self._takes(package.requires_python, package.name):
            raise NotForThisTarget(
                str(self._target),
                package.name,
                f"Python {package.requires_python}",
                self._plan_too(OTHER_PYTHON),
            )
        if package.name in self._lines:
            marker = str(package.marker or "")
            names_scopes = "extras" in marker or "dependency_groups" in marker
            raise Ambiguous(package.name, self._lines[package.name], line, names_scopes)
        self._lines[package.name] = line
        try:
            return self._step(package)
        except _Unbuilt as unbuilt:
            self._to_build.append(f"{package.name} ({unbuilt})")
            self.skipped.append(package.name)
            return None

    def candidate(self, package: Package) -> Step | None:
        """Return the step that ``select`` returns for ``package`` with some choice of extras and
        groups, whatever was chosen here. None if the target has no use for the package; if there is
        no file of it for the target, its name is among ``skipped``.

        Raises NotInstallable, InsecureHashes and MarkerUnusable.
        """
        marker = for_some_choice(package.marker)
        if not (
            holds(marker, self._environment, subject=package.name)
            and self._takes(package.requires_python, package.name)
        ):
            return None
        try:
            return self._step(package)
        except (_Unbuilt, NoCompatibleWheel):
            self.skipped.append(package.name)
            return None

    def _step(self, package: Package) -> Step:
        if package.vcs is not None:
            return self._repository(package, package.vcs)
        if package.directory is not None:
            return self._directory(package, package.directory)
        if package.archive is not None:
            return self._archive(package, package.archive)
        return self._wheel(package)

    def finish(self) -> None:
        """Raise NeedsBuild with all packages that must be built, unless they may be skipped.

        Call it after the last package.
        """
        if self._to_build and not self._skip_unbuildable:
            raise NeedsBuild(tuple(self._to_build))

    def _suitable(self, header: Pylock, target: Target) -> Target:
        """Return the first release of ``target`` that the lock is for. Raises NotForThisTarget."""
        required, environments = header.requires_python, header.environments or ()
        wanted, instead = f"Python {required}", OTHER_PYTHON
        for one in target.releases():
            if not _is_in(required, one, "the lock"):
                continue
            if not environments or any(
                holds(marker, one.environment, subject="the lock", context="requirement")
                for marker in environments
            ):
                return one
            wanted, instead = " or ".join(map(str, environments)), OTHER_PLACE
        raise NotForThisTarget(str(target), "the lock", wanted, self._plan_too(instead, target))

    def _plan_too(self, else_do: str, target: Target | None = None) -> str:
        """Return the hint to plan for the target, with what may be done instead."""
        from executor.lock.other_target import plan_for  # noqa: PLC0415  # only an error needs it

        command = plan_for(target or self._target, self._tool)
        return f"plan for it, too: {command}; {else_do}"

    def _takes(self, requires_python: SpecifierSet | None, subject: str) -> bool:
        """Return whether the target's Python is in ``requires_python``. Raises NotInstallable."""
        return any(_is_in(requires_python, one, subject) for one in self._target.releases())

    def _wheel(self, package: Package) -> Step:
        wheels = package.wheels or ()
        parsed = [(wheel, *parse_wheel_filename(wheel.filename)[2:]) for wheel in wheels]
        # Of wheels with the same tags the highest build number counts (binary distribution format,
        # file name convention); otherwise the order of the lock does.
        parsed.sort(key=lambda one: one[1], reverse=True)
        chosen = next(self._choose((wheel, tags) for wheel, _, tags in parsed), None)
        version = str(package.version or "")
        if chosen is None:
            if package.sdist is not None:
                if self._build:
                    return self._source(package, package.sdist, package.sdist.filename)
                raise _Unbuilt("source distribution")
            raise NoCompatibleWheel(
                package.name,
                version,
                str(self._target),
                tuple(sorted(wheel.filename for wheel in wheels)),
                self._plan_too(OTHER_PLACE),
            )
        return _step(package, chosen, chosen.filename, is_direct=False)

    def _archive(self, package: Package, archive: PackageArchive) -> Step:
        filename = archive_filename(archive)
        if not filename.endswith(".whl"):
            if self._build:
                return self._source(package, archive, filename)
            raise _Unbuilt("source archive")
        if archive.subdirectory:
            raise NotInstallable(package.name, f"{filename} is a wheel, it has no subdirectory")
        # packaging.pylock checks the names of wheels, but not those of archives.
        try:
            name, version, _, tags = parse_wheel_filename(filename)
        except InvalidWheelFilename:
            raise NotInstallable(package.name, f"{filename!r} is not named as a wheel is") from None
        if name != package.name or version != (package.version or version):
            raise NotInstallable(package.name, f"{filename} is a wheel of {name} {version}")
        if tags.isdisjoint(self._target.tags):
            raise NoCompatibleWheel(
                package.name,
                str(version),
                str(self._target),
                (filename,),
                self._plan_too(OTHER_PLACE),
            )
        return _step(package, archive, filename, is_direct=True)

    def _source(self, package: Package, file: PackageSdist | PackageArchive, filename: str) -> Step:
        if not Digests(file.hashes).any_expected:
            raise InsecureHashes(filename, tuple(sorted(file.hashes)))
        record = suitable_record(package.tool, self._target.tags)
        is_archive = isinstance(file, PackageArchive)
        subdirectory = (file.subdirectory or "") if isinstance(file, PackageArchive) else ""
        return Step(
            name=package.name,
            version=_version(package, record),
            filename=filename,
            url=file.url,
            path=file.path,
            size=file.size,
            hashes=_kept(file.hashes),
            hints=wheel_hints(package.tool, record.wheel) if record else None,
            is_direct=is_archive,
            source=Source(record, subdirectory),
        )

    def _repository(self, package: Package, vcs: PackageVcs) -> Step:
        if vcs.type != "git" or not self._build:
            raise _Unbuilt(f"{vcs.type} repository")
        if not is_full_commit(vcs.commit_id):
            raise NotInstallable(
                package.name, f"its commit-id {vcs.commit_id!r} is not the full name of a commit"
            )
        record = suitable_record(package.tool, self._target.tags)
        return _unpacked(
            package,
            Source(
                record,
                vcs.subdirectory or "",
                commit=vcs.commit_id,
                revision=vcs.requested_revision or "",
            ),
            url=vcs.url,
            path=vcs.path,
        )

    def _directory(self, package: Package, directory: PackageDirectory) -> Step:
        if not self._build:
            raise _Unbuilt("directory")
        record = suitable_record(package.tool, self._target.tags)
        source = Source(
            record,
            directory.subdirectory or "",
            folder=directory.path,
            editable=bool(directory.editable),
        )
        return _unpacked(package, source, url=None, path=directory.path)


def _is_in(requires_python: SpecifierSet | None, target: Target, subject: str) -> bool:
    """Return whether the Python of ``target`` is in ``requires_python``. Raises NotInstallable."""
    if requires_python is None:
        return True
    try:
        return requires_python.contains(target.python_version, prereleases=True)
    except ValueError as error:  # a number of more digits than int() takes
        problem = str(error).partition(";")[0]
        raise NotInstallable(subject, f"its requires-python is unusable: {problem}") from None


def _unpacked(package: Package, source: Source, *, url: str | None, path: str | None) -> Step:
    """Return the step of a source that is not a file: a repository or a folder."""
    return Step(
        name=package.name,
        version=_version(package, source.record),
        filename=package.name,
        url=url,
        path=path,
        size=None,
        hashes=(),
        hints=wheel_hints(package.tool, source.record.wheel) if source.record else None,
        is_direct=True,
        source=source,
    )


def _version(package: Package, record: BuildRecord | None) -> str:
    """Return the version that the lock records; empty if it is known only after the build."""
    if package.version is None and record:
        return str(record.version)
    return str(package.version or "")


def _kept(hashes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return hashes as a step keeps them: few names are shared by perhaps a thousand steps."""
    return tuple((intern(name), digest) for name, digest in hashes.items())


def _step(
    package: Package, file: PackageWheel | PackageArchive, filename: str, *, is_direct: bool
) -> Step:
    """Return the step of a wheel. Raises InsecureHashes."""
    if not Digests(file.hashes).any_expected:
        raise InsecureHashes(filename, tuple(sorted(file.hashes)))
    version = package.version or parse_wheel_filename(filename)[1]
    return Step(
        name=package.name,
        version=str(version),
        filename=filename,
        url=file.url,
        path=file.path,
        size=file.size,
        hashes=_kept(file.hashes),
        hints=wheel_hints(package.tool, filename),
        is_direct=is_direct,
    )
