"""An execution that loses power, anywhere: what is on disk is whole, and the next run ends right.

Only root can take the power away, and only where there are loop devices.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.files.durability import Durability
from helpers.environments import check_nothing_lies, environment_below
from helpers.faults import count_changes
from helpers.locks import write_lock
from helpers.power import Disk, can_lose_power
from helpers.trees import Entry, snapshot
from helpers.wheels import build_wheel

pytestmark = pytest.mark.skipif(not can_lose_power(), reason="needs root and loop devices")

POINTS = 20
"""Moments that the power goes in the tests; ``make soak`` takes 200."""

TEXT = "x" * 9000

OLD = build_wheel("demo", "1.0", files={"demo/a.py": TEXT, "demo/old.py": TEXT, "both/demo": ""})
NEW = build_wheel("demo", "2.0", files={"demo/a.py": f"new {TEXT}", "demo/new.py": TEXT})
OTHER = build_wheel(
    "other",
    files={"other.py": TEXT, "both/other": TEXT},
    data_files={"data/share/other.txt": TEXT, "scripts/run": "#!python\n"},
    entry_points={"console_scripts": {"other": "other:main"}},
)


class Upgrade:
    """An environment with ``OLD`` that becomes one with ``NEW`` and ``OTHER``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_lock(folder / "old", [OLD])
        write_lock(folder / "new", [NEW, OTHER])

    def prepare(self, root: Path) -> Environment:
        environment = environment_below(root / "env")
        execute(str(self.folder / "old/pylock.toml"), environment, lanes=1)
        return environment

    def run(self, environment: Environment, durability: Durability = "full") -> None:
        lock = str(self.folder / "new/pylock.toml")
        execute(lock, environment, lanes=1, durability=durability)

    def changes(self) -> tuple[int, dict[str, Entry]]:
        """How many changes it makes, and what it ends in."""
        environment = self.prepare(self.folder / "whole")
        changes = count_changes(partial(self.run, environment))
        return changes, dict(snapshot(Path(environment.path)))


def lose_power(
    upgrade: Upgrade, folder: Path, number: int, *, busy: bool, durability: Durability = "full"
) -> dict[str, Entry]:
    """The environment after the power went at a moment, and after the next run."""
    folder.mkdir()
    disk = Disk(folder / "image", folder / "disk")
    disk.place.mkdir()
    with disk.mounted() as root:
        environment = upgrade.prepare(root)
        work = partial(upgrade.run, environment, durability)
        assert disk.lose_power_at(number, work, busy=busy)
    with disk.mounted():
        check_nothing_lies(environment)
        upgrade.run(environment)
        check_nothing_lies(environment)
        found = dict(snapshot(Path(environment.path)))
    disk.image.unlink()
    return found


@pytest.fixture(name="upgrade")
def _upgrade(tmp_path: Path) -> Upgrade:
    return Upgrade(tmp_path)


@pytest.mark.parametrize("busy", [False, True], ids=["quiet disk", "busy disk"])
def test_the_loss_of_power_breaks_nothing(upgrade: Upgrade, tmp_path: Path, busy: bool) -> None:
    count, expected = upgrade.changes()
    for point in range(POINTS // 2):
        number = count * point // (POINTS // 2)
        found = lose_power(upgrade, tmp_path / str(number), number, busy=busy)
        assert found == expected, f"power went before change {number}"


def test_the_test_finds_what_is_not_on_disk(upgrade: Upgrade, tmp_path: Path) -> None:
    """Without durability, files that are there by name are empty."""
    count, expected = upgrade.changes()
    broken = 0
    for number in range(count - 1, count // 2, -3):
        try:
            found = lose_power(
                upgrade, tmp_path / str(number), number, busy=True, durability="kill"
            )
            broken += found != expected
        except AssertionError:
            broken += 1
        if broken:
            return
    pytest.fail("nothing broke")
