"""After a plan has failed, the user reads what may have been meant."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel
from planner.planning.near_names import MAX_SLIPS, popular_names

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def refused(capsys: pytest.CaptureFixture[str], *words: str, lines: str = "reqeusts") -> str:
    Path("requirements.in").write_text(f"{lines}\n")
    assert lockstream.main(["plan", "-r", "requirements.in", *words]) == 4
    return capsys.readouterr().err


def add(index: Index, name: str, count: int) -> None:
    index.add(*(build_wheel(name, f"1.{number}") for number in range(count)))


def test_a_similar_name_of_the_index_is_named(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    add(index, "our-library", 12)
    text = refused(capsys, "-i", index.url, lines="our-libraryy")
    assert "our-libraryy is nearly the name of our-library, of which there are 12 versions" in text
    assert len(set(index.paths())) <= MAX_SLIPS + 2


def test_a_name_with_few_versions_may_be_a_trap_and_is_not_named(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    add(index, "our-library", 9)
    assert "nearly the name" not in refused(capsys, "-i", index.url, lines="our-libraryy")


@pytest.mark.parametrize("name", ["djago", "djamgo", "dango", "djangp", "djanfgo"])
def test_a_name_that_many_use_is_found_with_few_requests(
    name: str, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    add(index, "django", 1)
    text = refused(capsys, "-i", index.url, lines=name)
    assert f"{name} is nearly the name of django, of which there is 1 version" in text
    assert len(set(index.paths())) <= 6


def test_a_name_that_many_use_and_the_index_has_not_is_not_named(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "django" in popular_names()
    assert "nearly the name" not in refused(capsys, "-i", index.url, lines="djago")


@pytest.mark.parametrize("form", ["json", "html"])
def test_an_index_that_lists_its_names_is_asked_for_the_near_ones_only(
    form: Literal["json", "html"], index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.form, index.lists_projects = form, True
    add(index, "our-library", 2)
    add(index, "other", 1)
    text = refused(capsys, "-i", index.url, lines="oir_library")
    assert "oir-library is nearly the name of our-library, of which there are 2 versions" in text
    assert set(index.paths()) == {"/simple/oir-library/", "/simple/", "/simple/our-library/"}


def test_a_name_that_the_plan_knows_comes_before_those_of_the_index(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    add(index, "requests", 1)
    text = refused(capsys, "-i", index.url, lines="requests\nreqests")
    assert "reqests is nearly the name of requests, which the plan or the lock has" in text


def test_a_name_of_the_lock_is_known(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    add(index, "requests", 1)
    Path("requirements.in").write_text("requests\n")
    assert lockstream.main(["plan", "-q", "-r", "requirements.in", "-i", index.url]) == 0
    assert "nearly the name of requests, which the plan or" in refused(capsys, lines="reqests")


class TestAnotherIndex:
    @pytest.fixture
    def other(self) -> Index:
        return Index()

    def test_that_has_the_version_is_named_with_the_way(
        self, index: Index, other: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("app", "1.0"))
        with other:
            other.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
            ways = ["--index", f"first={index.url}", "-i", other.url]
            text = refused(capsys, *ways, lines="app>=2")
            place = other.url.rstrip("/")
            way = f"--package-index app=NAME --index NAME={place}"
            assert f"{place} has app 2.0; if that is the right project, add {way}" in text
            ways[1] = f"NAME={place}"
            assert lockstream.main(["plan", "-r", "requirements.in", *way.split(), *ways]) == 0

    def test_is_not_named_for_a_project_that_is_pinned(
        self, index: Index, other: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with other:
            other.add(build_wheel("app", "2.0"))
            ways = ["--index", f"ours={index.url}", "-i", other.url, "--package-index", "app=ours"]
            text = refused(capsys, *ways, lines="app")
        assert other.url.rstrip("/") not in text


def test_equal_causes_of_many_targets_are_one_in_twenty_lines(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", "1.0"))
    text = refused(capsys, "-i", index.url, "--universal", lines="app>=2\nmissing")
    assert text.count("no version of app suits") == 1
    assert "16 of 16 targets have no solution" in text
    assert "and 14 more" in text
    index.add(*(build_wheel("odd", "1.0", tag=f"cp38-cp38-{platform}") for platform in "abc"))
    text = refused(capsys, "-i", index.url, "--universal", lines="odd\napp>=2")
    assert len(text.splitlines()) <= 20


@pytest.mark.parametrize("ways", [(), ("--universal",)])
def test_no_explanation_has_more_than_twenty_lines(
    ways: tuple[str, ...], index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = ("cp311-cp311-manylinux_2_28_x86_64", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64")
    for number in range(30):
        tag = tags[number % len(tags)]
        index.add(build_wheel(f"app{number}", "1.0", requires=[f"none{number}"], tag=tag))
        index.add(build_wheel(f"our-library{number}", "1.0"))
    index.lists_projects = True
    lines = "\n".join([*(f"app{n}" for n in range(30)), *(f"our-libary{n}" for n in range(9))])
    others = [word for n in range(9) for word in ("--index", f"i{n}={index.url}{n}/")]
    text = refused(capsys, "-q", "-i", index.url, *others, *ways, lines=lines)
    assert 12 <= len(text.splitlines()) <= 20
    assert "our-libary0 is nearly the name of our-library0" in text


def test_python_is_said_to_be_no_package(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    add(index, "cython", 12)
    text = refused(capsys, "-i", index.url, lines="python>=3.9")
    assert "Python is no package: name it with --python-version" in text
    assert "cython" not in text


def test_a_local_version_leads_to_an_index_that_has_them(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("torch", "2.5.0"))
    text = refused(capsys, "-i", index.url, lines="torch==2.5.0+cu121")
    assert "builds such as 2.5.0+cu121 are on an index of their own: add it (--index URL)" in text
    index.add(build_wheel("torch", "2.4.0+cpu"))
    text = refused(capsys, "-i", index.url, "--no-cache", lines="torch==2.5.0+cpu")
    assert "an index of their own" not in text
