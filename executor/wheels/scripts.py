"""Scripts of a wheel: wrappers of its entry points, and the first line of those that it ships.

Sources: https://packaging.python.org/specifications/entry-points/ and
https://packaging.python.org/specifications/binary-distribution-format/#recommended-installer-features.
"""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Iterator
from typing import Any, cast

from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.wheel import MAX_SEGMENT_SIZE

__all__ = [
    "SHIPPED_MARK",
    "EntryPoint",
    "InvalidEntryPoint",
    "check_replaces_nothing",
    "check_script_name",
    "read_entry_points",
    "shebang",
    "windows_launcher",
    "wrapper",
]


SHIPPED_MARK = b"#!python"
"""Begins a shipped script that the environment's Python has to run; ``#!pythonw`` does too."""


_MAX_SHEBANG = 127
"""Bytes that kernels before 5.1 read of the first line (https://lwn.net/Articles/779997/)."""


_ENV = "/usr/bin/env "
"""Finds the interpreter when the script runs: for a tree that another machine will use."""


_BESIDE = b"""\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'%b' "$0" "$@"
' '''
"""
"""Finds the interpreter in the folder of the script, through links to the script: for a tree that
may be moved. uv writes the same lines."""


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

    Raises InvalidEntryPoint.
    """
    import configparser  # noqa: PLC0415  # most wheels have no commands

    # A name that no section can have: in this format [DEFAULT] is a section like any other.
    parser = configparser.ConfigParser(
        delimiters=("=",), interpolation=None, strict=False, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    if any(len(line) > _MAX_LINE for line in text.splitlines()):
        raise InvalidEntryPoint(f"a line of it has more than {_MAX_LINE} characters")
    try:
        parser.read_string(text, "entry_points.txt")
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


def shebang(executable: str) -> bytes:
    """Return the first lines of a script that ``executable`` runs; a name without a folder stands
    for the program next to the script.

    If its path is too long for the kernel, has white space in it, or is not UTF-8, they are lines
    that sh runs and that Python reads as a string.
    """
    path = os.fsencode(executable)
    if not os.path.dirname(executable):
        return _BESIDE % path
    line = b"#!%b\n" % path
    is_text = _is_utf8(path)
    is_whole = not any(space in path for space in b" \t\n\r")
    if executable.startswith(_ENV) or (is_text and len(line) <= _MAX_SHEBANG and is_whole):
        return line
    # Python reads a source as UTF-8 unless its second line, after a first one that is, differs.
    coding = b"" if is_text else b"# -*- coding: latin-1 -*-\n"
    # A backslash means itself to both only if it is outside of quotes, and there are two.
    quoted = path.replace(b"'", b"'\"'\"'").replace(b"\\", b"'\\\\'")
    return b"#!/bin/sh\n%b'''exec' '%b' \"$0\" \"$@\"\n' '''\n" % (coding, quoted)


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
