"""The names that members of a wheel may have, and the schemes that they belong to.

Source: https://packaging.python.org/specifications/binary-distribution-format/. Only
names that every operating system reads in the same way are allowed, so that a lock means the same
tree everywhere.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

__all__ = [
    "EGGS",
    "MAX_DEPTH",
    "MAX_NAME_SIZE",
    "MAX_SEGMENT_SIZE",
    "PLAIN_FOLDER",
    "PLAIN_SEGMENT",
    "SCHEME_NAMES",
    "InvalidMemberName",
    "Scheme",
    "check_last_segment",
    "check_member_name",
]

Scheme = Literal["purelib", "platlib", "headers", "scripts", "data"]
"""The keys that a ``.data`` folder may have, and the folders of an environment for them."""

SCHEME_NAMES: tuple[Scheme, ...] = get_args(Scheme)

EGGS = (".egg-info", ".egg", ".egg-link")
"""Ends of the names by which setuptools and distutils know what they have installed: metadata, a
package with its metadata, a link to sources."""

MAX_SEGMENT_SIZE = 255
"""Bytes; NAME_MAX of the file systems in use."""
MAX_NAME_SIZE = 1024
"""Bytes; the longest in 405,808 members of 994 real wheels has 324 (msgraph_sdk 1.65.0)."""
MAX_DEPTH = 64
"""Levels of nested folders; a writer holds one descriptor for each."""

_RESERVED_CHARACTERS = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
"""Those that no name needs on any system; a backslash divides a name in some archives."""
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
_RESERVED_SEGMENT = r"(?i)(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\..*)?"
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
    if (
        is_portable
        and segment[0] in _RESERVED_INITIALS
        and re.fullmatch(_RESERVED_SEGMENT, segment)
    ):
        raise InvalidMemberName(f"its part {segment!r} is a reserved name on Windows")
    if len(segment) * 4 > MAX_SEGMENT_SIZE and len(segment.encode()) > MAX_SEGMENT_SIZE:
        raise InvalidMemberName(f"its part {segment!r} is longer than {MAX_SEGMENT_SIZE} bytes")
