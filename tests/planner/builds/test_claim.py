"""Of several processes that want a claim one has it, and a killed one gives it up."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.builds import claim
from planner.builds.claim import CLAIM_PREFIX, Claim, sweep_claims


def nothing() -> None:
    """Find nothing, and report nothing."""


def claim_in(folder: Path, seconds: float = 60.0) -> Claim:
    return Claim(str(folder / "built"), "key", seconds)


@contextmanager
def other_holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the claim until its standard input ends."""
    program = f"""
        import sys
        sys.path[:0] = {sys.path!r}
        from planner.builds.claim import Claim
        with Claim({str(folder / "built")!r}, "key", 60.0).held(lambda: None, lambda: None):
            print("held", flush=True)
            sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def counted() -> tuple[list[int], Callable[[], None]]:
    calls: list[int] = []
    return calls, lambda: calls.append(1)


def test_nothing_is_left_afterwards(tmp_path: Path) -> None:
    calls, waits = counted()
    with claim_in(tmp_path).held(nothing, waits) as found:
        assert found is None
        assert [one.name for one in (tmp_path / "built").iterdir()] == [f"{CLAIM_PREFIX}key"]
    assert not (tmp_path / "built").exists()
    assert calls == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    with claim_in(tmp_path).held(nothing, nothing):
        pass
    assert list((tmp_path / "built").iterdir()) == []


def test_another_process_waits_for_what_the_first_one_makes(tmp_path: Path) -> None:
    made = tmp_path / "made"
    calls, waits = counted()

    def look() -> str | None:
        made.write_text("")  # as the other one would, while we wait
        return "its wheel"

    with other_holder(tmp_path), claim_in(tmp_path).held(look, waits) as found:
        assert found == "its wheel"
    assert calls == [1]


def test_the_next_one_has_it_when_the_first_ends_without_a_wheel(tmp_path: Path) -> None:
    with other_holder(tmp_path) as process:
        assert process.stdin is not None
        waits = process.stdin.close
        with claim_in(tmp_path).held(nothing, waits) as found:
            assert found is None
            assert not _is_free(tmp_path)


def test_a_killed_holder_gives_it_up(tmp_path: Path) -> None:
    with other_holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        with claim_in(tmp_path).held(nothing, nothing) as found:
            assert found is None
            assert not _is_free(tmp_path)
        assert time.monotonic() - began < 10


def test_one_that_hangs_is_not_waited_for_longer_than_said(tmp_path: Path) -> None:
    with other_holder(tmp_path):
        began = time.monotonic()
        with claim_in(tmp_path, seconds=1.0).held(nothing, nothing) as found:
            assert found is None
        assert 1 <= time.monotonic() - began < 10
        assert not _is_free(tmp_path), "the claim of the other one stays"


def test_without_locks_all_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    one, other = claim_in(tmp_path), claim_in(tmp_path)
    with one.held(nothing, nothing), other.held(nothing, nothing) as found:
        assert found is None


def test_a_folder_that_cannot_be_made_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "built").write_text("")
    with claim_in(tmp_path).held(nothing, nothing) as found:
        assert found is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("nowhere", path)])
def test_what_else_has_its_name_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "built").mkdir()
    place = tmp_path / "built" / f"{CLAIM_PREFIX}key"
    make(place)
    with claim_in(tmp_path).held(nothing, nothing) as found:
        assert found is None
    assert not (tmp_path / "nowhere").exists()


def test_old_claims_are_removed_unless_they_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "built" / f"{CLAIM_PREFIX}left"
    with other_holder(tmp_path):
        left.write_text("")
        sweep_claims(str(tmp_path / "built"))
        assert left.exists(), "it may just have been made"
        monkeypatch.setattr(claim, "_LEFT_SECONDS", -1.0)
        sweep_claims(str(tmp_path / "built"))
        assert not left.exists()
        assert not _is_free(tmp_path)


def _is_free(folder: Path) -> bool:
    with open(folder / "built" / f"{CLAIM_PREFIX}key") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
