"""What is asked for by its address and is no distribution is built as well: archives, folders,
repositories.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import lockstream
from helpers.index import Index
from helpers.planning import plan_here
from helpers.repositories import Repository, needs_git
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from planner.model.direct_reference import DirectReference
from schemas.builds import build_records


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").mkdir()
    monkeypatch.chdir(tmp_path / "lock")
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))


def plan(index: Index, line: str, *arguments: str) -> int:
    return plan_here(index, *arguments, lines=[line], targets=())


def demo() -> dict[str, Any]:
    lock = tomllib.loads(Path("pylock.toml").read_text())
    found: dict[str, Any] = {one["name"]: one for one in lock["packages"]}["demo"]
    return found


def is_installed_by(*options: str) -> bool:
    assert lockstream.main(["execute", "--target", "env", *options]) == 0
    return Path("env/demo/__init__.py").exists()


class TestAnArchive:
    def test_of_another_name_becomes_a_wheel_and_stays_as_a_source(self, index: Index) -> None:
        sdist = build_sdist(requires=["other"])
        index.add(build_wheel("other"))
        index.add_file("main.tar.gz", sdist.content)
        line = f"demo @ {index.url_of('main.tar.gz')}"
        assert plan(index, line, "--build", "missing") == 0
        told = demo()
        assert told["version"] == "1.0"
        assert told["wheels"][0]["path"] == "wheelhouse/demo-1.0-py3-none-any.whl"
        assert told["sdist"]["url"] == index.url_of("main.tar.gz")
        assert told["sdist"]["name"] == "demo-1.0.tar.gz"
        assert told["sdist"]["hashes"] == {"sha256": sdist.sha256}
        assert lockstream.main(["check"]) == 0
        assert is_installed_by()
        assert Path("env/other/__init__.py").exists()

    def test_is_built_of_the_part_that_is_named(self, index: Index) -> None:
        files = {f"top/part/{name}": data for name, data in build_sdist().files.items()}
        index.add_file("main.zip", _zip(files))
        line = f"demo @ {index.url_of('main.zip')}#subdirectory=part"
        assert plan(index, line, "--build", "missing") == 0
        assert "sdist" not in demo()
        assert is_installed_by()
        assert plan(index, line, "--build", "missing", "--no-wheelhouse") == 0
        assert demo()["archive"]["subdirectory"] == "part"
        assert is_installed_by("--build", "--reinstall")

    def test_that_is_not_the_one_that_was_meant_is_refused(self, index: Index) -> None:
        index.add_file("main.tar.gz", build_sdist().content)
        url = index.url_of("main.tar.gz")
        assert plan(index, f"demo @ {url}#sha256={'0' * 64}", "--build", "missing") == 6
        assert plan(index, f"demo @ {url} --hash=sha256:{'0' * 64}", "--build", "missing") == 6

    def test_of_another_project_is_refused(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add_file("main.tar.gz", build_sdist().content)
        assert plan(index, f"else @ {index.url_of('main.tar.gz')}", "--build", "missing") == 3
        assert "requirements.in:1: what is there is demo, not else" in capsys.readouterr().err

    def test_is_not_built_without_being_asked(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = f"demo @ {index.url_of('main.tar.gz')}"
        assert plan(index, line) == 4
        assert plan(index, line, "--build", "other") == 4
        error = capsys.readouterr().err
        assert "requirements.in:1: demo cannot be used" in error
        assert "hint: allow it with --build demo, or name a wheel of it" in error
        assert plan(index, line, "--build", "demo", "--platform", "win_amd64") == 4
        error = capsys.readouterr().err
        assert "can only be built on such a machine" in error
        assert "hint: do one of these, or name a wheel of it" in error


class TestAFolder:
    def test_cannot_be_left_to_other_machines(
        self, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "folder").mkdir()
        line = f"demo @ {(tmp_path / 'folder').as_uri()}"
        assert plan(index, line, "--build", "demo", "--defer-builds") == 4
        error = capsys.readouterr().err
        assert "it is a folder of this machine, which others cannot build from" in error
        assert "hint: build it here (--no-defer-builds), or name a wheel of it" in error

    def test_becomes_a_wheel(self, index: Index, tmp_path: Path) -> None:
        folder = build_sdist(metadata_version="2.1").spread(tmp_path / "projects" / "demo")
        line = f"demo @ {folder.as_uri()}"
        assert plan(index, line, "--build", "missing") == 0
        assert demo()["wheels"]
        (record,) = build_records(demo()["tool"])
        assert record.source == "../projects/demo"
        assert lockstream.main(["check"]) == 0
        assert is_installed_by()

    def test_is_built_anew_where_it_has_changed(self, index: Index, tmp_path: Path) -> None:
        folder = build_sdist().spread(tmp_path / "demo")
        line = f"demo @ {folder.as_uri()}"
        assert plan(index, line, "--build", "missing") == 0
        before = demo()
        assert plan(index, line, "--build", "missing", "--refresh") == 0
        assert demo() == before
        shutil.rmtree(folder)
        build_sdist(module="changed = 1\n").spread(folder)
        assert plan(index, line, "--build", "missing", "--refresh") == 0
        assert demo()["wheels"] != before["wheels"]

    def test_its_lock_is_current_until_it_changes(
        self, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = build_sdist().spread(tmp_path / "demo")
        assert plan(index, f"demo @ {folder.as_uri()}", "--build", "missing") == 0
        before = demo()
        text = Path("pylock.toml").read_text()
        assert lockstream.main(["plan", "-q"]) == 0
        assert Path("pylock.toml").read_text() == text
        shutil.rmtree(folder)
        build_sdist(module="changed = 1\n").spread(folder)
        assert lockstream.main(["check"]) == 1
        assert "the content of demo at its local address has changed" in capsys.readouterr().err
        assert lockstream.main(["plan", "-q"]) == 0
        assert demo()["wheels"] != before["wheels"]
        assert lockstream.main(["check"]) == 0

    def test_is_listed_itself_where_no_wheels_are_kept(self, index: Index, tmp_path: Path) -> None:
        folder = build_sdist().spread(tmp_path / "demo")
        line = f"demo @ {folder.as_uri()}"
        assert plan(index, line, "--build", "missing", "--no-wheelhouse") == 0
        assert demo()["directory"] == {"path": "../demo"}
        assert "version" not in demo()
        assert lockstream.main(["check"]) == 0
        assert lockstream.main(["show"]) == 0
        assert is_installed_by("--build")


@needs_git
class TestARepository:
    def test_becomes_a_wheel_of_one_commit(self, index: Index, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "demo")
        commit = repository.commit(build_sdist().files, tag="v1")
        repository.commit({"told.json": b"later"})
        assert plan(index, f"demo @ git+{repository.url}@v1", "--build", "missing") == 0
        (record,) = build_records(demo()["tool"])
        assert (record.source, record.commit) == ("git+../demo@v1", commit)
        assert demo()["version"] == "1.0"
        assert lockstream.main(["check"]) == 0
        assert is_installed_by()
        assert not Path("env/demo-1.0.dist-info/direct_url.json").exists()

    def test_is_listed_itself_where_no_wheels_are_kept(self, index: Index, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "demo")
        commit = repository.commit(
            {f"part/{name}": data for name, data in build_sdist().files.items()}
        )
        line = f"demo @ git+{repository.url}@main#subdirectory=part"
        assert plan(index, line, "--build", "missing", "--no-wheelhouse") == 0
        assert demo()["vcs"] == {
            "type": "git",
            "path": "../demo",
            "requested-revision": "main",
            "commit-id": commit,
            "subdirectory": "part",
        }
        assert lockstream.main(["check"]) == 0
        assert is_installed_by("--build")
        told = json.loads(Path("env/demo-1.0.dist-info/direct_url.json").read_text())
        assert told["vcs_info"]["commit_id"] == commit

    def test_stays_at_its_commit_until_it_is_upgraded(self, index: Index, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "demo")
        first = repository.commit(build_sdist().files)
        line = f"demo @ git+{repository.url}@main"
        build = ("--build", "missing")
        assert plan(index, line, *build) == 0
        second = repository.commit(build_sdist("demo", "2.0").files)
        for words, commit in (((), first), (("--refresh",), first), (("--upgrade",), second)):
            assert plan(index, line, *build, *words) == 0
            (record,) = build_records(demo()["tool"])
            assert record.commit == commit

    @pytest.mark.parametrize("words", [(), ("--no-wheelhouse",), ("--defer-builds",)])
    @pytest.mark.parametrize("end", ["", "@main", "@main#subdirectory=part"])
    def test_behind_ssh_is_current_with_the_user_of_its_address(
        self,
        index: Index,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[str, ...],
        end: str,
    ) -> None:
        repository = Repository(tmp_path / "demo")
        files = build_sdist().files
        repository.commit({**files, **{f"part/{name}": data for name, data in files.items()}})
        ssh = tmp_path / "ssh"
        ssh.write_text(
            '#!/bin/sh\nfor last; do :; done\ncase "$*" in *git@*) eval "$last";; esac\n'
        )
        ssh.chmod(0o700)
        monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
        line = f"demo @ git+ssh://git@git.example{tmp_path}/demo{end}"
        assert plan(index, line, "--build", "missing", *words) == 0
        text = Path("pylock.toml").read_text()
        assert "git@git.example" in text
        assert lockstream.main(["check"]) == 0
        assert lockstream.main(["plan", "-q"]) == 0
        assert Path("pylock.toml").read_text() == text

    def test_that_is_not_there_is_told(
        self, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = f"demo @ git+{(tmp_path / 'nowhere').as_uri()}"
        assert plan(index, line, "--build", "missing") == 5
        assert "demo: the repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("git+https://ann:pw@git.example/x@v1#subdirectory=a", "https://ann:pw@git.example/x",
         "git+https://git.example/x@v1#subdirectory=a"),
        ("git+ssh://git@git.example/x.git@main", "ssh://git@git.example/x.git",
         "git+ssh://git@git.example/x.git@main"),
        ("https://files.example/main.zip", "https://files.example/main.zip",
         "https://files.example/main.zip"),
    ],
)  # fmt: skip
def test_a_password_is_used_and_not_told(url: str, address: str, shown: str) -> None:
    origin = DirectReference.parse(url)
    assert origin.address == address
    assert origin.reference == shown
    assert "pw" not in f"{origin} {origin.url} {origin.relative_to(os.curdir)}"


def _zip(files: dict[str, bytes]) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
