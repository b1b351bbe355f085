"""The newest release of a project, for locks that do not record their inputs too."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.index import Index
from helpers.outlooks import outlook_here, standing_of
from helpers.wheels import build_wheel
from planner.index.pages import ProjectFile, ProjectPage, group_files
from planner.planning.newest import newest_release, remarks_on
from planner.resolver.releases import Project
from schemas.errors import UsageError

HEADER = 'lock-version = "1.0"\ncreated-by = "another"\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)


def project(*versions: str, yanked: tuple[str, ...] = ()) -> Project:
    files = [
        ProjectFile(
            name := f"demo-{version}-py3-none-any.whl",
            "https://index.example/simple/demo/",
            {"url": name, **({"yanked": "a bug"} if version in yanked else {})},
        )
        for version in (*versions, *yanked)
    ]
    return Project(ProjectPage(canonicalize_name("demo"), group_files(files)))


@pytest.mark.parametrize(
    ("versions", "yanked", "floor", "newest"),
    [
        pytest.param(["1.0", "2.0"], [], "1.0", "2.0", id="the highest"),
        pytest.param(["1.0", "2.0rc1"], [], "1.0", "1.0", id="no pre-release"),
        pytest.param(["1.0", "2.0rc1"], [], "2.0b1", "2.0rc1", id="unless one is locked"),
        pytest.param(["1.0rc1", "1.0rc2"], [], "1.0rc1", "1.0rc2", id="or there is no other"),
        pytest.param(["1.0", "2.0rc1"], ["1.5"], "1.0", "1.0", id="none that is yanked"),
        pytest.param(["1.0", "2.0rc1"], ["1.5"], "1.5", "1.0", id="nor if that is locked"),
        pytest.param([], ["1.5"], "1.5", "None", id="none at all"),
    ],
)
def test_the_newest_release_is(
    versions: list[str], yanked: list[str], floor: str, newest: str
) -> None:
    found = newest_release(project(*versions, yanked=tuple(yanked)), Version(floor))
    assert str(found and found.version) == newest


def test_what_became_of_locked_versions_is_remarked() -> None:
    locked = [Version("0.9"), Version("1.0"), Version("1.5")]
    assert list(remarks_on(project("1.0", yanked=("1.5",)), locked)) == [
        "the index does not have 0.9 any more",
        "1.5 is yanked: a bug",
    ]


def test_a_project_that_is_archived_is_remarked() -> None:
    page = ProjectPage(canonicalize_name("demo"), status="archived", status_reason="see other-demo")
    assert list(remarks_on(Project(page), [])) == ["the project is archived: see other-demo"]


def test_what_an_index_says_is_one_line_that_is_not_long() -> None:
    page = ProjectPage(
        canonicalize_name("demo"), status="archived", status_reason="first\nsecond " + "x" * 999
    )
    (remark,) = remarks_on(Project(page), [])
    assert "\n" not in remark
    assert len(remark) < 250


def foreign_lock(index: str | None, *versions: str, name: str = "demo") -> None:
    place = f'index = "{index}"\n' if index else ""
    blocks = "".join(
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{place}'
        f'[[packages.wheels]]\nurl = "https://files.example/{name}-{version}-py3-none-any.whl"\n'
        f'hashes = {{sha256 = "{"0" * 64}"}}\n'
        for version in versions
    )
    Path("pylock.toml").write_text(HEADER + blocks)


class TestALockOfAnotherTool:
    def test_is_compared_with_the_index_that_it_names(self, index: Index) -> None:
        index.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"))
        foreign_lock(index.url, "1.0")
        outlook = outlook_here()
        assert not outlook.is_resolved
        (demo,) = outlook.standings
        assert (demo.newest, demo.upgrade, demo.is_outdated) == (Version("2.0"), None, True)

    def test_or_with_that_of_this_machine(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"))
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        foreign_lock(None, "1.0")
        assert standing_of("demo").newest == Version("2.0")

    def test_says_what_this_python_cannot_use(self, index: Index) -> None:
        index.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"))
        index.add(build_wheel("demo", "3.0"), requires_python=">=99")
        foreign_lock(index.url, "1.0")
        demo = standing_of("demo")
        assert demo.hindrances == ((Version("3.0"), "it needs Python >=99"),)
        assert demo.remarks[0].startswith("2.0 is the newest for CPython ")

    def test_says_if_the_locked_one_is_the_newest_for_this_python(self, index: Index) -> None:
        index.add(build_wheel("demo", "2.0"))
        index.add(build_wheel("demo", "3.0"), requires_python=">=99")
        foreign_lock(index.url, "2.0")
        assert standing_of("demo").remarks[0].startswith("there is no newer one for CPython ")

    def test_may_have_what_its_index_does_not(self, index: Index) -> None:
        foreign_lock(index.url, "1.0")
        demo = standing_of("demo")
        assert (demo.newest, demo.remarks) == (None, ("the index does not have the project",))

    def test_may_name_an_index_that_is_none(self) -> None:
        foreign_lock("ftp://files.example", "1.0")
        with pytest.raises(UsageError, match=r"ftp://files\.example"):
            outlook_here()
