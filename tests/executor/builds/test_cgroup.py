"""The control group of a build limits, measures and ends what is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.builds.cgroup import BuildGroup, is_full

MIB = 1 << 20


@pytest.fixture(name="group")
def _group() -> Iterator[BuildGroup]:
    group = BuildGroup.make(64 * MIB)
    if group is None:
        pytest.skip("no control group can be made here")
    yield group
    group.remove()


def start(group: BuildGroup, code: str) -> subprocess.Popen[bytes]:
    enter = f"import os, sys; open({group.entrance!r}, 'w').write(str(os.getpid()))\n"
    return subprocess.Popen([sys.executable, "-c", enter + code], stdout=subprocess.PIPE)


def ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"


HOLDS = "x = bytearray(24 << 20); print('ready', flush=True); import time; time.sleep(600)"


def test_what_its_processes_hold_is_its_demand(group: BuildGroup) -> None:
    process = start(group, HOLDS)
    ready(process)
    assert list(group.processes()) == [process.pid]
    assert 24 * MIB <= group.demand() <= 60 * MIB
    assert (group.charged_peak() or 0) >= 24 * MIB
    group.kill()
    assert process.wait(10) == -9
    assert list(group.processes()) == []


def test_more_than_its_limit_is_killed_and_counted(group: BuildGroup) -> None:
    process = start(group, "print('ready', flush=True); x = bytearray(96 << 20)")
    ready(process)
    assert process.wait(20) != 0
    assert group.kills() >= 1


def test_an_empty_group_is_not_full(group: BuildGroup) -> None:
    assert not group.is_full()
    assert not is_full("/nowhere", 1)


def test_a_removed_group_is_gone_with_those_below_it(group: BuildGroup) -> None:
    folder = Path(group.entrance).parent
    (folder / "below").mkdir()
    process = start(group, HOLDS)
    ready(process)
    group.remove()
    assert not folder.exists()
    assert process.wait(10) == -9


def test_without_a_hierarchy_there_is_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executor.builds.cgroup.place_for_group", lambda: None)
    assert BuildGroup.make(None) is None


def test_a_hierarchy_that_cannot_be_changed_gives_no_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Not a control group file system: the files of a group do not appear in a new folder.
    monkeypatch.setattr(
        "executor.builds.cgroup.place_for_group", lambda: (str(tmp_path), str(tmp_path), 2)
    )
    assert BuildGroup.make(None) is None
    assert os.listdir(tmp_path) == []


def test_a_hierarchy_that_is_mounted_and_hidden_gives_no_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden = str(tmp_path / "memory")
    monkeypatch.setattr("executor.builds.cgroup.place_for_group", lambda: (hidden, hidden, 1))
    assert BuildGroup.make(None) is None
