"""The comparison of two versions finds a copy that was made slower, and nothing in an equal one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.regression.comparison import Figure, Version
from helpers.wheels import build_wheel, lock_of

PROJECT = Path(__file__).parent.parent


def copy_of_the_program(folder: Path) -> Version:
    for name in ("executor", "schemas"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy2(PROJECT / "lockstream.py", folder)
    return Version(Path(sys.executable), folder)


def small_lock(folder: Path) -> Path:
    wheel = build_wheel(files={f"demo/f{number}.py": "x = 1\n" for number in range(50)})
    wheel.write(folder)
    lock = folder / "pylock.toml"
    lock.write_text(lock_of([wheel]))
    return lock


def test_a_copy_with_more_calls_is_a_regression_and_an_equal_one_is_not(tmp_path: Path) -> None:
    lock = small_lock(tmp_path)
    before = copy_of_the_program(tmp_path / "before")
    equal = copy_of_the_program(tmp_path / "equal")
    slowed = copy_of_the_program(tmp_path / "slowed")
    module = slowed.folder / "executor" / "wheels" / "unpack.py"
    module.write_text(module.read_text() + "\nfor _ in range(30_000):\n    abs(-1)\n")
    # The first run of each compiles its modules.
    for version in (before, equal, slowed):
        version.calls(lock, tmp_path)
    calls = before.calls(lock, tmp_path)
    assert not Figure("demo", "calls", calls, equal.calls(lock, tmp_path)).is_regression
    found = Figure("demo", "calls", calls, slowed.calls(lock, tmp_path))
    assert found.is_regression
    assert "HAS RISEN" in str(found)


def test_what_varies_by_itself_does_not_decide() -> None:
    assert Figure("demo", "CPU seconds", 1.0, 1.06).is_regression
    assert not Figure("demo", "CPU seconds", 1.0, 1.04).is_regression
    assert not Figure("demo", "CPU seconds", 1.0, 2.0, decides=False).is_regression
