"""A fragment is checked against the build that it claims to be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.builds.fragment import Fragment, FragmentUnusable

UNIT = build_unit()
FRAGMENT = Fragment(
    key=UNIT.key,
    name=UNIT.name,
    target="cp312-manylinux_2_28_x86_64",
    sha256="e" * 64,
    size=100,
    record=build_record(lock="pylock.build-demo.toml"),
    build_lock='lock-version = "1.0"\n',
)


def test_what_is_written_is_read() -> None:
    assert Fragment.parse(FRAGMENT.render(), UNIT, "here") == FRAGMENT


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 2}, "it is not a fragment of version 1"),
        ({"key": "d" * 64}, "it belongs to another build than that of demo==1.0"),
        ({"package": "other"}, "it belongs to another build than that of demo==1.0"),
        ({"wheel": None}, "None is not the name of a wheel"),
        ({"wheel": {"name": "../demo-1.0-py3-none-any.whl"}}, "is not the name of a wheel"),
        ({"wheel": {"name": "other-1.0-py3-none-any.whl"}}, "is not a wheel of demo==1.0"),
        ({"wheel": {"name": "demo-2.0-py3-none-any.whl"}}, "is not a wheel of demo==1.0"),
        ({"wheel": {"name": "demo-1.0-cp311-cp311-win32.whl"}}, "does not suit CPython 3.12.0"),
        ({"wheel": {"name": "demo-1.0-py3-none-any.whl"}}, "it does not give size and sha256"),
        ({"build": {}}, "it does not record what the build took"),
        ({"build-lock": None}, "the lock of the build requirements is missing"),
        ({"build-lock": 7}, "the lock of the build requirements is missing"),
    ],
)
def test_what_its_build_would_not_have_written_is_refused(
    changes: dict[str, Any], problem: str
) -> None:
    content = json.dumps({**json.loads(FRAGMENT.render()), **changes}).encode()
    with pytest.raises(FragmentUnusable) as raised:
        Fragment.parse(content, UNIT, "here")
    assert str(raised.value).startswith("here: ")
    assert problem in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"[]", b"null"])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(FragmentUnusable):
        Fragment.parse(content, UNIT, "here")


def test_the_lock_of_the_build_stays_in_the_folder_of_the_lock() -> None:
    table = json.loads(FRAGMENT.render())
    table["build"]["lock"] = "../../etc/cron.d/x"
    with pytest.raises(FragmentUnusable, match="is not the name of a build lock"):
        Fragment.parse(json.dumps(table).encode(), UNIT, "here")
