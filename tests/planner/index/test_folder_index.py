"""A folder with a page for each project is an index as one at a URL is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import lockstream
from helpers.locks import LINUX
from helpers.wheels import build_wheel
from planner.index.errors import IndexAnswer
from planner.index.folder_index import read_folder_page

APP = build_wheel("app", "1.0")
NAME = canonicalize_name("app")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "my mirror" / "simple"
    (folder / "app").mkdir(parents=True)
    (tmp_path / "my mirror" / "files").mkdir()
    APP.write(tmp_path / "my mirror" / "files")
    page = folder / "app" / "index.html"
    page.write_text(f"<a href='../../files/{APP.filename}#sha256={APP.sha256}'>{APP.filename}</a>")
    return folder


def test_the_page_of_a_project_lists_its_files(mirror: Path) -> None:
    page = read_folder_page(NAME, str(mirror), mirror.as_uri())
    ((file,),) = page.files.values()
    assert file.hashes == {"sha256": APP.sha256}
    assert file.path == str(mirror.parent / "files" / APP.filename)
    assert file.index == mirror.as_uri()


def test_a_project_without_a_folder_does_not_exist(mirror: Path) -> None:
    assert not read_folder_page(canonicalize_name("none"), str(mirror), "").exists


def test_a_folder_that_is_not_there_is_no_empty_index(mirror: Path) -> None:
    absent = mirror.parent / "absent"
    with pytest.raises(IndexAnswer) as caught:
        read_folder_page(NAME, str(absent), absent.as_uri())
    assert str(caught.value) == f"{absent.as_uri()}: there is no such folder"


def test_a_page_that_cannot_be_read_is_an_error(mirror: Path) -> None:
    (mirror / "odd" / "index.html").mkdir(parents=True)
    with pytest.raises(IndexAnswer, match="Is a directory"):
        read_folder_page(canonicalize_name("odd"), str(mirror), "")


def test_a_plan_takes_files_from_it(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text(f"-i {mirror.as_uri()}\napp\n")
    assert lockstream.main(["plan", "-q", "-r", "requirements.in", *LINUX]) == 0
    (package,) = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert package["wheels"][0]["path"] == f"my mirror/files/{APP.filename}"
    assert lockstream.main(["check"]) == 0
