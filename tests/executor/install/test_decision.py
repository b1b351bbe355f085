"""The changes are decided ahead where there is room for that, and again when they are outdated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from executor.install import decision as module
from executor.install.decision import Decision
from executor.install.early import ROOM, EarlyDecision, begin_early
from executor.install.options import ExecuteOptions
from executor.lanes.forks import Fork, end_fork
from executor.lock.errors import LockUnreadable
from helpers.environments import environment_below
from helpers.processes import is_without_forks
from helpers.wheels import build_wheel, lock_of

WHEEL = build_wheel()


class CountedFork(Fork[object]):
    """A fork that is counted."""

    made = 0

    def __init__(self, work: Callable[[], object]) -> None:
        type(self).made += 1
        super().__init__(work)


@pytest.fixture(autouse=True)
def _forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountedFork, "made", 0)
    monkeypatch.setattr(module, "Fork", CountedFork)
    monkeypatch.setattr(module, "available_memory", lambda: ROOM)


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


@pytest.fixture(name="lock")
def _lock(tmp_path: Path) -> str:
    WHEEL.write(tmp_path)
    path = tmp_path / "pylock.toml"
    path.write_text(lock_of([WHEEL]))
    return str(path)


def test_what_was_decided_ahead_is_not_decided_again(lock: str, environment: Environment) -> None:
    decision = Decision(lock, environment, ExecuteOptions())
    with decision.ahead() as is_ahead:
        assert is_ahead
        assert [step.name for step in decision.changes().install] == ["demo"]
    assert CountedFork.made == 1
    assert not decision.is_outdated
    assert len(decision.changes().install) == 1
    assert CountedFork.made == 2
    assert is_without_forks()


@pytest.mark.parametrize("budget", [ROOM - 1, 32 << 20])
def test_nothing_is_decided_ahead_in_a_small_budget(
    lock: str, environment: Environment, budget: int
) -> None:
    decision = Decision(lock, environment, ExecuteOptions(memory=budget))
    with decision.ahead() as is_ahead:
        assert not is_ahead
        assert CountedFork.made == 0
        assert len(decision.changes().install) == 1


def test_nothing_is_decided_ahead_in_a_small_container(
    lock: str, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: ROOM - 1)
    with Decision(lock, environment, ExecuteOptions()).ahead() as is_ahead:
        assert not is_ahead


class TestEarly:
    """With a fork that has begun before the command line was read."""

    @pytest.fixture(name="early")
    def _early(self, monkeypatch: pytest.MonkeyPatch) -> EarlyDecision:
        monkeypatch.setattr("executor.install.early.available_memory", lambda: ROOM)
        monkeypatch.setattr("executor.install.early.usable_processors", lambda: 2)
        monkeypatch.delenv("LOCKSTREAM_MEMORY", raising=False)
        begun = begin_early(["execute"])
        assert begun is not None
        return begun

    def test_it_is_asked_and_no_other_fork_is_made(
        self, lock: str, environment: Environment, early: EarlyDecision
    ) -> None:
        decision = Decision(lock, environment, ExecuteOptions(), early)
        with decision.ahead() as is_ahead:
            assert is_ahead
            assert [step.name for step in decision.changes().install] == ["demo"]
        assert CountedFork.made == 0
        assert is_without_forks()

    def test_its_errors_are_those_of_any_other(
        self, environment: Environment, early: EarlyDecision, tmp_path: Path
    ) -> None:
        decision = Decision(str(tmp_path / "none.toml"), environment, ExecuteOptions(), early)
        with decision.ahead(), pytest.raises(LockUnreadable):
            decision.changes()
        assert is_without_forks()

    def test_another_one_decides_if_it_was_killed(
        self, lock: str, environment: Environment, early: EarlyDecision
    ) -> None:
        end_fork(early.pid)
        decision = Decision(lock, environment, ExecuteOptions(), early)
        with decision.ahead():
            assert len(decision.changes().install) == 1
        assert CountedFork.made == 1
        assert is_without_forks()

    def test_it_ends_at_once_if_it_is_not_asked(
        self, lock: str, environment: Environment, early: EarlyDecision
    ) -> None:
        decision = Decision(lock, environment, ExecuteOptions(memory=32 << 20), early)
        with decision.ahead() as is_ahead:
            assert not is_ahead
            assert is_without_forks()
            assert len(decision.changes().install) == 1


def test_nothing_is_decided_ahead_beside_another_run(lock: str, environment: Environment) -> None:
    os.makedirs(os.path.join(environment.interpreter.schemes.purelib, STAGING))
    with Decision(lock, environment, ExecuteOptions()).ahead() as is_ahead:
        assert not is_ahead


def test_nothing_is_decided_ahead_in_an_environment_that_cannot_be_read(
    lock: str, environment: Environment
) -> None:
    packages = environment.interpreter.schemes.purelib
    os.rmdir(packages)
    os.symlink("site-packages", packages)  # a link to itself
    with Decision(lock, environment, ExecuteOptions()).ahead() as is_ahead:
        assert not is_ahead


def test_a_distribution_that_came_in_the_meantime_is_seen(
    lock: str, environment: Environment
) -> None:
    decision = Decision(lock, environment, ExecuteOptions())
    with decision.ahead():
        execute(lock, environment)
        assert decision.changes().is_empty
    assert not decision.is_outdated
    shutil.rmtree(os.path.join(environment.interpreter.schemes.purelib, "demo-1.0.dist-info"))
    assert decision.is_outdated


def test_a_run_that_began_in_the_meantime_is_not_trusted(
    lock: str, environment: Environment
) -> None:
    decision = Decision(lock, environment, ExecuteOptions())
    with decision.ahead():
        os.makedirs(os.path.join(environment.interpreter.schemes.purelib, STAGING))
        decision.changes()
    assert CountedFork.made == 2


def test_what_fails_ahead_is_raised_when_it_is_asked_for(
    tmp_path: Path, environment: Environment
) -> None:
    decision = Decision(str(tmp_path / "absent.toml"), environment, ExecuteOptions())
    with decision.ahead(), pytest.raises(LockUnreadable):
        decision.changes()
    with decision.ahead():
        pass  # nobody asks
    assert is_without_forks()


@pytest.mark.parametrize(
    ("content", "found"),
    [(b'url = "https://a.example/"', True), (b'url = "http://a.example/"', False), (None, False)],
)
def test_a_lock_with_servers_that_speak_tls_is_known_before_it_is_read(
    tmp_path: Path, environment: Environment, content: bytes | None, found: bool
) -> None:
    path = tmp_path / "pylock.toml"
    if content is not None:
        path.write_bytes(content)
    assert Decision(str(path), environment, ExecuteOptions()).names_https() is found


def test_nothing_is_taken_from_a_lock_that_is_a_pipe(environment: Environment) -> None:
    read, write = os.pipe()
    os.write(write, b"https://a.example/")
    os.close(write)
    assert not Decision(f"/dev/fd/{read}", environment, ExecuteOptions()).names_https()
    assert os.read(read, 99) == b"https://a.example/"
    os.close(read)
