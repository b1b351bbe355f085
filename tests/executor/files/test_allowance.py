"""The memory of files is counted over all lanes, and what does not fit any more is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from executor.files.allowance import Allowance, memory_of_file, memory_of_folder
from executor.files.destination import Destination
from executor.files.errors import NoMemoryForFiles
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter

KIB = 1 << 10
MIB = 1 << 20


def taken_until_refused(allowance: Allowance, piece: int) -> int:
    taken = 0
    while True:
        try:
            allowance.add(piece)
        except NoMemoryForFiles:
            return taken
        taken += piece


@pytest.mark.parametrize("size", [0, 1, 100 * KIB, 64 * MIB, 8 << 30])
def test_no_more_is_given_than_there_is_and_nearly_all_of_it(size: int) -> None:
    with closing(Allowance(size)) as allowance:
        assert (
            size * 0.99 - 16 * KIB <= taken_until_refused(allowance, max(KIB, size >> 10)) <= size
        )


def test_less_than_nothing_is_nothing() -> None:
    with closing(Allowance(-MIB)) as allowance, pytest.raises(NoMemoryForFiles):
        allowance.add(1)


def test_what_one_lane_takes_the_others_do_not_have(in_fork: Callable[..., int]) -> None:
    with closing(Allowance(4 * MIB)) as allowance:
        theirs = in_fork(lambda: taken_until_refused(allowance, 64 * KIB) >> 16)
        assert 62 <= theirs <= 64
        assert taken_until_refused(allowance, 64 * KIB) <= 4 * MIB - (theirs << 16)


@pytest.fixture
def in_fork() -> Callable[..., int]:
    """Run a function in a fork; return the small number that it returns."""

    def run(function: Callable[[], int]) -> int:
        if (pid := os.fork()) == 0:
            os._exit(function())
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run


def test_a_file_takes_whole_pages_and_its_byte_code_as_much() -> None:
    assert memory_of_file("a.txt", 1) == memory_of_file("a.txt", 4096) > 4096
    assert memory_of_file("a.txt", 4097) - memory_of_file("a.txt", 4096) == 4096
    assert memory_of_file("a.py", 1, compiles=True) == 2 * memory_of_file("a.py", 1)
    assert memory_of_file("a.txt", 1, compiles=True) == memory_of_file("a.txt", 1)


@pytest.mark.parametrize("compiles", [False, True])
def test_a_destination_counts_files_and_folders_however_they_are_written(
    tmp_path: Path, compiles: bool
) -> None:
    whole, pieces = memory_of_file("a.py", 5000, compiles=compiles), memory_of_file("b", 300 * KIB)
    needed = whole + pieces + 2 * memory_of_folder()

    def write(name: str, size: int) -> None:
        writer = FileWriter(None, allowance=Allowance(size, compiles=compiles))
        (tmp_path / name).mkdir()
        with (
            closing(writer),
            HeldFolder.at(str(tmp_path / name)) as folder,
            Destination(folder, writer) as destination,
        ):
            destination.write_whole("one/a.py", bytes(5000))
            destination.write("two/b", [bytes(100 * KIB)] * 3)

    write("enough", needed + 16 * KIB)
    with pytest.raises(NoMemoryForFiles):
        write("too little", needed - 1)
