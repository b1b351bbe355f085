"""The forge of a project: by the remotes of its repository, or by files of a forge."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.review.forge import find_forges, find_root


def remote(folder: Path, url: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(f'[remote "origin"]\n\turl = {url}\n\tfetch = +refs\n')


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/team/demo.git", ("github",)),
        ("git@github.com:team/demo.git", ("github",)),
        ("ssh://git@gitlab.example.com:2222/team/github-tools", ("gitlab",)),
        ("https://user:github@git.example.com/team/demo", ()),
        ("../github/demo", ()),
    ],
)
def test_the_host_of_a_remote_names_it(tmp_path: Path, url: str, found: tuple[str, ...]) -> None:
    remote(tmp_path / ".git", url)
    assert find_forges(str(tmp_path)) == found


def test_a_remote_counts_more_than_files(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    assert find_forges(str(tmp_path)) == ("github",)
    remote(tmp_path / ".git", "https://gitlab.example.com/team/demo")
    assert find_forges(str(tmp_path)) == ("gitlab",)


def test_files_of_two_forges_leave_it_open(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".gitlab-ci.yml").touch()
    assert find_forges(str(tmp_path)) == ("github", "gitlab")


def test_a_working_tree_has_the_remotes_of_its_repository(tmp_path: Path) -> None:
    remote(tmp_path / "main/.git", "https://gitlab.example.com/team/demo")
    place = tmp_path / "main/.git/worktrees/other"
    place.mkdir(parents=True)
    (place / "commondir").write_text("../..\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.git").write_text(f"gitdir: {place}\n")
    assert find_forges(str(tmp_path / "other")) == ("gitlab",)


def test_a_submodule_has_its_own(tmp_path: Path) -> None:
    remote(tmp_path / ".git/modules/part", "https://github.com/team/part")
    (tmp_path / "part").mkdir()
    (tmp_path / "part/.git").write_text("gitdir: ../.git/modules/part\n")
    assert find_forges(str(tmp_path / "part")) == ("github",)


def test_the_root_is_the_next_folder_with_a_repository(tmp_path: Path) -> None:
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert find_root(str(below)) == str(tmp_path.resolve())
    (tmp_path / "a/.git").write_text("gitdir: elsewhere\n")
    assert find_root(str(below)) == str(tmp_path.resolve() / "a")


def test_a_configuration_that_cannot_be_read_names_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_bytes(b"\xff url = https://github.com/x")
    assert find_forges(str(tmp_path)) == ()
