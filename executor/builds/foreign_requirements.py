"""The build requirements of a source whose lock records none, as the locks of other tools do.

They are resolved by ``lockstream plan``, in a process of its own: the executor does not import the
planner, which need not be installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from executor.builds.errors import BuildUnlocked, RequirementsUnresolved
from executor.builds.sandbox import SandboxLimits, contained
from executor.sources.origins import Origins
from schemas.data_class import frozen
from schemas.target import Target

__all__ = ["RequirementsLocker"]


_SECONDS = 600.0
"""Time limit of one resolution; those of build requirements take seconds."""


@frozen(kw_only=True)
class RequirementsLocker:
    """Locks the build requirements of one package, in the folder of its workspace."""

    package: str
    folder: str
    """The build cannot write to it."""
    target: Target
    """The target of the build environment."""
    origins: Origins
    constraints: Sequence[str] = ()
    """Paths of files with constraints for build requirements."""
    limit: int | None = None
    """Bytes of memory that resolving may take."""

    def lock(self, requirements: Sequence[str]) -> str:
        """Resolve ``requirements``, write their lock and return its path.

        Raises BuildUnlocked if the planner is not installed, RequirementsUnresolved if it fails,
        and OSError.
        """
        if not _has_planner():
            raise BuildUnlocked(self.package)
        inputs = os.path.join(self.folder, "build-requirements.in")
        with open(inputs, "w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in requirements)
        path = os.path.join(self.folder, f"pylock.build-{self.package}.toml")
        log = os.path.join(self.folder, "plan.log")
        result = contained(
            [sys.executable, "-m", "lockstream", "plan", *self._options(inputs, path)],
            folder=self.folder,
            environment={**os.environ, "PYTHONPATH": _import_path()},
            writable=[self.folder],
            log=log,
            limits=SandboxLimits(limit=self.limit, seconds=_SECONDS, network=True),
        )
        if result.status or not os.path.exists(path):
            with open(log, encoding="utf-8", errors="replace") as file:
                raise RequirementsUnresolved(self.package, tuple(requirements), file.read()[-4000:])
        return path

    def _options(self, inputs: str, path: str) -> list[str]:
        options = ["--requirement", inputs, "--output", path, "--no-cache"]
        options += ["--python-version", self.target.python_name, "--platform", self.target.platform]
        for constraint in self.constraints:
            options += ["--constraint", os.path.abspath(constraint)]
        for folder in self.origins.find_links:
            options += ["--find-links", os.path.abspath(folder)]
        # Without the network, the folders that the user names have everything or nothing.
        return [*options, "--no-index"] if self.origins.offline else options


def _has_planner() -> bool:
    # lockstream.pyz holds those parts of it that show a lock.
    return find_spec("planner") is not None and find_spec("planner.cli.plan") is not None


def _import_path() -> str:
    """Return the value of PYTHONPATH with which another process finds this program."""
    spec = find_spec("lockstream")
    own = os.path.dirname(os.path.abspath(spec.origin)) if spec and spec.origin else ""
    return os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH", "")]))
