"""What the files of wheels take in memory is counted as it is when they are written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.files.allowance import memory_of_file, memory_of_folder
from executor.install.file_count import memory_of_files
from executor.lock.step import Source, Step
from executor.sources.errors import HashMismatch
from executor.sources.origins import Origins
from helpers.wheels import build_wheel


def step_of(folder: Path) -> tuple[Step, list[tuple[str, int]]]:
    files: dict[str, bytes | str] = {
        "demo/a.py": "x = 1\n",
        "demo/deep/er/b.bin": bytes(400_000),
        "demo/deep/c": b"",
    }
    wheel = build_wheel("demo", files=files)
    wheel.write(folder)
    step = Step(
        name="demo",
        version="1.0",
        filename=wheel.filename,
        url=None,
        path=wheel.filename,
        size=wheel.size,
        hashes=(("sha256", wheel.sha256),),
        hints=None,
        is_direct=False,
    )
    return step, [(str(member.name), len(member.data)) for member in wheel.members]


@pytest.mark.parametrize("compiles", [False, True])
def test_every_file_and_folder_counts(tmp_path: Path, compiles: bool) -> None:
    step, sizes = step_of(tmp_path)
    folders = len({"", "demo", "demo/deep", "demo/deep/er", "demo-1.0.dist-info"})
    expected = folders * memory_of_folder() + sum(
        memory_of_file(name, size, compiles=compiles) for name, size in sizes
    )
    counted = memory_of_files([step] * 2, Origins(), str(tmp_path), compiles=compiles)
    assert counted == 2 * expected


def test_what_is_built_first_cannot_be_counted(tmp_path: Path) -> None:
    step, _ = step_of(tmp_path)
    assert memory_of_files([replace(step, source=Source(None))], Origins(), str(tmp_path)) is None


def test_another_file_than_the_locked_one_is_not_counted(tmp_path: Path) -> None:
    step, _ = step_of(tmp_path)
    other = replace(step, hashes=(("sha256", "0" * 64),))
    with pytest.raises(HashMismatch):
        memory_of_files([other], Origins(), str(tmp_path))
