"""Scripts of a wheel: wrappers of its entry points, and the first line of those that it ships.

Sources: https://packaging.python.org/specifications/entry-points/ and
https://packaging.python.org/specifications/binary-distribution-format/#recommended-installer-features.
"""

from __future__ import annotations

import codecs
import keyword
import os
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, cast

from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.wheel import MAX_SEGMENT_SIZE

__all__ = [
    "EntryPoint",
    "InvalidEntryPoint",
    "check_replaces_nothing",
    "check_script_name",
    "read_entry_points",
    "shebang",
    "shipped_head",
    "windows_launcher",
    "wrapper",
]


_SHIPPED_MARK = b"#!python"
"""Begins a shipped script that the environment's Python has to run; ``#!pythonw`` does too."""


_MAX_SHEBANG = 127
"""Bytes that kernels before 5.1 read of the first line (https://lwn.net/Articles/779997/)."""


_ENV = "/usr/bin/env "
"""Finds the interpreter when the script runs: for a tree that another machine will use."""


_BY_SHELL = b"#!/bin/sh\n%b'''exec' %b \"$0\" \"$@\"\n' '''\n"
"""Lines that sh runs and that Python reads as a string: for an interpreter that the kernel does not
take from the first line."""


_BESIDE = b'"$(dirname -- "$(realpath -- "$0")")"/\'%b\''
"""Finds the interpreter in the folder of the script, through links to the script: for a tree that
may be moved. uv writes the same lines."""


_CODING = rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)"
"""Begins a line that declares the encoding of a source, if it is one of the first two (PEP 263)."""


_PLAIN = frozenset(b"/._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Bytes that mean themselves to sh, printf, Python and any encoding of a source."""


_MAX_LINE = 4096
"""Characters of a line of entry_points.txt, since configparser takes quadratic time for one. Real
lines have up to about 200."""


_SCRIPT_NAME = r"[\w.+-]+"


_RESERVED_NAME = (
    r"(?i)python[\d.]*[td]?|pythonw|pypy[\d.]*|activate(?:\..*|_this\.py)?|deactivate(?:\..*)?"
    r"|pyvenv\.cfg|pybuilddir\.txt|.*\._pth"
)
"""The environment's own programs, and files that an interpreter obeys if they are in its folder
(https://docs.python.org/3/library/sys_path_init.html, and Modules/getpath.py of CPython)."""


_WRAPPER = """\
import sys
from {module} import {first}
if __name__ == "__main__":
    if sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({attribute}())
"""


class InvalidEntryPoint(ValueError):
    """An entry point that would write outside of the scripts folder, or is malformed."""


@frozen
class EntryPoint:
    """A command that calls ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    is_gui: bool = False


def read_entry_points(text: str) -> Iterator[EntryPoint]:
    """Yield the console and gui scripts of an ``entry_points.txt``, in its order.

    A byte order mark, comments at the end of a line and any ends of lines are read over: other
    installers make the commands of such files too. Raises InvalidEntryPoint.
    """
    import configparser  # noqa: PLC0415  # most wheels have no commands

    # A name that no section can have: in this format [DEFAULT] is a section like any other.
    parser = configparser.ConfigParser(
        delimiters=("=",),
        inline_comment_prefixes=("#", ";"),
        interpolation=None,
        strict=False,
        default_section="",
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    if any(len(line) > _MAX_LINE for line in text.splitlines()):
        raise InvalidEntryPoint(f"a line of it has more than {_MAX_LINE} characters")
    try:
        lines = StringIO(text.removeprefix("\ufeff"), newline=None)
        parser.read_file(lines, "entry_points.txt")
    except configparser.Error as error:
        raise InvalidEntryPoint(" ".join(str(error).split())) from None
    for group in ("console_scripts", "gui_scripts"):
        if parser.has_section(group):
            for name, value in parser.items(group):
                yield _entry_point(name, value, is_gui=group == "gui_scripts")


def check_script_name(name: str) -> None:
    """Raise InvalidEntryPoint if a script would land elsewhere, or replace the interpreter."""
    if not re.fullmatch(_SCRIPT_NAME, name) or name in {".", ".."}:
        raise InvalidEntryPoint(f"the script name {name!r} is not made of letters, digits, . + _ -")
    if len(name.encode()) > MAX_SEGMENT_SIZE:
        raise InvalidEntryPoint(f"the script name {name[:40]!r}... has more than 255 bytes")
    check_replaces_nothing(name)


def check_replaces_nothing(name: str) -> None:
    """Raise InvalidEntryPoint if a part of the environment has this name."""
    if re.fullmatch(_RESERVED_NAME, name):
        raise InvalidEntryPoint(f"the script name {name!r} is that of a part of the environment")


def shebang(executable: str, coding: bytes = b"") -> bytes:
    """Return the first lines of a script that ``executable`` runs; a name without a folder stands
    for the program next to the script. ``coding`` is the encoding of the script, if not UTF-8.

    If its path is too long for the kernel, has white space in it, or cannot be read in that
    encoding, they are lines that sh runs and that Python reads as a string.
    """
    path = os.fsencode(executable)
    declared = _declaration(coding) if coding else b""
    if not os.path.dirname(executable):
        return _BY_SHELL % (declared, _BESIDE % path)
    line = b"#!%b\n" % path
    is_text = path.isascii() if coding else _is_utf8(path)
    is_whole = not any(space in path for space in b" \t\n\r")
    if executable.startswith(_ENV) or (is_text and len(line) <= _MAX_SHEBANG and is_whole):
        return line
    if is_text:
        # A backslash means itself to both only if it is outside of quotes, and there are two.
        quoted = b"'%b'" % path.replace(b"'", b"'\"'\"'").replace(b"\\", b"'\\\\'")
    else:
        octal = (b"%c" % byte if byte in _PLAIN else b"\\0%03o" % byte for byte in path)
        quoted = b"\"$(printf %%b '%b')\"" % b"".join(octal)
    return _BY_SHELL % (declared, quoted)


def shipped_head(executable: str, first: bytes, second: bytes) -> bytes:
    """Return what takes the place of the ``first`` line of a shipped script that ``executable`` has
    to run; empty if it does not ask for that. ``second`` is the line after it.

    An encoding that either line declares stays that of the script (PEP 263).
    """
    if not first.startswith(_SHIPPED_MARK):
        return b""
    found = [re.match(_CODING, line) for line in (first, second)]
    coding = next((one[1] for one in found if one and not _names_utf8(one[1])), b"")
    head = shebang(executable, coding)
    is_lost = coding and found[0] and head.count(b"\n") == 1
    return head + _declaration(coding) if is_lost else head


def _declaration(coding: bytes) -> bytes:
    return b"# -*- coding: %b -*-\n" % coding


def _names_utf8(coding: bytes) -> bool:
    """Return whether a source declares the encoding that it has without a declaration."""
    try:
        return codecs.lookup(coding.decode()).name == "utf-8"
    except LookupError:
        return False


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def wrapper(entry_point: EntryPoint, executable: str) -> bytes:
    """Return the script of an entry point, for the interpreter at ``executable``."""
    body = _WRAPPER.format(
        module=entry_point.module,
        first=entry_point.attribute.partition(".")[0],
        attribute=entry_point.attribute,
    )
    return shebang(executable) + body.encode()


def windows_launcher(entry_point: EntryPoint, executable: str, kind: str) -> tuple[str, bytes]:
    """Return the file name and contents of the program that runs an entry point on Windows.

    ``kind`` names a launcher of the ``installer`` library, which maintains them. Raises UsageError
    if that library is not installed.
    """
    try:
        from installer.scripts import Script  # noqa: PLC0415  # for a Windows target only
    except ImportError:
        raise UsageError(
            "commands for Windows need launchers, which are part of the installer library",
            hint="install lockstream with it: pipx install --force 'lockstream[windows]', or for "
            "the Python that runs lockstream.pyz: pip install installer",
        ) from None
    section = "gui" if entry_point.is_gui else "console"
    script = Script(
        entry_point.name, entry_point.module, entry_point.attribute, cast("Any", section)
    )
    name, content = script.generate(executable, cast("Any", kind))
    return name, content


def _entry_point(name: str, value: str, *, is_gui: bool) -> EntryPoint:
    check_script_name(name)
    # The standard allows extras after the reference, and requires installers to ignore them.
    reference = value.partition("[")[0].strip()
    module, colon, attribute = (part.strip() for part in reference.partition(":"))
    if not colon or not _is_dotted_name(module) or not _is_dotted_name(attribute):
        raise InvalidEntryPoint(
            f"the script {name!r} refers to {value!r}, which is not of the form module:attribute"
        )
    return EntryPoint(name, module, attribute, is_gui)


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
