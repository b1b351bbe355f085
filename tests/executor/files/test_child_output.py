"""What a program prints is read to its end, if it comes to one."""

from __future__ import annotations

import os
import time

import pytest

from executor.files.child_output import NoAnswer, TooMuchOutput, output_of


def test_both_streams_and_the_status_are_told() -> None:
    command = ["sh", "-c", "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3"]
    assert output_of(command, 60) == (3, bytes(300000), bytes(200000))


def test_it_has_no_input() -> None:
    assert output_of(["cat"], 60) == (0, b"", b"")


@pytest.mark.parametrize("command", ["exec yes", "exec yes >&2"])
def test_one_that_prints_without_end_is_killed(command: str) -> None:
    with pytest.raises(TooMuchOutput):
        output_of(["sh", "-c", command], 60)


@pytest.mark.parametrize(
    "command",
    ["exec sleep 60", "exec >&- 2>&-; exec sleep 60", "sleep 3 & exit", "while :; do echo; done"],
)
def test_one_that_does_not_end_is_not_waited_for(command: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        output_of(["sh", "-c", command], 0.1)
    assert time.monotonic() - began < 30


def test_one_that_cannot_be_run_is_an_error() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        output_of(["/no/such/program"], 60)
    assert os.listdir("/proc/self/fd") == before
