"""The library's verbs: a lock is planned and checked without a command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

import planner
from helpers.index import Index
from helpers.wheels import build_wheel
from planner import PlanRequest, Reporter, check_lock, find_outdated, plan_lock
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.review.fit import ContainerSize, DoesNotFit
from schemas.errors import NotWritten, UsageError
from schemas.lock import LockConflict


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    index.add(build_wheel("app", "1.0", requires=["base"]), build_wheel("base", "1.0"))
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("app\n")


def request(index: Index, **changes: object) -> PlanRequest:
    fields = {
        "sources": Provenance(requirements=("requirements.in",)),
        "targets": TargetRequest(python_versions=("3.11",), platforms=("manylinux_2_28_x86_64",)),
        "indexes": IndexRequest(default_index=index.url),
        **changes,
    }
    return PlanRequest(**fields)  # type: ignore[arg-type]  # keywords of a test


def test_every_public_name_is_found_where_it_lives() -> None:
    assert all(hasattr(planner, name) for name in planner.__all__)
    with pytest.raises(AttributeError, match="no attribute 'plan_everything'"):
        _ = getattr(planner, "plan_everything")  # noqa: B009  # a type checker refuses it


def test_a_plan_is_written_and_returned(index: Index) -> None:
    planned = plan_lock(request(index))
    assert planned.is_changed
    assert [package.name for package in planned.lock.packages] == ["app", "base"]
    assert Path(planned.path).read_text() == planned.text
    assert len(planned.costs) == 1


def test_a_lock_that_is_current_is_kept_without_any_request(index: Index) -> None:
    first = plan_lock(request(index))
    asked = len(index.asked)
    second = plan_lock(request(index))
    assert (second.is_changed, second.text) == (False, first.text)
    assert len(index.asked) == asked


def test_an_upgrade_that_finds_nothing_new_changes_nothing(index: Index) -> None:
    first = plan_lock(request(index))
    before = Path(first.path).stat().st_mtime_ns
    second = plan_lock(request(index, upgrade=True))
    assert (second.is_changed, second.text) == (False, first.text)
    assert Path(first.path).stat().st_mtime_ns == before


def test_what_an_upgrade_would_choose_is_found_and_nothing_written(index: Index) -> None:
    first = plan_lock(request(index))
    index.add(build_wheel("base", "2.0"))
    outlook = find_outdated(first.path)
    assert {one.name: one.upgrade for one in outlook.standings} == {
        "app": (Version("1.0"),),
        "base": (Version("2.0"),),
    }
    assert Path(first.path).read_text() == first.text
    lowest = find_outdated(first.path, request(index, policy=PolicyRequest(resolution="lowest")))
    assert not lowest.changes


def test_without_a_path_nothing_is_written(index: Index) -> None:
    assert plan_lock(request(index, output="-")).text
    assert not list(Path().glob("pylock*"))


def test_a_lock_that_does_not_fit_is_not_written(index: Index) -> None:
    with pytest.raises(DoesNotFit):
        plan_lock(request(index, fit=ContainerSize(memory=1, disk=None)))
    assert not list(Path().glob("pylock*"))


def test_a_lock_has_the_name_of_one(index: Index) -> None:
    with pytest.raises(UsageError, match=r"a lock cannot be called 'lock\.toml'"):
        plan_lock(request(index, output="lock.toml"))
    assert not index.asked


def test_a_target_that_the_project_excludes_is_refused(index: Index) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "a"\nrequires-python = ">=3.12"\n')
    with pytest.raises(UsageError, match=r"requires Python >=3\.12, and the target has 3\.11"):
        plan_lock(request(index, sources=Provenance(projects=(".",))))


def test_a_check_names_what_is_missing(index: Index) -> None:
    plan_lock(request(index))
    assert check_lock("pylock.toml").problems == ()
    Path("requirements.in").write_text("app\nother\n")
    assert check_lock("pylock.toml").problems == (
        "requirements.in:2 requires other, which the lock does not have",
    )


def test_a_reporter_hears_of_the_requests(index: Index) -> None:
    heard: list[int] = []

    class Counting(Reporter):
        def watch(self, requests):  # type: ignore[no-untyped-def]  # as the base has it
            heard.append(requests())
            return super().watch(requests)

    plan_lock(request(index), Counting())
    assert heard == [0]


def test_an_upgrade_of_a_lock_that_is_invalid_says_what_it_does_not_keep(index: Index) -> None:
    heard: list[str] = []

    class Listening(Reporter):
        def input_remark(self, text: str) -> None:
            heard.append(text)

    Path("pylock.toml").write_text("<<<<<<< HEAD\n")
    with pytest.raises(LockConflict):
        plan_lock(request(index), Listening())
    assert plan_lock(request(index, upgrade=True), Listening()).is_changed
    assert heard == [
        (
            "the options that the lock recorded do not count: "
            "pylock.toml: line 1: it has the marks of a merge conflict"
        )
    ]


def test_a_reporter_hears_of_a_set_without_its_colons(index: Index) -> None:
    heard: list[str] = []

    class Listening(Reporter):
        def input_remark(self, text: str) -> None:
            heard.append(text)

    plan_lock(request(index, policy=PolicyRequest(only_binary=["all"])), Listening())
    assert heard == ["--only-binary all names the project 'all'; the set is written :all:"]


def test_a_link_to_nothing_is_told_before_the_work(index: Index) -> None:
    Path("pylock.toml").symlink_to("gone/pylock.toml")
    with pytest.raises(NotWritten, match=r"pylock.toml cannot be written: it is a link to nothing"):
        plan_lock(request(index))
    assert not index.asked
    Path("pylock.toml").unlink()
    assert plan_lock(request(index)).is_changed


def test_a_folder_that_cannot_be_written_leaves_no_lock(index: Index) -> None:
    if os.geteuid() == 0:
        Path("file").write_text("")
        output = "file/pylock.toml"
    else:
        Path("closed").mkdir(mode=0o500)
        output = "closed/pylock.toml"
    with pytest.raises(UsageError, match="cannot be written"):
        plan_lock(request(index, output=output))
    assert not index.asked


class TestForeignFiles:
    """A lock of a pull request may name any file; what is in it does not reach a public log."""

    LOCK = (
        'lock-version = "1.0"\ncreated-by = "lockstream"\npackages = []\n'
        '[tool.lockstream]\ntargets = [{{python = "3.12", platform = "linux"}}]\n'
        '[tool.lockstream.inputs]\nrequirements = ["{}"]\n'
    )

    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "repository").mkdir()
        (tmp_path / "secret.txt").write_text("TOP-SECRET line\n")
        monkeypatch.chdir(tmp_path / "repository")

    @pytest.mark.parametrize("verb", [check_lock, find_outdated])
    @pytest.mark.parametrize("place", ["../secret.txt", "{}/secret.txt", "link"])
    def test_the_text_of_a_file_outside_is_not_shown(
        self, tmp_path: Path, place: str, verb: Callable[[str], object]
    ) -> None:
        Path("link").symlink_to("../secret.txt")
        Path("pylock.toml").write_text(self.LOCK.format(place.format(tmp_path)))
        with pytest.raises(InvalidRequirementLine) as caught:
            verb("pylock.toml")
        assert "SECRET" not in f"{caught.value} {caught.value.hint}"
        assert "plan -r FILE shows it" in caught.value.hint

    def test_nor_is_that_of_a_project_that_a_subset_names(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "a"\nversion = "1"\ndependencies = ["TOP-SECRET line"]\n'
        )
        Path("base.toml").write_text(self.LOCK.format("requirements.in"))
        Path("pylock.toml").write_text(
            self.LOCK.partition("[tool.lockstream.inputs]")[0].format()
            + '[tool.lockstream.subset]\nof = "base.toml"\nprojects = [".."]\n'
        )
        with pytest.raises(InvalidRequirementLine) as caught:
            check_lock("pylock.toml")
        assert "SECRET" not in f"{caught.value} {caught.value.hint}"

    def test_the_text_of_a_file_inside_is_shown(self) -> None:
        Path("requirements.in").write_text("not a requirement\n")
        Path("pylock.toml").write_text(self.LOCK.format("requirements.in"))
        with pytest.raises(InvalidRequirementLine, match="'not a requirement'"):
            check_lock("pylock.toml")

    @pytest.mark.parametrize("place", ["/dev/zero", "fifo"])
    def test_a_device_or_a_pipe_is_refused_at_once(self, place: str) -> None:
        os.mkfifo("fifo")
        Path("pylock.toml").write_text(self.LOCK.format(place))
        with pytest.raises(UsageError, match="not a regular file"):
            check_lock("pylock.toml")
