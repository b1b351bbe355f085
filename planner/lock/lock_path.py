"""The path of a lock, by the names that the standard allows.

Source: https://packaging.python.org/specifications/pylock-toml/#file-name.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from packaging.pylock import is_valid_pylock_path

from planner.inputs.project_document import is_script
from schemas.errors import UsageError

__all__ = ["lock_path"]


_OF_STREAMS = ("/dev/", "/proc/")
"""Where shells and systems put files that are none."""


def lock_path(output: str | None, projects: Sequence[str] = ()) -> str:
    """Return ``output``, or the default path of the lock of ``projects``: ``pylock.toml``, or for
    one script ``pylock.NAME.toml`` in its folder.

    Raises UsageError if a lock cannot be called so; ``-`` means standard output.
    """
    if output is None and len(projects) == 1 and is_script(projects[0]):
        folder, name = os.path.split(projects[0])
        # The standard allows no other dot in the name.
        stem = name.removesuffix(".py").replace(".", "-")
        return os.path.join(folder, f"pylock.{stem}.toml")
    path = output or "pylock.toml"
    if path != "-" and not is_valid_pylock_path(Path(path)):
        hint = "the standard allows pylock.toml and pylock.<name>.toml"
        if path.startswith(_OF_STREAMS):
            hint = "write -o - for the standard output"
        elif path.endswith(".txt"):
            hint += f"; when there is one, lockstream export -o {shlex.quote(path)} writes it"
        raise UsageError(f"a lock cannot be called {os.path.basename(path)!r}", hint=hint)
    return path
