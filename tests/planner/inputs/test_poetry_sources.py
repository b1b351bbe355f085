"""A source of Poetry counts where its markers hold, or for the extra that they name."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.poetry_sources import PoetrySources, read_poetry_sources
from planner.model.conditions import Condition
from planner.model.dependencies import Scope

CPU, CUDA, ROCM = (Scope("extra", canonicalize_name(name)) for name in ("cpu", "cuda", "rocm"))
LINUX = Marker('sys_platform == "linux"')


def read(text: str, *passed_over: str) -> PoetrySources:
    table: dict[str, Any] = tomllib.loads(text)
    return read_poetry_sources([table], map(canonicalize_name, passed_over))


def test_a_source_counts_where_its_markers_hold() -> None:
    found = read(
        "a = [{ version = '1', source = 'x', platform = 'linux' }, "
        "{ version = '1', source = 'y', python = '<3.12' }, { version = '2' }]\n"
        "b = { url = 'https://files.example/b.zip', platform = 'linux' }\n"
    )
    old = Condition(Marker("python_version < '3.12'"))
    assert found.pins == {"a": (Pin("x", Condition(LINUX)), Pin("y", old))}
    assert found.addresses == {
        "b": (StatedAddress("https://files.example/b.zip", Condition(LINUX)),)
    }
    assert found.conflicts == ()


def test_an_extra_has_its_source_and_excludes_the_others_that_it_names() -> None:
    # As in Poetry's own page about dependencies of PyTorch.
    found = read(
        "torch = [{ markers = \"extra == 'cpu' and extra != 'cuda'\", source = 'one' }, "
        "{ markers = \"extra == 'cuda' and extra != 'cpu'\", platform = 'linux', source = 'two' }]"
    )
    assert found.pins == {
        "torch": (Pin("one", Condition(scope=CPU)), Pin("two", Condition(LINUX, CUDA)))
    }
    assert found.conflicts == (frozenset({CPU, CUDA}),)


def test_an_extra_may_exclude_several() -> None:
    markers = "extra == 'cpu' and extra != 'cuda' and extra != 'rocm'"
    found = read(f'torch = {{ markers = "{markers}", source = "one" }}')
    assert found.conflicts == (frozenset({CPU, CUDA}), frozenset({CPU, ROCM}))


def test_what_is_passed_over_need_not_be_readable() -> None:
    text = "a = { source = 'x', markers = 'nonsense' }"
    assert read(text, "a") == PoetrySources(pins={}, addresses={}, conflicts=())


@pytest.mark.parametrize(
    ("markers", "problem"),
    [
        ("extra == 'x' or extra == 'y'",
         "has \"(extra == 'x' or extra == 'y')\", which is not a marker of environments"),
        ("extra != 'x'", "has \"(extra != 'x')\", which names no extra that it is for, or several"),
        ("extra == 'x' and nonsense", "has 'nonsense', which is not a marker of environments"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(markers: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'[tool.poetry] a {problem}')}$"):
        read(f'a = {{ source = "x", markers = "{markers}" }}')
