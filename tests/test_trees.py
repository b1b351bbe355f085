"""The comparison of trees that other tests and the benchmarks use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import trees
from helpers.trees import Entry, differences, snapshot


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "demo").mkdir(parents=True)
    (tree / "demo").chmod(0o755)
    (tree / "demo" / "data").write_bytes(b"1")
    (tree / "demo" / "data").chmod(0o644)
    (tree / "link").symlink_to("demo/data")
    return tree


def test_a_snapshot_holds_kind_mode_size_and_content(tree: Path) -> None:
    assert snapshot(tree) == {
        "demo": Entry("directory", 0o755),
        "demo/data": Entry(
            "file", 0o644, 1, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
        ),
        "link": Entry("link", 0, content="demo/data"),
    }


def test_times_are_no_difference(tree: Path) -> None:
    before = snapshot(tree)
    os.utime(tree / "demo" / "data", (0, 0))
    assert differences(before, snapshot(tree)) == []


def test_each_difference_is_named_with_what_differs(tree: Path) -> None:
    before = snapshot(tree)
    (tree / "demo" / "data").write_bytes(b"22")
    (tree / "demo").chmod(0o700)
    (tree / "link").unlink()
    (tree / "new").touch()
    assert differences(before, snapshot(tree)) == [
        "demo: mode 0o755 | 0o700",
        "demo/data: size 1 | 2, content 6b86b273ff34 | 785f3ec7eb32",
        "only left: link",
        "only right: new",
    ]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        pytest.param("demo", ["link"], id="a directory with all below it"),
        pytest.param("*data", ["demo", "link"], id="at any depth"),
        pytest.param("data", ["demo", "demo/data", "link"], id="whole paths only"),
    ],
)
def test_what_matches_a_pattern_is_left_out(tree: Path, pattern: str, left: list[str]) -> None:
    assert list(snapshot(tree, [pattern])) == left


def test_the_command_line_tells_by_its_status_whether_trees_differ(tree: Path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, trees.__file__, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    same = run(tree, tree)
    assert (same.returncode, same.stdout) == (0, "3 paths compared, 0 differ\n")
    different = run(tree, tree / "demo", "--ignore", "link")
    assert different.returncode == 1
    assert different.stdout == (
        "only right: data\nonly left: demo\nonly left: demo/data\n3 paths compared, 3 differ\n"
    )
