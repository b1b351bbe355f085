"""What files for CI say of a project: its lock, what that takes, and the options to install it."""

from __future__ import annotations

import posixpath
import re

from schemas.data_class import frozen, with_fields
from schemas.errors import Refused
from schemas.text import enumerate_some

__all__ = ["PLAIN", "NotForLinux", "ProjectFacts"]


PLAIN = re.compile(r"[\w.-][\w./-]*", re.ASCII)
"""What shells, YAML and Dockerfiles take as it is."""


@with_fields
class NotForLinux(Refused):
    """The lock has no target that containers run."""

    lock: str
    targets: tuple[str, ...]
    hint: str = "plan for it too: lockstream plan --platform linux"

    def __str__(self) -> str:
        return f"{self.lock} is for {enumerate_some(self.targets)}, and CI files are for Linux"


@with_fields
class NeedsWheels(Refused):
    """A file that installs from the lock alone is asked for, and the lock lacks wheels."""

    lock: str
    packages: tuple[str, ...]
    hint: str = (
        "build them where memory is, which lists their wheels: lockstream plan --build missing; "
        "jobs of github and gitlab can build them"
    )

    def __str__(self) -> str:
        listed = enumerate_some(self.packages, limit=10)
        return f"{self.lock} has no wheels of these packages, which must be built: {listed}"


@with_fields
class WheelsByPath(Refused):
    """The lock lists wheels by their paths, and the file would not bring them along."""

    lock: str
    places: tuple[str, ...]
    hint: str

    def __str__(self) -> str:
        places = enumerate_some(self.places)
        return (
            f"{self.lock} lists wheels by paths that are not there where this file works: {places}"
        )


@frozen
class ProjectFacts:
    """What the files say of a project."""

    lock: str
    """Path of the lock below the folder of the project."""
    python: str
    """Version of Python, such as 3.12."""
    memory: int
    """MiB that an execution takes in a container."""
    disk: int
    """MiB on disk."""
    groups: tuple[str, ...]
    """Dependency groups of the lock that are not default groups."""
    projects: tuple[str, ...]
    """Folders that the lock lists as packages, such as the project itself in a lock of uv."""
    sources: tuple[str, ...]
    """Other packages that have no wheel."""
    is_measured: bool
    """Whether the lock records what each build takes."""
    is_planned: bool
    """Whether lockstream wrote the lock, and so can check whether it is current."""
    pyz: str
    """Path of ``lockstream.pyz``, so that nothing is installed; empty if there is none."""
    wheels: tuple[str, ...] = ()
    """Folders, and files beside the lock, that hold wheels which it lists by path, such as its
    wheelhouse: paths from the folder of the lock."""
    unsized: int = 0
    """Packages whose sizes the lock does not record."""
    has_default: bool = True
    """Whether anything is installed without a group."""
    folder: str = ""
    """Path of the folder of the project below that of the repository; empty if it is the same."""

    @property
    def slug(self) -> str:
        """What the names of files and jobs end with, so that each project has its own."""
        return "".join(f"-{part}" for part in self.folder.split("/") if part)

    @property
    def checks(self) -> bool:
        """Whether CI checks that the lock is current."""
        return self.is_planned and not self.pyz

    @property
    def builds(self) -> bool:
        """Whether the job builds what has no wheel; lockstream.pyz resolves no requirements."""
        return bool(self.projects or self.sources) and (self.is_measured or not self.pyz)

    @property
    def program(self) -> str:
        """What runs lockstream."""
        return f"python3 {self.pyz}" if self.pyz else "lockstream"

    @property
    def lock_name(self) -> str:
        """The file name of the lock."""
        return self.lock.rpartition("/")[2]

    def options(self) -> str:
        """Return the options of a job that has the whole project, each after a space."""
        options = self._groups_options()
        if self.builds:
            return f"{options} --build" + ("" if self.is_measured else " --build-unmeasured")
        return options + (" --skip-unbuildable" if self.projects or self.sources else "")

    def options_without_project(self, *, groups: bool = True) -> str:
        """Return the options where only the lock is; ``groups`` says whether its groups are
        installed. Raises NeedsWheels.
        """
        if self.sources:
            raise NeedsWheels(self.lock, self.sources)
        options = self._groups_options() if groups else ""
        return options + (" --skip-unbuildable" if self.projects else "")

    def copies_of_wheels(self) -> str:
        """Return the lines of a Dockerfile that bring the wheels which the lock lists by path.
        Raises WheelsByPath if they are not below the folder of the lock.
        """
        folder = posixpath.dirname(self.lock)
        away = [
            one
            for one in self.wheels
            if f"{one}/".startswith(("../", "/")) or not PLAIN.fullmatch(one)
        ]
        if away:
            raise WheelsByPath(
                self.lock, tuple(away), "keep them below the folder of the lock: plan --wheelhouse"
            )
        return "".join(f"COPY {posixpath.join(folder, one)} ./{one}\n" for one in self.wheels)

    def refuse_wheels_by_path(self) -> None:
        """Raise WheelsByPath if the lock lists wheels by path, where nothing but the lock is."""
        if self.wheels:
            raise WheelsByPath(
                self.lock,
                self.wheels,
                "put them on a server, and plan with its address: --wheelhouse-url URL; files for "
                "docker, github and gitlab bring them along",
            )

    def left_out(self, indent: int, *, always: bool = False) -> str:
        """Return a comment, after ``indent`` spaces, that names the projects that a job does not
        install; empty if it installs all. ``always`` is for a job that builds nothing.
        """
        if not self.projects or (self.builds and not always):
            return ""
        names = enumerate_some(self.projects, limit=5)
        return " " * indent + f"# Not installed, because it would have to be built: {names}\n"

    def _groups_options(self) -> str:
        return "".join(f" --group {name}" for name in self.groups)
