"""RunLog: the next run can tell what became of one that ended without a word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from executor.files.held_folder import HeldFolder
from executor.sources.errors import Unreachable
from executor.transaction.run_log import RunLog
from schemas.errors import Interrupted, LockstreamError, UsageError


def last(folder: Path) -> str | None:
    with HeldFolder.at(str(folder)) as held:
        return RunLog(held).last()


def log(folder: Path, *notes: tuple[str, str]) -> str:
    with HeldFolder.at(str(folder)) as held:
        written = RunLog(held)
        written.begin(3)
        for what, detail in notes:
            written.note(what, detail)
    told = last(folder)
    assert told is not None
    return re.sub(r"\(.*?\)", "(then)", told)


def test_without_a_run_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert last(tmp_path) is None


@pytest.mark.parametrize(
    ("notes", "where"),
    [
        ((), "before it changed anything; 0 of 3"),
        ((("begins", "a.whl"),), "while it was unpacking a.whl; 0 of 3"),
        (
            (("begins", "a.whl"), ("begins", "b.whl"), ("staged", "a.whl")),
            "while it was unpacking b.whl; 1 of 3",
        ),
        (
            tuple(("begins", c) for c in "abcde"),
            "while it was unpacking a, b, c and 2 more; 0 of 3",
        ),
        (
            (("begins", "a"), ("staged", "a"), ("commits", "")),
            "while it was changing the environment, which is finished now; 1 of 3",
        ),
    ],
)
def test_where_it_ended_is_told(
    tmp_path: Path, notes: tuple[tuple[str, str], ...], where: str
) -> None:
    assert log(tmp_path, *notes) == (
        f"the last run (then) was killed or lost power {where} wheels were complete"
    )


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (Interrupted(15, "SIGTERM"), "was stopped by SIGTERM"),
        (Unreachable("http://x.example/b", "no answer in time", 3),
         "failed (http://x.example/b: no answer in time (tried 3 times))"),
        (UsageError("one\ntwo"), "failed (one)"),
    ],
    ids=["signal", "error", "error of several lines"],
)  # fmt: skip
def test_how_it_ended_is_told(tmp_path: Path, end: Interrupted | LockstreamError, how: str) -> None:
    with HeldFolder.at(str(tmp_path)) as held:
        written = RunLog(held)
        written.begin(2)
        written.note("begins", "a.whl")
        written.ended(end)
    told = last(tmp_path)
    assert told is not None
    assert f" {how} while it was unpacking a.whl; 0 of 2 wheels were complete" in told


def test_it_tells_of_the_last_run_only(tmp_path: Path) -> None:
    log(tmp_path, ("begins", "old.whl"))
    assert "old.whl" not in log(tmp_path)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\n\n", b"began\nwheels\nstaged", b"x" * (1 << 21)])
def test_a_torn_log_is_no_reason_to_stop(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "run").write_bytes(text)
    assert last(tmp_path)


def test_it_is_written_where_it_was_begun(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    with HeldFolder.at(str(tmp_path / "staging")) as held:
        written = RunLog(held)
        written.begin(1)
        (tmp_path / "staging/run").rename(tmp_path / "away")
        (tmp_path / "staging/run").symlink_to(tmp_path / "victim")
        written.note("begins", "a.whl")
        written.close()
        written.close()
    assert not (tmp_path / "victim").exists()
    assert "begins a.whl" in (tmp_path / "away").read_text()
