"""The owner of a path is a wheel, a distribution that is installed, or nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.environment.installed import installed_distributions
from executor.environment.places import Ways
from executor.environment.schemes import Schemes
from executor.transaction.commit import WheelMoves
from executor.transaction.errors import FileConflict
from executor.transaction.journal_entries import Move
from executor.transaction.owners import NO_OWNER, Owners, conflict, wheel_folder
from executor.wheels.errors import WheelRefused
from helpers.environments import schemes_below

HERE = "demo 1.0, which is installed"


@pytest.fixture(name="schemes")
def _schemes(tmp_path: Path) -> Schemes:
    schemes = schemes_below(tmp_path / "env")
    info = Path(schemes.purelib, "demo-1.0.dist-info")
    info.mkdir(parents=True)
    (info / "RECORD").write_text("demo/x.py,,\ndemo-1.0.dist-info/RECORD,,\n")
    (info.parent / "demo").mkdir()
    for name in ("demo/x.py", "alone.py"):
        (info.parent / name).write_text("")
    return schemes


def owners_of(schemes: Schemes, *arrivals: WheelMoves) -> Owners:
    found = list(installed_distributions(schemes.purelib))
    return Owners(arrivals, found, Ways(schemes.roots))


@pytest.mark.parametrize(
    ("path", "owner"), [("demo/x.py", HERE), ("demo", HERE), ("alone.py", NO_OWNER)]
)
def test_the_owner_is_who_has_the_file_or_one_in_the_folder(
    schemes: Schemes, path: str, owner: str
) -> None:
    assert owners_of(schemes).installed_as(f"{schemes.purelib}/{path}") == owner


def test_a_staged_folder_belongs_to_its_wheel(schemes: Schemes) -> None:
    moves = (Move("2/purelib", schemes.purelib),)
    owners = owners_of(schemes, WheelMoves("one.whl", ()), WheelMoves("two.whl", moves))
    assert wheel_folder("2/purelib/demo") == "2"
    assert owners.wheel("2/data/bin") == "two.whl"


def test_one_wheel_cannot_be_let_in_by_an_option() -> None:
    refused = conflict("/p/x", "one.whl", "one.whl", is_folder=False)
    assert isinstance(refused, WheelRefused)
    assert "two of its members go to /p/x" in str(refused)


@pytest.mark.parametrize(
    ("other", "is_folder", "hint"),
    [
        (NO_OWNER, True, "move it away: one is a file, the other a folder"),
        (NO_OWNER, False, "--on-collision last"),
        (HERE, True, "lock only one of the two"),
        (HERE, False, "--on-collision last"),
    ],
)
def test_the_hint_is_for_who_can_act(other: str, is_folder: bool, hint: str) -> None:
    refused = conflict("/p/x", "one.whl", other, is_folder=is_folder)
    assert isinstance(refused, FileConflict)
    assert hint in refused.hint
