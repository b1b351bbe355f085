"""What is planned: the newest wheels that go together, for the target, from the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from executor import Keychain
from helpers.index import Index
from helpers.wheels import build_wheel
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer, IndexDenied
from planner.index.indexes import Indexes, parse_index
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.requirements_file import read_requirements
from planner.metadata.errors import UnreadableWheel
from planner.model.dependencies import Dependency
from planner.model.environments import group_targets
from planner.model.policy import Policy, Prereleases
from planner.planning.plan import Plan, plan
from planner.planning.reporter import Reporter
from planner.resolver.candidates import Candidate
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.required_hashes import HashesMissing
from planner.resolver.unsolvable import Unsolvable
from schemas.target import Target

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")


class Planner:
    """Plans what is written into files below ``folder``."""

    def __init__(self, index: Index, folder: Path) -> None:
        self.index = index
        self.folder = folder
        self.reporter = Recorder()

    def plan(self, *lines: str, constraints: Sequence[str] = (), **options: Any) -> Plan:
        requirements = self.folder / "requirements.in"
        requirements.write_text("\n".join(lines))
        limits = self.folder / "limits.txt"
        limits.write_text("\n".join(constraints))
        inputs = read_requirements([str(requirements)], [str(limits)], environment={})
        environments = group_targets(options.pop("targets", [TARGET]))
        indexes = Indexes(places=(parse_index(self.index.url),))
        with IndexClient() as client:
            return plan(
                inputs,
                environments,
                client=client,
                indexes=indexes,
                policy=Policy(**options),
                reporter=self.reporter,
            )

    def versions(self, *lines: str, **options: Any) -> dict[str, str]:
        return {entry.name: str(entry.version) for entry, _ in self.plan(*lines, **options).entries}


class Recorder(Reporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def passed_over(self, name: str, version: str, reason: str) -> None:
        self.told.append(("passed over", name, version, reason))

    def unknown_extra(self, name: str, version: str, extra: str) -> None:
        self.told.append(("extra", name, version, extra))

    def yanked(self, filename: str, reason: str) -> None:
        self.told.append(("yanked", filename, reason))


@pytest.fixture
def planner(index: Index, tmp_path: Path) -> Planner:
    return Planner(index, tmp_path)


def add(index: Index, name: str, version: str, *requires: str, **options: Any) -> None:
    index.add(build_wheel(name, version, requires=requires, **options))


def filenames(planned: Plan) -> list[str]:
    return [file.filename for entry, _ in planned.entries for file in entry.files]


def add_all(index: Index, wheels: Iterable[tuple[str, ...]]) -> None:
    for name, version, *requires in wheels:
        add(index, name, version, *requires)


@pytest.fixture(params=["json", "html", "with metadata"])
def any_index(index: Index, request: pytest.FixtureRequest) -> Index:
    """An index of each kind that there is."""
    index.form = "html" if request.param == "html" else "json"
    index.metadata = request.param == "with metadata"
    return index


def test_the_newest_versions_and_what_they_need_are_chosen(
    any_index: Index, planner: Planner
) -> None:
    add_all(any_index, [
        ("app", "1.0", "old"), ("app", "2.0", "part>=1", "base"), ("part", "1.5", "base<3"),
        ("part", "0.9"), ("base", "2.0"), ("base", "3.0"), ("old", "1.0"),
    ])  # fmt: skip
    assert planner.versions("app") == {"app": "2.0", "base": "2.0", "part": "1.5"}


def test_every_package_is_sized(any_index: Index, planner: Planner) -> None:
    wheels = [build_wheel("app", requires=["base"]), build_wheel("base", files={"b.py": "x" * 9})]
    any_index.add(*wheels)
    planned = planner.plan("app")
    assert [sized.hints for _, (sized,) in planned.entries] == [wheel.hints for wheel in wheels]
    assert [sized.size for _, (sized,) in planned.entries] == [wheel.size for wheel in wheels]


def test_versions_are_given_up_until_all_go_together(index: Index, planner: Planner) -> None:
    add_all(index, [("base", "1.0"), ("base", "2.0"), ("other", "1.0", "base<2")])
    for minor in range(12):
        add(index, "app", f"1.{minor}", "base<2" if minor < 3 else "base>=2")
    assert planner.versions("app", "other") == {"app": "1.2", "base": "1.0", "other": "1.0"}


def test_a_requirement_of_the_user_counts_before_those_of_packages(
    index: Index, planner: Planner
) -> None:
    add_all(index, [("app", "2.0", "base"), ("base", "1.0"), ("base", "2.0")])
    assert planner.versions("app", "base<2")["base"] == "1.0"


def test_a_constraint_narrows_and_asks_for_nothing(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0", "base"), ("base", "1.0"), ("base", "2.0"), ("other", "1.0")])
    found = planner.versions("app", constraints=["base<2", "other==1.0"])
    assert found == {"app": "1.0", "base": "1.0"}


def test_extras_add_what_they_ask_for(index: Index, planner: Planner) -> None:
    index.add(
        build_wheel("app", extras={"a": ["one"], "b": ["two>=2"], "all": ["app[a,b]"]}),
        *(build_wheel(name, version) for name in ("one", "two") for version in ("1.0", "2.0")),
    )
    assert planner.versions("app") == {"app": "1.0"}
    assert planner.versions("app[A]") == {"app": "1.0", "one": "2.0"}
    assert planner.versions("app[all]") == {"app": "1.0", "one": "2.0", "two": "2.0"}


def test_an_extra_and_its_project_have_one_version(index: Index, planner: Planner) -> None:
    for version, part in (("1.0", "part<2"), ("2.0", "part>=2")):
        index.add(build_wheel("app", version, extras={"a": [part]}))
    add_all(index, [("part", "1.0"), ("part", "2.0"), ("other", "1.0", "app")])
    found = planner.versions("other", "app[a]", "part<2")
    assert found == {"app": "1.0", "other": "1.0", "part": "1.0"}


def test_an_extra_that_does_not_exist_is_told_and_adds_nothing(
    index: Index, planner: Planner
) -> None:
    add(index, "app", "1.0")
    assert planner.versions("app[no-such]") == {"app": "1.0"}
    assert planner.reporter.told == [("extra", "app", "1.0", "no-such")]


def test_projects_may_need_each_other(index: Index, planner: Planner) -> None:
    add_all(index, [("egg", "1.0", "hen"), ("hen", "1.0", "egg")])
    assert planner.versions("hen") == {"egg": "1.0", "hen": "1.0"}


def test_dependencies_are_told_by_name_without_extras(index: Index, planner: Planner) -> None:
    index.add(build_wheel("app", requires=["part[x]"]), build_wheel("part", extras={"x": ["base"]}))
    add(index, "base", "1.0")
    found = {
        entry.name: [one.to_table() for one in entry.dependencies]
        for entry, _ in planner.plan("app").entries
    }
    assert found == {"app": [{"name": "part"}], "part": [{"name": "base"}], "base": []}


def test_markers_are_those_of_the_target(index: Index, planner: Planner) -> None:
    add(index, "app", "1.0", 'old; python_version < "3.12"', 'new; python_version >= "3.12"')
    add_all(index, [("old", "1.0"), ("new", "1.0"), ("win", "1.0")])
    asked = "app", 'win; sys_platform == "win32"'
    assert planner.versions(*asked) == {"app": "1.0", "old": "1.0"}
    windows = Target.named("3.13", "win_amd64")
    assert planner.versions(*asked, targets=[windows]) == {"app": "1.0", "new": "1.0", "win": "1.0"}


def test_an_invalid_marker_is_named(planner: Planner) -> None:
    with pytest.raises(InvalidRequirementLine, match=r"requirements\.in:1: its marker is invalid"):
        planner.plan('app; os_name ~= "x"')


def test_a_wheel_is_chosen_for_the_target(index: Index, planner: Planner) -> None:
    for tag in ("py3-none-any", "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-win_amd64"):
        index.add(build_wheel("app", tag=tag))
    assert filenames(planner.plan("app")) == ["app-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"]


def test_a_newer_version_that_the_target_cannot_use_is_passed_over(
    any_index: Index, planner: Planner
) -> None:
    add(any_index, "app", "1.0")
    any_index.add(build_wheel("app", "2.0"), requires_python=">=3.12")
    any_index.add(build_wheel("app", "3.0", tag="cp312-cp312-win_amd64"))
    any_index.add_file("app-4.0.tar.gz")
    assert planner.versions("app") == {"app": "1.0"}


def test_what_only_the_metadata_says_counts_too(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0")])
    add(index, "app", "2.0", requires_python=">=3.12")
    assert planner.versions("app") == {"app": "1.0"}
    assert planner.reporter.told == [("passed over", "app", "2.0", "it needs Python >=3.12")]


def test_a_version_whose_file_is_broken_is_passed_over(index: Index, planner: Planner) -> None:
    add(index, "app", "1.0")
    index.add_file("app-2.0-py3-none-any.whl", b"not a zip archive, by no means")
    assert planner.versions("app") == {"app": "1.0"}
    assert planner.reporter.told == [
        ("passed over", "app", "2.0", "it does not end as a zip archive does")
    ]


def test_a_broken_file_with_good_metadata_beside_it_is_refused(
    index: Index, planner: Planner
) -> None:
    wheel = build_wheel("app", "1.0")
    index.metadata = True
    index.add_file(wheel.filename, b"not a zip archive, by no means", metadata=wheel.metadata)
    with pytest.raises(UnreadableWheel):
        planner.plan("app")


@pytest.mark.parametrize(
    ("line", "mode", "expected"),
    [
        pytest.param("app", Prereleases.IF_NECESSARY, "1.0", id="unasked"),
        pytest.param("app>=1.1b1", Prereleases.IF_NECESSARY, "2.0rc1", id="named"),
        pytest.param("app>1.0", Prereleases.IF_NECESSARY, "2.0rc1", id="only match"),
        pytest.param("app", Prereleases.ALLOW, "2.0rc1", id="allowed"),
    ],
)
def test_pre_releases(
    index: Index, planner: Planner, line: str, mode: Prereleases, expected: str
) -> None:
    add_all(index, [("app", "1.0"), ("app", "2.0rc1"), ("app", "1.1b1")])
    assert planner.versions(line, prereleases=mode) == {"app": expected}


def test_pre_in_a_requirements_file_allows_all_pre_releases(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0", "part"), ("part", "1.0"), ("part", "2.0a1")])
    assert planner.versions("app")["part"] == "1.0"
    assert planner.versions("--pre", "app")["part"] == "2.0a1"


def test_a_package_that_names_a_pre_release_gets_a_final_one_where_it_can(
    index: Index, planner: Planner
) -> None:
    add_all(index, [("app", "1.0", "part>=1.0b1"), ("part", "1.0"), ("part", "2.0a1")])
    assert planner.versions("app")["part"] == "1.0"


def test_a_yanked_version_is_used_only_where_the_user_pins_it(
    any_index: Index, planner: Planner
) -> None:
    add_all(any_index, [("app", "1.0"), ("other", "1.0", "app==2.0"), ("other", "0.9", "app")])
    any_index.add(build_wheel("app", "2.0"), yanked="deletes files")
    assert planner.versions("app") == {"app": "1.0"}
    assert planner.versions("other") == {"app": "1.0", "other": "0.9"}
    assert planner.versions("app==2.0") == {"app": "2.0"}
    assert planner.versions("app", constraints=["app==2.0"]) == {"app": "2.0"}
    assert planner.reporter.told == [
        ("passed over", "other", "1.0", "it needs app==2.0, which no usable wheel satisfies"),
        ("yanked", "app-2.0-py3-none-any.whl", "deletes files"),
        ("yanked", "app-2.0-py3-none-any.whl", "deletes files"),
    ]


def test_hashes_of_the_requirements_choose_the_file(index: Index, planner: Planner) -> None:
    pure, native = build_wheel("app"), build_wheel("app", tag="cp311-cp311-linux_x86_64")
    index.add(pure, native)
    planned = planner.plan(f"app==1.0 --hash=sha256:{pure.sha256}")
    assert filenames(planned) == [pure.filename]


def test_where_hashes_are_demanded_none_may_be_missing(index: Index, planner: Planner) -> None:
    app = build_wheel("app", requires=["base"])
    index.add(app, build_wheel("base"))
    with pytest.raises(HashesMissing, match="no hashes are given for base"):
        planner.plan("--require-hashes", f"app==1.0 --hash=sha256:{app.sha256}")


def test_a_hash_behind_the_address_of_a_file_is_one(index: Index, planner: Planner) -> None:
    app = build_wheel("app")
    index.add(app)
    address = f"app @ {index.url.removesuffix('simple/')}files/{app.filename}"
    with pytest.raises(HashesMissing, match="no hashes are given for app"):
        planner.plan("--require-hashes", address)
    planned = planner.plan("--require-hashes", f"{address}#sha256={app.sha256}")
    assert filenames(planned) == [app.filename]


def test_credentials_of_the_index_are_used_and_forgotten(index: Index, planner: Planner) -> None:
    index.login = ("ada", "s3cret/é")
    add(index, "app", "1.0")
    with pytest.raises(IndexDenied):
        planner.plan("app")
    inputs = read_requirements([str(planner.folder / "requirements.in")], environment={})
    url = index.url.replace("://", "://ada:s3cret%2F%C3%A9@")
    indexes = Indexes(places=(parse_index(url),))
    with IndexClient(keychain=Keychain(indexes.logins())) as client:
        planned = plan(inputs, group_targets([TARGET]), client=client, indexes=indexes)
    assert planned.entries[0][0].files[0].index == index.url.removesuffix("/")
    assert "s3cret" not in repr(planned) + repr(indexes)


def test_an_index_that_fails_ends_the_planning(index: Index, planner: Planner) -> None:
    add(index, "app", "1.0", "base")
    index.answers["/simple/base/"] = [(418, {}, b"")]
    with pytest.raises(IndexAnswer, match="the server answers 418"):
        planner.plan("app")


def test_no_page_and_no_metadata_is_asked_for_twice(any_index: Index, planner: Planner) -> None:
    add_all(any_index, [("base", "1.0"), ("base", "2.0"), ("other", "1.0", "base<2")])
    for minor in range(12):
        add(any_index, "app", f"1.{minor}", "base<2" if minor < 3 else "base>=2")
    planner.plan("app", "other")
    asked = [path for path in any_index.paths("GET") if not path.endswith(".whl")]
    assert len(asked) == len(set(asked))


def explanation(planner: Planner, *lines: str, **options: Any) -> str:
    with pytest.raises(Unsolvable) as raised:
        planner.plan(*lines, **options)
    return str(raised.value).replace(f"{planner.folder}/", "")


HEAD = "no wheels satisfy the requirements for CPython 3.11.0 on manylinux_2_28_x86_64\n"


def test_a_package_with_no_usable_wheel_names_each_file_and_why(
    index: Index, planner: Planner
) -> None:
    index.add_file("app-2.0.tar.gz")
    index.add_file("app-1.0.tar.gz")
    for tag in ("cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-win32"):
        index.add(build_wheel("app", "1.0", tag=tag))
    add(index, "top", "1.0", "app>=1")
    assert explanation(planner, "top") == (
        f"{HEAD}"
        "  requirements.in:1 says top\n"
        "  top 1.0 needs app>=1\n"
        "    of app 2.0, 1.0 no file can be used:\n"
        "      app-2.0.tar.gz, app-1.0.tar.gz: "
        "it is a source distribution, and only wheels are used\n"
        "      app-1.0-cp312-cp312-win_amd64.whl, "
        "app-1.0-cp312-cp312-manylinux_2_28_x86_64.whl: it is built for cp312-cp312\n"
        "      app-1.0-cp311-cp311-win32.whl: it is built for win32"
    )


def test_a_project_that_the_index_does_not_know_is_named(planner: Planner) -> None:
    assert explanation(planner, "no-such") == (
        f"{HEAD}  requirements.in:1 says no-such\n  the index does not know no-such"
    )


def test_a_version_that_does_not_exist_is_told_with_those_that_do(
    index: Index, planner: Planner
) -> None:
    add_all(index, [("app", f"1.{minor}") for minor in range(12)])
    assert explanation(planner, "app>=2") == (
        f"{HEAD}"
        "  requirements.in:1 says app>=2\n"
        "  no version of app suits; the index has "
        "1.11, 1.10, 1.9, 1.8, 1.7 and 7 more"
    )


def test_a_conflict_is_told_in_chains_of_requirements(index: Index, planner: Planner) -> None:
    add_all(index, [
        ("base", "1.0"), ("base", "2.0"), ("part", "1.0", "base<2"),
        ("app", "1.0", "part"), ("other", "1.0", "base>=2"),
    ])  # fmt: skip
    assert explanation(planner, "app", "other") == (
        f"{HEAD}"
        "  requirements.in:1 says app; app 1.0 needs part; part 1.0 needs base<2\n"
        "  requirements.in:2 says other; other 1.0 needs base>=2\n"
        "  no version of base suits; the index has 2.0, 1.0"
    )


def test_a_constraint_takes_part_in_a_conflict(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0", "base>=2"), ("base", "2.0")])
    assert explanation(planner, "app", constraints=["base<2"]) == (
        f"{HEAD}"
        "  requirements.in:1 says app\n"
        "  app 1.0 needs base>=2\n"
        "    limits.txt:1 says base<2\n"
        "    no version of base suits; the index has 2.0"
    )


def test_versions_that_cannot_be_used_say_why(index: Index, planner: Planner) -> None:
    add(index, "app", "1.0", requires_python="<3")
    assert explanation(planner, "app") == (
        f"{HEAD}  requirements.in:1 says app\n  app 1.0 cannot be used: it needs Python <3"
    )


def test_obstacles_are_told_down_to_the_last(index: Index, planner: Planner) -> None:
    add_all(index, [("app", f"1.{minor}", "part>=1") for minor in range(7)])
    add_all(index, [("part", "1.0", "base==1.0"), ("part", "1.1", "base==1.0")])
    add_all(index, [("part", "1.2", "no-such"), ("other", "1.0", "app")])
    index.add_file("base-1.0.tar.gz")
    assert explanation(planner, "other") == (
        f"{HEAD}"
        "  requirements.in:1 says other\n"
        "  other 1.0 needs app\n"
        "    app 1.6, 1.5, 1.4, 1.3, 1.2 and 2 more needs part>=1\n"
        "      part 1.2 needs no-such\n"
        "        the index does not know no-such\n"
        "      part 1.1, 1.0 needs base==1.0\n"
        "        of base 1.0 no file can be used:\n"
        "          base-1.0.tar.gz: it is a source distribution, and only wheels are used"
    )


def test_what_versions_meet_alike_is_told_once(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0", "base>=1"), ("other", "1.0", "base>=0")])
    add_all(index, [("top", "1.0", "other"), ("top", "0.9", "app")])
    index.add_file("base-1.0.tar.gz")
    assert explanation(planner, "top") == (
        f"{HEAD}"
        "  requirements.in:1 says top\n"
        "  top 1.0 needs other\n"
        "    other 1.0 needs base>=0\n"
        "      of base 1.0 no file can be used:\n"
        "        base-1.0.tar.gz: it is a source distribution, and only wheels are used\n"
        "  top 0.9 needs app\n"
        "    app 1.0 needs base>=1, of which the same is true"
    )


def test_newer_demands_of_one_kind_are_told_together(index: Index, planner: Planner) -> None:
    add_all(index, [("app", f"1.{minor}", f"base>=0.{minor}") for minor in range(3)])
    for minor in range(3):
        index.add_file(f"base-0.{minor}.tar.gz")
    assert explanation(planner, "app") == (
        f"{HEAD}"
        "  requirements.in:1 says app\n"
        "  app 1.2, 1.1, 1.0 needs base>=0.0, or narrower\n"
        "    of base 0.2, 0.1, 0.0 no file can be used:\n"
        "      base-0.2.tar.gz, base-0.1.tar.gz and 1 more: "
        "it is a source distribution, and only wheels are used"
    )


def test_of_many_files_those_for_other_targets_are_counted(index: Index, planner: Planner) -> None:
    for tag in (f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64" for minor in range(20, 29)):
        index.add(build_wheel("app", "1.0", tag=tag))
    index.add(build_wheel("app", "1.0"), yanked="it breaks")
    assert explanation(planner, "app") == (
        f"{HEAD}"
        "  requirements.in:1 says app\n"
        "  of app 1.0 no file can be used:\n"
        "    app-1.0-py3-none-any.whl: it was yanked: it breaks\n"
        "    and 9 files for other Pythons and platforms"
    )


def test_what_to_do_about_a_rule_is_hinted_at(index: Index, planner: Planner) -> None:
    index.add(build_wheel("app", "1.0", requires=["base"]))
    index.add(build_wheel("base", "1.0"), yanked="it breaks")
    with pytest.raises(Unsolvable) as raised:
        planner.plan("app")
    assert raised.value.hint.startswith("pin the yanked version (NAME==VERSION)")


def test_releases_that_another_python_could_use_are_told(index: Index, planner: Planner) -> None:
    index.add(build_wheel("app", "2.0"), requires_python=">=3.14")
    add(index, "app", "1.0", "no-such")
    assert explanation(planner, "app") == (
        f"{HEAD}"
        "  requirements.in:1 says app\n"
        "  app 2.0 cannot be used: it needs Python >=3.14\n"
        "  app 1.0 needs no-such\n"
        "    the index does not know no-such"
    )


def test_what_can_never_be_used_is_found_out_once(index: Index, planner: Planner) -> None:
    add_all(index, [("part", f"1.{minor}", "base==1.0") for minor in range(20)])
    add_all(index, [("app", f"1.{minor}", "part") for minor in range(1, 200)])
    add(index, "app", "1.0")
    index.add_file("base-1.0.tar.gz")
    assert planner.versions("app") == {"app": "1.0"}
    assert planner.reporter.told == [
        ("passed over", "app", "1.199", "it needs part, which no usable wheel satisfies")
    ]


def test_pre_releases_are_tried_where_no_final_release_will_do(
    index: Index, planner: Planner
) -> None:
    add_all(index, [("app", "1.0", "base<1"), ("app", "2.0rc1", "base"), ("base", "1.0")])
    assert planner.versions("app") == {"app": "2.0rc1", "base": "1.0"}


def test_the_only_version_that_is_left_is_found(index: Index, planner: Planner) -> None:
    add_all(index, [("app", "1.0", "part"), ("part", "1.0"), ("part", "2.0", "middle")])
    add_all(index, [("middle", "1.0", "base"), ("middle", "2.0", "base")])
    index.add_file("base-1.0.tar.gz")
    assert planner.versions("app") == {"app": "1.0", "part": "1.0"}


def test_what_is_released_together_stays_together(index: Index, planner: Planner) -> None:
    for minor in range(1, 13):
        add_all(index, [("base", f"1.{minor}"), ("extension", f"0.{minor}", f"base==1.{minor}")])
    # Not yet followed by its extension, and of a time when nobody said what goes together.
    add_all(index, [("base", "1.13"), ("extension", "0.0", "base")])
    assert planner.versions("base", "extension") == {"base": "1.12", "extension": "0.12"}


def test_of_what_gives_way_to_each_other_the_first_to_do_so_too_often_goes_first(
    index: Index, planner: Planner
) -> None:
    for minor in range(30):
        add_all(index, [("part", f"1.{minor}"), ("quick", f"1.{minor}", f"part==1.{minor}")])
    for minor in range(12):
        add(index, "slow", f"1.{minor}", f"part==1.{minor}")
    found = planner.versions("quick", "slow")
    assert found == {"part": "1.11", "quick": "1.11", "slow": "1.11"}


def test_a_search_does_not_go_through_all_of_what_is_in_nobodys_way(
    index: Index, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_all(index, [("base", "1.0"), ("base", "2.0")])
    add_all(index, [("easy", f"1.{minor}", "base") for minor in range(40)])
    add_all(index, [("stuck", f"1.{minor}", "base<2") for minor in range(40)])
    tried = []
    unwatched = DependencyReader.dependencies

    def watched(self: DependencyReader, candidate: Candidate) -> tuple[Dependency, ...]:
        tried.append(candidate)
        return unwatched(self, candidate)

    monkeypatch.setattr(DependencyReader, "dependencies", watched)
    answer = planner.versions("base", "easy", "stuck")
    assert answer == {"base": "1.0", "easy": "1.39", "stuck": "1.39"}
    # Each of the forty with each of the forty would be more than 1,600.
    assert len(tried) < 800


def test_the_work_for_extras_grows_with_their_number(
    index: Index, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    count(Marker, "evaluate")
    count(SpecifierSet, "contains")
    for number in (40, 160):
        extras = {f"e{one}": ["base"] for one in range(number)}
        index.add(build_wheel(f"app{number}", "1.0", extras=extras))
    add(index, "base", "1.0")
    spent = []
    for number in (40, 160):
        calls.clear()
        planner.plan(*(f"app{number}[e{one}]>=0.{one}" for one in range(number)))
        spent.append(calls.total())
    few, many = spent
    assert many < 6 * few
