"""One run: its wheels with their times, its memory and builds, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.runs.log import Event
from schemas.data_class import frozen
from schemas.sizes import format_size

__all__ = ["STATES", "Build", "Interval", "Outcome", "Run", "WheelRun"]


Outcome = Literal["done", "failed", "killed"]
"""How a run ended. Killed means that its log has no end."""


STATES = ("waiting", "unpacking", "writing")
"""What a lane does with a wheel."""


_MUCH_BEFORE = 32 << 20
"""Bytes from which it is said what was charged before a run: the program itself holds 28 MiB."""

_EARLY = 0.3
"""Seconds in which a run has charged its group with next to nothing of its own."""


@frozen
class Interval:
    """The time between two events of a wheel, and how it was spent; in seconds."""

    begin: float
    """Since the run began, as ``end``."""
    end: float
    spent: tuple[float, float, float]
    """Waiting, unpacking and writing. In which order is not known."""


@dataclass(slots=True)
class WheelRun:
    """What became of one wheel; a Run owns it."""

    package: str
    version: str
    file: str
    size: int | None
    lane: int
    begin: float
    end: float
    state: str = "begun"
    """``begun``, ``waits``, ``reads``, ``unpacked``, ``written``, ``staged``, ``reused`` or
    ``failed``."""
    read: int = 0
    """Bytes of the wheel that were read."""
    fetched: int = 0
    """Bytes that came over the network."""
    files: int = 0
    bytes: int = 0
    """Number and size of its files, once they are written."""
    waiting: float = 0.0
    unpacking: float = 0.0
    writing: float = 0.0
    building: float = 0.0
    """Seconds of a build, which are not part of the others."""
    error: str = ""
    intervals: list[Interval] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """The first line of its error, which may hold what a build has printed."""
        return self.error.partition("\n")[0]

    @property
    def is_at_work(self) -> bool:
        """Whether it was neither complete nor given up when the log ended."""
        return self.state not in {"staged", "reused", "failed"}

    def advance(self, event: Event) -> None:
        """Add what an event with the effort so far tells."""
        at, parts = float(event["at"]), []
        for state in STATES:
            now = float(event.get(state, 0.0))
            if state == "unpacking":
                # A lane counts all that is neither of the others.
                now = max(0.0, now - self.building)
            parts.append(max(0.0, now - getattr(self, state)))
            setattr(self, state, now)
        if at > self.end and any(parts):
            waiting, unpacking, writing = parts
            self.intervals.append(Interval(self.end, at, (waiting, unpacking, writing)))
        self.end = max(self.end, at)
        self.fetched = event.get("fetched", self.fetched)
        self.read = event.get("read", self.read)
        self.files, self.bytes = event.get("files", self.files), event.get("bytes", self.bytes)


@dataclass(slots=True)
class Build:
    """One build; a Run owns it."""

    package: str
    begin: float
    end: float | None = None
    """None if it has not ended."""
    planned: int | None = None
    """Bytes that were measured when the lock was planned."""
    limit: int | None = None
    demand: int | None = None
    """Bytes that its processes held at the peak."""
    jobs: int | None = None
    tier: str = ""
    what: str = ""
    """The step of a build of a plan."""


@dataclass(slots=True)
class Run:
    """A run; the reader of the log owns it."""

    path: str
    about: Event
    """The first event."""
    seconds: float
    outcome: Outcome
    end: Event
    """The last event; empty if the run was killed."""
    limits: list[dict[str, Any]] = field(default_factory=list)
    budget: Event = field(default_factory=dict)
    selected: Event = field(default_factory=dict)
    planned: dict[str, Event] = field(default_factory=dict)
    """What the lock records of each package that is installed, by name."""
    removed: list[tuple[str, str]] = field(default_factory=list)
    wheels: dict[str, WheelRun] = field(default_factory=dict)
    builds: list[Build] = field(default_factory=list)
    commit: list[tuple[str, float]] = field(default_factory=list)
    samples: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    startup: list[str] = field(default_factory=list)
    """Files by which Python runs code whenever it starts, after the name of their package."""
    requests: list[Event] = field(default_factory=list)
    searches: list[Event] = field(default_factory=list)
    lanes: int = 0
    has_own_group: bool = False
    """Whether it has entered a group that holds nothing of others."""
    outside: int = 0
    """Bytes that count against the limit of that group, and are charged to another."""

    @property
    def command(self) -> str:
        return str(self.about.get("command", "execute"))

    @property
    def limit(self) -> int | None:
        """The bytes that the kernel or the user lets the run have; None if nothing limits it."""
        memory = self.budget.get("memory")
        if self.is_other:
            memory = min((one["available"] for one in self.limits), default=None)
        return int(memory) if memory is not None else None

    @property
    def is_other(self) -> bool:
        """Whether it is a run of another program, as the sampler of the benchmarks records it."""
        return self.command == "other"

    @property
    def title(self) -> str:
        """What was run, as a heading names it."""
        return self.label if self.is_other else f"lockstream {self.command}"

    @property
    def label(self) -> str:
        """What was run, in a word or two."""
        return str(self.about.get("program", "another program")) if self.is_other else self.path

    @property
    def limit_of_group(self) -> int | None:
        """The limit with what others hold below it, as samples of a shared group count them."""
        limit = self.limit
        return None if limit is None else limit + self.others(str(self.budget.get("source")))

    def others(self, source: str) -> int:
        """Return the bytes that others hold below a limit, if samples count them too."""
        if self.has_own_group or not source.startswith("/sys/"):
            return 0
        return sum(one["others"] for one in self.limits if one["source"] == source)

    @property
    def is_of_group(self) -> bool:
        """Whether what the group is charged can be compared with the limit of this run: it is a
        limit of the group, or the group held nearly nothing of others when the run began.
        """
        if self.limit is None or self.has_own_group or self.is_other:
            return self.has_own_group or self.is_other
        early = (one for one in self.samples if one.get("group") and one["at"] < _EARLY)
        first = next((one["group"]["usage"] for one in early), 0)
        before = self.end.get("charged_before") or first
        return before <= _MUCH_BEFORE or str(self.budget.get("source")).startswith("/sys/")

    @property
    def samples_group(self) -> bool:
        """Whether the peak and the page are of the group's samples."""
        has_groups = bool(self.samples) and all(one.get("group") for one in self.samples)
        return has_groups and self.is_of_group

    @property
    def peak(self) -> int | None:
        """The most bytes that were charged: the kernel's figure, or the largest sample. Without a
        limit of the group, those of a shared one are of others: what our processes held counts.
        """
        if (told := self._charged) is not None:
            return told
        if self.samples_group:
            return int(max(one["group"]["usage"] for one in self.samples))
        held = (one["processes"]["anonymous"] + one["processes"]["shared"] for one in self.samples)
        return max(held, default=None)

    @property
    def _charged(self) -> int | None:
        """The kernel's figure, unless it is of others and would be compared with our limit."""
        told = self.end.get("charged_peak")
        return int(told) if told is not None and (self.is_of_group or self.limit is None) else None

    @property
    def peak_kind(self) -> str:
        """What the peak is, in a few words."""
        if self._charged is not None:
            before = self.end.get("charged_before") or 0
            kind = "largest sample" if self.end.get("sampled") else "as the kernel counts"
            return f"{kind}, {format_size(before)} before" if before > _MUCH_BEFORE else kind
        return "largest sample" if self.samples_group else "of our processes, largest sample"

    @property
    def spent(self) -> dict[str, float]:
        """The seconds of all lanes, by activity."""
        return {
            state: sum(getattr(wheel, state) for wheel in self.wheels.values()) for state in STATES
        }

    @property
    def building(self) -> float:
        """The seconds that lanes have built."""
        return sum(wheel.building for wheel in self.wheels.values())

    def at_work(self) -> Iterator[WheelRun]:
        """Yield the wheels that were neither complete nor given up when the log ended."""
        return (wheel for wheel in self.wheels.values() if wheel.is_at_work)

    def complete(self) -> list[WheelRun]:
        """Return the wheels that a next run would not fetch again."""
        return [wheel for wheel in self.wheels.values() if wheel.state in {"staged", "reused"}]
