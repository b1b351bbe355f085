"""The names that members of a wheel may have, and the schemes that they belong to.

Source: https://packaging.python.org/specifications/binary-distribution-format/. Only
names that every operating system reads in the same way are allowed, so that a lock means the same
tree everywhere.
"""

from __future__ import annotations

import re
from math import prod
from typing import Literal, get_args

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName, canonicalize_name
from packaging.utils import parse_wheel_filename as _parse
from packaging.version import InvalidVersion, Version

__all__ = [
    "MAX_DEPTH",
    "MAX_NAME_SIZE",
    "MAX_SEGMENT_SIZE",
    "MAX_TAGS",
    "PLAIN_FOLDER",
    "PLAIN_SEGMENT",
    "SCHEME_NAMES",
    "InvalidMemberName",
    "Scheme",
    "check_last_segment",
    "check_member_name",
    "dist_info_matches",
    "has_too_many_tags",
    "is_for_linux",
    "parse_wheel_filename",
    "split_wheel_filename",
]

Scheme = Literal["purelib", "platlib", "headers", "scripts", "data"]
"""The keys that a ``.data`` folder may have, and the folders of an environment for them."""

SCHEME_NAMES: tuple[Scheme, ...] = get_args(Scheme)

MAX_SEGMENT_SIZE = 255
"""Bytes; NAME_MAX of the file systems in use."""
MAX_NAME_SIZE = 1024
"""Bytes; the longest in 405,808 members of 994 real wheels has 324 (msgraph_sdk 1.65.0)."""
MAX_TAGS = 1000
"""Combinations of a compressed tag set; a real file name has up to about 20."""
MAX_DEPTH = 64
"""Levels of nested folders; a writer holds one descriptor for each."""

_RESERVED_CHARACTERS = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
"""Those that no name needs on any system; a backslash divides a name in some archives."""
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
_RESERVED_SEGMENT = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\..*)?", re.IGNORECASE
)
_RESERVED_INITIALS = frozenset("CPANLcpanl")
"""The first letters of reserved names: most names can skip the expression."""


_PLAIN = r"(?!(?i:CON|PRN|AUX|NUL|(?:COM|LPT)[0-9])(?:[./]|\Z))\w(?:[\w.+-]{0,100}[\w+-])?"
PLAIN_SEGMENT = re.compile(_PLAIN, re.ASCII)
"""The last part of a name that every system takes, with no character that RECORD has to quote."""
PLAIN_FOLDER = re.compile(rf"(?:\.?{_PLAIN}/){{1,32}}", re.ASCII)
"""The part of such a name up to its last slash."""


class InvalidMemberName(ValueError):
    """The name of a member leads out of its folder, or is ambiguous between systems."""


def check_member_name(name: str, *, is_portable: bool = True) -> None:
    """Raise InvalidMemberName, which states the rule, for a name that is not a plain relative path.

    Folders end with one slash. With ``is_portable`` the name has to be one on Windows and macOS
    too; a wheel for Linux alone does not need that.
    """
    if not name:
        raise InvalidMemberName("its name is empty")
    _check_characters(name, is_portable=is_portable)
    if len(name) * 4 > MAX_NAME_SIZE and len(name.encode()) > MAX_NAME_SIZE:
        raise InvalidMemberName(f"its name is longer than {MAX_NAME_SIZE} bytes")
    segments = name.removesuffix("/").split("/")
    if len(segments) > MAX_DEPTH:
        raise InvalidMemberName(f"it is more than {MAX_DEPTH} folders deep")
    for segment in segments:
        _check_segment(segment, is_portable=is_portable)


def check_last_segment(segment: str, *, is_portable: bool = True) -> None:
    """Raise InvalidMemberName, which states the rule, for the last part of a name.

    The name has at most ``MAX_NAME_SIZE`` bytes, and the folders before its last slash have been
    checked.
    """
    _check_characters(segment, is_portable=is_portable)
    _check_segment(segment, is_portable=is_portable)


def _check_characters(name: str, *, is_portable: bool) -> None:
    reserved = _RESERVED_CHARACTERS if is_portable else _CONTROL_CHARACTERS
    if found := reserved.search(name):
        raise InvalidMemberName(f"its name contains {found[0]!r}, which some systems do not allow")


def _check_segment(segment: str, *, is_portable: bool) -> None:
    if segment in {"", ".", ".."}:
        raise InvalidMemberName(
            "its name is absolute or not in its shortest form (it has an empty, '.' or '..' part)"
        )
    if is_portable and segment[-1] in ". ":
        raise InvalidMemberName(f"its part {segment!r} ends with a dot or a space")
    if is_portable and segment[0] in _RESERVED_INITIALS and _RESERVED_SEGMENT.fullmatch(segment):
        raise InvalidMemberName(f"its part {segment!r} is a reserved name on Windows")
    if len(segment) * 4 > MAX_SEGMENT_SIZE and len(segment.encode()) > MAX_SEGMENT_SIZE:
        raise InvalidMemberName(f"its part {segment!r} is longer than {MAX_SEGMENT_SIZE} bytes")


def parse_wheel_filename(
    filename: str,
) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Return the name, version, build tag and tags that a file name states, in bounded time.

    Raises packaging.utils.InvalidWheelFilename.
    """
    if len(filename) > MAX_NAME_SIZE or has_too_many_tags(filename):
        raise InvalidWheelFilename(f"it is too long, or has more than {MAX_TAGS} tags")
    try:
        return _parse(filename)
    except InvalidWheelFilename:
        raise
    except ValueError as error:  # a number of more digits than int() takes
        raise InvalidWheelFilename(str(error)) from None


def is_for_linux(filename: str) -> bool:
    """Return whether every platform tag of a wheel's file name is one of Linux."""
    platforms = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    return all(tag.startswith(("linux_", "manylinux", "musllinux_")) for tag in platforms)


def has_too_many_tags(filename: str) -> bool:
    """Return whether a file name states more than ``MAX_TAGS`` tags."""
    parts = filename.removesuffix(".whl").split("-")[-3:]
    return prod(part.count(".") + 1 for part in parts) > MAX_TAGS


def split_wheel_filename(filename: str) -> tuple[str, str]:
    """Return the name and the version of a wheel as its file name spells them.

    Raises packaging.utils.InvalidWheelFilename.
    """
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in {5, 6}:
        raise InvalidWheelFilename(f"Invalid wheel filename: {filename!r}")
    return parts[0], parts[1]


def dist_info_matches(folder: str, name: str, version: str) -> bool:
    """Return whether ``folder`` (``demo-1.0.dist-info``, or with ``.data``) belongs to a wheel of
    this name and version, in any spelling.
    """
    stem = folder.rpartition(".")[0]
    folder_name, dash, folder_version = stem.partition("-")
    if not dash or canonicalize_name(folder_name) != canonicalize_name(name):
        return False
    try:
        return Version(folder_version.replace("_", "+")) == Version(version.replace("_", "+"))
    except InvalidVersion:
        return folder_version == version
