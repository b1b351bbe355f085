"""Planning again changes what has to change, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, plan_into
from helpers.wheels import build_wheel


@pytest.fixture
def lock(index: Index, tmp_path: Path) -> Path:
    """A lock of the old versions, on an index that has new ones since."""
    index.add(
        build_wheel("app", "1.0", requires=["base", "part"]),
        build_wheel("base", "1.0"),
        build_wheel("part", "1.0"),
    )
    path = plan_into(index, tmp_path, ["app"])
    index.add(
        build_wheel("app", "2.0", requires=["base", "part"]),
        build_wheel("base", "2.0"),
        build_wheel("part", "2.0"),
        build_wheel("other", "1.0", requires=["part>=2"]),
    )
    return path


def versions(lock: Path) -> dict[str, str]:
    return {one["name"]: one["version"] for one in tomllib.loads(lock.read_text())["packages"]}


@pytest.mark.parametrize(
    ("lines", "arguments", "expected"),
    [
        pytest.param(["app"], [], {"app": "1.0", "base": "1.0", "part": "1.0"}, id="nothing"),
        pytest.param(["app", "other"], [],
                     {"app": "1.0", "base": "1.0", "other": "1.0", "part": "2.0"},
                     id="what a new requirement needs"),
        pytest.param(["app", "base>1"], [], {"app": "1.0", "base": "2.0", "part": "1.0"},
                     id="what is asked for"),
        pytest.param(["app"], ["--upgrade"], {"app": "2.0", "base": "2.0", "part": "2.0"},
                     id="everything"),
        pytest.param(["app"], ["-P", "Base"], {"app": "1.0", "base": "2.0", "part": "1.0"},
                     id="one package"),
    ],
)  # fmt: skip
def test_versions_are_kept(
    index: Index,
    lock: Path,
    lines: list[str],
    arguments: list[str],
    expected: dict[str, str],
) -> None:
    plan_into(index, lock.parent, lines, *arguments)
    assert versions(lock) == expected


def test_a_version_that_was_yanked_since_is_kept_with_a_warning(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("base", "1.0"), yanked="broken")
    plan_into(index, lock.parent, ["app"], "--refresh")
    assert versions(lock) == {"app": "1.0", "base": "1.0", "part": "1.0"}
    assert "warning: base-1.0-py3-none-any.whl is yanked: broken" in capsys.readouterr().err
    plan_into(index, lock.parent, ["app"], "-P", "base")
    assert versions(lock)["base"] == "2.0"


def test_a_target_that_is_added_gets_the_versions_of_the_others(index: Index, lock: Path) -> None:
    plan_into(index, lock.parent, ["app"], "--python-version", "3.13")
    assert versions(lock) == {"app": "1.0", "base": "1.0", "part": "1.0"}


def test_planning_again_changes_nothing_where_targets_differ(index: Index, tmp_path: Path) -> None:
    for version, pythons in (("1.0", ("cp310", "cp311")), ("2.0", ("cp311", "cp312"))):
        for python in pythons:
            tag = f"{python}-{python}-manylinux_2_28_x86_64"
            index.add(build_wheel("app", version, tag=tag))
    targets = [word for version in ("3.10", "3.12") for word in ("--python-version", version)]
    path = plan_into(index, tmp_path, ["app"], *targets)
    before = path.read_text()
    assert [one["version"] for one in tomllib.loads(before)["packages"]] == ["1.0", "2.0"]
    for arguments in ((), ("--refresh",)):
        plan_into(index, tmp_path, ["app"], *targets, *arguments)
        assert path.read_text() == before


def test_planning_again_keeps_the_version_of_each_choice_of_what_is_in_conflict(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", "1.0"))
    index.add(build_wheel("app", "2.0"), yanked="broken")
    Path("pyproject.toml").write_text(
        "[project]\nname = 'demo'\nversion = '1'\ndependencies = ['app']\n"
        "[project.optional-dependencies]\nnew = ['app==2.0']\nold = []\n"
        "[tool.lockstream]\nconflicts = [[{ extra = 'new' }, { extra = 'old' }]]\n"
    )
    words = ["plan", "-q", "-i", index.url, "--no-cache", *LINUX]
    assert lockstream.main(words) == 0
    before = Path("pylock.toml").read_text()
    found = {one["version"]: one["marker"] for one in tomllib.loads(before)["packages"]}
    assert found == {"1.0": '"new" not in extras', "2.0": '"new" in extras'}
    assert lockstream.main([*words, "--refresh"]) == 0
    assert Path("pylock.toml").read_text() == before


def test_nobody_is_asked_where_the_lock_answers(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(index.asked)
    words = ["plan", "-r", str(lock.parent / "requirements.in"), "-o", str(lock), "-i", index.url]
    assert lockstream.main([*words, *LINUX]) == 0
    assert capsys.readouterr().err.startswith("kept 3 packages for CPython 3.11.0 on ")
    assert lockstream.main([*words, *LINUX, "--fit", "1MiB-disk"]) == 1
    assert len(index.asked) == asked


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prerelease", "allow"], ["--resolution", "lowest"], ["--exclude-newer", "2020-01-01"],
        ["--index", "https://other.example/simple/"], ["--platform", "windows"], ["--refresh"],
        ["--upgrade"], ["-P", "app"],
    ],
)  # fmt: skip
def test_another_policy_asks_anew(index: Index, lock: Path, arguments: list[str]) -> None:
    words = ["plan", "-r", str(lock.parent / "requirements.in"), "-o", str(lock), "-i", index.url]
    lockstream.main([*words, *LINUX, "--offline", "--no-cache", *arguments])
    assert lockstream.main([*words, *LINUX, "--offline", "--no-cache", *arguments]) == 5


def test_another_file_of_the_same_name_is_refused(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = lock.read_text()
    index.add(build_wheel("base", "1.0", files={"base.py": "import evil"}))
    words = ["plan", "-r", str(lock.parent / "requirements.in"), "-o", str(lock), "-i", index.url]
    assert lockstream.main([*words, *LINUX, "--refresh"]) == 6
    assert (
        "error: base-1.0-py3-none-any.whl: the index has another file of this name than the lock"
        in capsys.readouterr().err
    )
    assert lock.read_text() == before


def test_an_upgrade_does_not_accept_it_either(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("alone\n")
    index.add(build_wheel("alone"))
    words = ["plan", "-q", "-r", "requirements.in", "-i", index.url, "--no-cache", *LINUX]
    assert lockstream.main(words) == 0
    index.add(build_wheel("alone", files={"alone.py": "import evil"}))
    assert lockstream.main([*words, "-U"]) == 6
    Path("pylock.toml").unlink()
    assert lockstream.main(words) == 0


def test_a_wheel_of_a_local_folder_may_be_built_again(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("links").mkdir()
    Path("requirements.in").write_text("linked\n")
    build_wheel("linked").write(Path("links"))
    words = ["plan", "-q", "-r", "requirements.in", "-i", index.url, "-f", "links", *LINUX]
    assert lockstream.main(words) == 0
    build_wheel("linked", files={"linked.py": "x = 1"}).write(Path("links"))
    assert lockstream.main(["check", "-q"]) == 1
    assert lockstream.main(["plan", "-q"]) == 0
    assert lockstream.main(["check", "-q"]) == 0


def test_a_lock_that_cannot_be_read_is_not_replaced(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock.write_text("<<<<<<< HEAD\n")
    words = ["plan", "-r", str(lock.parent / "requirements.in"), "-o", str(lock), "-i", index.url]
    assert lockstream.main([*words, *LINUX]) == 3
    assert lock.read_text() == "<<<<<<< HEAD\n"
    assert lockstream.main([*words, *LINUX, "--upgrade"]) == 0
