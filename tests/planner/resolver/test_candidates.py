"""Releases come newest first, pre-releases where they may, and only what suits the target."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from planner.index.pages import ProjectFile, ProjectPage, group_files
from planner.model.policy import Prereleases
from planner.resolver.candidates import CandidateFinder, ReleaseJudge
from planner.resolver.evaluator import FileEvaluator, FileRules
from planner.resolver.releases import Project
from schemas.target import Target

NAME = canonicalize_name("demo")
EVALUATOR = FileEvaluator(Target.named("3.11", "manylinux_2_28_x86_64"))
JUDGE = ReleaseJudge([EVALUATOR])


def project(*filenames: str, yanked: Iterable[str] = ()) -> Project:
    files = (
        ProjectFile(name, "", {"filename": name, "url": name, "yanked": name in yanked})
        for name in filenames
    )
    return Project(ProjectPage(NAME, group_files(files)))


def wheels(*versions: str) -> tuple[str, ...]:
    return tuple(f"demo-{version}-py3-none-any.whl" for version in versions)


def find(
    found: Project,
    specifier: str = "",
    prereleases: Prereleases = Prereleases.IF_NECESSARY,
    *,
    named: bool = False,
) -> list[str]:
    finder = CandidateFinder(
        lambda _: found,
        JUDGE,
        prereleases=prereleases,
        named_prereleases=frozenset({NAME} if named else ()),
    )
    return [str(wheels[0].version) for wheels in finder.find(NAME, [SpecifierSet(specifier)])]


def test_the_newest_version_is_first_whatever_the_order_of_the_page() -> None:
    found = project(*wheels("1.9", "1.10", "1.0.post1", "1!0.1", "1.0", "1.0+local"))
    assert find(found) == ["1!0.1", "1.10", "1.9", "1.0.post1", "1.0+local", "1.0"]


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [("===1.0.0", ["1.0.0"]), ("===1.0", []), ("==1.0", ["1.0.0"]), ("===2", [])],
)
def test_a_version_compared_as_text_is_that_of_the_wheel(
    specifier: str, expected: list[str]
) -> None:
    assert find(project("demo-1.0.tar.gz", *wheels("1.0.0")), specifier) == expected


def test_a_release_without_a_usable_wheel_is_passed_over() -> None:
    found = project(
        "demo-3.0.tar.gz", "demo-2.0-cp39-cp39-win_amd64.whl", *wheels("1.0"), yanked=()
    )
    assert find(found) == ["1.0"]
    rejections = JUDGE.judge(found.releases[0]).rejections
    assert [rejection.file.filename for rejection in rejections] == ["demo-3.0.tar.gz"]


def test_the_best_wheel_of_a_release_is_found() -> None:
    best = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    found = project(*wheels("1.0"), best, "demo-1.0-cp311-cp311-win_amd64.whl")
    chosen = JUDGE.judge(found.releases[0]).wheels
    assert [wheel.file.filename for wheel in chosen or ()] == [best]


def test_of_a_version_that_may_be_yanked_a_file_that_is_not_comes_first() -> None:
    names = ("demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", *wheels("1.0"))
    for yanked, expected in ((names[:1], names[1]), (names, names[0]), ((), names[0])):
        release = project(*names, yanked=yanked).releases[0]
        rules = FileRules(pins={NAME: frozenset([release.version])})
        judge = ReleaseJudge([FileEvaluator(EVALUATOR.target, rules)])
        found = judge.judge(release).wheels
        assert found is not None
        assert found[0].file.filename == expected


def test_a_release_is_yanked_when_all_its_files_are() -> None:
    names = wheels("2.0", "1.0")
    assert find(project(*names, yanked=names[:1])) == ["1.0"]


STABLE_AND_PRE = wheels("2.0rc1", "1.0", "1.0b1", "0.9")


@pytest.mark.parametrize(
    ("specifier", "mode", "named", "expected"),
    [
        pytest.param("", Prereleases.IF_NECESSARY, False, ["1.0", "0.9", "2.0rc1", "1.0b1"],
                     id="last if unasked"),
        pytest.param(">1.0", Prereleases.IF_NECESSARY, False, ["2.0rc1"], id="the only match"),
        pytest.param("", Prereleases.IF_NECESSARY, True, ["2.0rc1", "1.0", "1.0b1", "0.9"],
                     id="if asked for by name"),
        pytest.param("", Prereleases.ALLOW, False, ["2.0rc1", "1.0", "1.0b1", "0.9"], id="allow"),
        pytest.param(">1.0", Prereleases.DISALLOW, False, [], id="disallow"),
        pytest.param(">1.0", Prereleases.DISALLOW, True, [], id="disallow, though named"),
    ],
)  # fmt: skip
def test_pre_releases_are_chosen_where_they_may(
    specifier: str, mode: Prereleases, named: bool, expected: list[str]
) -> None:
    assert find(project(*STABLE_AND_PRE), specifier, mode, named=named) == expected


def test_a_final_release_that_is_no_use_does_not_keep_pre_releases_away() -> None:
    assert find(project("demo-1.0.tar.gz", *wheels("1.1b1"))) == ["1.1b1"]


def finder_of(
    found: Project,
    prereleases: Prereleases = Prereleases.IF_NECESSARY,
    oldest_first: Iterable[NormalizedName] = (),
) -> CandidateFinder:
    return CandidateFinder(
        lambda _: found,
        JUDGE,
        prereleases=prereleases,
        named_prereleases=frozenset(),
        oldest_first=frozenset(oldest_first),
    )


def test_all_specifiers_have_to_match() -> None:
    found = project(*wheels("3.0", "2.0", "1.0"))
    finder = finder_of(found)
    chosen = finder.find(NAME, [SpecifierSet(">=2"), SpecifierSet("<3")])
    assert [str(found[0].version) for found in chosen] == ["2.0"]


def test_what_is_preferred_comes_first_where_it_matches() -> None:
    found = project(*wheels("3.0", "2.0", "1.0"))
    finder = finder_of(found)
    finder.prefer({NAME: [Version("1.0"), Version("2.0"), Version("9.0")]})
    for specifier, expected in (("", ["1.0", "2.0", "3.0"]), (">1", ["2.0", "3.0"])):
        chosen = finder.find(NAME, [SpecifierSet(specifier)])
        assert [str(one[0].version) for one in chosen] == expected


GLIBC_AND_MUSL = ReleaseJudge(
    [
        FileEvaluator(Target.named("3.11", platform))
        for platform in ("manylinux_2_28_x86_64", "musllinux_1_2_x86_64")
    ]
)


def test_a_release_is_usable_where_every_target_has_a_wheel() -> None:
    glibc, musl = (f"demo-1.0-cp311-cp311-{libc}_x86_64.whl" for libc in
                   ("manylinux_2_17", "musllinux_1_2"))  # fmt: skip
    (release,) = project(musl, glibc, *wheels("1.0")).releases
    chosen = GLIBC_AND_MUSL.judge(release).wheels
    assert [wheel.file.filename for wheel in chosen or ()] == [glibc, musl]


def test_a_release_without_a_wheel_for_one_target_is_not_usable() -> None:
    (release,) = project("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl").releases
    judgement = GLIBC_AND_MUSL.judge(release)
    assert judgement.wheels is None
    assert [rejection.reason for rejection in judgement.rejections] == [
        "it is built for manylinux_2_17_x86_64"
    ]


@pytest.mark.parametrize(
    ("prereleases", "versions", "favoured"),
    [
        (Prereleases.IF_NECESSARY, ["1.0", "2.0rc1"], ["1.0"]),
        (Prereleases.IF_NECESSARY, ["1.0rc1", "2.0rc1"], ["2.0rc1", "1.0rc1"]),
        (Prereleases.ALLOW, ["1.0", "2.0rc1"], ["2.0rc1", "1.0"]),
        (Prereleases.DISALLOW, ["2.0rc1"], []),
    ],
)
def test_favoured_releases_are_those_that_are_tried_first(
    prereleases: Prereleases, versions: list[str], favoured: list[str]
) -> None:
    found = project(*wheels(*versions))
    finder = finder_of(found, prereleases)
    assert [str(one.version) for one in found.members(finder.favoured(NAME))] == favoured


def test_the_finder_tells_of_which_projects_the_oldest_version_is_preferred() -> None:
    found = project(*wheels("1.0"))
    assert finder_of(found, oldest_first=[NAME]).prefers_oldest(NAME)
    assert not finder_of(found).prefers_oldest(NAME)


@pytest.mark.parametrize(
    ("filenames", "refusal"),
    [
        pytest.param(["demo-1.0-py3-none-any.whl"], "", id="usable"),
        pytest.param(
            ["demo-1.0-cp39-cp39-win_amd64.whl", "demo-1.0.tar.gz"],
            "it has no wheel for CPython 3.11.0 on manylinux_2_28_x86_64",
            id="for others",
        ),
        pytest.param(
            ["demo-1.0-cp39-cp39-win_amd64.whl", "demo-1.0-1-py3-none-any.whl"],
            "it was yanked",
            id="a rule says more than a platform",
        ),
    ],
)
def test_a_release_tells_why_a_target_cannot_use_it(filenames: list[str], refusal: str) -> None:
    found = project(*filenames, yanked=[name for name in filenames if "-1-" in name])
    assert JUDGE.judge(found.releases[0]).refusal == refusal


def test_the_first_target_without_a_file_is_named() -> None:
    mac = Target.named("3.11", "macosx_14_0_arm64")
    judge = ReleaseJudge([EVALUATOR, FileEvaluator(mac)])
    found = project("demo-1.0-py3-none-manylinux_2_28_x86_64.whl")
    assert judge.judge(found.releases[0]).refusal == f"it has no wheel for {mac}"
