"""Merges of lines, as git does them: of texts, and of files, with marks where it cannot.

Source: https://git-scm.com/docs/git-merge-file.
"""

from __future__ import annotations

import os
import subprocess
from tempfile import TemporaryDirectory

from schemas.errors import UsageError

__all__ = ["merge_files", "merge_lines"]


_SIDES = ("ours", "base", "theirs")


def merge_lines(base: str, ours: str, theirs: str) -> str | None:
    """Return the lines of both branches; None if both have changed the same. Raises UsageError."""
    with TemporaryDirectory() as folder:
        paths = [os.path.join(folder, side) for side in _SIDES]
        for path, text in zip(paths, (ours, base, theirs), strict=True):
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        if not merge_files(*paths):
            return None
        with open(paths[0], encoding="utf-8", newline="\n") as file:
            return file.read()


def merge_files(ours: str, base: str, theirs: str) -> bool:
    """Merge the files at these paths into ``ours``; return whether that has no marks. Raises
    UsageError if git cannot do it.
    """
    labels = [word for side in _SIDES for word in ("-L", side)]
    command = ["git", "merge-file", "--quiet", *labels, "--", ours, base, theirs]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise UsageError(
            f"git cannot be run: {error.strerror}", hint="install git, or add it to the PATH"
        ) from None
    # It returns the number of conflicts, at most 127, and 255 for an error.
    if done.returncode > 127 or done.returncode < 0:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(
            f"git merge-file fails: {said or done.returncode}", hint="name three text files"
        )
    return done.returncode == 0
