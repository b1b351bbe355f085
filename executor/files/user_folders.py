"""Folders of the user who runs the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

__all__ = ["cache_folder", "home_folder", "is_trusted"]


def home_folder() -> str | None:
    """Return the home folder of the user.

    None if it is unknown: HOME is unset and the user id has no entry in the password database, as
    in a container that runs as an arbitrary user.
    """
    home = os.path.expanduser("~")
    # A "~" that could not be replaced would name a folder in the working directory.
    return None if home.startswith("~") else home


def is_trusted(status: os.stat_result) -> bool:
    """Return whether a file of a cache can only have been written by this user.

    Root reads the files of every user, and a folder of a cache may have been made by another one.
    """
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def cache_folder(environ: Mapping[str, str], named: str | None = None) -> str | None:
    """Return the folder that both phases keep their caches in; ``environ`` as ``os.environ``,
    ``named`` is what an option says.

    None if neither that nor a variable names one and the user has no known home.
    """
    if named := named or environ.get("LOCKSTREAM_CACHE_DIR"):
        # No shell expands it in a file of variables.
        return os.path.expanduser(named)
    variable, usual = _CACHES.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    base, home = environ.get(variable, ""), home_folder()
    # A relative one counts as none (https://specifications.freedesktop.org/basedir-spec/).
    if not os.path.isabs(base):
        base = ""
    if not base and home is not None:
        base = os.path.join(home, usual)
    return os.path.join(base, "lockstream") if base else None


_CACHES = {
    "win32": ("LOCALAPPDATA", os.path.join("AppData", "Local")),
    "darwin": ("", os.path.join("Library", "Caches")),
}
"""By platform, the variable that names the folder for caches, and its usual place below home."""
