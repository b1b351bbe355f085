"""Heap: what was freed between blocks that stay is given back to the kernel, now and then."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from executor.files import heap
from executor.files.heap import Heap

MIB = 1 << 20

FRAGMENTED = """
import sys
from executor.budget.memory import resident
from executor.files.heap import Heap

kept, blocks = [], []
for _ in range(160):
    blocks.append(bytearray(100_000))
    kept.append(bytearray(1_000))
before = resident()
del blocks
heap = Heap()
for _ in range(int(sys.argv[1])):
    heap.passed(1 << 20)
print(before - resident(), "ctypes" in sys.modules)
"""
"""Frees blocks that have others between them, and passes so many MiB of contents. Prints the bytes
that it holds less, and whether ctypes was paid for."""


def given_back(mebibytes: int) -> tuple[int, bool]:
    command = [sys.executable, "-c", FRAGMENTED, str(mebibytes)]
    freed, has_paid = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.split()
    return int(freed), has_paid == "True"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library does it itself")
def test_what_lies_between_blocks_is_given_back_while_large_files_pass() -> None:
    freed, has_paid = given_back(16)
    assert freed > 10 * MIB
    assert has_paid


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library does it itself")
def test_small_files_do_not_pay_for_it() -> None:
    freed, has_paid = given_back(15)
    assert freed < MIB
    assert not has_paid


@pytest.mark.parametrize("library", [None, object()], ids=["no ctypes", "no such function"])
def test_where_it_cannot_be_done_nothing_is(
    monkeypatch: pytest.MonkeyPatch, library: object
) -> None:
    monkeypatch.setattr(heap, "c_library", lambda: library)
    Heap().passed(100 * MIB)
