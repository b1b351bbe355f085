"""The builds of a lock, written for an engine: what the command line says of them, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from packaging.pylock import Pylock

from planner.builds.unit import BuildUnit
from planner.builds.wheel_store import check_store
from planner.engines.work import Work
from schemas.builds import build_records
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.sizes import parse_size
from schemas.urls import redacted

__all__ = ["ONLY_LINUX", "EngineOrder"]


ONLY_LINUX = "lockstream builds on Linux only"

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\x85]")
"""Characters that would end a line of a script or be escaped when it is printed."""

_PART = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@frozen(kw_only=True)
class EngineOrder:
    """What the user wants of an engine; the command owns it."""

    lock: str
    """The path of the lock, as the machines see it."""
    content: Pylock
    store: str
    """The folder that the machines share, or a URL."""
    names_targets: bool = False
    """Whether the targets are not those that the lock records."""
    least: str | None = None
    """A size, such as ``2GiB``."""
    part: str | None = None
    """Which of how many parts: ``1/3``."""

    def work(self, units: Sequence[BuildUnit]) -> Work:
        """Return those of ``units`` that machines with Linux do, of the wanted part.

        Raises UsageError, also for a place that would write a password into the output.
        """
        check_store(self.store)
        if "://" in self.store and "@" in urlsplit(self.store).netloc:
            raise UsageError(
                f"the address of {redacted(self.store)} has credentials, which would be written "
                "into what the engine stores",
                hint="leave them out, and give each machine a netrc file",
            )
        for path in (self.lock, self.store):
            if _CONTROL.search(path):
                raise UsageError(
                    f"{path!r} has a line break or a control character, which no script can hold",
                    hint="rename it",
                )
        first, step = self._part()
        return Work(
            units=[unit for unit in units if _is_linux(unit)][first::step],
            lock=self.lock,
            store=self.store,
            names_targets=self.names_targets,
            least=parse_size(self.least) if self.least is not None else 0,
            measured=[
                (package.name, record)
                for package in self.content.packages
                for record in build_records(package.tool)
            ],
        )

    def left_out(self, units: Sequence[BuildUnit]) -> Sequence[BuildUnit]:
        """Return those of ``units`` that no engine does, since only Linux builds."""
        return [unit for unit in units if not _is_linux(unit)]

    def _part(self) -> tuple[int, int]:
        """Return the index of the first build of the part, and the step to its next."""
        if self.part is None:
            return 0, 1
        match = _PART.fullmatch(self.part)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"{self.part!r} is not a part", hint="write it as 1/3, 2/3 and 3/3")
        return int(match[1]) - 1, int(match[2])


def _is_linux(unit: BuildUnit) -> bool:
    return unit.target.environment["sys_platform"] == "linux"
