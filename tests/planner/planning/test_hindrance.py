"""Each newer release that an upgrade does not choose has a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.index import Index
from helpers.locks import WINDOWS
from helpers.outlooks import locked_here, standing_of
from helpers.wheels import build_wheel

OTHER_TAG = "cp311-cp311-win_amd64"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reasons(name: str) -> dict[str, str]:
    return {str(version): reason for version, reason in standing_of(name).hindrances}


def test_a_release_that_is_chosen_has_none(index: Index) -> None:
    index.add(build_wheel("app", "1.0"))
    locked_here(index, "app")
    index.add(build_wheel("app", "2.0"))
    assert reasons("app") == {}


def test_a_line_of_the_inputs_excludes_it(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
    locked_here(index, "# why", "app<2")
    assert reasons("app") == {"2.0": "requirements.in:2 requires app<2"}


def test_a_line_that_pins_another_version_comes_first(index: Index) -> None:
    index.add(build_wheel("app", "1.0"))
    locked_here(index, "app==1.0")
    index.add(build_wheel("app", "2.0"), requires_python=">=3.13")
    assert reasons("app") == {"2.0": "requirements.in:1 requires app==1.0"}


def test_a_constraint_excludes_it(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
    Path("limits.txt").write_text("app<2\n")
    locked_here(index, "app", arguments=("-c", "limits.txt"))
    assert reasons("app") == {"2.0": "limits.txt:1 requires app<2"}


def test_packages_that_the_upgrade_chooses_exclude_it(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", requires=["base<2"]),
        build_wheel("tool", "3.0", requires=["base<3"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "3.0"),
    )
    locked_here(index, "app", "tool")
    assert reasons("base") == {"3.0": "app 1.0 requires base<2 and 1 more"}


def test_an_override_is_what_counts(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", requires=["base<2"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "1.5"),
        build_wheel("base", "3.0"),
    )
    Path("overrides.txt").write_text("base<1.5\n")
    locked_here(index, "app", arguments=("--override", "overrides.txt"))
    reason = "app 1.0 requires base<2, which overrides.txt:1 overrides with base<1.5"
    assert reasons("base") == {"3.0": reason}


def test_its_files_are_for_others(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0", tag=OTHER_TAG))
    locked_here(index, "app")
    reason = "it has no wheel for CPython 3.11.0 on manylinux_2_28_x86_64"
    assert reasons("app") == {"2.0": reason}


def test_it_needs_another_python_and_the_newest_for_this_one_is_told_too(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0"),
        build_wheel("app", "1.5"),
        build_wheel("app", "1.6", tag=OTHER_TAG),
    )
    index.add(build_wheel("app", "2.0"), requires_python=">=3.13")
    locked_here(index, "app<1.5")
    assert reasons("app") == {
        "2.0": "it needs Python >=3.13",
        "1.5": "requirements.in:1 requires app<1.5",
    }


def test_it_came_too_late(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), upload_time="2026-01-01T00:00:00Z")
    index.add(build_wheel("app", "2.0"), upload_time="2026-03-05T00:00:00Z")
    locked_here(index, "app", arguments=("--exclude-newer", "2026-03-01"))
    assert reasons("app") == {"2.0": "it was uploaded on 2026-03-05, too late for --exclude-newer"}


def test_it_requires_what_the_others_exclude(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0"),
        build_wheel("app", "2.0", requires=["base<2"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "2.0"),
    )
    index.add(build_wheel("tool", "1.0", requires=["base>=2"]))
    locked_here(index, "app", "tool")
    assert reasons("app") == {"2.0": "it requires base<2, and 2.0 is chosen"}


def test_it_requires_what_no_index_has(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0", requires=["base"]))
    locked_here(index, "app")
    assert reasons("app") == {"2.0": "it needs base, which no usable wheel satisfies"}


def test_a_reason_of_one_target_names_it(index: Index) -> None:
    index.add(build_wheel("app", "1.0"))
    index.add(build_wheel("base", "1.0"), build_wheel("base", "2.0"))
    index.add(build_wheel("app", "2.0", requires=["base<2; sys_platform == 'win32'"]))
    locked_here(index, "app", "base>=2; sys_platform == 'win32'", "base", arguments=WINDOWS)
    (reason,) = reasons("app").values()
    assert reason.endswith("(for CPython 3.11.0 on win_amd64)")


def test_a_target_is_not_named_twice(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0", tag=OTHER_TAG))
    locked_here(index, "app", arguments=WINDOWS)
    assert reasons("app") == {"2.0": "it has no wheel for CPython 3.11.0 on manylinux_2_28_x86_64"}


def test_older_versions_are_preferred(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", requires=["base"]),
        build_wheel("app", "2.0", requires=["base"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "2.0"),
    )
    locked_here(index, "app", arguments=("--resolution", "lowest"))
    assert reasons("app") == {"2.0": "--resolution prefers older versions"}
    assert reasons("base") == {"2.0": "--resolution prefers older versions"}


def test_the_extra_of_a_project_is_no_reason_against_the_project(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", extras={"x": ["base"]}),
        build_wheel("app", "2.0", extras={"x": ["base<2"]}),
        build_wheel("base", "2.0"),
    )
    locked_here(index, "app[x]", "base>=2")
    (reason,) = reasons("app").values()
    assert "base<2" in reason
    assert not reason.startswith("app[x]")
