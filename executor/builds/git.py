"""Repository: the source tree of one commit, by git.

What is checked out is held to the commit, whose name is a digest of all that is in it. The history
comes along, without old contents: projects read their version from it (setuptools-scm).

Sources: https://git-scm.com/docs/git-clone and, for what an address may make git do,
https://git-scm.com/docs/git#Documentation/git.txt-codeGITALLOWPROTOCOLcode.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress

from executor.builds.errors import RepositoryUnusable
from schemas.urls import redacted

__all__ = ["check_out"]


_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


_PROTOCOLS = "https:http:ssh:git"
"""Those that only fetch; ``ext::`` would run a program that the address names."""


_SECONDS = 1800.0
"""After which git is given up: a large history over a slow network."""


_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "pack.threads=1", "-c", "core.packedGitWindowSize=1m"),
    *("-c", "core.deltaBaseCacheLimit=4m", "-c", "advice.detachedHead=false"),
)
"""No programs of the user's for each checkout, and as little memory as git can do with."""


_OF_A_HOOK = {
    f"GIT_{name}"
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "PREFIX")
}


def check_out(package: str, place: str, revision: str, folder: str) -> str:
    """Make ``folder`` the tree of a revision (a commit, branch or tag; empty: what the repository
    shows first) of the repository at ``place``, a URL or a path; the name of the commit.

    Raises RepositoryUnusable.
    """
    git = _Git(package, place, folder)
    git.run("clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", place, folder)
    commit = git.find(revision)
    if _COMMIT.fullmatch(revision) and commit != revision:
        raise RepositoryUnusable(package, git.name, f"it has {commit} in the place of {revision}")
    git.inside("checkout", "--quiet", "--detach", commit)
    if os.path.exists(os.path.join(folder, ".gitmodules")):
        git.inside("submodule", "--quiet", "update", "--init", "--recursive", protocols=_PROTOCOLS)
    return commit


class _Git:
    """Runs git for one repository and one folder."""

    def __init__(self, package: str, place: str, folder: str) -> None:
        program = shutil.which("git")
        self.name = redacted(place)
        if program is None:
            raise RepositoryUnusable(package, self.name, "there is no git on the PATH")
        self._program = program
        self._package = package
        self._folder = folder

    def find(self, revision: str) -> str:
        """The name of the commit of a revision."""
        for name in [f"origin/{revision}", revision] if revision else ["HEAD"]:
            with suppress(RepositoryUnusable):
                return self._parse(name)
        # A commit that no branch leads to, or a reference of a merge request.
        self.inside("fetch", "--quiet", "--filter=blob:none", "--", "origin", revision)
        return self._parse("FETCH_HEAD")

    def inside(self, *words: str, protocols: str = f"{_PROTOCOLS}:file") -> str:
        """Run it in the folder."""
        return self.run("-C", self._folder, *words, protocols=protocols)

    def run(self, *words: str, protocols: str = f"{_PROTOCOLS}:file") -> str:
        """What it says. Raises RepositoryUnusable."""
        try:
            done = subprocess.run(
                [self._program, *_OPTIONS, *words],
                capture_output=True,
                check=False,
                env={**_environment(), "GIT_ALLOW_PROTOCOL": protocols},
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise RepositoryUnusable(
                self._package, self.name, f"git was not done after {_SECONDS:.0f} s"
            ) from None
        if done.returncode:
            raise RepositoryUnusable(self._package, self.name, _last(done.stderr))
        return done.stdout

    def _parse(self, name: str) -> str:
        return self.inside(
            "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"
        ).strip()


def _environment() -> dict[str, str]:
    """Ours, without what belongs to a repository that we may be called from (a hook)."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _last(said: str) -> str:
    """The last line, with the addresses in it as they may be shown."""
    lines = said.strip().splitlines() or ["git failed"]
    return re.sub(r"\w+://[^\s']+", lambda found: redacted(found[0]), lines[-1])
