"""Admission: what does not fit is refused before the first byte, and a guess refuses nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from executor.api import execute
from executor.budget.errors import BudgetTooSmall
from executor.environment.environment import Environment
from executor.files.errors import NotEnoughDisk
from executor.install import preflight
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel
from schemas.errors import NotEnough

MIB = 1 << 20
DEMO = build_wheel("demo", files={"demo/a.py": "a = 1"})
DENSE = build_wheel("dense", files={"dense/data": random.Random(0).randbytes(12 * MIB)})
"""A wheel that does not get larger when it is unpacked; it is guessed to, seven times."""


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


@pytest.fixture(name="_in_memory")
def _files_are_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "is_in_memory", lambda _: True)


def test_memory_is_asked_for(tmp_path: Path, environment: Environment) -> None:
    path = write_lock(tmp_path / "project", [DEMO])
    before = snapshot(tmp_path)
    with pytest.raises(NotEnough, match=r"of memory.*, but --memory leaves 1 MiB"):
        execute(path, environment, memory=MIB)
    assert snapshot(tmp_path) == before


def test_disk_is_asked_for(tmp_path: Path, environment: Environment) -> None:
    path = write_lock(tmp_path / "project", [DEMO], hints=True)
    text = Path(path).read_text()
    size = DEMO.hints.unpacked_size
    Path(path).write_text(text.replace(f"unpacked-size = {size}", f"unpacked-size = {1 << 60}"))
    before = snapshot(tmp_path)
    with pytest.raises(NotEnoughDisk):
        execute(path, environment)
    assert snapshot(tmp_path) == before


@pytest.mark.usefixtures("_in_memory")
def test_what_a_guess_would_refuse_is_counted(tmp_path: Path, environment: Environment) -> None:
    path = write_lock(tmp_path / "project", [DENSE])
    before = snapshot(tmp_path)
    with pytest.raises(BudgetTooSmall) as refusal:
        execute(path, environment, memory=40 * MIB)
    assert snapshot(tmp_path) == before
    found = re.search(r"(\d+) MiB of memory and the files on a tmpfs (\d+) MiB", str(refusal.value))
    assert found, str(refusal.value)
    # The guess would be 84 MiB; and what is named as enough is enough.
    assert int(found[2]) < 24
    enough = sum(map(int, found.groups())) * MIB
    assert execute(path, environment, memory=enough).installed == 1
