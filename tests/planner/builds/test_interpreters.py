"""An interpreter builds for targets with its Python, its machine and its C library."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from planner.builds.interpreters import Interpreter, Interpreters
from planner.inputs.targets import choose_targets
from schemas.target import Target

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
GLIBC = Interpreter("python", Target.named("3.12", "manylinux_2_28_x86_64"))


@pytest.mark.parametrize(
    ("python", "platform", "expected"),
    [
        ("3.12", "manylinux_2_28_x86_64", True),
        ("3.12", "manylinux_2_17_x86_64", True),
        ("3.12", "musllinux_1_2_x86_64", False),
        ("3.12", "manylinux_2_28_aarch64", False),
        ("3.11", "manylinux_2_28_x86_64", False),
        ("3.12", "win_amd64", False),
    ],
)
def test_only_the_version_of_the_c_library_may_differ(
    python: str, platform: str, expected: bool
) -> None:
    assert GLIBC.builds_for(Target.named(python, platform)) is expected


def test_a_free_threaded_python_builds_for_its_own_kind_only() -> None:
    free = Target.named("3.13t", "manylinux_2_28_x86_64")
    assert not Interpreter("python", Target.named("3.13", free.platform)).builds_for(free)
    assert Interpreter("python", free).builds_for(free)


def test_this_interpreter_is_found_for_its_own_target() -> None:
    (own,) = choose_targets()
    found = Interpreters().find(own)
    assert found is not None
    assert found.python == sys.executable


def test_no_interpreter_is_found_for_another_machine() -> None:
    assert Interpreters().find(Target.named(PYTHON, "win_amd64")) is None


def test_each_interpreter_is_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (own,) = choose_targets()
    interpreters = Interpreters()
    found = interpreters.find(own)
    monkeypatch.setattr(
        "planner.builds.interpreters.Environment.prefix",
        lambda *_: pytest.fail("it was probed again"),
    )
    assert interpreters.find(replace(own)) is found
