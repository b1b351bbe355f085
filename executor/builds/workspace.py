"""A folder in which a wheel is built from one source, removed afterwards.

::

    with Workspace.opened("demo", python) as place:
        tree = place.tree("demo-1.0.tar.gz")
        system = read_build_system("demo", tree)
        place.install("pylock.build-demo.toml")
        wheel, result = place.wheel(tree, system, flags, limits, version="1.0")
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from itertools import count

from executor.builds.backend import HOME, Backend
from executor.builds.build_system import BuildSystem
from executor.builds.built_wheel import BuiltWheel, inspect_wheel
from executor.builds.errors import BackendUnusable
from executor.builds.free_space import space_for
from executor.builds.process_tree import end_strays
from executor.builds.sandbox import SandboxLimits, SandboxResult
from executor.builds.source_archive import unpack_source
from executor.builds.source_copy import copy_project
from executor.environment.environment import Environment
from executor.files.folders import remove_tree
from executor.install.install import install
from executor.install.options import ExecuteOptions
from executor.sources.origins import Origins
from schemas.builds import BuildFlags
from schemas.data_class import frozen

__all__ = ["Workspace", "left_out_of"]


_LEFT_OUT = frozenset((
    *(".venv", ".tox", ".nox", "node_modules", "__pycache__", ".ipynb_checkpoints"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".benchmarks"),
))  # fmt: skip
"""Entries that the tools of a project make, and that builds do not read."""


_METADATA, _OF_SDIST = ".egg-info", "PKG-INFO"
"""How the name of a folder of setuptools' metadata ends, and the file that an unpacked source
distribution has at its top."""


_PREFIX = "lockstream-build-"


_FRESH_SECONDS = 60.0
"""A folder that was just made may not be locked yet by the program that made it."""


def left_out_of(folder: str) -> Callable[[str], bool]:
    """Return a function that tells whether a build of the project ``folder`` does without an entry
    of a name, in whichever folder of it.

    The metadata that an editable installation has left is such a one: setuptools adds the files
    that it lists to the wheel, so that a checkout gave another wheel than a clean one. In an
    unpacked source distribution it says which data belongs to the package.
    """
    is_sdist = os.path.isfile(os.path.join(folder, _OF_SDIST))

    def is_left_out(name: str) -> bool:
        return name in _LEFT_OUT or (name.endswith(_METADATA) and not is_sdist)

    return is_left_out


@frozen
class Workspace:
    """The folder of one build, owned by a ``Builder``."""

    package: str
    """The name of the project, for errors."""
    folder: str
    """Holds the environment and the logs, which the build may not write to."""
    inside: str
    """The folder in it that the build may write to: sources, results, HOME and TMPDIR."""
    environment: Environment
    """The environment of the build requirements; made by the first ``install``."""
    _numbers: Iterator[int]

    @classmethod
    @contextmanager
    def opened(cls, package: str, python: str | None = None) -> Iterator[Workspace]:
        """Make a workspace on disk: on a tmpfs, everything that a build writes would be memory.

        ``python`` is the interpreter to build with (None: the running one). Raises OSError and
        InterpreterUnusable.
        """
        place = _place()
        _sweep(place)
        with space_for(package, place):
            folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{package}-", dir=place)
        in_use = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # a file system without locks is swept by its age alone
                fcntl.flock(in_use, fcntl.LOCK_EX)
            inside = os.path.join(folder, "build")
            os.mkdir(inside)
            environment = Environment.venv(os.path.join(folder, "environment"), python)
            yield cls(package, folder, inside, environment, count())
        finally:
            remove_tree(folder)
            os.close(in_use)

    def space(self) -> AbstractContextManager[None]:
        """Return a context that raises WorkspaceFull if no space is left for the build."""
        return space_for(self.package, os.path.dirname(self.folder))

    def tree(self, source: str, subdirectory: str = "") -> str:
        """Return the path of a fresh source tree: ``source`` unpacked if it is an archive, copied
        if it is a folder.

        Raises SourceRefused, BackendUnusable and WorkspaceFull.
        """
        folder = os.path.join(self.inside, f"source-{next(self._numbers)}")
        with self.space():
            if os.path.isdir(source):
                root = copy_project(self.package, source, folder, left_out_of(source))
            else:
                os.mkdir(folder)
                root = unpack_source(source, folder)
        tree = os.path.normpath(os.path.join(root, subdirectory))
        if os.path.commonpath([root, tree]) != root or not os.path.isdir(tree):
            raise BackendUnusable(
                self.package,
                f"its source has no folder {subdirectory!r}",
                hint="correct the subdirectory where the source is required",
            )
        return tree

    def install(self, lock: str, origins: Origins | None = None) -> None:
        """Install the lock of the build requirements into the environment, and nothing else.

        Raises what ``install`` raises.
        """
        path = self.environment.path
        environment = Environment.venv(path, None if self._is_made else self.environment.base)
        options = ExecuteOptions(lanes=1, origins=origins or Origins(), durability="kill")
        with self.space():
            install(lock, environment, options)

    def make_empty(self) -> None:
        """Make an environment without build requirements if none is made yet."""
        if not self._is_made:
            with self.space(), self.environment.made():
                pass

    def backend(
        self, tree: str, system: BuildSystem, flags: BuildFlags, limits: SandboxLimits
    ) -> Backend:
        """Return the backend of a source tree in the environment."""
        self.make_empty()
        return Backend(
            package=self.package,
            tree=tree,
            system=system,
            python=os.path.join(self.environment.path, "bin", "python"),
            folder=self.inside,
            logs=self.folder,
            flags=flags,
            limits=replace(limits, jobs=flags.jobs),
        )

    def metadata(
        self, tree: str, system: BuildSystem, flags: BuildFlags, limits: SandboxLimits
    ) -> bytes:
        """Return the METADATA of the future wheel. Raises BuildFailed and WorkspaceFull."""
        folder = self._fresh("metadata")
        return self.backend(tree, system, flags, limits).metadata(folder)

    def wheel(
        self,
        tree: str,
        system: BuildSystem,
        flags: BuildFlags,
        limits: SandboxLimits,
        *,
        version: str | None,
        kind: str = "wheel",
    ) -> tuple[BuiltWheel, SandboxResult]:
        """Build a wheel of ``kind``: ``wheel`` or ``editable``.

        ``version`` is the expected one, if it is known. Raises BuildFailed and WorkspaceFull.
        """
        backend = self.backend(tree, system, flags, limits)
        if kind == "editable":
            # Compiled modules are written into the tree that they are imported from.
            backend.writable = (tree,)
        path = backend.build(self._fresh("wheel"), kind)
        assert backend.result is not None
        target = self.environment.interpreter.target
        return inspect_wheel(path, self.package, version, target), backend.result

    @property
    def _is_made(self) -> bool:
        return os.path.exists(os.path.join(self.environment.path, "pyvenv.cfg"))

    def _fresh(self, name: str) -> str:
        folder = os.path.join(self.inside, f"{name}-{next(self._numbers)}")
        with self.space():
            os.mkdir(folder)
        return folder


def _place() -> str:
    """Return the folder for large temporary files: the user's choice, else one on disk, which the
    temporary folder of the system often is not.
    """
    if os.environ.get("TMPDIR") or not os.access("/var/tmp", os.W_OK):  # noqa: S108
        return tempfile.gettempdir()
    return "/var/tmp"  # noqa: S108


def _sweep(place: str) -> None:
    """Remove the workspaces of killed programs, and kill the builds that still run in them."""
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
                end_strays(os.path.join(folder, "build", HOME))
                remove_tree(folder)
            finally:
                os.close(in_use)
