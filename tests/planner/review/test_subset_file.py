"""A subset is made of the files that it depends on, and a check says which part of it is old."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.projects import named, project
from helpers.wheels import build_wheel
from planner import SubsetChoice, check_lock, subset_lock
from planner.review.check import Stale
from planner.review.subset_cases import Unlocked
from schemas.errors import UsageError


@pytest.fixture(name="here")
def _here(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three projects, of which ``api`` requires ``core``, planned together."""
    for name, *requires in (("web", "http"), ("http",), ("data", "http"), ("model",), ("pytest",)):
        index.add(build_wheel(name, requires=requires, extras={"fast": ["data"]}))
    monkeypatch.chdir(tmp_path)
    dev = '[dependency-groups]\ntest = ["pytest"]'
    project(tmp_path / "api", named("api", "web", "core"))
    project(tmp_path / "worker", named("worker", "data", more=dev))
    more = '[project.optional-dependencies]\nfast = ["web[fast]"]\n' + dev
    project(tmp_path / "core", named("core", "model", more=more))
    assert plan(index, "api", "worker", "core") == 0
    return tmp_path


def plan(index: Index, *words: str) -> int:
    return lockstream.main(["plan", "-q", "-i", index.url, *LINUX, *words])


def names(choice: SubsetChoice, output: str = "pylock.part.toml") -> Sequence[str]:
    return [one["name"] for one in tomllib.loads(subset_lock("pylock.toml", output, choice).text)
            ["packages"]]  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (SubsetChoice(projects=("worker",)), ["data", "http"]),
        (SubsetChoice(projects=("worker",), groups=("test",)), ["data", "http", "pytest"]),
        (SubsetChoice(projects=("api",)), ["http", "model", "web"]),
        (SubsetChoice(projects=("api",), groups=("test",)), ["http", "model", "web"]),
        (SubsetChoice(projects=("core",), extras=("fast",)), ["data", "http", "model", "web"]),
        (SubsetChoice(projects=("api", "worker")), ["data", "http", "model", "web"]),
        (SubsetChoice(projects=("worker",), packages=("model",)), ["data", "http", "model"]),
        (SubsetChoice(projects=("worker",), without=("http",)), ["data"]),
    ],
)
def test_a_project_stays_with_what_it_requires_of_others(
    choice: SubsetChoice, expected: list[str]
) -> None:
    assert names(choice) == expected


def test_a_member_of_a_workspace_is_a_project_of_its_lock(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        index.add(build_wheel(name))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["m/*"]\n')
    source = "[tool.uv.sources]\nlib = {workspace = true}\n"
    project(tmp_path / "m" / "app", named("app", "a", "lib", more=source))
    project(tmp_path / "m" / "lib", named("lib", "b"))
    project(tmp_path / "m" / "other", named("other", "c"))
    assert plan(index) == 0
    assert names(SubsetChoice(projects=("m/app",))) == ["a", "b"]
    assert names(SubsetChoice(projects=("m/lib",))) == ["b"]


def test_a_project_that_the_lock_was_not_planned_for_is_refused(here: Path) -> None:
    project(here / "new", named("new", "web<1"))
    with pytest.raises(Unlocked, match=r"new/pyproject.toml .* requires web<1; the lock has web 1"):
        names(SubsetChoice(projects=("new",)))
    project(here / "new", named("new", "nothing"))
    with pytest.raises(Unlocked, match=r"requires nothing; the lock has no such package"):
        names(SubsetChoice(projects=("new",)))
    with pytest.raises(UsageError, match=r"no file or folder 'gone'"):
        names(SubsetChoice(projects=("gone",)))


@pytest.mark.usefixtures("here")
def test_a_check_compares_a_subset_with_its_lock(index: Index, here: Path) -> None:
    (here / "images").mkdir()
    part = "images/pylock.worker.toml"
    assert names(SubsetChoice(projects=("worker",)), part) == ["data", "http"]
    assert check_lock(part).problems == ()

    project(here / "api", named("api", "web[fast]", "core"))
    assert plan(index) == 0
    assert check_lock(part).problems == (), "what it selects is as it was"

    project(here / "worker", named("worker", "model"))
    index.add(build_wheel("http", "2.0"))
    assert plan(index, "-U") == 0
    checked = check_lock(part)
    assert checked.problems == (
        "pylock.toml does not select data 1.0, http 1.0 any more",
        "pylock.toml selects model 1.0 too",
    )
    assert checked.again == f"lockstream subset pylock.toml --project worker -o {part}"
    assert checked.again in Stale(part, checked.problems, checked.again).hint


@pytest.mark.usefixtures("here")
def test_a_check_sees_a_change_by_hand(here: Path) -> None:
    names(SubsetChoice())
    part = here / "pylock.part.toml"
    text = part.read_text()
    part.write_text(text.replace("size = ", "size = 1"))
    [problem] = check_lock("pylock.part.toml").problems
    assert problem.startswith("pylock.toml has other data of data 1.0, ")
    part.write_text(text.replace('requires-python = ">=3.11"\n', ""))
    assert check_lock("pylock.part.toml").problems == ("its header differs",)
    part.write_text(f"# a comment\n{text}")
    assert check_lock("pylock.part.toml").problems == ()
