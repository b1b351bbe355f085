"""The source tree of one commit, checked out by git.

The name of a commit is a digest of its contents, so git itself verifies the tree. The history is
fetched too, without old contents: some projects read their version from it (setuptools-scm).

Sources: https://git-scm.com/docs/git-clone and, for the protocols that an address may use,
https://git-scm.com/docs/git#Documentation/git.txt-codeGITALLOWPROTOCOLcode.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress

from executor.builds.errors import RepositoryUnusable
from executor.lock.step import is_full_commit
from schemas.urls import redacted

__all__ = ["Git", "check_out"]


_PROTOCOLS = "https:http:ssh:git"
"""Protocols that only fetch; ``ext::`` would run a program that the address names."""


_SECONDS = 1800.0
"""Seconds after which git is ended: enough for a large history over a slow network."""


_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "pack.threads=1", "-c", "core.packedGitWindowSize=1m"),
    *("-c", "core.deltaBaseCacheLimit=4m", "-c", "advice.detachedHead=false"),
)
"""Run no hooks of the user, and use as little memory as git can."""


_OF_A_HOOK = {
    f"GIT_{name}"
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "PREFIX")
}


def check_out(package: str, place: str, revision: str, folder: str) -> str:
    """Check out a revision of the repository at ``place`` into ``folder``; return its commit.

    ``place`` is a URL or a path; ``revision`` is a commit, branch or tag, or empty for the default
    branch. Raises RepositoryUnusable.
    """
    git = Git(package, place, folder)
    git.run("clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", place, folder)
    commit = git.find(revision)
    if is_full_commit(revision) and commit != revision:
        raise RepositoryUnusable(package, git.name, f"it has {commit} instead of {revision}")
    git.inside("checkout", "--quiet", "--detach", commit)
    if os.path.exists(os.path.join(folder, ".gitmodules")):
        git.inside("submodule", "--quiet", "update", "--init", "--recursive", protocols=_PROTOCOLS)
    return commit


_UNREADABLE = "fatal: Could not read from remote repository."
"""What git says after ssh, or the server, has said why."""


class Git:
    """The git program, run for one repository and one folder."""

    def __init__(self, package: str, place: str, folder: str) -> None:
        program = shutil.which("git")
        self.name = redacted(place)
        if program is None:
            raise RepositoryUnusable(package, self.name, "git is not on the PATH")
        self._program = program
        self._package = package
        self._folder = folder

    def find(self, revision: str) -> str:
        """Return the commit of a revision."""
        for name in [f"origin/{revision}", revision] if revision else ["HEAD"]:
            with suppress(RepositoryUnusable):
                return self._parse(name)
        # A commit that is on no branch, or a reference of a merge request.
        self.inside("fetch", "--quiet", "--filter=blob:none", "--", "origin", revision)
        return self._parse("FETCH_HEAD")

    def inside(self, *words: str, protocols: str = f"{_PROTOCOLS}:file", stdin: str = "") -> str:
        """Run git in the folder and return its output. Raises RepositoryUnusable."""
        return self.run("-C", self._folder, *words, protocols=protocols, stdin=stdin)

    def run(self, *words: str, protocols: str = f"{_PROTOCOLS}:file", stdin: str = "") -> str:
        """Run git and return its output. Raises RepositoryUnusable."""
        try:
            done = subprocess.run(
                [self._program, *_OPTIONS, *words],
                capture_output=True,
                check=False,
                env={**_environment(), "GIT_ALLOW_PROTOCOL": protocols},
                input=os.fsencode(stdin),
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise RepositoryUnusable(
                self._package, self.name, f"git was not done after {_SECONDS:.0f} s"
            ) from None
        if done.returncode:
            raise RepositoryUnusable(self._package, self.name, _cause(os.fsdecode(done.stderr)))
        return os.fsdecode(done.stdout)

    def _parse(self, name: str) -> str:
        return self.inside(
            "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"
        ).strip()


def _environment() -> dict[str, str]:
    """Return our environment variables without those that git sets for a hook."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _cause(output: str) -> str:
    """Return the line of ``output`` that says why git failed, without the secrets of addresses."""
    before, unreadable, _ = output.partition(_UNREADABLE)
    lines = before.strip() or unreadable or "git failed"
    return re.sub(r"\w+://[^\s']+", lambda found: redacted(found[0]), lines.splitlines()[-1])
