"""Spent: the parts of a lane's time add up to all of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from executor.files.writer import FileWriter
from executor.lock.step import Step
from executor.report.timing import Timing
from executor.sources.client import HttpClient
from executor.transaction.stager import timed

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


def test_the_times_of_lanes_add_up() -> None:
    assert Timing(1, 2, 3, 4) + Timing(10, 20, 30, 40) == Timing(11, 22, 33, 44)
