"""A lock as a requirements file, for ``pip install --require-hashes -r`` and ``uv pip install``.

Sources: https://pip.pypa.io/en/stable/reference/requirements-file-format/ and
https://pip.pypa.io/en/stable/topics/secure-installs/#hash-checking-mode. In that mode pip refuses a
file with a requirement that it cannot verify: one of a repository or a folder, or one without a
hash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from packaging.pylock import Package, Pylock
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename

from planner.exports.addresses import (
    carries_secret,
    files_of,
    local_path,
    plain_url,
    repository_url,
)
from planner.exports.depends import Depends
from planner.exports.errors import Unverifiable
from planner.exports.pip_places import PipPlaces, checked
from planner.exports.selection import ExportedPackage
from planner.model.paths import relative_path
from schemas.data_class import frozen
from schemas.target import Target
from schemas.text import enumerate_some, one_line
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["PipFile", "PipOptions", "write_requirements"]

ALGORITHMS = ("sha256", "sha384", "sha512")
"""The hashes that pip accepts, the usual one first."""


@frozen(kw_only=True)
class PipOptions:
    """How the requirements file is written."""

    folder: str
    """The folder of the lock."""
    into: str
    """The folder of the requirements file."""
    has_hashes: bool = True
    skips_unhashed: bool = False
    """Whether to leave out what pip cannot verify, instead of refusing the lock."""
    has_indexes: bool = True
    """Whether to name indexes other than PyPI."""


@frozen(kw_only=True)
class PipFile:
    """A requirements file, and what its user has to know."""

    text: str
    count: int
    """Packages in it."""
    remarks: tuple[str, ...]


def write_requirements(
    lock: Pylock,
    packages: Sequence[ExportedPackage],
    targets: Sequence[Target],
    options: PipOptions,
) -> PipFile:
    """Return the requirements file of ``packages`` of ``lock``, which is for ``targets``.

    Raises Unverifiable and Unwritable.
    """
    kept, left_out = list(packages), list[str]()
    if options.has_hashes:
        reasons = {id(one): reason for one in packages if (reason := _unverifiable(one.package))}
        left_out = [f"{one.name} ({reasons[id(one)]})" for one in packages if id(one) in reasons]
        kept = [one for one in packages if id(one) not in reasons]
        if left_out and not options.skips_unhashed:
            raise Unverifiable(left_out)
    depends = Depends(lock, packages)
    pinned = [one.package for one in kept if _pinned_version(one, options.folder)]
    places = PipPlaces.find(pinned, lock, folder=options.folder, into=options.into)
    lines = [*_head(targets, options), *places.lines(with_indexes=options.has_indexes)]
    for one in kept:
        lines += _entry(one, options)
        lines += _parents(depends, one)
    lines += [f"# Left out, because pip cannot verify it: {one}" for one in left_out]
    return PipFile(
        text="".join(f"{line}\n" for line in lines),
        count=len(kept),
        remarks=tuple(_remarks(kept, left_out, places, options)),
    )


def _head(targets: Sequence[Target], options: PipOptions) -> Iterator[str]:
    mode = " --require-hashes" if options.has_hashes else ""
    yield "# Written by lockstream export. With --no-deps, pip need not look for more:"
    yield f"#    pip install --no-deps{mode} -r FILE"
    if targets:
        yield "# It is for:"
        yield from (f"#    {one_line(str(target))}" for target in targets)


def _entry(one: ExportedPackage, options: PipOptions) -> list[str]:
    """Return the lines of one requirement with its hashes. Raises Unwritable."""
    line = _specifier(one, options)
    if one.marker is not None:
        line += f" ; {checked(str(one.marker), one.name, 'marker')}"
    hashes = sorted(set(_hashes(one.package))) if options.has_hashes else []
    return " \\\n".join([line, *(f"    --hash={digest}" for digest in hashes)]).split("\n")


def _specifier(one: ExportedPackage, options: PipOptions) -> str:
    package = one.package
    if version := _pinned_version(one, options.folder):
        return f"{one.name}=={version}"
    url = repository_url(package)
    if url is None and package.archive is not None and package.archive.url:
        url = plain_url(package.archive.url)
    if url is None and package.vcs is not None:
        path = os.path.abspath(os.path.join(options.folder, package.vcs.path or ""))
        url = f"{package.vcs.type}+file://{quote(path)}@{quote(package.vcs.commit_id)}"
    if url is None:
        return _path(one, options)
    return f"{one.name} @ {checked(url, one.name, 'address')}{_part(package)}"


def _path(one: ExportedPackage, options: PipOptions) -> str:
    """Return the requirement of a folder or a file on this machine."""
    package, is_editable = one.package, None
    if package.directory is not None:
        inner = package.directory.subdirectory or ""
        place = os.path.normpath(os.path.join(options.folder, package.directory.path, inner))
        is_editable = package.directory.editable
    else:
        assert package.archive is not None
        place = local_path(package.archive, options.folder) or ""
    shown = relative_path(place, options.into)
    shown = shown if shown.startswith((".", "/")) else f"./{shown}"
    # Of an editable project, pip takes no marker, and ends the path at a space.
    prefix = "-e " if is_editable and one.marker is None and " " not in shown else ""
    return prefix + checked(shown, one.name, "path")


def _part(package: Package) -> str:
    subdirectory = getattr(package.vcs or package.archive, "subdirectory", None)
    return f"#subdirectory={quote(subdirectory)}" if subdirectory else ""


def _pinned_version(one: ExportedPackage, folder: str) -> str | None:
    """Return the version by which pip finds the files: of an index, or of an archive on this
    machine whose name has it. (Of a path, pip would look in its working folder.) None for what is
    required by its place.
    """
    package = one.package
    if package.archive is None:
        is_indexed = package.vcs is None and package.directory is None
        return str(one.version) if is_indexed else None
    path = local_path(package.archive, folder)
    if path is None or package.archive.subdirectory:
        return None
    filename = os.path.basename(path)
    try:
        name, version = (
            parse_wheel_filename(filename)[:2]
            if filename.endswith(".whl")
            else parse_sdist_filename(filename)
        )
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return str(version) if name == one.name else None


def _unverifiable(package: Package) -> str:
    """Return why pip cannot verify ``package``; nothing if it can."""
    if package.vcs is not None:
        return f"a repository of {package.vcs.type}"
    if package.directory is not None:
        return "a folder"
    return "" if any(_hashes(package)) else "without a hash that pip accepts"


def _hashes(package: Package) -> Iterator[str]:
    for file in files_of(package):
        known = {name.lower(): digest.lower() for name, digest in file.hashes.items()}
        for algorithm in ALGORITHMS:
            if digest := known.get(algorithm):
                yield f"{algorithm}:{digest}"
                break


def _parents(depends: Depends, one: ExportedPackage) -> list[str]:
    """Return the comment that names the packages that depend on this one, as uv and pip-tools
    do.
    """
    parents = depends.parents(one.name)
    if len(parents) < 2:
        return [f"    # via {parent}" for parent in parents]
    return ["    # via", *(f"    #   {parent}" for parent in parents)]


def _remarks(
    kept: Sequence[ExportedPackage],
    left_out: Sequence[str],
    places: PipPlaces,
    options: PipOptions,
) -> Iterator[str]:
    if left_out:
        yield f"left out, because pip cannot verify it: {enumerate_some(left_out, limit=10)}"
    if places.are_several and not options.has_hashes:
        yield (
            "without hashes, pip may take a package from another index than the lock: it looks for "
            "each in all of them"
        )
    secret = [one.name for one in kept if any(map(carries_secret, _addresses(one.package)))]
    if secret:
        yield (
            f"logins and signatures of addresses were left out ({enumerate_some(secret)}): give "
            "pip the login by a .netrc or a keyring"
        )


def _addresses(package: Package) -> Iterator[str | None]:
    yield package.index
    if package.vcs is not None:
        yield package.vcs.url
    if package.archive is not None:
        yield package.archive.url
