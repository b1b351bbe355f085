"""A local project as a step, which is built in place and installed like a package of the lock.

The lock provides its requirements, so they are not read here. Its build requirements have a lock of
their own, which ``lockstream plan --build-project`` writes.
"""

from __future__ import annotations

import os

from executor.files.regular import read_input
from executor.lock.reader import LockReader
from executor.lock.step import Source, Step
from schemas.builds import build_lock_name, project_name, project_version, suitable_record
from schemas.data_class import frozen, with_fields
from schemas.errors import InvalidInput, NoSolution, UsageError
from schemas.target import Target
from schemas.toml import parse_toml

__all__ = ["LocalProject", "ProjectUnlocked"]


@with_fields
class ProjectUnlocked(NoSolution):
    """A project has build requirements, and no lock of them was found."""

    folder: str
    lock: str
    hint: str = "write it with lockstream plan --build-project, and commit it"

    def __str__(self) -> str:
        return f"{self.folder}: {self.lock}, the lock of its build requirements, is missing"


@frozen(kw_only=True)
class LocalProject:
    """A folder with a project that the user wants to install."""

    folder: str
    editable: bool = False
    """Whether to install a link to the folder instead of a copy (PEP 660)."""

    def step(self, target: Target, lock_folder: str) -> Step:
        """Return the step that installs it.

        The lock of its build requirements is searched for in ``lock_folder``, then in the folder of
        the project. Raises UsageError, InvalidInput, ProjectUnlocked, and what ``LockReader``
        raises.
        """
        folder = os.path.abspath(self.folder)
        path = os.path.join(folder, "pyproject.toml")
        try:
            document = parse_toml(read_input(path).decode())
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror or error}",
                hint="name the folder of a project",
            ) from None
        except ValueError as error:
            raise _invalid(path, str(error), "correct it, and run the command again") from None
        name = project_name(document)
        if name is None:
            raise _invalid(path, "[project] has no name", "give it one, and plan again")
        places = [os.path.join(place, build_lock_name(name)) for place in (lock_folder, folder)]
        lock = next(filter(os.path.exists, places), None)
        requires = document.get("build-system", {}).get("requires", True)
        if lock is None and requires:
            raise ProjectUnlocked(self.folder, build_lock_name(name))
        record = suitable_record(LockReader(lock).header.tool, target.tags) if lock else None
        planned = str(record.version) if record else ""
        return Step(
            name=name,
            version=project_version(document) or planned,
            filename=name,
            url=None,
            path=folder,
            size=None,
            hashes=(),
            hints=None,
            is_direct=True,
            source=Source(record, folder=folder, editable=self.editable, lock=lock),
        )


def _invalid(path: str, problem: str, hint: str) -> InvalidInput:
    failure = InvalidInput(f"{path}: {problem}")
    failure.hint = hint
    return failure
