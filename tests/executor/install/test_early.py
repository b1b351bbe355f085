"""A fork prepares to decide where that helps, and nowhere else."""

from __future__ import annotations

import os
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
