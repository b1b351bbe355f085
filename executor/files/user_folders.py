"""Folders of the user who runs the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

__all__ = ["cache_folder"]


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """Return the folder that both phases keep their caches in; ``environ`` as ``os.environ``.

    None if the user has no known home: HOME is unset and the user id has no entry in the password
    database, as in a container that runs as an arbitrary user.
    """
    if named := environ.get("LOCKSTREAM_CACHE_DIR"):
        return named
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    # A "~" that could not be replaced would name a folder in the working directory.
    return None if base.startswith("~") else os.path.join(base, "lockstream")
