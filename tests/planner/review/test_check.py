"""A lock is current, or what a plan would write otherwise is named; no index is asked."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, WINDOWS, plan_into
from helpers.wheels import build_wheel


@pytest.fixture
def lock(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    index.add(
        build_wheel("app", "1.0", requires=["base>=1", "win; os_name == 'nt'", "part[x]"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "2.0"),
        build_wheel("win", "1.0"),
        build_wheel("part", "1.0", extras={"x": ["more"]}),
        build_wheel("more", "1.0"),
        build_wheel("other", "1.0"),
    )
    return plan_into(index, tmp_path, ["app", "base<2"], *WINDOWS)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    capsys.readouterr()
    status = lockstream.main(["check", *arguments])
    told = capsys.readouterr()
    return status, [line.strip() for line in (told.out + told.err).splitlines()]


@pytest.mark.usefixtures("lock")
def test_a_fresh_lock_answers(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    asked = len(index.asked)
    assert check(capsys) == (
        0, ["pylock.toml is current: packages 5, targets 2"],
    )  # fmt: skip
    assert check(capsys, "-q") == (0, [])
    assert len(index.asked) == asked


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        pytest.param(["# why", "app", "base < 2.0"], [], id="another wording"),
        pytest.param(["app>=1", "base!=2.0"], [], id="another requirement that it meets"),
        pytest.param(["app"], [], id="one less that others ask for too"),
        pytest.param(["app>=2", "base<2"],
                     ["requirements.in:1 requires app>=2; the lock has app 1.0"],
                     id="a newer version"),
        pytest.param(["app", "base<1"],
                     ["requirements.in:2 requires base<1; the lock has base 1.0"],
                     id="an older version"),
        pytest.param(["app", "other"],
                     ["requirements.in:2 requires other, which the lock does not have"],
                     id="one more"),
        pytest.param(["app", "other; sys_platform == 'win32'"],
                     [('requirements.in:2 requires other; sys_platform == "win32", which the lock '
                      "does not have (CPython 3.11.0 on win_amd64)")], id="one more on one target"),
        pytest.param(["base"],
                     ["nothing requires app 1.0", "nothing requires more 1.0",
                      "nothing requires part 1.0",
                      "nothing requires win 1.0 (CPython 3.11.0 on win_amd64)"], id="one less"),
        pytest.param(["app", "-c limits.txt"],
                     ["limits.txt:1 requires base>=2; the lock has base 1.0"], id="a constraint"),
    ],
)  # fmt: skip
def test_what_the_inputs_ask_for_now_is_compared(
    lock: Path, capsys: pytest.CaptureFixture[str], lines: list[str], problems: list[str]
) -> None:
    Path("limits.txt").write_text("base>=2\nother==9\n")
    Path("requirements.in").write_text("\n".join(lines))
    status, told = check(capsys)
    if not problems:
        assert status == 0
        return
    assert status == 1
    assert told == [
        "error: pylock.toml is not current", *problems,
        "hint: write it again with lockstream plan; what need not change is kept",
    ]  # fmt: skip


def edit(lock: Path, name: str, **changes: object) -> None:
    document = tomllib.loads(lock.read_text())
    for package in document["packages"]:
        if package["name"] == name:
            package.update(changes)
            for key in [key for key, value in changes.items() if value is None]:
                del package[key]
    lock.write_text(tomli_w.dumps(document))


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        pytest.param("base", {"version": "3.0", "wheels": [
            {"url": "https://files.example/base-3.0-py3-none-any.whl", "hashes": {"sha256": "0"}}]},
            "requirements.in:2 requires base<2; the lock has base 3.0", id="a version by hand"),
        pytest.param("part", {"marker": "sys_platform == 'win32'"},
                     "app 1.0 requires part[x], which the lock does not have "
                     "(CPython 3.11.0 on manylinux_2_28_x86_64)", id="a marker by hand"),
        pytest.param("win", {"marker": None}, "nothing requires win 1.0 "
                     "(CPython 3.11.0 on manylinux_2_28_x86_64)", id="no marker"),
        pytest.param("part", {"requires-python": ">=3.12"}, "part 1.0 requires Python >=3.12",
                     id="another Python"),
        pytest.param("part", {"wheels": [
            {"url": "https://files.example/part-1.0-cp311-cp311-win_amd64.whl",
             "hashes": {"sha256": "0"}}]},
            "part 1.0 has no wheel for CPython 3.11.0 on manylinux_2_28_x86_64 "
            "(CPython 3.11.0 on manylinux_2_28_x86_64)", id="no wheel"),
    ],
)  # fmt: skip
def test_a_lock_that_was_edited_or_merged_wrongly_is_found_out(
    lock: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    changes: dict[str, object],
    problem: str,
) -> None:
    edit(lock, name, **changes)
    status, told = check(capsys)
    assert status == 1
    assert problem in told


def test_a_lock_of_another_tool_cannot_be_checked(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(lock, "app", tool={})
    assert check(capsys)[1][0] == "error: the lock does not record the requirements of app"
    document = tomllib.loads(lock.read_text())
    del document["tool"]
    lock.write_text(tomli_w.dumps(document))
    status, told = check(capsys)
    assert (status, told[0]) == (
        2, "error: pylock.toml does not record where its requirements are",
    )  # fmt: skip
    assert "lockstream plan, also with -r FILE" in told[1]
    followed = ["-r", "requirements.in", "-o", "pylock.toml", "-i", index.url]
    assert lockstream.main(["plan", "-q", *followed]) == 0
    assert check(capsys)[0] == 0


def test_what_cannot_be_checked_without_a_network_is_named(
    index: Index, tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = index.url_of("other-1.0-py3-none-any.whl")
    plan_into(index, tmp_path, ["app", "base<2", f"other @ {url}"], *WINDOWS)
    assert check(capsys) == (
        0,
        [
            "pylock.toml is current: packages 6, targets 2",
            f"not checked: {url} may be another file than when the lock was planned",
        ],
    )
    assert check(capsys, "-q") == (0, [])


def test_a_folder_of_links_that_only_an_upgrade_needs_is_named_if_it_is_gone(
    index: Index, tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "links").mkdir()
    plan_into(index, tmp_path, ["-f links", "other"], *WINDOWS)
    (tmp_path / "links").rmdir()
    gone = "not checked: the folder links is not there, and --upgrade needs it"
    assert check(capsys) == (0, [f"{lock.name} is current: packages 1, targets 2", gone])


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("part", "part[x]", "the extra x of part is required now"),
        ("part[x]", "part", "the extra x of part is not required any more"),
        ("other", "other @ {url}",
         "requirements.in:1 requires other @ {url}; the lock has another file of other"),
        ("other @ {url}", "other", "the inputs give another address for other"),
        ("other --hash=sha256:{right}", "other",
         "the inputs allow other hashes for other than those it was planned with"),
        ("other", "other --hash=sha256:{wrong}",
         "other-1.0-py3-none-any.whl: its hash is not among those that the inputs give"),
        ("other", "--require-hashes\nother", "--require-hashes: the inputs give no hash for other"),
        ("other", "--pre\nother", "prerelease: the lock has none, a plan now has allow"),
        ("other", "--no-binary app\nother", "no-binary: the lock has none, a plan now has app"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("lock")
def test_what_decided_is_compared(
    index: Index,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    problem: str,
) -> None:
    wheel = build_wheel("other", "1.0")
    facts = {"url": index.url_of(wheel.filename), "right": wheel.sha256, "wrong": "0" * 64}
    # The folder is another one, so that nothing of the first lock is kept.
    folder = tmp_path / "own"
    folder.mkdir()
    path = plan_into(index, folder, [before.format(**facts), "more"])
    assert check(capsys, "-q", str(path)) == (0, [])
    (folder / "requirements.in").write_text(f"{after.format(**facts)}\nmore\n")
    told = "\n".join(check(capsys, str(path))[1]).replace("own/", "")
    assert problem.format(**facts) in told


def test_the_result_can_be_read_by_programs(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("requirements.in").write_text("app\nother\n")
    capsys.readouterr()
    assert lockstream.main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "lock": "pylock.toml",
        "current": False,
        "problems": ["requirements.in:2 requires other, which the lock does not have"],
    }


PROJECT = """
[project]
name = "top"
dependencies = ["base<2"]
[project.optional-dependencies]
x = ["part"]
[dependency-groups]
test = ["app"]
"""


@pytest.fixture
def project(index: Index, lock: Path) -> Path:
    lock.unlink()
    path = Path("pyproject.toml")
    path.write_text(PROJECT)
    words = ["plan", "-q", "-i", index.url, "--all-extras", "--group", "test", *LINUX]
    assert lockstream.main(words) == 0
    return path


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        pytest.param("", "", [], id="the same"),
        pytest.param("[project]", '[project]\nversion = "2"\ndescription = "New"', [],
                     id="what has no part in it"),
        pytest.param('["part"]', '["part>=2"]',
                     [("pyproject.toml [project.optional-dependencies] x requires part>=2; "
                      "the lock has part 1.0")], id="an extra"),
        pytest.param('["part"]', "[]", ["nothing requires part 1.0 with extra x"],
                     id="an extra that is empty now"),
        pytest.param('["app"]', '["app", "other"]',
                     [("pyproject.toml [dependency-groups] test requires other, which the lock "
                      "does not have")], id="a group"),
        pytest.param("x =", "y =", ["extras: the lock has x, a plan now has y",
                     ("pyproject.toml [project.optional-dependencies] y requires part, which the "
                      "lock does not have")], id="a renamed extra"),
        pytest.param("[project]", '[project]\nrequires-python = ">=3.12"',
                     [("the project requires Python >=3.12; the lock is for CPython 3.11.0 on "
                      "manylinux_2_28_x86_64")], id="another Python"),
    ],
)  # fmt: skip
def test_projects_are_compared_with_their_extras_and_groups(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    problems: list[str],
) -> None:
    project.write_text(PROJECT.replace(old, new, 1))
    status, told = check(capsys)
    assert status == bool(problems)
    assert told[1:-1] == problems


def test_hints_for_a_lock_elsewhere_can_be_followed(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    Path("sub/pyproject.toml").write_text(
        '[project]\nname = "sub"\nversion = "1"\ndependencies = ["app==1"]\n'
    )
    there = Path("sub/pylock.toml")
    document = tomllib.loads(lock.read_text())
    del document["tool"]
    there.write_text(tomli_w.dumps(document))
    assert lockstream.main(["check", str(there)]) == 2
    follow(capsys, "lockstream plan sub -o sub/pylock.toml", "-i", index.url)
    assert lockstream.main(["check", str(there)]) == 0
    project = Path("sub/pyproject.toml")
    project.write_text(project.read_text().replace('"app==1"', '"app==1", "other"'))
    assert lockstream.main(["check", str(there)]) == 1
    follow(capsys, "lockstream plan -o sub/pylock.toml")
    assert lockstream.main(["check", str(there)]) == 0


def follow(capsys: pytest.CaptureFixture[str], command: str, *more: str) -> None:
    assert command in capsys.readouterr().err.rpartition("hint: ")[2]
    assert lockstream.main([*command.split()[1:], *more]) == 0
