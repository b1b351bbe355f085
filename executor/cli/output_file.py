"""Check that a file or folder that a command is to write is not one that it reads, and can be
written.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from contextlib import suppress

from schemas.errors import NotWritten, UsageError
from schemas.urls import redacted

__all__ = ["check_output_file", "refuse_address"]


def refuse_address(option: str, path: str, hint: str) -> None:
    """Raise UsageError if the ``path`` that ``option`` names is an address, which would become a
    folder called ``https:``.
    """
    if re.match("[A-Za-z][A-Za-z0-9+.-]+://", path):
        raise UsageError(
            f"{option} {redacted(path)}: this is an address, and not a path of this machine",
            hint=hint,
        )


def check_output_file(
    option: str, path: str, inputs: Iterable[str], *, makes_folders: bool = False
) -> None:
    """Raise UsageError if the ``path`` that ``option`` names is an address or one of ``inputs``,
    which need not be files, and NotWritten if no file can be written there: that is known before
    the work. If the command ``makes_folders``, the one of the file need not be there yet.
    """
    if path == "-":
        raise UsageError(
            f"{option} - names no file, and writes nothing to standard output",
            hint="name a file; /dev/stdout is one, and ./- another",
        )
    refuse_address(option, path, "write to a file, and upload that")
    for one in inputs:
        with suppress(OSError, ValueError):
            if os.path.samefile(path, one):
                raise UsageError(
                    f"{option} {path}: this file is read, and would be replaced",
                    hint="name another file",
                )
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        number = errno.EISDIR
    elif not os.path.exists(folder):
        if makes_folders:
            return
        number = errno.ENOENT
    elif not os.path.isdir(folder):
        number = errno.ENOTDIR
    elif not os.path.exists(path) and not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EACCES
    else:
        return
    raise NotWritten(
        f"{option} {path}: cannot be written",
        OSError(number, os.strerror(number)),
        hint="name a file in a folder that exists and may be written to",
    )
