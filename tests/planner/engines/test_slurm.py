"""The script for Slurm is one that a shell runs, with an array for each size of memory.

``sbatch`` is a stand-in here that keeps what it is called with; a real one runs in the stress
programs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.builds.unit import BuildUnit
from planner.engines import slurm
from planner.engines.work import Work

_SBATCH = """#!/bin/sh
number=$(($(ls "$KEPT" | wc -l) / 2 + 1))
printf '%s\\n' "$@" > "$KEPT/$number.words"
case "$*" in *"$0") ;; *) cat > "$KEPT/$number.script" ;; esac
"""

_LOCKSTREAM = """#!/bin/sh
printf '%s\\n' "$@" > "$KEPT/called"
exit "$STATUS"
"""


def submit(
    folder: Path,
    *units: BuildUnit,
    lock: str = "pylock.toml",
    store: str = "built",
    **variables: str,
) -> list[tuple[list[str], str]]:
    """Run the script; return the words and the script of each call of sbatch."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name, text in (("sbatch", _SBATCH), ("lockstream", _LOCKSTREAM)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    kept = folder / "kept"
    kept.mkdir()
    script = slurm.render(Work(units=units, lock=lock, store=store))
    subprocess.run(["sh", "-c", script], env=surroundings(folder, **variables), check=True)
    return [
        (words.read_text().splitlines(), words.with_suffix(".script").read_text())
        for words in sorted(kept.glob("*.words"))
    ]


def surroundings(folder: Path, **variables: str) -> dict[str, str]:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "KEPT": str(folder / "kept"), "STATUS": "0", **variables}


def run_task(folder: Path, script: str, **variables: str) -> int:
    (folder / "task").write_text(script)
    return subprocess.run(
        ["sh", str(folder / "task")], env=surroundings(folder, **variables), check=False
    ).returncode


def test_builds_of_one_size_are_one_array(tmp_path: Path) -> None:
    small = build_record(demand={1: 20 << 20})
    calls = submit(
        tmp_path, build_unit(), build_unit("a", record=small), build_unit("b", record=small)
    )
    memory = [next(word for word in words if word.startswith("--mem=")) for words, _ in calls]
    arrays = [next(word for word in words if word.startswith("--array=")) for words, _ in calls]
    assert memory == ["--mem=64M", "--mem=512M"]
    assert arrays == ["--array=0-1", "--array=0-0"]


def test_machines_have_arrays_and_options_of_their_own(tmp_path: Path) -> None:
    arm = build_unit(platform="manylinux_2_28_aarch64")
    options = {"OPTIONS_aarch64": "--partition=arm --exclusive"}
    (first, script), (second, _) = submit(tmp_path, build_unit(), arm, **options)
    assert first[:2] == ["--partition=arm", "--exclusive"]
    assert second[0] == "--parsable"
    variables = {"SLURM_ARRAY_TASK_ID": "0", "SLURM_MEM_PER_NODE": "1024", "SLURM_JOB_NAME": "x"}
    run_task(tmp_path, script, STATUS="7", **variables, **options)
    assert (tmp_path / "kept" / "3.words").read_text().split()[0] == "--partition=arm"


def test_an_array_has_no_more_tasks_than_slurm_takes_by_default(tmp_path: Path) -> None:
    units = [build_unit(f"demo-{number}") for number in range(1001)]
    arrays = [words[2] for words, _ in submit(tmp_path, *units)]
    assert sorted(arrays) == ["--array=0-0", "--array=0-999"]


def test_nothing_to_build_submits_nothing(tmp_path: Path) -> None:
    assert submit(tmp_path) == []


@pytest.mark.parametrize(
    "path", ["a b", "it's", "$(touch x)", "`touch x`", "a;b", "*", "a\\b", '"']
)
def test_paths_reach_the_command_as_they_are(tmp_path: Path, path: str) -> None:
    version = Version("1!2.0rc1.post2.dev3+abc.1")
    ((_, script),) = submit(tmp_path, build_unit(version=version), lock=path, store=path)
    run_task(tmp_path, script, SLURM_ARRAY_TASK_ID="0", SLURM_MEM_PER_NODE="1024")
    words = (tmp_path / "kept" / "called").read_text().splitlines()
    assert words[1:3] == [f"demo=={version}", path]
    assert words[6] == path


def test_a_task_does_the_build_of_its_number_within_its_memory(tmp_path: Path) -> None:
    ((_, script),) = submit(tmp_path, build_unit("a"), build_unit("b"))
    status = run_task(tmp_path, script, SLURM_ARRAY_TASK_ID="1", SLURM_MEM_PER_NODE="1024")
    assert status == 0
    assert (tmp_path / "kept" / "called").read_text().split() == [
        "build", "b==1.0", "pylock.toml", "--target", "cp312-manylinux_2_28_x86_64",
        "--into", "built", "--memory", "1024MiB",
    ]  # fmt: skip


def test_a_build_that_needs_more_is_submitted_again_with_twice_as_much(tmp_path: Path) -> None:
    ((_, script),) = submit(tmp_path, build_unit("a"), build_unit("b"))
    variables = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_MEM_PER_NODE": "1024", "SLURM_JOB_NAME": "x"}
    run_task(tmp_path, script, STATUS="7", **variables)
    words = (tmp_path / "kept" / "2.words").read_text().split()
    assert {"--mem=2048M", "--array=1"} <= set(words)


def test_a_build_that_failed_is_not(tmp_path: Path) -> None:
    ((_, script),) = submit(tmp_path, build_unit())
    variables = {"SLURM_ARRAY_TASK_ID": "0", "SLURM_MEM_PER_NODE": "1024", "SLURM_JOB_NAME": "x"}
    assert run_task(tmp_path, script, STATUS="8", **variables) == 8
    assert not (tmp_path / "kept" / "2.words").exists()
