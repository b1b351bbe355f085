"""What files for CI say of a project: its lock, what that takes, and the options to install it."""

from __future__ import annotations

from schemas.data_class import frozen, with_fields
from schemas.errors import Refused
from schemas.text import enumerate_some

__all__ = ["NotForLinux", "ProjectFacts"]


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
    """Whether lockstream planned the lock, and so can check whether it is current."""
    pyz: str
    """Path of ``lockstream.pyz``, so that nothing is installed; empty if there is none."""
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

    def options_without_project(self) -> str:
        """Return the options where only the lock is. Raises NeedsWheels."""
        if self.sources:
            raise NeedsWheels(self.lock, self.sources)
        return self._groups_options() + (" --skip-unbuildable" if self.projects else "")

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
