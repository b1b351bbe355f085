"""What an execution shows while it runs: two lines on a terminal, or lines for a CI job.

rich would take 7 MiB of the 32 MiB that an execution may have, and this takes 0.2.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Self

from executor.budget.budget import Budget
from executor.budget.group_memory import GroupMemory
from executor.budget.memory import resident
from executor.cli.console import WarningReporter
from executor.cli.output import echo
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.report.board import Board
from executor.report.repeated import Repeated
from schemas.sizes import format_size
from schemas.text import enumerate_some, printable

if TYPE_CHECKING:
    from executor.wheels.staged_wheel import StagedWheel

__all__ = ["LineReporter", "LiveReporter", "change_lines"]


_SILENCE = 5.0
"""Seconds without a line after which one says what is waited for: a job without output looks as if
it hung, and some runners end it."""


_BAR = 24
"""Columns of the bar, if the numbers after it leave so many."""


_SHORTEST_BAR = 4


_ERASE = "\r\x1b[2K"
"""Carriage return, then erase the line (ECMA-48, EL)."""


class LineReporter(WarningReporter):
    """Prints a line for each wheel, in the order of the lock, and one now and then if none comes.

    A context, in which a thread watches for that.
    """

    _interval = 1.0
    """Seconds between two looks at the run."""

    def __init__(self) -> None:
        self.board = self._board = Board()
        self._total = self._done = self._written = 0
        self._replaced: Mapping[str, str] = {}
        self._changes: Changes | None = None
        self._memory: int | None = None
        self._began = self._last = time.monotonic()
        self._lock = Lock()
        self._repeated = Repeated(self._look, self._interval)

    def __enter__(self) -> Self:
        self._repeated.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._repeated.__exit__()

    def selected(self, changes: Changes, budget: Budget) -> None:
        self._total, self._replaced = len(changes.install), changes.replaced
        self._changes, self._memory = changes, budget.memory
        self._began = time.monotonic()
        for name in changes.skipped:
            self._say(f"warning: {name} is left out, because it must be built")

    def wrote(self, size: int) -> None:
        self._written += size

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        self._done = number + 1
        old = self._replaced.get(step.name)
        change = f"~ {step.name} {old} ->" if old is not None else f"+ {step.name}"
        # The lock of another tool need not state the version of a folder.
        self._say(f"[{number + 1}/{self._total}] {change} {step.version}".rstrip())

    def warned(self, text: str) -> None:
        self.recorder.event("warning", text=text)
        self._say(f"warning: {text}")

    def print_changes(self) -> None:
        """Print the changes that have no line yet: what was removed."""
        self._print_changes({"red"})

    def _print_changes(self, tones: set[str]) -> None:
        for text, tone in change_lines(self._changes) if self._changes else ():
            if tone in tones:
                echo(text, err=True, tone=tone)

    def _say(self, text: str) -> None:
        with self._lock:
            echo(text, err=True)
            self._last = time.monotonic()

    def _look(self) -> None:
        if time.monotonic() - self._last >= _SILENCE:
            work = list(map(str, self._board.read()))
            what = f"at {enumerate_some(work, 4)}" if work else "at the environment"
            self._say(f"  {self._finished()}/{self._total} after {self._seconds():.0f} s, {what}")

    def _finished(self) -> int:
        """Return how many wheels are finished. Lanes finish out of order; ``staged`` keeps it."""
        return max(self._done, min(self._total, self._board.finished()))

    def _seconds(self) -> float:
        return time.monotonic() - self._began


class LiveReporter(LineReporter):
    """Shows two lines that change, on a terminal, and prints no line for each wheel."""

    _interval = 0.1  # as often as an eye can follow numbers

    def __init__(self) -> None:
        super().__init__()
        self._group = GroupMemory()
        self._is_shown = False
        self._bytes = 0
        self._others = (0, 0)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._group.close()
        with self._lock:
            self._clear()

    def selected(self, changes: Changes, budget: Budget) -> None:
        self._bytes = sum(step.hints.unpacked_size if step.hints else 0 for step in changes.install)
        if group := self._group.now():
            self._others = (group["place"], group["usage"] - resident())
        super().selected(changes, budget)

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        self._done = number + 1

    def print_changes(self) -> None:
        """Print what changed."""
        self._print_changes({"green", "yellow", "red"})

    def _say(self, text: str) -> None:
        with self._lock:
            self._clear()
            echo(text, err=True)

    def _look(self) -> None:
        if self._total:
            lines = [self._progress(), self._state()]
            with self._lock:
                self._draw(lines)

    def _draw(self, lines: list[str]) -> None:
        columns = _columns()
        text = "\n".join(f"{_ERASE}{printable(line)[: columns - 1]}" for line in lines)
        # The cursor stays on the first line, so that whatever else is printed comes there.
        _write(f"{text}\x1b[1A\r")
        self._is_shown = True

    def _clear(self) -> None:
        if self._is_shown:
            _write(f"{_ERASE}\n{_ERASE}\x1b[1A\r")
            self._is_shown = False

    def _progress(self) -> str:
        seconds = max(self._seconds(), 0.1)
        done = self._finished()
        part = done / self._total
        amount, left = f"{format_size(self._written)}", ""
        if self._bytes:
            part = min(1.0, self._written / self._bytes)
            amount = f"{self._written / 2**20:.1f} of {format_size(self._bytes)}"
            if self._written and seconds > 1:
                more = max(0.0, self._bytes - self._written) * seconds / self._written
                left = f"  {int(more) // 60}:{int(more) % 60:02} left"
        rate = f"{self._written / 2**20 / seconds:.1f} MiB/s"
        text = f" {part:4.0%}  {amount}  {rate}{left}  {done}/{self._total}"
        # Half of a number would be another number.
        size = max(_SHORTEST_BAR, min(_BAR, _columns() - len("[]") - len(text) - 1))
        full = int(part * size)
        return f"[{'#' * full}{'-' * (size - full)}]{text}"

    def _state(self) -> str:
        work = ", ".join(map(str, self._board.read())) or (
            "committing" if self._done else "starting"
        )
        if self._memory is None:
            return work  # the memory of the whole machine would say nothing of this run
        group, held = self._group.now(), resident()
        if group:  # the budget is for this run, and not for what shares its group
            place, others = self._others
            held = max(held, group["usage"] - (others if group["place"] == place else 0))
        return f"memory {held / 2**20:.1f} MiB of {format_size(self._memory)} | {work}"


def change_lines(changes: Changes) -> list[tuple[str, str]]:
    """Return a line, and its colour, for each package that came, went or changed its version."""
    replaced = changes.replaced
    found = []
    for step in changes.install:
        old = replaced.get(step.name)
        if old is None:
            found.append((step.name, f"+ {step.name} {step.version}".rstrip(), "green"))
        else:
            found.append((step.name, f"~ {step.name} {old} -> {step.version}", "yellow"))
    found += (
        (gone.name, f"- {gone.name} {gone.version}", "red")
        for gone in changes.remove
        if gone.name not in replaced
    )
    return [(text, tone) for _, text, tone in sorted(found)]


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
