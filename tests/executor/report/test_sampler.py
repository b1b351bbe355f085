"""Samples hold the memory of all processes of a run."""

from __future__ import annotations

import mmap
import os
import time
from contextlib import closing
from pathlib import Path

from executor.report.recorder import Recorder
from executor.report.sampler import Sampler
from helpers.run_logs import read_log

MIB = 1 << 20


def test_memory_is_sampled_while_the_body_runs(tmp_path: Path) -> None:
    with Sampler(Recorder.opened(str(tmp_path / "log"))):
        time.sleep(0.35)
    assert 2 <= len(read_log(tmp_path / "log")) <= 6, "a busy machine is late, and never early"


def test_children_count(tmp_path: Path) -> None:
    sampler = Sampler(Recorder.opened(str(tmp_path / "log")))
    sampler.sample()
    hearing, telling = os.pipe()
    waiting, going = os.pipe()
    if (pid := os.fork()) == 0:
        with closing(mmap.mmap(-1, 20 * MIB, flags=mmap.MAP_PRIVATE)) as pages:
            for offset in range(0, len(pages), mmap.PAGESIZE):
                pages[offset] = 1
            os.write(telling, b"!")
            os.read(waiting, 1)
        os._exit(0)
    os.read(hearing, 1)
    sampler.sample()
    os.write(going, b"!")
    os.waitpid(pid, 0)
    alone, together = (event["processes"] for event in read_log(tmp_path / "log"))
    assert together["count"] == alone["count"] + 1
    assert together["anonymous"] >= alone["anonymous"] + 20 * MIB
    for end in (hearing, telling, waiting, going):
        os.close(end)


def test_without_a_log_there_is_no_thread() -> None:
    with Sampler(Recorder()) as sampler:
        assert sampler._repeated is None


def test_the_end_frees_every_descriptor(tmp_path: Path) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    before = len(os.listdir("/proc/self/fd"))
    with Sampler(recorder):
        time.sleep(0.05)
        if (pid := os.fork()) == 0:
            time.sleep(0.25)
            os._exit(0)
        os.waitpid(pid, 0)
    assert len(os.listdir("/proc/self/fd")) == before
    counts = {event["processes"]["count"] for event in read_log(tmp_path / "log")}
    assert {1, 2} <= counts
