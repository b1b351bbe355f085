"""The builds of one lock, as all engines see them."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import NormalizedName

from planner.builds.unit import BuildUnit, target_label
from schemas.builds import BuildRecord
from schemas.data_class import frozen

__all__ = ["MACHINES", "Work", "machine_of", "mebibytes"]


MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "amd64", "armv7l": "arm"}
"""The names that Kubernetes and Docker have for machines, by those of Python that differ. Programs
of i686 run on amd64."""


@frozen(kw_only=True)
class Work:
    """What an engine is to do."""

    units: Sequence[BuildUnit]
    lock: str
    """The path of the lock, as the machines see it."""
    store: str
    """The folder that the machines share, or the URL at which they store files."""
    least: int = 0
    """Bytes of memory that every build requests at least."""
    names_targets: bool = False
    """Whether the work has to name the targets, since the lock does not record them."""
    measured: Sequence[tuple[NormalizedName, BuildRecord]] = ()
    """All builds that the lock has figures of, also those whose wheel is there."""

    @property
    def is_served(self) -> bool:
        """Whether the machines store their wheels on a server."""
        return "://" in self.store

    def request(self, unit: BuildUnit) -> int:
        """Return the bytes of memory that are reserved for ``unit``."""
        return max(unit.request, self.least)

    def limit(self, unit: BuildUnit) -> int:
        """Return the bytes of memory that ``unit`` may take with its page cache."""
        return max(unit.limit, self.least)

    def command(self, unit: BuildUnit) -> list[str]:
        """Return the command that does ``unit``."""
        target = unit.target.to_table()
        named = ["--python-version", target["python"], "--platform", target["platform"]]
        return [
            "lockstream",
            "build",
            unit.requirement,
            # A path that begins with a dash would be read as an option.
            f"./{self.lock}" if self.lock.startswith("-") else self.lock,
            *(named if self.names_targets else ["--target", target_label(unit.target)]),
            "--into",
            self.store,
        ]


def machine_of(unit: BuildUnit) -> str:
    """Return the machine that ``unit`` is built on, as Python names it: ``x86_64``."""
    return unit.target.environment["platform_machine"]


def mebibytes(size: int) -> int:
    """Return ``size`` bytes in whole MiB, rounded up."""
    return -(-size // (1 << 20))
