"""c_library: what a Python cannot load, an execution does without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from executor.files.c_library import c_library
from helpers.wheels import build_wheel, lock_of

PROJECT = Path(__file__).parent.parent.parent.parent

KINDS = {"absent": "ImportError('No module named _ctypes')", "not allowed": "MemoryError"}
"""Why ctypes cannot be imported, and what that raises."""


@pytest.fixture(name="without_ctypes", params=list(KINDS.values()), ids=list(KINDS))
def _without_ctypes(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Variables of a program that cannot import ctypes."""
    (tmp_path / "_ctypes.py").write_text(f"raise {request.param}\n")
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}"}


def test_it_has_the_functions_of_the_library() -> None:
    assert c_library().getpid() == os.getpid()


def test_without_ctypes_there_is_none(without_ctypes: dict[str, str]) -> None:
    program = "from executor.files.c_library import c_library; assert c_library() is None"
    subprocess.run([sys.executable, "-c", program], env=without_ctypes, check=True)


@pytest.mark.parametrize("memory", ["32MiB", "auto"])
def test_an_execution_does_not_need_it(
    tmp_path: Path, without_ctypes: dict[str, str], memory: str
) -> None:
    wheel = build_wheel(files={"demo/__init__.py": "", "demo/data": os.urandom(24 << 20)})
    wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([wheel]))
    words = ["execute", "--target", "tree", "--memory", memory, "--progress", "none"]
    run = subprocess.run(
        [sys.executable, "-m", "lockstream", *words],
        cwd=tmp_path, env=without_ctypes, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, (tmp_path / "tree/demo/data").exists()) == (0, True), run.stderr
