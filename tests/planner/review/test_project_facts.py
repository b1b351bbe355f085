"""The options of a job install what it can, and a comment names what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.review.project_facts import NeedsWheels, ProjectFacts

FACTS = ProjectFacts(
    lock="locks/pylock.toml",
    python="3.12",
    memory=32,
    disk=100,
    groups=("test",),
    projects=(),
    sources=(),
    is_measured=True,
    is_planned=True,
    pyz="",
)


@pytest.mark.parametrize(
    ("changes", "with_project", "without"),
    [
        pytest.param({}, " --group test", " --group test", id="wheels alone"),
        pytest.param(
            {"projects": ("app",)},
            " --group test --build",
            " --group test --skip-unbuildable",
            id="a project that was measured",
        ),
        pytest.param(
            {"projects": ("app",), "is_measured": False},
            " --group test --build --build-unmeasured",
            " --group test --skip-unbuildable",
            id="one that was not",
        ),
        pytest.param(
            {"projects": ("app",), "is_measured": False, "pyz": "lockstream.pyz"},
            " --group test --skip-unbuildable",
            " --group test --skip-unbuildable",
            id="one that the single file cannot build",
        ),
    ],
)
def test_the_options_are_those_that_the_job_can_follow(
    changes: dict[str, object], with_project: str, without: str
) -> None:
    facts = replace(FACTS, **changes)  # type: ignore[arg-type]  # of a test
    assert facts.options() == with_project
    assert facts.options_without_project() == without


def test_where_only_the_lock_is_nothing_can_be_built() -> None:
    with pytest.raises(NeedsWheels, match=r"locks/pylock.toml has no wheels .*: one, two"):
        replace(FACTS, sources=("one", "two")).options_without_project()


def test_what_is_left_out_is_named_where_it_is() -> None:
    assert FACTS.left_out(4, always=True) == ""
    facts = replace(FACTS, projects=("app",))
    assert facts.left_out(4) == "", "it is built"
    assert facts.left_out(4, always=True).startswith("    # Not installed, ")
    assert facts.left_out(0, always=True).endswith("built: app\n")


def test_a_lock_is_named_by_its_file_and_a_project_by_its_folder() -> None:
    assert FACTS.lock_name == "pylock.toml"
    assert (FACTS.slug, replace(FACTS, folder="services/web").slug) == ("", "-services-web")
    assert replace(FACTS, pyz="lockstream.pyz").program == "python3 lockstream.pyz"
