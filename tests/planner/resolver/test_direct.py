"""Wheels that are asked for by their address take the place of what indexes have."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, WINDOWS
from helpers.planning import plan_here, planned_packages
from helpers.projects import named, project
from helpers.wheels import build_wheel
from schemas.target import Target


@pytest.fixture(autouse=True)
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(
        build_wheel("app", "2.0"), build_wheel("base", "1.0"), build_wheel("top", requires=["app"])
    )


APP = build_wheel("app", "1.0rc1", requires=["base"], extras={"x": ["top"]})


def plan(index: Index, *lines: str, status: int = 0, **options: Any) -> dict[str, dict[str, Any]]:
    assert plan_here(index, "-U", *options.get("arguments", ()), lines=lines) == status
    return {} if status else planned_packages()


def test_a_wheel_at_a_url_is_an_archive_of_the_lock(index: Index) -> None:
    index.add(APP)
    url = index.url_of(APP.filename)
    found = plan(index, f"app[x] @ {url}", "top")
    assert {name: one["version"] for name, one in found.items()} == {
        "app": "1.0rc1", "base": "1.0", "top": "1.0",
    }  # fmt: skip
    assert found["app"]["archive"] == {
        "url": url, "size": APP.size, "hashes": {"sha256": APP.sha256},
    }  # fmt: skip
    assert not {"wheels", "index"} & found["app"].keys()
    hints = found["app"]["tool"]["lockstream"]["wheels"][APP.filename]
    assert hints == APP.hints.to_table()
    assert lockstream.main(["check"]) == 0
    assert lockstream.main(["show"]) == 0
    assert "/simple/app/" not in index.paths()


def test_with_a_hash_the_wheel_need_not_be_downloaded(index: Index) -> None:
    index.add(APP)
    url = index.url_of(APP.filename)
    for line in (f"{url}#sha256={APP.sha256}", f"app @ {url} --hash=sha256:{APP.sha256}"):
        index.asked.clear()
        found = plan(index, line)
        assert found["app"]["archive"]["url"] == url
        assert all("Range" in one.headers for one in index.asked if one.path.endswith("rc1.whl"))


def test_a_wheel_of_this_machine_is_told_by_its_path(index: Index) -> None:
    APP.write(Path.cwd())
    found = plan(index, f"./{APP.filename}")
    assert found["app"]["archive"] == {
        "path": APP.filename, "size": APP.size, "hashes": {"sha256": APP.sha256},
    }  # fmt: skip
    assert lockstream.main(["check"]) == 0


def test_each_target_can_have_its_own(index: Index) -> None:
    wheels = {}
    for platform in ("manylinux_2_28_x86_64", "win_amd64"):
        wheels[platform] = build_wheel("app", "1.0", tag=f"cp311-cp311-{platform}")
        wheels[platform].write(Path.cwd())
    lines = (
        f"./{wheels['manylinux_2_28_x86_64'].filename}; sys_platform == 'linux'",
        f"./{wheels['win_amd64'].filename}; sys_platform == 'win32'",
    )
    plan(index, *lines, arguments=WINDOWS)
    lock = Pylock.from_dict(tomllib.loads(Path("pylock.toml").read_text()))
    for platform, wheel in wheels.items():
        target = Target.named("3.11", platform)
        ((_, archive),) = lock.select(environment=target.environment, tags=target.tags)  # type: ignore[arg-type]
        assert archive.path == wheel.filename
    assert lockstream.main(["check"]) == 0


def test_the_lock_is_stale_where_another_file_is_asked_for(index: Index) -> None:
    APP.write(Path.cwd())
    plan(index, f"./{APP.filename}")
    Path("requirements.in").write_text("app @ https://files.example/app-1.0rc1-py3-none-any.whl\n")
    assert lockstream.main(["check"]) == 1


@pytest.mark.parametrize(
    ("lines", "status", "told"),
    [
        pytest.param(["./app-1.0rc1-py3-none-any.whl", "app>=2"], 4, "no version of app suits",
                     id="another version is asked for"),
        pytest.param(["./app-1.0rc1-py3-none-any.whl", "app @ https://a.example/app-1-py3-none-any.whl"],
                     3, "requirements.in:2: it names another address of app than requirements.in:1",
                     id="two files"),
        pytest.param(["base @ https://a.example/app-1.0-py3-none-any.whl"], 3,
                     "requirements.in:1: app-1.0-py3-none-any.whl is a wheel of app, not of base",
                     id="another project"),
        pytest.param(["app @ https://a.example/app-1.0.whl"], 3,
                     "requirements.in:1: 'app-1.0.whl' is not named as a wheel is", id="no name"),
        pytest.param(["./app-1.0-cp311-cp311-win_amd64.whl"], 4, "it is built for win_amd64",
                     id="another platform"),
        pytest.param(["base", "./app-9-py3-none-any.whl"], 3,
                     "requirements.in:2: there is nothing at /", id="no file"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(
    index: Index,
    capsys: pytest.CaptureFixture[str],
    lines: list[str],
    status: int,
    told: str,
) -> None:
    APP.write(Path.cwd())
    build_wheel("app", tag="cp311-cp311-win_amd64").write(Path.cwd())
    plan(index, *lines, status=status)
    assert told in capsys.readouterr().err


def test_a_package_may_ask_for_no_file_that_the_user_did_not_name(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(APP)
    url = index.url_of(APP.filename)
    index.add(build_wheel("odd", requires=[f"app @ {url}"]))
    plan(index, "odd", status=4)
    assert f"it requires a file that is not on an index: app @ {url}" in capsys.readouterr().err
    assert plan(index, "odd", f"app @ {url}")["app"]["version"] == "1.0rc1"


def test_a_password_in_the_address_is_used_and_not_told(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.login = ("ada", "correct-horse")
    index.add(APP)
    url = index.url_of(APP.filename).replace("://", "://ada:correct-horse@")
    found = plan(index, f"app @ {url}")
    assert found["app"]["archive"]["url"] == index.url_of(APP.filename)
    plan(index, f"app @ {url}", "app>=2", status=4)
    told = capsys.readouterr()
    assert "correct-horse" not in Path("pylock.toml").read_text() + told.out + told.err


class TestConstraintsAndOverrides:
    """An address holds wherever the inputs give it."""

    OTHER = build_wheel("app", "2.0")

    def url(self, index: Index) -> str:
        index.add(APP)
        return index.url_of(APP.filename)

    def test_the_address_of_a_constraint_holds_for_what_is_required(self, index: Index) -> None:
        Path("c.txt").write_text(f"app @ {self.url(index)}\n")
        found = plan(index, "top", arguments=["-c", "c.txt"])
        assert found["app"]["archive"]["url"] == index.url_of(APP.filename)
        assert lockstream.main(["check"]) == 0

    def test_a_constraint_alone_requires_nothing(self, index: Index) -> None:
        Path("c.txt").write_text(f"app @ {self.url(index)}\n")
        assert plan(index, "base", arguments=["-c", "c.txt"]).keys() == {"base"}

    def test_a_source_of_a_constraint_is_not_opened_unless_it_is_required(
        self, index: Index
    ) -> None:
        Path("c.txt").write_text("app @ git+https://git.invalid/app.git\n")
        assert plan(index, "base", arguments=["-c", "c.txt"]).keys() == {"base"}
        plan(index, "top", status=4, arguments=["-c", "c.txt"])

    def test_the_address_of_an_override_takes_the_place_of_a_version(self, index: Index) -> None:
        Path("o.txt").write_text(f"app @ {self.url(index)}\n")
        found = plan(index, "top", "app>=2", arguments=["--override", "o.txt"])
        assert found["app"]["archive"]["url"] == index.url_of(APP.filename)
        assert lockstream.main(["check"]) == 0

    def test_an_override_takes_the_place_of_an_address(self, index: Index) -> None:
        url = self.url(index)
        Path("o.txt").write_text("app>=2\n")
        found = plan(index, f"app @ {url}", arguments=["--override", "o.txt"])
        assert found["app"]["version"] == "2.0"
        assert "archive" not in found["app"]
        assert lockstream.main(["check"]) == 0

    def test_two_addresses_of_one_project_are_a_conflict(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("c.txt").write_text("app @ https://files.example/app-1.0rc1-py3-none-any.whl\n")
        plan(index, f"app @ {self.url(index)}", status=3, arguments=["-c", "c.txt"])
        told = capsys.readouterr().err
        assert "c.txt:1: it names another address of app than requirements.in:1" in told
        assert "https://files.example/app-1.0rc1-py3-none-any.whl" in told

    def test_a_package_may_not_require_another_address(
        self, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        url = self.url(index)
        other = "https://files.example/app-1.0rc1-py3-none-any.whl"
        index.add(build_wheel("odd", requires=[f"app @ {other}"]))
        plan(index, "odd", f"app @ {url}", status=4)
        told = capsys.readouterr().err
        assert f"it requires another address than the inputs: app @ {other}" in told


def test_a_file_that_was_exchanged_at_its_address_is_refused(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(APP)
    url = index.url_of(APP.filename)
    plan(index, f"app @ {url}")
    before = Path("pylock.toml").read_text()
    index.add(build_wheel("app", "1.0rc1", requires=["base"], files={"app/evil.py": "x = 1\n"}))
    Path("requirements.in").write_text(f"app @ {url}\ntop\n")
    words = ["plan", "-q", "-r", "requirements.in", "-i", index.url, *LINUX]
    assert lockstream.main(words) == 6
    assert f"{url}: the address has another file than the lock" in capsys.readouterr().err
    assert Path("pylock.toml").read_text() == before
    Path("pylock.old.toml").write_text(before)
    Path("pylock.toml").unlink()
    assert lockstream.main(words) == 0
    assert lockstream.main(["diff", "pylock.old.toml", "pylock.toml"]) in {0, 1}
    assert f"{url} is another file" in capsys.readouterr().out


def test_a_project_beside_need_not_be_built_if_it_is_planned_too(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path / "lib", named("lib", "app"))
    project(tmp_path, named("whole", "lib", more="[tool.uv.sources]\nlib = { path = 'lib' }\n"))
    arguments = ["plan", "--default-index", index.url, "--python-version", "3.12"]
    assert lockstream.main(arguments) == 4
    hint = "hint: name lib as PROJECT, too, or allow it with --build lib\n"
    assert capsys.readouterr().err.endswith(hint)
    assert lockstream.main([*arguments, ".", "lib"]) == 0
    assert list(planned_packages()) == ["app"]
    assert plan_here(index, lines=["./lib"]) == 4
    hint = "hint: write -e lib in its place, or allow it with --build lib\n"
    assert capsys.readouterr().err.endswith(hint)
    assert plan_here(index, lines=["-e lib"]) == 0
    assert list(planned_packages()) == ["app"]


@pytest.mark.parametrize(
    "address",
    [
        "{origin}/app-1.0-py3-none-any.whl?token=hidden",
        "{origin}/app-1.0.tar.gz?access_token=hidden",
        "git+{origin}/app.git?private_token=hidden",
    ],
)
def test_an_address_that_grants_access_is_refused_before_anything_is_fetched(
    index: Index, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"app @ {address.format(origin=index.origin)}"
    plan(index, line, status=3, arguments=("--build", "app"))
    parameter = line.partition("?")[2].partition("=")[0]
    errors = capsys.readouterr().err
    assert (
        f"error: requirements.in:1: the address of app grants access to whoever reads it "
        f"({parameter}), and cannot be written into a lock\n" in errors
    )
    assert "=hidden" not in errors
    assert index.asked == []
