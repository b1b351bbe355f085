"""A fork prepares to decide where that helps, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from executor.environment.environment import Environment
from executor.install import early
from executor.install.early import ROOM, begin_early, decide_for
from executor.install.options import ExecuteOptions
from executor.lanes.errors import NoProcess
from helpers.environments import environment_below
from helpers.wheels import build_wheel, lock_of


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "available_memory", lambda: ROOM)
    monkeypatch.setattr(early, "usable_processors", lambda: 2)
    monkeypatch.delenv("LOCKSTREAM_MEMORY", raising=False)


def is_begun(*words: str) -> bool:
    fork = begin_early(["execute", *words])
    if fork is not None:
        fork.close()
    with pytest.raises(ChildProcessError):  # nothing of it is left
        os.waitpid(-1, os.WNOHANG)
    return fork is not None


def test_it_is_begun_for_an_execution() -> None:
    assert is_begun("pylock.toml", "--venv", "env")


@pytest.mark.parametrize(
    "words", [("--help",), ("-h",), ("--dry-run",), ("--memory", "1GiB"), ("--memory=1GiB",)]
)
def test_it_is_not_begun_for_what_does_without_or_has_a_budget(words: tuple[str, ...]) -> None:
    assert not is_begun(*words)


def test_it_is_not_begun_with_a_budget_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTREAM_MEMORY", "1GiB")
    assert not is_begun()


@pytest.mark.parametrize("available", [ROOM - 1, None])
def test_it_is_not_begun_where_memory_is_short_or_unknown(
    monkeypatch: pytest.MonkeyPatch, available: int | None
) -> None:
    monkeypatch.setattr(early, "available_memory", lambda: available)
    assert not is_begun()


def test_it_is_not_begun_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "usable_processors", lambda: 1)
    assert not is_begun()


def test_a_limit_of_processes_is_no_error_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> None:
        raise NoProcess

    monkeypatch.setattr(early, "WaitingFork", refused)
    assert not is_begun()


def test_it_decides_what_an_execution_would_change(tmp_path: Path) -> None:
    wheel = build_wheel()
    wheel.write(tmp_path)
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of([wheel]))
    environment: Environment = environment_below(tmp_path / "env")
    changes = decide_for(str(lock), environment, ExecuteOptions())
    assert [step.name for step in changes.install] == ["demo"]


def loaded_beyond(entries: str) -> set[str]:
    """The modules that ``entries`` load when what both processes need is there."""
    program = (
        "import sys; from executor.install import early; early._load_for_both();"
        f"old = set(sys.modules); import {entries}; print(*set(sys.modules) - old)"
    )
    command = [sys.executable, "-c", program]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_what_both_processes_need_is_loaded_once() -> None:
    fork = loaded_beyond("executor.install.decide")
    here = loaded_beyond("executor.cli.execute, executor.install.install, executor.sources.client")
    twice = {name for name in fork & here if name.startswith(("executor.", "schemas."))}
    assert not twice
    assert "hashlib" not in fork
