"""Staging the wheels of a transaction: order, sums, times, and what is reused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.environment.schemes import STAGING
from executor.files.writer import FileWriter
from executor.lock.step import Step
from executor.sources.client import HttpClient
from executor.transaction.stager import timed
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import stage_wheel
from helpers.environments import environment_below
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import NetworkError

STEP = Step(
    name="demo", version="1", filename="demo-1-py3-none-any.whl", url=None, path="", size=None,
    hashes=(), hints=None, is_direct=False,
)  # fmt: skip


def test_what_neither_the_network_nor_the_disk_took_is_unpacking() -> None:
    client, cache = HttpClient(), FileWriter(None)
    client.waited, cache.seconds = 5.0, 7.0

    def work(_number: int, _step: Step, client: HttpClient, _wrote: Callable[[int], None]) -> str:
        time.sleep(0.05)
        client.waited += 0.01
        cache.seconds += 0.02
        return "done"

    began = time.perf_counter()
    result, spent = timed(work, cache)(0, STEP, client, lambda _: None)
    took = time.perf_counter() - began
    assert result == "done"
    assert (spent.network, spent.writing) == pytest.approx((0.01, 0.02))
    assert 0.02 <= spent.unpacking <= took - 0.03


def write_lock(folder: Path, *wheels: Wheel, base_url: str | None = None) -> str:
    folder.mkdir(exist_ok=True)
    for wheel in wheels:
        wheel.write(folder)
    (folder / "pylock.toml").write_text(lock_of(wheels, base_url=base_url))
    return str(folder / "pylock.toml")


ONE, TWO = build_wheel("one"), build_wheel("two", dist_info={"x": "x"})


def test_the_sums_are_those_of_all_wheels(tmp_path: Path) -> None:
    report = execute(write_lock(tmp_path / "lock", ONE, TWO), environment_below(tmp_path / "env"))
    assert report.installed == 2
    assert report.bytes_fetched == ONE.size + TWO.size
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
    lock = write_lock(tmp_path / "lock", ONE, TWO)

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
    assert execute(lock, environment, lanes=1).bytes_fetched == ONE.size
