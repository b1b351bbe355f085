"""What a plan is at, gathered from its events: requests that wait, builds, and what was read."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.sizes import format_size
from schemas.text import counted, enumerate_some

__all__ = ["PlanProgress"]


_LONG = 1.0
"""Seconds from which it is said how long something has taken."""


class _Begun(NamedTuple):
    """Something that goes on."""

    text: str
    at: float
    """Of ``time.monotonic``."""

    def __str__(self) -> str:
        """Return what it is, and for how long it has gone on if that is long."""
        seconds = time.monotonic() - self.at
        return f"{self.text} ({seconds:.0f} s)" if seconds >= _LONG else self.text


@dataclass(slots=True)
class _Held:
    """The memory of a build that goes on; in bytes."""

    limit: int | None
    """What it may take: what is free here, or less."""
    now: int = 0
    peak: int = 0

    def __str__(self) -> str:
        """Return it as a line."""
        most = f"at most {self.peak / 2**20:,.1f}"
        limit = f"of {format_size(self.limit)}" if self.limit is not None else "MiB"
        return f"it holds {format_size(self.now)}, {most} {limit}"


class PlanProgress:
    """What one plan has done and is at; its reporter owns it. Many threads add to it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._requests = self._bytes = self._pages = self._files = 0
        self._sized: tuple[int, int] | None = None
        """How many of how many wheels are sized."""
        self._waiting: dict[int, _Begun] = {}
        """The address that each thread waits for."""
        self._builds: dict[str, _Begun] = {}
        self._held: dict[str, _Held] = {}
        """The memory of builds on this machine, as ``_builds``."""
        self._lock = threading.Lock()

    def hear(self, kind: str, facts: Mapping[str, object]) -> None:
        """Add an event, as a Recorder writes it."""
        with self._lock:
            if handler := getattr(self, f"_on_{kind}", None):
                handler(facts)

    def summary(self) -> str:
        """Return what was done so far, in a few words."""
        parts = [counted(self._requests, "request"), format_size(self._bytes)]
        if self._sized:
            return ", ".join(["{} of {} wheels sized".format(*self._sized), parts[0]])
        if self._pages:
            parts.append(counted(self._pages, "project"))
        if self._files:
            parts.append(f"metadata of {counted(self._files, 'file')}")
        return ", ".join(parts)

    @property
    def sized_part(self) -> float | None:
        """The part of the wheels that are sized, from 0 to 1; None before their number is known."""
        return self._sized[0] / self._sized[1] if self._sized and self._sized[1] else None

    @property
    def seconds(self) -> float:
        """The seconds since the plan began."""
        return time.monotonic() - self._began

    def at_work(self) -> list[str]:
        """Return what goes on: builds, then what is waited for, the longest first."""
        with self._lock:
            builds = []
            for name, one in self._builds.items():
                builds.append(f"building {one}")
                if held := self._held.get(name):
                    # A line of its own: on 80 columns the name would leave no room for it.
                    builds.append(str(held))
            waiting = sorted(self._waiting.values(), key=lambda one: one.at)
        if waiting:
            builds.append(f"waiting for {enumerate_some(list(map(str, waiting)), 1)}")
        return builds

    def _on_requesting(self, facts: Mapping[str, object]) -> None:
        self._requests += 1
        self._wait(facts, "")

    def _on_pausing(self, facts: Mapping[str, object]) -> None:
        self._wait(facts, f", again in {facts['seconds']:.0f} s: {facts['problem']}")

    def _wait(self, facts: Mapping[str, object], why: str) -> None:
        address = str(facts["url"]).partition("://")[2]
        self._waiting[threading.get_ident()] = _Begun(f"{address}{why}", time.monotonic())

    def _on_request(self, facts: Mapping[str, object]) -> None:
        self._waiting.pop(threading.get_ident(), None)
        self._bytes += int(str(facts["bytes"]))

    def _on_page(self, _: Mapping[str, object]) -> None:
        self._pages += 1

    def _on_metadata(self, _: Mapping[str, object]) -> None:
        self._files += 1

    def _on_sizing(self, facts: Mapping[str, object]) -> None:
        self._sized = 0, int(str(facts["files"]))

    def _on_sized(self, _: Mapping[str, object]) -> None:
        if self._sized:
            self._sized = self._sized[0] + 1, self._sized[1]

    def _on_sizes(self, _: Mapping[str, object]) -> None:
        self._sized = None

    def _on_building(self, facts: Mapping[str, object]) -> None:
        text = f"{facts['package']}, {facts['what']}"
        self._builds[str(facts["package"])] = _Begun(text, time.monotonic())
        self._held.pop(str(facts["package"]), None)

    def _on_held(self, facts: Mapping[str, object]) -> None:
        package, limit = str(facts["package"]), facts["limit"]
        held = self._held.get(package)
        if held is None:
            from executor import available_memory  # noqa: PLC0415  # few plans build

            free = available_memory()
            held = self._held[package] = _Held(int(str(limit)) if limit is not None else free)
        held.now = int(str(facts["bytes"]))
        held.peak = max(held.peak, held.now)

    def _on_prepared(self, facts: Mapping[str, object]) -> None:
        self._builds.pop(str(facts["package"]), None)
        self._held.pop(str(facts["package"]), None)

    _on_built = _on_prepared
