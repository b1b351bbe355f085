"""An execution that is killed, anywhere: what is there is whole, and the next run ends right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.environment.errors import EnvironmentBusy
from executor.environment.installed import installed_distributions
from executor.environment.schemes import STAGING
from executor.transaction.journal import Journal
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import stage_wheel
from helpers.environments import check_nothing_lies, environment_below
from helpers.faults import killed_at
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel
from schemas.errors import NotEnough

ENOUGH = 1000
"""More changes than any of these executions makes."""

ONE = build_wheel(
    "one",
    files={"one/__init__.py": "", "one/sub/x.py": "1", "shared/one.py": ""},
    entry_points={"console_scripts": {"one": "one:main"}},
    data_files={"data/share/one.txt": "data", "scripts/run": "#!python\n"},
)
TWO = build_wheel("two", files={"two.py": "2", "shared/two.py": ""}, executables=["two.py"])
NEXT = build_wheel(
    "one", "2.0", files={"one/__init__.py": "new", "one/y.py": "2", "shared/one.py": ""}
)


def every_kill(tmp_path: Path, prepare: Callable[[Environment], None], lock: str) -> int:
    """Kill an execution of ``lock`` before each of its changes; the number of them."""
    whole = environment_below(tmp_path / "whole")
    prepare(whole)
    execute(lock, whole, sync=Sync(exact=True), lanes=1, durability="kill")
    expected = snapshot(Path(whole.path))
    for number in range(ENOUGH):
        environment = environment_below(tmp_path / str(number))
        prepare(environment)
        work = partial(
            execute, lock, environment, sync=Sync(exact=True), lanes=1, durability="kill"
        )
        killed = killed_at(number, work)
        check_nothing_lies(environment)
        work()
        assert snapshot(Path(environment.path)) == expected, f"killed before change {number}"
        if not killed:
            return number
    raise AssertionError("there are more changes than that")


def test_an_installation_survives_a_kill_anywhere(tmp_path: Path) -> None:
    lock = write_lock(tmp_path / "lock", [ONE, TWO])
    assert every_kill(tmp_path, lambda _: None, lock) > 40


def test_an_upgrade_survives_a_kill_anywhere(tmp_path: Path) -> None:
    """One is replaced, the other removed; both have files in a folder of the other."""
    old = write_lock(tmp_path / "old", [ONE, TWO])
    new = write_lock(tmp_path / "new", [NEXT])

    def prepare(environment: Environment) -> None:
        execute(old, environment, lanes=1, durability="kill")

    assert every_kill(tmp_path, prepare, new) > 40


def test_a_run_with_another_lock_finishes_what_was_committed(tmp_path: Path) -> None:
    """The journal is the first thing to see to, whatever the next run is for."""
    first = write_lock(tmp_path / "first", [ONE])
    second = write_lock(tmp_path / "second", [TWO])
    seen = set()
    for number in range(ENOUGH):
        environment = environment_below(tmp_path / str(number))
        killed = killed_at(number, partial(execute, first, environment, lanes=1, durability="kill"))
        execute(second, environment, lanes=1, durability="kill")
        check_nothing_lies(environment)
        packages = environment.interpreter.schemes.purelib
        names = [found.name for found in installed_distributions(packages)]
        assert names in (["two"], ["one", "two"])
        assert not Path(packages, ".lockstream").exists()
        seen.add(tuple(names))
        if not killed:
            break
    assert seen == {("two",), ("one", "two")}


PROGRAM = """
import sys
from helpers.faults import at_change, kill_ourselves
import lockstream
sys.addaudithook(at_change(int(sys.argv.pop(1)), kill_ourselves))
sys.exit(lockstream.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("lanes", [1, 2])
def test_the_program_ends_right_in_a_virtual_environment_that_it_was_killed_in(
    tmp_path: Path, lanes: int
) -> None:
    lock = write_lock(tmp_path / "lock", [ONE, TWO])
    root = Path(__file__).parents[2]

    def run(number: int, venv: str) -> int:
        return subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM, str(number), "execute", lock),
                *("--venv", str(tmp_path / venv), "--lanes", str(lanes), "--progress", "none"),
            ],
            env={"PYTHONPATH": f"{root}:{root / 'tests'}"},
            capture_output=True,
            check=False,
        ).returncode

    assert run(ENOUGH, "whole") == 0
    expected = snapshot(tmp_path / "whole", ["bin/*", "*/RECORD", "pyvenv.cfg"])
    for number in (1, 10, 30):
        assert run(number, "venv") in {-9, 7}
    status = run(ENOUGH, "venv")
    while status == 1:  # what was killed had another lane, which has not ended yet
        status = run(ENOUGH, "venv")
    assert status == 0
    assert snapshot(tmp_path / "venv", ["bin/*", "*/RECORD", "pyvenv.cfg"]) == expected
    for script in ("one", "run"):
        text = (tmp_path / "venv/bin" / script).read_text()
        assert text.startswith(f"#!{tmp_path / 'venv/bin/python'}\n")


def test_a_lane_that_is_killed_is_told_of_and_leaves_what_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel does so where memory runs out."""
    lock = write_lock(tmp_path / "lock", [ONE, TWO])
    environment = environment_below(tmp_path / "env")
    packages = Path(environment.interpreter.schemes.purelib)
    before = snapshot(tmp_path)
    own, (hearing, telling) = os.getpid(), os.pipe()

    def killed_in_a_fork(*arguments: Any, **options: Any) -> StagedWheel:
        if os.getpid() != own:
            os.write(telling, b"!")
            os.kill(os.getpid(), signal.SIGKILL)
        os.read(hearing, 1)
        return stage_wheel(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr("executor.transaction.stager.stage_wheel", killed_in_a_fork)
        with pytest.raises(NotEnough) as caught:
            execute(lock, environment, lanes=2)
    assert str(caught.value) == "the process of a lane was killed (SIGKILL)"
    assert f"complete wheels wait in {packages / STAGING}: 1" in caught.value.left
    assert snapshot(tmp_path, [f"*/{STAGING}"]) == before
    assert sorted(one.is_reused for one in execute(lock, environment).packages) == [False, True]
    os.close(hearing)
    os.close(telling)


def test_an_environment_that_another_works_on_is_left_alone(tmp_path: Path) -> None:
    lock = write_lock(tmp_path / "lock", [ONE])
    environment = environment_below(tmp_path / "env")
    packages = environment.interpreter.schemes.purelib
    with Journal(packages).opened():
        before = snapshot(tmp_path)
        with pytest.raises(EnvironmentBusy) as caught:
            execute(lock, environment)
        assert snapshot(tmp_path) == before
    assert str(caught.value) == f"{packages}: another lockstream is changing this environment"
    assert execute(lock, environment).installed == 1
