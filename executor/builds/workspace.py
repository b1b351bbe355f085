"""Workplace: a folder in which one source becomes a wheel, removed when that is done.

::

    with Workplace.opened("demo", python) as place:
        tree = place.tree("demo-1.0.tar.gz")
        system = read_build_system("demo", tree)
        place.install("pylock.build-demo.toml")
        wheel, outcome = place.wheel(tree, system, flags, terms, version="1.0")
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count

from executor.builds.backend import HOME, Backend, BuildSystem
from executor.builds.built_wheel import BuiltWheel, inspect_wheel
from executor.builds.errors import BackendUnusable
from executor.builds.process_tree import end_strays
from executor.builds.sandbox import SandboxLimits, SandboxResult
from executor.builds.source_archive import unpack_source
from executor.environment.environment import Environment
from executor.install.install import install
from executor.install.options import ExecuteOptions
from executor.sources.origins import Origins
from schemas.builds import BuildFlags

__all__ = ["LEFT_OUT", "Workspace"]


LEFT_OUT = (".venv", ".tox", ".nox", "node_modules", "__pycache__")
"""Folders of a project that are made by its tools and that no build reads."""


_PREFIX = "lockstream-build-"


_FRESH_SECONDS = 60.0
"""A folder that was made just now may not be known to be in use yet."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one package is built."""

    package: str
    folder: str
    environment: Environment
    """That of the build requirements; made by the first ``install``."""
    _numbers: Iterator[int]

    @classmethod
    @contextmanager
    def opened(cls, package: str, python: str | None = None) -> Iterator[Workspace]:
        """One on disk: what a build writes to a tmpfs would be memory. ``python`` is the
        interpreter to build with (None: the running one).

        Raises OSError and InterpreterUnusable.
        """
        place = _place()
        _sweep(place)
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{package}-", dir=place)
        in_use = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(in_use, fcntl.LOCK_EX)
            environment = Environment.venv(os.path.join(folder, "environment"), python)
            yield cls(package, folder, environment, count())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(in_use)

    def tree(self, source: str, subdirectory: str = "") -> str:
        """A fresh copy of the source tree: an archive unpacked, a folder copied.

        Raises SourceRefused and BackendUnusable.
        """
        folder = os.path.join(self.folder, f"source-{next(self._numbers)}")
        if os.path.isdir(source):
            ignore = shutil.ignore_patterns(*LEFT_OUT)
            shutil.copytree(source, folder, symlinks=True, ignore=ignore)
            root = folder
        else:
            os.mkdir(folder)
            root = unpack_source(source, folder)
        tree = os.path.normpath(os.path.join(root, subdirectory))
        if os.path.commonpath([root, tree]) != root or not os.path.isdir(tree):
            raise BackendUnusable(self.package, f"its source has no folder {subdirectory!r}")
        return tree

    def install(self, lock: str, origins: Origins | None = None) -> None:
        """Make the environment what the lock of the build requirements says; no more, no less.

        Raises what ``install`` raises.
        """
        path = self.environment.path
        environment = Environment.venv(path, None if self._is_made else self.environment.base)
        options = ExecuteOptions(lanes=1, origins=origins or Origins(), durability="kill")
        install(lock, environment, options)

    def make_empty(self) -> None:
        """Make an environment without build requirements, if it is not made."""
        if not self._is_made:
            with self.environment.made():
                pass

    def backend(
        self, tree: str, system: BuildSystem, flags: BuildFlags, terms: SandboxLimits
    ) -> Backend:
        """The hooks of a tree, in the environment."""
        self.make_empty()
        return Backend(
            package=self.package,
            tree=tree,
            system=system,
            python=os.path.join(self.environment.path, "bin", "python"),
            folder=self.folder,
            flags=flags,
            terms=replace(terms, jobs=flags.jobs),
        )

    def metadata(
        self, tree: str, system: BuildSystem, flags: BuildFlags, terms: SandboxLimits
    ) -> bytes:
        """The METADATA that the wheel will have. Raises BuildFailed."""
        folder = self._fresh("metadata")
        found = self.backend(tree, system, flags, terms).metadata(folder)
        try:
            with open(os.path.join(found, "METADATA"), "rb") as file:
                return file.read()
        except OSError as error:
            raise BackendUnusable(
                self.package, f"its backend wrote no METADATA: {os.strerror(error.errno or 0)}"
            ) from None

    def wheel(
        self,
        tree: str,
        system: BuildSystem,
        flags: BuildFlags,
        terms: SandboxLimits,
        *,
        version: str | None,
        kind: str = "wheel",
    ) -> tuple[BuiltWheel, SandboxResult]:
        """Build it, a ``wheel`` or an ``editable`` one. Raises BuildFailed."""
        backend = self.backend(tree, system, flags, terms)
        if kind == "editable":
            # Compiled modules are left where they are imported from.
            backend.writable = (tree,)
        path = backend.build(self._fresh("wheel"), kind)
        assert backend.outcome is not None
        target = self.environment.interpreter.target
        return inspect_wheel(path, self.package, version, target), backend.outcome

    @property
    def _is_made(self) -> bool:
        return os.path.exists(os.path.join(self.environment.path, "pyvenv.cfg"))

    def _fresh(self, name: str) -> str:
        folder = os.path.join(self.folder, f"{name}-{next(self._numbers)}")
        os.mkdir(folder)
        return folder


def _place() -> str:
    """Where temporary files go that are large and need not survive: where the user says, else on
    disk, which the folder of the system often is not.
    """
    if os.environ.get("TMPDIR") or not os.access("/var/tmp", os.W_OK):  # noqa: S108
        return tempfile.gettempdir()
    return "/var/tmp"  # noqa: S108


def _sweep(place: str) -> None:
    """Remove the folders of programs that were killed, and end what those builds left running."""
    for name in os.listdir(place):
        folder = os.path.join(place, name)
        if not name.startswith(_PREFIX):
            continue
        with suppress(OSError):
            found = os.stat(folder, follow_symlinks=False)
            if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _FRESH_SECONDS:
                continue
            in_use = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end_strays(os.path.join(folder, HOME))
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(in_use)
