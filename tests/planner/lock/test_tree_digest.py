"""A folder has the same digest as long as a build would read the same of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.lock.tree_digest import digest_of_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a")
    (tmp_path / "link").symlink_to("src")
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tree: (tree / "src" / "a.py").write_text("b"), id="a content"),
        pytest.param(lambda tree: (tree / "src" / "b.py").write_text(""), id="a new file"),
        pytest.param(lambda tree: (tree / "src" / "a.py").rename(tree / "a.py"), id="a name"),
        pytest.param(lambda tree: (tree / "src" / "a.py").chmod(0o755), id="a mode"),
    ],
)
def test_a_change_shows(tree: Path, change: Callable[[Path], object]) -> None:
    before = digest_of_tree(str(tree))
    change(tree)
    assert digest_of_tree(str(tree)) != before


def test_what_no_build_reads_does_not_count(tree: Path) -> None:
    before = digest_of_tree(str(tree))
    (tree / ".git").mkdir()
    (tree / ".git" / "HEAD").write_text("ref")
    for name in ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"):
        (tree / "src" / name).mkdir()
        (tree / "src" / name / "data").write_text(name)
    (tree / "src" / "a.py").touch()
    assert digest_of_tree(str(tree)) == before


def test_metadata_that_an_editable_installation_left_does_not_count_but_in_an_sdist(
    tree: Path,
) -> None:
    metadata = tree / "src" / "demo.egg-info"
    before = digest_of_tree(str(tree))
    metadata.mkdir()
    (metadata / "SOURCES.txt").write_text("src/data.bin")
    assert digest_of_tree(str(tree)) == before
    (tree / "PKG-INFO").write_text("Name: demo")
    unpacked = digest_of_tree(str(tree))
    (metadata / "SOURCES.txt").write_text("")
    assert digest_of_tree(str(tree)) != unpacked
