"""An address of a project takes the place of its version where its condition holds."""

from __future__ import annotations

import re

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from planner.inputs.addresses import StatedAddress, with_addresses
from planner.inputs.inputs import InputRequirement
from planner.inputs.project_document import InvalidProject
from planner.model.conditions import Condition
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable
from schemas.target import Target

LINUX, WINDOWS, MAC = (
    MarkerEnvironment((Target.named("3.12", name),)) for name in ("linux", "windows", "macos")
)
ONE, TWO = "https://files.example/1.zip", "https://files.example/2.zip"
CPU = Scope("extra", canonicalize_name("cpu"))


def line(text: str) -> InputRequirement:
    return InputRequirement(requirement=Requirement(text), origin="pyproject.toml")


def on(platform: str) -> Condition:
    return Condition(Marker(f'sys_platform == "{platform}"'))


def placed(text: str, *addresses: StatedAddress, section: Scope | None = None) -> list[list[str]]:
    """What is required on Linux, Windows and macOS."""
    lines = list(with_addresses(line(text), addresses, section, "pyproject.toml"))
    return [
        [str(one.requirement).partition(";")[0].strip() for one in applicable(lines, each)]
        for each in (LINUX, WINDOWS, MAC)
    ]


def test_an_address_counts_everywhere() -> None:
    assert placed("demo[x]>=1", StatedAddress(ONE)) == [[f"demo[x] @ {ONE}"]] * 3


def test_each_environment_has_the_address_of_its_marker_or_the_version() -> None:
    addresses = StatedAddress(ONE, on("linux")), StatedAddress(TWO, on("win32"))
    assert placed("demo>=1", *addresses) == [
        [f"demo @ {ONE}"], [f"demo @ {TWO}"], ["demo>=1"],
    ]  # fmt: skip


def test_the_marker_of_the_requirement_holds_too() -> None:
    found = placed('demo; sys_platform != "darwin"', StatedAddress(ONE, on("linux")))
    assert found == [[f"demo @ {ONE}"], ["demo"], []]


def test_the_address_of_an_extra_is_that_of_its_lines_alone() -> None:
    address = StatedAddress(ONE, Condition(scope=CPU))
    assert placed("demo", address, section=CPU) == [[f"demo @ {ONE}"]] * 3
    assert placed("demo", address) == [["demo"]] * 3


def test_a_requirement_with_an_address_keeps_it() -> None:
    assert placed(f"demo @ {TWO}", StatedAddress(ONE)) == [[f"demo @ {TWO}"]] * 3


def test_two_addresses_that_count_everywhere_are_refused() -> None:
    problem = re.escape("pyproject.toml: demo has several addresses")
    with pytest.raises(InvalidProject, match=problem):
        placed("demo", StatedAddress(ONE), StatedAddress(TWO))
