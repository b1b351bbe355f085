"""A file is replaced as a whole, and what failed leaves nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from planner.builds.replaced_file import replaced


def test_it_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "demo.whl"
    path.write_text("old")
    with replaced(str(path)) as part:
        Path(part).write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["demo.whl"]


def fail_with(error: BaseException, path: Path) -> None:
    with replaced(str(path)) as part:
        Path(part).write_text("n")
        raise error


def test_what_fails_leaves_nothing_and_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "demo.whl"
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/elsewhere/demo.whl")
    with pytest.raises(OSError, match="No space left") as caught:
        fail_with(error, path)
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == []


def test_a_signal_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail_with(KeyboardInterrupt(), tmp_path / "demo.whl")
    assert os.listdir(tmp_path) == []
