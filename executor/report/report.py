"""What an execution did, and the time and memory it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from executor.report.timing import Timing
from schemas.data_class import frozen, with_fields
from schemas.text import counted

if TYPE_CHECKING:
    from executor.wheels.staged_wheel import StagedWheel

__all__ = ["REPORT_FORMAT", "BuildReport", "PackageFigures", "Report", "Staged"]


_MUCH_BEFORE = 32 << 20
"""Bytes that a group held before an execution, from which a line says so."""

REPORT_FORMAT = 1
"""To be raised when a field goes, or means something else."""


@frozen(kw_only=True)
class BuildReport:
    """The time and memory that one build took, and how it was confined. A Report owns it."""

    package: str
    seconds: float
    demand: int
    """Bytes that all processes of the build held together at the peak."""
    limit: int | None
    """Bytes that the build was allowed; None for no limit."""
    jobs: int
    tier: str
    """How the limit was enforced. Without a control group of its own, the build was watched from
    outside, and one that allocates fast enough can outrun that."""
    network: str
    writes: str

    def line(self) -> str:
        """Return the report of this build as a line of text."""
        limit = f" of {_mib(self.limit)}" if self.limit is not None else ""
        return (
            f"  built {self.package} in {self.seconds:.1f} s: held {_mib(self.demand)}{limit} "
            f"({self.tier}; jobs: {self.jobs}; network: {self.network}; writes: {self.writes})"
        )


@frozen(kw_only=True)
class PackageFigures:
    """What one package took. There may be thousands, so it holds only numbers and shared texts."""

    name: str
    version: str
    fetched: int
    """Bytes that came over the network."""
    files: int
    unpacked: int
    """Bytes of its files."""
    is_reused: bool
    """Whether an earlier run had staged it."""
    spent: Timing
    """Seconds of its lane; ``committing`` is of the whole execution, and 0 here."""


@with_fields
class Staged:
    """The sums over all staged wheels of a transaction."""

    wheels: int = 0
    files: int = 0
    bytes: int = 0
    """Number and size of all files that will be installed."""
    packages: list[PackageFigures] = field(default_factory=list)
    startup: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Startup files and warnings of the wheels, each after the name of its wheel."""

    @property
    def spent(self) -> Timing:
        """Where the time of the lanes went."""
        return sum((package.spent for package in self.packages), Timing())

    @property
    def bytes_fetched(self) -> int:
        """Bytes that came over the network."""
        return sum(package.fetched for package in self.packages)

    def add(self, wheel: StagedWheel, figures: PackageFigures) -> None:
        """Count one more wheel."""
        self.wheels += 1
        self.files += wheel.files
        self.bytes += wheel.bytes
        self.packages.append(figures)
        self.startup.extend(f"{wheel.filename}: {name}" for name in wheel.startup)
        self.warnings.extend(f"{wheel.filename}: {text}" for text in wheel.warnings)


@frozen(kw_only=True)
class Report:
    """The figures of one execution: counts, sizes in bytes, times in seconds."""

    environment: str
    target: str
    installed: int
    removed: int
    """Includes distributions that were replaced."""
    unchanged: int
    files: int
    bytes_fetched: int
    """Bytes that came over the network, repeated ones included."""
    bytes_installed: int
    verified_record: bool
    """Whether each file was compared with its hash in the RECORD of its wheel."""
    startup: tuple[str, ...] = ()
    """Files by which Python runs code whenever it starts (``.pth``), with their wheels."""
    warnings: tuple[str, ...] = ()
    seconds: float
    spent: Timing
    """Where the seconds went."""
    lanes: int
    budget: int | None
    """The memory limit in bytes, or None without a limit."""
    budget_source: str
    rss_peak: int
    charged_peak: int | None
    """Peak of what the kernel charged to the cgroup during the execution, page cache included; None
    without a cgroup."""
    charged_before: int | None = None
    """What was charged to the cgroup when the execution began, which is a part of the peak."""
    is_sampled: bool = False
    """Whether the peak is the largest of samples: the kernel may have charged more between two."""
    inflater: str
    """The library that inflated the wheels: ``isal``, or ``zlib``, which takes twice as long."""
    is_confined: bool
    """Whether a control group made for this execution enforced the budget."""
    builds: tuple[BuildReport, ...] = ()
    packages: tuple[PackageFigures, ...] = ()
    """What each package took that was installed, in the order of the lock."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of a ``--report`` file, as ``schemas/report-1.schema.json`` says: the
        fields of this class, after the number of the format.
        """
        return {"format": REPORT_FORMAT, **asdict(self)}

    def summary(self) -> Iterator[str]:
        """Yield the report in one line, and what a user should know in any case."""
        # Without a limit the kernel keeps what it likes, which says nothing of the execution; and a
        # limit of the process (ulimit -v), or one that the user gives a run that shares its group
        # with others, is none of what the group is charged.
        is_alone = self.is_confined or (self.charged_before or 0) <= _MUCH_BEFORE
        is_of_group = self.budget_source.startswith("/sys/") or (
            is_alone and not self.budget_source.startswith("RLIMIT")
        )
        has_peak = self.charged_peak is not None and self.budget is not None and is_of_group
        peak = f"{self._charged()} of {_mib(self.budget or 0)}" if has_peak else ""
        yield (
            f"{next(self.lines())} in {self.seconds:.1f} s: {_mib(self.bytes_fetched)} fetched, "
            f"{_mib(self.bytes_installed)} unpacked{peak}"
        )
        if not self.verified_record:
            yield "  files not held to RECORD (--no-verify-record)"
        yield from (build.line() for build in self.builds)

    def lines(self) -> Iterator[str]:
        """Yield the report as lines of text."""
        more = "".join(
            f", {count} {what}"
            for count, what in ((self.removed, "removed"), (self.unchanged, "unchanged"))
            if count
        )
        yield f"installed {counted(self.installed, 'package')}{more} into {self.environment}"
        yield (
            f"  {counted(self.files, 'file')}, {_mib(self.bytes_installed)} from "
            f"{_mib(self.bytes_fetched)} fetched, in {self.seconds:.1f} s"
        )
        if not self.verified_record:
            yield "  files not held to RECORD (--no-verify-record)"
        yield from (build.line() for build in self.builds)
        yield from self._time()
        yield f"  memory: peak RSS {_mib(self.rss_peak)}{self._charged()}"
        budget = "none" if self.budget is None else _mib(self.budget)
        enforced = ", enforced by a group of our own" if self.is_confined else ""
        yield f"  budget: {budget} ({self.budget_source}{enforced}), {self.lanes} lanes"

    def _charged(self) -> str:
        if self.charged_peak is None:
            return ""
        text = f", charged {'at least ' if self.is_sampled else ''}{_mib(self.charged_peak)}"
        before = self.charged_before or 0
        return f"{text} ({_mib(before)} before)" if before > _MUCH_BEFORE else text

    def _time(self) -> Iterator[str]:
        spent = self.spent
        if total := spent.network + spent.writing + spent.unpacking:
            shares = (
                ("waiting for the network", spent.network),
                ("writing", spent.writing),
                (f"unpacking ({self.inflater})", spent.unpacking),
            )
            parts = ", ".join(f"{seconds / total:.0%} {what}" for what, seconds in shares)
            yield f"  time: {parts}; then {spent.committing:.1f} s to commit"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
