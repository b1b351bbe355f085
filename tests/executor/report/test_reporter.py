"""The events of an execution, in their order."""

from __future__ import annotations

from pathlib import Path

from executor.api import execute
from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.report.reporter import Reporter
from executor.wheels.staged_wheel import StagedWheel
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.wheels import build_wheel


class Listener(Reporter):
    def __init__(self) -> None:
        self.events: list[str] = []

    def selected(self, changes: Changes, budget: Budget) -> None:
        self.events.append(f"selected {len(changes.install)} for {budget.lanes}")

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        assert wheel.filename == step.filename
        self.events.append(f"staged {number} {step.name}")

    def warned(self, text: str) -> None:
        self.events.append(f"warned {text}")

    def committing(self) -> None:
        self.events.append("committing")


def run(folder: Path, reporter: Reporter) -> None:
    wheels = [build_wheel("one"), build_wheel("two")]
    write_lock(folder, wheels)
    execute(
        str(folder / "pylock.toml"), environment_below(folder / "env"), reporter=reporter, lanes=1
    )


def test_they_come_in_the_order_of_the_lock(tmp_path: Path) -> None:
    listener = Listener()
    run(tmp_path, listener)
    first, *staged, last = listener.events
    assert (first, last) == ("selected 2 for 1", "committing")
    assert [event.split()[1] for event in staged] == ["0", "1"]
    assert {event.split()[2] for event in staged} == {"one", "two"}


def test_an_environment_that_is_right_is_selected_and_not_committed(tmp_path: Path) -> None:
    run(tmp_path, Reporter())
    listener = Listener()
    run(tmp_path, listener)
    assert [event.partition(" for")[0] for event in listener.events] == ["selected 0"]
