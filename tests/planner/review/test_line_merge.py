"""Lines of two branches are merged as git does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.review.line_merge import merge_files, merge_lines
from schemas.errors import UsageError

BASE = "a\nb\nc\nd\n"


def test_lines_of_both_are_there() -> None:
    assert merge_lines(BASE, "A\nb\nc\nd\n", "a\nb\nc\nD\u00e4\n") == "A\nb\nc\nD\u00e4\n"


def test_of_lines_that_both_changed_there_is_no_merge() -> None:
    assert merge_lines(BASE, "1\nb\nc\nd\n", "2\nb\nc\nd\n") is None


def test_a_file_gets_marks(tmp_path: Path) -> None:
    for name, text in (("-ours", "1\nb\n"), ("base", "a\nb\n"), ("theirs", "2\nb\n")):
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in ("-ours", "base", "theirs")]
    assert not merge_files(*paths)
    assert (tmp_path / "-ours").read_text() == ("<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\nb\n")


def test_what_git_cannot_merge_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "binary"
    path.write_bytes(bytes(9))
    with pytest.raises(UsageError, match="git merge-file fails: "):
        merge_files(str(path), str(path), str(path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git cannot be run: No such file or directory"):
        merge_lines("a", "b", "c")
