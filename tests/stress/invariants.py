"""What must hold in an environment after an execution was killed, failed or lost power.

- Each package that says "installed" is complete.
- One more run ends in exactly the tree of an undisturbed run, and leaves nothing else.
- That run reports what became of the last one, and fetches no complete wheel again.
- An execution that failed has changed nothing, or can be finished.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from executor.environment.environment import Environment
from executor.environment.errors import EnvironmentBusy
from executor.report.report import Report
from executor.report.reporter import Reporter
from helpers.environments import check_nothing_lies
from helpers.scenarios import Scenario
from helpers.trees import Entry, differences, snapshot
from schemas.errors import ExitCode, LockstreamError
from stress.grounds import PLAIN, Ground
from stress.injected_faults import End

__all__ = ["Stage", "broken_by_error", "broken_invariants"]

ORPHANS = 20.0
"""Seconds in which the lanes of a killed execution must end."""


class _Listening(Reporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)


class Stage:
    """A scenario with its environment before and after it; owned by the program that injects
    faults."""

    def __init__(
        self, scenario: Scenario, work: Path, ground: Ground = PLAIN, **options: Any
    ) -> None:
        """``work`` is a folder with the locks of all scenarios in ``locks``."""
        self.ground = ground
        self.scenario = scenario
        self.locks = work / "locks"
        self.options = options
        # Always the same path: the names of staged wheels depend on it.
        self.root = work / "environment"
        self._template = work / "template"

    def __enter__(self) -> Self:
        self.environment = self.ground.dress(self.scenario.prepare(self.locks, self.root))
        shutil.copytree(self.root, self._template, symlinks=True)
        shutil.rmtree(self.root)
        self.ground.lay(self._template, self.root)
        self.before = snapshot(self.root, ["*/.lockstream"])
        self.run()
        self.after = snapshot(self.root)
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self.ground.clear(self.root)
        shutil.rmtree(self._template)

    def reset(self) -> None:
        """Restore the environment of the beginning."""
        self.ground.clear(self.root)
        self.ground.lay(self._template, self.root)

    def run(
        self, environment: Environment | None = None, reporter: Reporter | None = None
    ) -> Report:
        """Execute the lock of the scenario, in another environment if one is given."""
        chosen = environment or self.environment
        return self.scenario.run(self.locks, chosen, reporter=reporter, **self.options)


def broken_invariants(
    stage: Stage,
    environment: Environment,
    *,
    keeps_staged: bool = True,
    leaves_folders: bool = False,
) -> Iterator[str]:
    """Yield what does not hold in an environment of a stage, before and after one more run.

    ``keeps_staged`` says that everything that was written is still there. After a loss of power it
    is not, and complete wheels may be fetched again. ``leaves_folders`` says that the kernel has
    refused to remove a folder, as it does where something is mounted: it may stay, empty.
    """
    try:
        check_nothing_lies(environment, allows_bare=stage.ground.is_layered)
    except (AssertionError, OSError, ValueError) as error:
        yield f"a package says installed and is not: {error!r}"
    staging = Path(environment.interpreter.schemes.purelib, ".lockstream")
    complete = len(list(staging.glob("*/complete")))
    is_committed = (staging / "journal").exists()
    log = staging / "run"
    is_logged = log.exists() and log.stat().st_size > 0
    reporter = _Listening()
    try:
        report = _once_free(partial(stage.run, environment, reporter))
    except (LockstreamError, ValueError) as error:
        yield f"the next run fails: {error!r}"
        return
    most = 0 if is_committed else len(stage.scenario.new) - complete
    again = sum(not package.is_reused for package in report.packages)
    if keeps_staged and again > most:
        yield f"unpacked {again} wheels again, of at most {most}"
    if is_logged and not any(text.startswith("the last run") for text in reporter.warnings):
        yield "the next run does not report the last one"
    after = snapshot(Path(environment.path))
    if leaves_folders:
        after = _without_bare_folders(after, stage.after)
    if after != stage.after:
        yield f"another tree: {differences(stage.after, after)[:3]}"


def _without_bare_folders(
    found: Mapping[str, Entry], expected: Mapping[str, Entry]
) -> dict[str, Entry]:
    """Return ``found`` without the folders that hold no file and are not expected."""
    kept = dict(found)
    for path in sorted(found, reverse=True):
        is_bare = not any(other.startswith(f"{path}/") for other in kept)
        if path not in expected and found[path].kind == "directory" and is_bare:
            del kept[path]
    return kept


def broken_by_error(stage: Stage, environment: Environment, end: End) -> Iterator[str]:
    """Yield what does not hold after an execution that ended with ``end``."""
    journal = Path(environment.interpreter.schemes.purelib, ".lockstream/journal")
    # Sometimes a call has another number than in the trace, and is one that reads a wheel.
    is_of_wheel = end.status == ExitCode.NETWORK and "cannot be read" in end.message
    expected = {ExitCode.DONE, ExitCode.NOT_ENOUGH, ExitCode.NOT_PERMITTED}
    if end.status not in expected and not is_of_wheel:
        yield f"ended with {end.status}"
    elif end.status == ExitCode.DONE or stage.scenario.replay:
        return
    elif is_of_wheel or any(
        text in end.message for text in ("as it was before", "nothing was written")
    ):
        # A wheel that cannot be read leaves the others, which are complete, for the next run.
        ignored = ["*/.lockstream"] if is_of_wheel else []
        if (found := snapshot(Path(environment.path), ignored)) != stage.before:
            yield f"it is not as it was before: {differences(stage.before, found)[:3]}"
    elif "the environment is what the lock says" in end.message:
        if (found := snapshot(Path(environment.path))) != stage.after:
            yield f"it is not what the lock says: {differences(stage.after, found)[:3]}"
    elif "it finishes what was begun" not in end.message or not journal.exists():
        yield "the error does not say what became of the environment"


def _once_free(run: Callable[[], Report]) -> Report:
    """Return the report of ``run``, once the lanes of a killed execution have ended."""
    deadline = time.monotonic() + ORPHANS
    while True:
        try:
            return run()
        except EnvironmentBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
