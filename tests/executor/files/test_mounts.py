"""The mounts of this process, in whatever lines a kernel states them."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.files.mounts import file_system, is_in_memory, is_overlay, mount_of, mount_points

DAMAGED = "\n-\n1 2\n1 2 0:1 / / rw - \n1 2 0:1 / /half rw - tmpfs\n - tmpfs tmpfs rw\n"


def test_lines_that_are_no_mounts_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path)
    before = file_system(place), is_in_memory(place), is_overlay(place)
    known = Path("/proc/self/mountinfo").read_text()
    lines = [*DAMAGED.splitlines(keepends=True), *known.splitlines(keepends=True)]
    monkeypatch.setattr("executor.files.mounts._lines", lambda: iter(lines))
    assert (file_system(place), is_in_memory(place), is_overlay(place)) == before


def test_places_of_lines_that_are_no_mounts_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = tmp_path / "mountinfo"
    stated.write_text("1 2\n\n1 2 0:1 / /a\\040b\\777 rw - tmpfs tmpfs rw\n")
    monkeypatch.setattr("builtins.open", lambda _, mode: stated.open(mode))
    assert list(mount_points()) == ["/a b\\777"]


def test_a_place_is_on_the_mount_that_its_device_begins_at() -> None:
    assert mount_of("/proc/self") == "/proc"
