"""A requirement is selected once for each environment and extra."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from planner.metadata.core_metadata import InvalidMetadata
from planner.model.environments import MarkerEnvironment
from planner.resolver.requirement_selector import RequirementSelector
from schemas.target import Target

ENVIRONMENT = MarkerEnvironment((Target.named("3.12", "linux"),))
FAST = canonicalize_name("fast")


def test_a_requirement_is_selected_for_its_environment_and_extra() -> None:
    selector = RequirementSelector(ENVIRONMENT)
    always, linux, windows, fast = (
        Requirement(line)
        for line in (
            "one",
            "two; sys_platform == 'linux'",
            "three; sys_platform == 'win32'",
            "four; extra == 'fast'",
        )
    )
    selected = {
        extra: [
            str(dependency.identifier)
            for requirement in (always, linux, windows, fast)
            for dependency in selector.select(requirement, extra)
        ]
        for extra in (None, FAST)
    }
    assert selected == {None: ["one", "two"], FAST: ["four"]}


def test_the_same_requirement_gives_the_same_dependencies() -> None:
    selector = RequirementSelector(ENVIRONMENT)
    requirement = Requirement("one[b,a]>1")
    assert selector.select(requirement, None) is selector.select(requirement, None)


def test_a_marker_that_cannot_be_evaluated_is_an_error_each_time() -> None:
    selector = RequirementSelector(ENVIRONMENT)
    requirement = Requirement('one; python_version ~= "x"')
    for _ in range(2):
        with pytest.raises(InvalidMetadata):
            selector.select(requirement, None)
