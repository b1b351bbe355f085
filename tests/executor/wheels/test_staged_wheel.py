"""A staged wheel knows its places."""

from __future__ import annotations

from executor.wheels.staged_wheel import StagedWheel

WHEEL = StagedWheel(
    "Demo_Pkg-1.0-1-py3-none-any.whl", "/env/.lockstream/7", "demo-1.0.dist-info", "purelib", 2, 30
)


def test_the_files_of_the_root_scheme_are_apart_from_those_of_the_others() -> None:
    assert WHEEL.tree == "/env/.lockstream/7/tree"
    assert WHEEL.data == "/env/.lockstream/7/data"


def test_its_layout_follows_from_its_file_name() -> None:
    assert (WHEEL.layout.distribution, WHEEL.layout.version) == ("Demo_Pkg", "1.0")


def test_nothing_that_can_be_computed_is_stored() -> None:
    assert not hasattr(WHEEL, "__dict__")
