"""The name that another tool has for a platform is answered with its tag."""

from __future__ import annotations

import pytest

from schemas.errors import UsageError
from schemas.platform_names import meant_platform
from schemas.target import Target


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("linux/amd64", "manylinux_2_28_x86_64"),
        ("linux/arm64", "manylinux_2_28_aarch64"),
        ("x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64"),
        ("aarch64-unknown-linux-musl", "musllinux_1_2_aarch64"),
        ("x86_64-manylinux_2_31", "manylinux_2_31_x86_64"),
        ("manylinux_2_17", "manylinux_2_17_x86_64"),
        ("alpine", "musllinux_1_2_x86_64"),
        ("arm64", "manylinux_2_28_aarch64"),
        ("x86_64", "manylinux_2_28_x86_64"),
        ("aarch64-apple-darwin", "macosx_13_0_arm64"),
        ("macos-x86_64", "macosx_13_0_x86_64"),
        ("osx", "macosx_13_0_arm64"),
        ("x86_64-pc-windows-msvc", "win_amd64"),
        ("windows-arm64", "win_arm64"),
    ],
)
def test_a_name_of_another_tool_has_a_tag_that_can_be_planned_for(said: str, tag: str) -> None:
    assert meant_platform(said) == tag
    assert Target.named("3.12", tag).platform == tag
    with pytest.raises(UsageError) as raised:
        Target.named("3.12", said)
    assert raised.value.hint.startswith(f"did you mean {tag}? ")


@pytest.mark.parametrize("said", ["", "atari", "any"])
def test_other_names_have_none(said: str) -> None:
    assert meant_platform(said) == ""
