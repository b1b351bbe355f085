"""A copy of a project holds what a build can use, and the history that its version is read from."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path

import pytest

from executor.builds.source_copy import copy_project
from helpers.repositories import Repository, needs_git

LEFT_OUT = (".venv", "__pycache__")
is_left_out = LEFT_OUT.__contains__


def described(folder: Path) -> str:
    """The version that a build tool would read: the tag, commits since, and whether it is dirty."""
    return Repository.at(folder).git("describe", "--tags", "--dirty")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """Return one with two packages: a tag, and one commit after it."""
    repository = Repository(tmp_path / "top")
    names = ("packages/one/pyproject.toml", "packages/two/pyproject.toml")
    repository.commit(dict.fromkeys(names, b"[project]\n"), tag="v1.2")
    repository.commit({"packages/one/more.py": b"x = 1\n"})
    return repository


@pytest.fixture(name="copies")
def _copies(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def copy(source: Path, copies: Path) -> Path:
    return Path(copy_project("demo", str(source), str(copies / "source"), is_left_out))


class TestFiles:
    def test_files_links_and_folders_are_copied(self, tmp_path: Path, copies: Path) -> None:
        source = tmp_path / "project"
        (source / "a/b").mkdir(parents=True)
        (source / "a/b/run").write_text("#!")
        (source / "a/b/run").chmod(0o755)
        (source / "dangling").symlink_to("nowhere")
        (source / "up").symlink_to("a/b")
        for name in LEFT_OUT:
            (source / name).mkdir()
        made = copy(source, copies)
        assert sorted(os.listdir(made)) == ["a", "dangling", "up"]
        assert (made / "a/b/run").stat().st_mode & 0o777 == 0o755
        assert os.readlink(made / "up") == "a/b"

    def test_what_a_build_cannot_read_is_left_out(
        self, tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = tmp_path / "project"
        source.mkdir()
        (source / "x.py").touch()
        os.mkfifo(source / "pipe")
        with socket.socket(socket.AF_UNIX) as bound:
            monkeypatch.chdir(source)  # the path of a socket has to be short
            bound.bind("s")
        assert os.listdir(copy(source, copies)) == ["x.py"]

    def test_other_users_folders_are_left_out(
        self, tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = tmp_path / "project"
        (source / "theirs" / "x").mkdir(parents=True)
        (source / "secret").touch()
        scan, copy_file = os.scandir, shutil.copy2

        def scandir(path: str) -> object:
            if path.endswith("theirs"):
                raise PermissionError(errno.EACCES, "denied", path)
            return scan(path)

        def copy2(path: str, to: str) -> object:
            if path.endswith("secret"):
                raise PermissionError(errno.EACCES, "denied", path)
            return copy_file(path, to)

        monkeypatch.setattr(os, "scandir", scandir)
        monkeypatch.setattr(shutil, "copy2", copy2)
        made = copy(source, copies)
        assert sorted(os.listdir(made)) == ["secret", "theirs"]
        assert os.listdir(made / "theirs") == []
        assert (made / "secret").stat().st_mode & 0o777 == 0

    def test_a_copy_inside_of_the_project_does_not_copy_itself(self, tmp_path: Path) -> None:
        inside = tmp_path / "tmp"
        inside.mkdir()
        (tmp_path / "x.py").touch()
        assert os.listdir(copy(tmp_path, inside)) == ["x.py"]


@needs_git
class TestHistory:
    def test_a_repository_of_its_own_is_copied_with_it(
        self, repository: Repository, copies: Path
    ) -> None:
        made = copy(repository.folder, copies)
        assert made == copies / "source"
        assert described(made).startswith("v1.2-1-g")

    @pytest.mark.parametrize("name", ["one", "two"])
    def test_a_package_of_many_has_that_of_all(
        self, repository: Repository, copies: Path, name: str
    ) -> None:
        made = copy(repository.folder / "packages" / name, copies)
        assert made == copies / "source" / "packages" / name
        assert described(made) == described(repository.folder)
        assert not (copies / "source/packages" / ("two" if name == "one" else "one")).exists()

    def test_a_changed_file_is_dirty_and_a_changed_neighbour_is_not(
        self, repository: Repository, copies: Path
    ) -> None:
        (repository.folder / "packages/one/more.py").write_text("x = 2\n")
        assert described(copy(repository.folder / "packages/two", copies)).startswith("v1.2-1-g")
        made = Path(
            copy_project(
                "demo",
                str(repository.folder / "packages/one"),
                str(copies / "b"),
                LEFT_OUT.__contains__,
            )
        )
        assert described(made).endswith("-dirty")

    def test_a_submodule_has_its_own(
        self, repository: Repository, copies: Path, tmp_path: Path
    ) -> None:
        outer = tmp_path / "outer"
        words = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
        Repository(outer).git(*words, str(repository.folder), "inner")
        Repository.at(outer / "inner").git("checkout", "--quiet", "v1.2")
        assert (outer / "inner/.git").is_file()
        assert described(copy(outer / "inner", copies)) == "v1.2"

    def test_a_linked_working_tree_is_at_its_own_commit(
        self, repository: Repository, copies: Path, tmp_path: Path
    ) -> None:
        repository.git("worktree", "add", "-q", str(tmp_path / "linked"), "v1.2")
        assert described(copy(tmp_path / "linked/packages/two", copies)) == "v1.2"
        assert repository.git("worktree", "list").count("\n") == 1

    def test_the_repository_is_not_changed(self, repository: Repository, copies: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")}
        described(copy(repository.folder / "packages/one", copies))
        assert {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")} == before

    def test_a_broken_repository_is_no_reason_to_fail(self, tmp_path: Path, copies: Path) -> None:
        (tmp_path / "top/project").mkdir(parents=True)
        (tmp_path / "top/.git").write_text("gitdir: /nowhere\n")
        (tmp_path / "top/project/x.py").touch()
        assert os.listdir(copy(tmp_path / "top/project", copies)) == ["x.py"]
