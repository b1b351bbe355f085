"""Deciding: what would change, with nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.environment.errors import RecordEscapes
from executor.install.decide import decide, verify_environment
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel

OLD, NEW = build_wheel(), build_wheel(version="2.0")


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


def test_an_environment_that_is_right_has_no_changes(
    tmp_path: Path, environment: Environment
) -> None:
    path = write_lock(tmp_path / "lock", [OLD])
    assert not decide(path, environment).is_empty
    execute(path, environment)
    before = snapshot(tmp_path)
    changes = decide(path, environment)
    assert changes.is_empty
    assert [step.name for step in changes.unchanged] == ["demo"]
    assert not decide(path, environment, sync=Sync(reinstall=True)).is_empty
    assert snapshot(tmp_path) == before


def test_a_replaced_version_is_installed_and_removed(
    tmp_path: Path, environment: Environment
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    changes = decide(write_lock(tmp_path / "new", [NEW]), environment)
    assert changes.replaced == {"demo": "1.0"}


def test_a_removal_outside_of_the_environment_is_refused(
    tmp_path: Path, environment: Environment
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    packages = Path(environment.interpreter.schemes.purelib)
    (packages / "demo-1.0.dist-info/RECORD").write_text("../../../victim,,\n")
    with pytest.raises(RecordEscapes):
        decide(write_lock(tmp_path / "new", [NEW]), environment)


def test_a_verification_counts_the_packages_of_the_lock(
    tmp_path: Path, environment: Environment
) -> None:
    count, differences = verify_environment(write_lock(tmp_path / "lock", [OLD]), environment)
    assert count == 1
    assert [drift.kind for drift in differences] == ["missing"]
