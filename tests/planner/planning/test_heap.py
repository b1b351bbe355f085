"""Threads of a plan share one heap where the C library has many."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from planner.planning import heap
from planner.planning.heap import share_one_heap

HEAPS = """
import ctypes, re, sys, threading
from planner.planning.heap import share_one_heap

shared = sys.argv[1] == "shared" and share_one_heap()
barrier = threading.Barrier(9)

def work():
    barrier.wait()
    kept = [bytes(100_000) for _ in range(20)]
    barrier.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
barrier.wait()
barrier.wait()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_stats()
"""


def heaps(how: str) -> int:
    """How many heaps a program with eight threads has used (malloc_stats(3))."""
    command = [sys.executable, "-c", HEAPS, how]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return told.count("Arena ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has one heap")
def test_eight_threads_use_one_heap() -> None:
    assert heaps("shared") == 1
    assert heaps("apart") > 1


def test_elsewhere_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "platform", "darwin")
    assert not share_one_heap()


@pytest.mark.parametrize("error", ["ImportError", "MemoryError"])
def test_a_python_without_ctypes_plans_all_the_same(tmp_path: Path, error: str) -> None:
    (tmp_path / "_ctypes.py").write_text(f"raise {error}\n")
    program = "from planner.planning.heap import share_one_heap; assert not share_one_heap()"
    path = f"{tmp_path}{os.pathsep}{os.getcwd()}"
    command = [sys.executable, "-c", program]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=True)
