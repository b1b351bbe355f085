"""The parts of a lock as types of ``packaging.pylock``, and the errors in them.

Source: https://packaging.python.org/specifications/pylock-toml/. One ``[[packages]]`` block is
read at a time; the header is a ``Pylock`` without packages. This module is the one place where
errors of tomllib and packaging.pylock become errors of ours.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.utils import InvalidWheelFilename
from packaging.version import InvalidVersion, Version

from schemas.blocks import Block
from schemas.data_class import with_fields
from schemas.errors import InvalidLockText
from schemas.hints import tool_value
from schemas.numbers import has_huge_number
from schemas.target import Target
from schemas.text import MERGE_CONFLICT, conflict_line, lock_command
from schemas.toml import parse_toml
from schemas.urls import UNQUOTED_HINT, has_unquoted_login, is_malformed
from schemas.wheel_filename import has_too_many_tags, parse_wheel_filename

__all__ = [
    "InvalidLock",
    "LockConflict",
    "LockWithoutHeader",
    "UnsupportedLockVersion",
    "archive_filename",
    "newer_remark",
    "parse_block",
    "parse_header",
    "parse_package",
    "recorded_targets",
]

_KNOWN_VERSION = Version("1.0")
_TOML_PLACE = re.compile(r"\s*\(at line (\d+), column (\d+)\)$")


_WRITERS = {
    "uv.lock": "uv export --format pylock.toml -o pylock.toml",
    "pdm.lock": "pdm export --format pylock -o pylock.toml",
    "Pipfile.lock": "lockstream plan -r, with a file that pipenv requirements prints,",
    "poetry.lock": "lockstream plan",
    "pyproject.toml": "lockstream plan",
    ".txt": "lockstream plan -r with this file",
    ".in": "lockstream plan -r with this file",
}
"""What writes a lock of a file of another kind, by how its name ends."""

_FEW_DOTS = 20
"""With so few, a file name cannot state more tags than ``MAX_TAGS``."""


@with_fields
class InvalidLock(InvalidLockText):
    """The lock breaks a rule of PEP 751."""

    problem: str
    line: int
    """The line at fault if it is known, otherwise the first line of the block at fault; from 1."""
    package: str | None = None

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the name of the file
        name = self.path.rpartition("/")[2]
        writers = (writer for end, writer in _WRITERS.items() if name.endswith(end))
        writer = next(writers, "" if name.endswith(".toml") else "lockstream plan")
        if name.endswith(".tar"):
            import shlex  # noqa: PLC0415  # only for what went wrong

            path = shlex.quote(self.path)
            command = f"tar -xf {path} pylock.toml"
            return f"if it is a bundle, take the lock out of it: {command}; then --bundle {path}"
        if writer:
            return f"it is no pylock.toml; {writer} writes one"
        return (
            "the lock was edited by hand or cut short; restore it from version control, or remove "
            "it and write it again with its locker"
        )

    def describe(self) -> str:
        line = f"line {self.line}"
        place = f"package {self.package!r} ({line})" if self.package else line
        return f"{place}: {self.problem}"


@with_fields
class LockConflict(InvalidLockText):
    """The lock has both sides of a merge in it."""

    line: int

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the path
        return (
            f"keep one side, with git checkout --ours {self.path} (or --theirs), then run "
            f"{lock_command('plan', self.path)}, which adds what the other one requires"
        )

    def describe(self) -> str:
        return f"line {self.line}: {MERGE_CONFLICT}"


@with_fields
class UnsupportedLockVersion(InvalidLockText):
    """The lock has a major version that this program does not know."""

    version: str
    hint = "install a newer lockstream, or lock again with lock-version 1.0"

    def describe(self) -> str:
        return f"lock-version {self.version!r} is not supported, only 1.x is"


@with_fields
class LockWithoutHeader(InvalidLockText):
    """Nothing stands before the packages of the lock; mostly it is empty."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the path
        return (
            "if it is empty, the shell has emptied it, to write what a command prints (>): remove "
            f"it, or restore it; {lock_command('plan', self.path)} writes the file itself"
        )

    def describe(self) -> str:
        return "it says nothing of itself, not even its lock-version"


def parse_block(block: Block) -> dict[str, Any]:
    """Return the TOML of one block; of a ``[[packages]]`` block, the table itself.

    Raises InvalidLock or LockConflict, with the line of the file.
    """
    try:
        document = parse_toml(block.text)
    except tomllib.TOMLDecodeError as error:
        if mark := conflict_line(block.text):
            raise LockConflict(block.line + mark - 1) from None
        problem, line = str(error), block.line
        if place := _TOML_PLACE.search(problem):
            line += int(place[1]) - 1
            problem = f"{problem[: place.start()]}, at column {place[2]}"
        raise InvalidLock(f"not valid TOML: {problem}", line) from None
    except ValueError as error:  # also integers of thousands of digits
        raise InvalidLock(f"not readable as TOML: {error}", block.line) from None
    if has_huge_number(block.text):
        raise InvalidLock("it has a number of 1,000 digits or more", block.line)
    if block.is_package:
        # Exactly one: a package that is skipped would be missing from the environment.
        [table] = document["packages"]
        return dict(table)
    return document


def parse_header(document: Mapping[str, Any]) -> Pylock:
    """Return everything of a lock except its packages, validated.

    Raises InvalidLock, LockWithoutHeader and UnsupportedLockVersion.
    """
    if not document:
        raise LockWithoutHeader
    newer = _newer_minor(document.get("lock-version"))
    # packaging writes a line of its own about a newer one.
    version = {"lock-version": str(_KNOWN_VERSION)} if newer else {}
    try:
        header = Pylock.from_dict({**document, **version, "packages": []})
    except PylockUnsupportedVersionError:
        raise UnsupportedLockVersion(str(document["lock-version"])) from None
    except PylockValidationError as error:
        raise InvalidLock(str(error), line=1) from None
    environments = document.get("environments")
    if any("\\" in str(marker) for marker in environments or ()):
        raise InvalidLock(_BACKSLASH, line=1)
    return replace(header, lock_version=newer) if newer else header


def _newer_minor(version: object) -> Version | None:
    """Return the ``version`` if it is 1.x with an x that is not known here."""
    try:
        found = Version(version) if isinstance(version, str) else _KNOWN_VERSION
    except InvalidVersion:
        return None
    return found if found > _KNOWN_VERSION and found.major == _KNOWN_VERSION.major else None


def newer_remark(header: Pylock, path: str) -> str:
    """Return the warning that PEP 751 demands if the lock at ``path`` is of a newer minor version;
    else nothing.
    """
    if header.lock_version <= _KNOWN_VERSION:
        return ""
    return (
        f"{path}: its lock-version is {header.lock_version}, and what is newer in it than "
        f"{_KNOWN_VERSION} does not count; a newer lockstream may know it"
    )


def recorded_targets(lock: Pylock) -> tuple[Target, ...]:
    """Return the targets that ``lock`` records; empty if another tool wrote it."""
    tables = tool_value(lock.tool, "targets")
    if not isinstance(tables, list):
        return ()
    return tuple(target for one in tables if (target := Target.from_table(one)))


def parse_package(table: Mapping[str, Any], line: int) -> Package:
    """Return one package of a lock, validated. ``line`` is the first line of its block.

    A wheel whose file name cannot be parsed (with a draft variant label, say) is left out, since no
    target can select it.

    Raises InvalidLock.
    """
    wheels = table.get("wheels")
    name = table.get("name")
    if isinstance(wheels, list) and any(map(_is_too_wide, wheels)):
        # packaging would make all of their tags.
        wheels = [wheel for wheel in wheels if not _is_too_wide(wheel)]
        table = {**table, "wheels": wheels}
    try:
        package = _parse_package(table)
    except PylockValidationError as error:
        problem = str(error)
        if isinstance(wheels, list) and any(map(_has_unquoted_login, wheels)):
            problem = _UNQUOTED  # the file name would be a part of the password
        elif isinstance(wheels, list) and "Invalid wheel filename" in problem:
            readable = [wheel for wheel in wheels if _has_readable_name(wheel)]
            if len(readable) < len(wheels) and (readable or "sdist" in table):
                return parse_package({**table, "wheels": readable}, line)
        # The block was parsed alone, so its index in the array means nothing.
        problem = problem.removesuffix(" in 'packages[0]'").replace("'packages[0].", "'")
        raise InvalidLock(problem, line, name if isinstance(name, str) else None) from None
    if "\\" in str(table.get("marker")):
        raise InvalidLock(_BACKSLASH, line, package.name)
    _check_sizes(package, line)
    _check_places(package, line)
    return package


_BACKSLASH = "a marker has a backslash, for which the grammar of markers (PEP 508) has no place"
"""packaging reads what Python would for it, such as a quote, and prints that without a backslash:
what it prints is not a marker, or another one."""


def _check_places(package: Package, line: int) -> None:
    """Raise InvalidLock for a zero byte in a path or URL, which no system call takes, for a URL
    that cannot be taken apart, and for an archive without a file name, which packaging accepts.
    """
    files = [
        *(package.wheels or ()),
        package.sdist,
        package.archive,
        package.directory,
        package.vcs,
    ]
    for file in files:
        for key in ("name", "path", "url"):
            place = getattr(file, key, None) or ""
            if "\0" in place or "%00" in place:
                raise InvalidLock(f"a {key} holds a zero byte", line, package.name)
        place = getattr(file, "url", None) or ""
        if "@" in place and has_unquoted_login(place):
            raise InvalidLock(_UNQUOTED, line, package.name)
        if is_malformed(place):
            raise InvalidLock("a url is malformed", line, package.name)
    if package.archive is not None and not archive_filename(package.archive):
        raise InvalidLock("the url or path of its archive names no file", line, package.name)


def archive_filename(archive: PackageArchive) -> str:
    """Return the name of the file at the end of the path or URL of an archive; empty if there is
    none.
    """
    try:
        return PackageWheel(path=archive.path, url=archive.url, hashes={}).filename
    except PylockValidationError:
        return ""


_UNQUOTED = f"a URL has an unquoted login; {UNQUOTED_HINT}, or leave it out"


def _has_unquoted_login(wheel: object) -> bool:
    url = wheel.get("url") if isinstance(wheel, Mapping) else None
    return isinstance(url, str) and has_unquoted_login(url)


def _check_sizes(package: Package, line: int) -> None:
    """Raise InvalidLock for a negative size, which packaging accepts."""
    wheels = enumerate(package.wheels or ())
    files = {f"wheels[{number}]": wheel.size for number, wheel in wheels}
    files |= {"sdist": package.sdist.size} if package.sdist else {}
    files |= {"archive": package.archive.size} if package.archive else {}
    for place, size in files.items():
        if size is not None and size < 0:
            raise InvalidLock(f"{size} is not a size in '{place}.size'", line, package.name)


def _parse_package(table: Mapping[str, Any]) -> Package:
    document = {"lock-version": "1.0", "created-by": "", "packages": [table]}
    return Pylock.from_dict(document).packages[0]


def _is_too_wide(wheel: object) -> bool:
    """Return whether the file name of a wheel states more tags than any real one."""
    if not isinstance(wheel, Mapping):
        return False
    places = (wheel.get(key) for key in ("name", "path", "url"))
    names = (place.rpartition("/")[2] for place in places if isinstance(place, str))
    return any(name.count(".") > _FEW_DOTS and has_too_many_tags(name) for name in names)


def _has_readable_name(wheel: object) -> bool:
    if not isinstance(wheel, Mapping):
        return True
    try:
        parse_wheel_filename(
            PackageWheel(
                name=wheel.get("name"), path=wheel.get("path"), url=wheel.get("url"), hashes={}
            ).filename
        )
    except InvalidWheelFilename:
        return False
    except PylockValidationError:
        return True  # without any name it is refused for that
    return True
