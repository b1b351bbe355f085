"""``outdated``: which packages have newer versions, on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.outlooks import locked_here
from helpers.wheels import build_wheel

FOREIGN = f"""lock-version = "1.0"
created-by = "another"
[[packages]]
name = "app"
version = "1.0"
index = "INDEX"
[[packages.wheels]]
url = "https://files.example/app-1.0-py3-none-any.whl"
hashes = {{sha256 = "{"0" * 64}"}}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(name="old")
def _old(index: Index) -> None:
    """Of the three packages, one can be upgraded, one is held, and one is the newest."""
    index.add(
        build_wheel("app", "1.0", requires=["base<2", "same"]),
        build_wheel("base", "1.0"),
        build_wheel("same", "1.0"),
    )
    locked_here(index, "app<3")
    index.add(
        build_wheel("app", "2.0", requires=["base<2", "same", "more"]),
        build_wheel("app", "3.0"),
        build_wheel("base", "2.0"),
        build_wheel("more", "0.1"),
    )


@pytest.mark.usefixtures("old")
class TestALockWithNewerVersions:
    def test_is_a_table_with_a_reason_for_what_stays_behind(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main(["outdated"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "package  locked  upgrade  newest",
            "app         1.0      2.0     3.0  requirements.in:1 requires app<3",
            "base        1.0      1.0     2.0  app 2.0 requires base<2",
            "",
            "2 of 3 packages have newer versions",
            "lockstream plan --upgrade changes 1 package, and adds more 0.1",
        ]

    def test_of_the_inputs_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert lockstream.main(["-q", "outdated", "--direct"]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
            "package",
            "app",
        ]

    def test_for_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert lockstream.main(["outdated", "--json"]) == 0
        told = capsys.readouterr()
        assert told.err == ""
        found = json.loads(told.out)
        assert (found["lock"], found["resolved"]) == ("pylock.toml", True)
        assert found["added"] == [{"name": "more", "versions": ["0.1"]}]
        assert found["packages"][1] == {
            "name": "base",
            "locked": ["1.0"],
            "upgrade": ["1.0"],
            "newest": "2.0",
            "outdated": True,
            "direct": False,
            "hindrances": [{"version": "2.0", "reason": "app 2.0 requires base<2"}],
            "remarks": [],
        }

    def test_fails_a_job_only_on_request(self) -> None:
        assert lockstream.main(["outdated"]) == 0
        assert lockstream.main(["outdated", "--exit-code"]) == 1

    def test_is_left_as_it_is(self) -> None:
        before = Path("pylock.toml").read_bytes()
        assert lockstream.main(["outdated"]) == 0
        assert Path("pylock.toml").read_bytes() == before

    def test_has_what_the_variables_of_plan_say(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_RESOLUTION", "lowest")
        assert lockstream.main(["outdated", "--exit-code"]) == 0
        assert "--resolution prefers older versions" in capsys.readouterr().out


def test_held_versions_do_not_fail_a_job(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
    locked_here(index, "app<2")
    assert lockstream.main(["outdated", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith(
        "1 of 1 package has newer versions\nan upgrade changes nothing\n"
    )


def test_a_lock_of_the_newest_versions_is_one_line(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", "1.0"))
    locked_here(index, "app")
    assert lockstream.main(["outdated", "--exit-code"]) == 0
    assert capsys.readouterr().out == "1 package, none has a newer version\n"


def test_what_cannot_be_compared_is_said(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = build_wheel("app", "1.0")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    locked_here(index, f"app @ {(tmp_path / wheel.filename).as_uri()}")
    assert lockstream.main(["outdated"]) == 0
    told = capsys.readouterr()
    assert told.err == "not compared: app is locked by the address of its file\n"


class TestALockOfAnotherTool:
    def test_has_no_column_of_upgrades(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
        Path("pylock.toml").write_text(FOREIGN.replace("INDEX", index.url))
        assert lockstream.main(["outdated", "--exit-code"]) == 1
        told = capsys.readouterr()
        assert told.out.splitlines() == [
            "package  locked  newest",
            "app         1.0     2.0",
            "",
            "1 of 1 package has newer versions",
        ]
        assert told.err.startswith("pylock.toml does not record its inputs, so it is not known")

    def test_does_not_tell_what_is_direct(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("app", "1.0"))
        Path("pylock.toml").write_text(FOREIGN.replace("INDEX", index.url))
        assert lockstream.main(["outdated", "--direct"]) == 2
        assert "leave --direct out" in capsys.readouterr().err


class TestAnErrorIsThatOfAPlan:
    def test_if_there_is_no_lock(self) -> None:
        assert lockstream.main(["outdated"]) == 3

    def test_if_the_lock_is_a_subset_which_is_not_planned(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("app", "1.0"))
        locked_here(index, "app")
        assert lockstream.main(["subset", "-o", "pylock.part.toml"]) == 0
        assert lockstream.main(["outdated", "pylock.part.toml"]) == 2
        assert "hint: run lockstream outdated\n" in capsys.readouterr().err

    def test_if_the_inputs_are_gone(self, index: Index) -> None:
        index.add(build_wheel("app", "1.0"))
        locked_here(index, "app")
        Path("requirements.in").unlink()
        assert lockstream.main(["outdated"]) == 3

    def test_if_there_is_no_solution(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("app", "1.0"))
        locked_here(index, "app")
        Path("requirements.in").write_text("app>2\n")
        assert lockstream.main(["outdated"]) == 4
        assert "requirements.in:1 says app>2" in capsys.readouterr().err

    def test_if_the_index_wants_a_login(self, index: Index) -> None:
        index.add(build_wheel("app", "1.0"))
        locked_here(index, "app")
        index.login = ("user", "secret")
        assert lockstream.main(["outdated", "--no-cache"]) == 5

    def test_if_nothing_is_in_the_cache_and_no_request_is_allowed(self, index: Index) -> None:
        index.add(build_wheel("app", "1.0"))
        locked_here(index, "app")
        assert lockstream.main(["outdated", "--offline", "--no-cache"]) == 5
