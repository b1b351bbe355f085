"""Staging the wheels of a transaction: order, sums, times, and what is reused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.environment.schemes import STAGING
from executor.lock.step import Step
from executor.transaction.stager import outlasting_steps
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import stage_wheel
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel
from schemas.errors import NetworkError
from stress.injected_faults import can_inject

ONE, TWO = build_wheel("one"), build_wheel("two", dist_info={"x": "x"})


def test_the_sums_are_those_of_all_wheels(tmp_path: Path) -> None:
    report = execute(write_lock(tmp_path / "lock", [ONE, TWO]), environment_below(tmp_path / "env"))
    assert report.installed == 2
    assert report.bytes_fetched == 0, "local files come over no network"
    installed = [e for e in snapshot(tmp_path / "env").values() if e.kind == "file"]
    assert (report.files, report.bytes_installed) == (
        len(installed),
        sum(entry.size for entry in installed) - records(tmp_path / "env"),
    )


def records(env: Path) -> int:
    """Bytes of the RECORDs, which list themselves without a size."""
    return sum(path.stat().st_size for path in env.rglob("RECORD"))


def test_a_wheel_that_an_earlier_run_has_staged_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_below(tmp_path / "env")
    before = snapshot(tmp_path / "env")
    lock = write_lock(tmp_path / "lock", [ONE, TWO])

    def fail(filename: str, *arguments: Any) -> StagedWheel:
        # The larger wheel is staged first.
        if filename == ONE.filename:
            raise NetworkError
        return stage_wheel(filename, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr("executor.transaction.stager.stage_wheel", fail)
        with pytest.raises(NetworkError) as caught:
            execute(lock, environment, lanes=1)
    staging = Path(environment.interpreter.schemes.purelib, STAGING)
    assert f"complete wheels wait in {staging}: 1" in caught.value.left
    assert snapshot(tmp_path / "env", [f"*/{STAGING}"]) == before
    report = execute(lock, environment, lanes=1)
    assert sorted(one.is_reused for one in report.packages) == [False, True]


@pytest.mark.parametrize(
    ("sizes", "lanes", "processors", "outlasting"),
    [
        pytest.param([9, 5, 5, 1], 2, 2, [5, 1], id="the last ones"),
        pytest.param([9, 2, 2, 1], 2, 2, [9, 2, 1], id="the first, longer than the rest"),
        pytest.param([9, 9, 9, 9], 3, 3, [9, 9, 9], id="those before less than two of three lanes"),
        pytest.param([9, 5, 5, 1], 1, 2, [9, 5, 5, 1], id="all, in one lane of two processors"),
        pytest.param([9], 2, 2, [9], id="a single one"),
        pytest.param([9], 1, 1, [], id="none on one processor"),
        pytest.param([None, None], 2, 2, [None, None], id="all of unknown sizes"),
        pytest.param([], 2, 2, [], id="no steps"),
    ],
)
def test_a_processor_is_free_when_the_other_lanes_run_out_of_work(
    sizes: list[int | None], lanes: int, processors: int, outlasting: list[int | None]
) -> None:
    steps = [
        Step(
            name="demo", version="1", filename=f"{number}.whl", url=None, path="", size=size,
            hashes=(), hints=None, is_direct=False,
        )
        for number, size in enumerate(sizes)
    ]  # fmt: skip
    found = outlasting_steps(steps, lanes, processors)
    assert [step.size for step in steps if step.filename in found] == outlasting


FEW, MANY = 5, 25
"""Packages; what a package takes is the difference of two executions, divided by theirs."""

MAX_CALLS = 1930
"""Calls of Python and of C for each package of 13 small files. There were 3,319."""

MAX_SYSTEM_CALLS = 165
"""System calls for the same, of which 38 make the files. There were 347."""

PROGRAM = """
import sys
from pathlib import Path
from executor.api import execute
from helpers.environments import environment_below
calls = []
environment = environment_below(Path(sys.argv[2]))
sys.setprofile(lambda frame, event, argument: calls.append(event))
execute(sys.argv[1], environment, lanes=1)
sys.setprofile(None)
print(sum(event in ("call", "c_call") for event in calls))
"""


def executed(tmp_path: Path, count: int, *before: str) -> str:
    """What the program prints that executes a lock of as many packages, all alike."""
    wheels = [
        build_wheel(
            f"small{number:02d}",
            files={f"small{number:02d}/m{index}.py": "value = 1\n" * 40 for index in range(10)},
        )
        for number in range(count)
    ]
    lock = write_lock(tmp_path / f"lock{count}", wheels)
    command = [*before, sys.executable, "-c", PROGRAM, lock, str(tmp_path / f"env{count}")]
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    ).stdout


def test_a_small_package_takes_few_calls(tmp_path: Path) -> None:
    few, many = (int(executed(tmp_path, count)) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) <= MAX_CALLS


@pytest.mark.skipif(not can_inject(), reason="strace counts the system calls")
def test_a_small_package_takes_few_system_calls(tmp_path: Path) -> None:
    def calls(count: int) -> int:
        found = tmp_path / f"calls{count}"
        executed(tmp_path, count, "strace", "-f", "-o", str(found))
        # A call that another process interrupts has two lines, and signals have some too.
        lines = found.read_text().splitlines()
        return sum("(" in line and " resumed>" not in line for line in lines)

    assert (calls(MANY) - calls(FEW)) / (MANY - FEW) <= MAX_SYSTEM_CALLS
