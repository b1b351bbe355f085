"""Scenarios: an environment, a lock, and what the environment must be when the lock is executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.report.report import Report
from helpers.environments import environment_below
from helpers.faults import killed_at
from helpers.locks import write_lock
from helpers.wheels import Wheel, build_wheel

__all__ = ["SCENARIOS", "Scenario"]

TEXT = "x" * 5000

ONE = build_wheel(
    "one",
    files={
        "one/__init__.py": TEXT,
        **{f"one/sub{number % 3}/m{number}.py": f"{number}" for number in range(20)},
        "shared/one.py": "1",
    },
    entry_points={"console_scripts": {"one": "one:main"}},
    data_files={"data/share/one.txt": "data", "scripts/run": "#!python\n", "headers/one.h": ""},
    executables=["one/__init__.py"],
)
NEXT = build_wheel(
    "one",
    "2.0",
    files={
        "one/__init__.py": f"new {TEXT}",
        **{f"one/sub{number % 2}/n{number}.py": f"{number}" for number in range(15)},
        "shared/one.py": "2",
    },
    entry_points={"console_scripts": {"one": "one:main", "two": "one:two"}},
)
OTHER = build_wheel("other", files={"other.py": TEXT, "shared/other.py": ""})
LARGE = build_wheel(
    "large",
    files={
        "large/__init__.py": TEXT,
        # Written past the page cache, but for the last bytes.
        "large/data.bin": TEXT * 200 + "end",
        "large/last.py": "",
    },
)
MANY = [
    build_wheel(
        f"many{number}",
        files={f"many{number}/__init__.py": f"{number}", f"names/space/x{number}.py": TEXT},
    )
    for number in range(12)
]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Executing a lock for ``new`` in an environment that holds ``old``, and nothing else."""

    name: str
    old: Sequence[Wheel]
    new: Sequence[Wheel]
    replay: bool = False
    """Whether it starts after an earlier run was killed during its commit."""

    def write(self, folder: Path) -> None:
        """Write both locks, with their wheels, below ``folder``."""
        for name, wheels in (("old", self.old), ("new", self.new)):
            write_lock(folder / self.name / name, wheels)

    def prepare(self, folder: Path, root: Path) -> Environment:
        """Return the environment at ``root`` before it; ``folder`` has the locks."""
        environment = environment_below(root)
        if self.old:
            self._execute(folder, "old", environment)
        journal = Path(environment.interpreter.schemes.purelib, ".lockstream/journal")
        changes = 0
        while self.replay and not journal.exists():
            # A run that is killed a little later each time continues after the last one.
            changes += 1
            if not killed_at(changes, partial(self.run, folder, environment)):
                raise RuntimeError("it was never killed in its commit")
        return environment

    def run(self, folder: Path, environment: Environment, **options: Any) -> Report:
        """Execute the new lock."""
        return self._execute(folder, "new", environment, **options)

    def _execute(self, folder: Path, name: str, environment: Environment, **options: Any) -> Report:
        lock = str(folder / self.name / name / "pylock.toml")
        options = {"lanes": 1, "durability": "kill", **options}
        return execute(lock, environment, sync=Sync(exact=True), **options)


SCENARIOS = [
    Scenario("install", [], [ONE, OTHER]),
    Scenario("upgrade", [ONE, OTHER], [NEXT, OTHER]),
    Scenario("downgrade", [NEXT, OTHER], [ONE, OTHER]),
    Scenario("remove", [ONE, OTHER], [OTHER]),
    Scenario("large", [OTHER], [LARGE, OTHER]),
    Scenario("many", [ONE], MANY),
    Scenario("replay", [ONE, OTHER], [NEXT, *MANY[:3]], replay=True),
]
