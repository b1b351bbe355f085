"""Paths in a lock are relative to it and have slashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.model.paths import relative_path


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/a/b/wheel.whl", "/a", "b/wheel.whl"),
        ("/a/b/wheel.whl", "/a/c", "../b/wheel.whl"),
        ("/a", "/a", "."),
    ],
)
def test_a_path_is_given_from_the_folder_of_the_lock(path: str, folder: str, expected: str) -> None:
    assert relative_path(path, folder) == expected


def test_without_a_folder_it_starts_at_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative_path(os.path.join(tmp_path, "wheels", "x.whl"), "") == "wheels/x.whl"
