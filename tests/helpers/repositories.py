"""Git repositories made to measure; tests without git are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

__all__ = ["Repository", "needs_git", "own_git"]

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")

_ENVIRONMENT = {
    **{f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME",)},
    **{f"GIT_{who}_EMAIL": "tests@example.com" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def own_git(patch: pytest.MonkeyPatch) -> None:
    """Let the git of this test be that of its author alone, whatever the user has configured."""
    for variable, value in _ENVIRONMENT.items():
        patch.setenv(variable, value)


class Repository:
    """One with a branch ``main``, at ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = folder.as_uri()
        self.git("init", "--quiet", "--initial-branch=main", str(folder), inside=False)

    @classmethod
    def at(cls, folder: Path) -> Repository:
        """Return one that is there already; ``folder`` may be below its top."""
        found = cls.__new__(cls)
        found.folder, found.url = folder, folder.as_uri()
        return found

    def commit(self, files: Mapping[str, bytes], *, tag: str = "") -> str:
        """Add these files; the name of the commit."""
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", "files")
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str, inside: bool = True) -> str:
        """Run git; what it says."""
        place = ("-C", str(self.folder)) if inside else ()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *place, *words],
            capture_output=True,
            check=True,
            env={**kept, **_ENVIRONMENT},
            text=True,
        )
        return done.stdout.strip()
