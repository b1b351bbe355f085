"""Errors of a lock name the package, what was expected and found, and what to do."""

from __future__ import annotations

import pytest

from executor.lock.errors import (
    Ambiguous,
    Excluding,
    InsecureHashes,
    LockUnreadable,
    NeedsBuild,
    NoCompatibleWheel,
    NotForThisTarget,
    NotInstallable,
    UnknownName,
)
from schemas.errors import ExitCode, LockstreamError

SEVEN = tuple(f"demo-1.0-cp3{minor}-none-any.whl" for minor in range(7))


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (
            LockUnreadable("a.toml", "is a folder", "name the lock in it"),
            "a.toml: cannot be read: is a folder",
            3,
        ),
        (
            NotForThisTarget("CPython 3.11", "demo", "Python >=3.12", "plan"),
            "demo is for Python >=3.12, but the target is CPython 3.11",
            4,
        ),
        (
            NoCompatibleWheel("demo", "1.0", "CPython 3.11", SEVEN[:1], "plan"),
            f"demo 1.0: none of its wheels suits CPython 3.11; the lock lists {SEVEN[0]}",
            4,
        ),
        (
            NoCompatibleWheel("demo", "1.0", "CPython 3.11", SEVEN, "plan"),
            (
                "demo 1.0: none of its wheels suits CPython 3.11; "
                f"the lock lists {', '.join(SEVEN[:5])} and 2 more"
            ),
            4,
        ),
        (
            UnknownName("extra", "x", ("a", "b")),
            "the lock has no extra 'x'; it has a, b",
            2,
        ),
        (UnknownName("extra", "x", ()), "the lock has no extra 'x'; it has none", 2),
        (
            NeedsBuild(("a (directory)", "b (archive)")),
            (
                "the lock has no wheels of these packages, which must be built: "
                "a (directory), b (archive)"
            ),
            4,
        ),
        (
            Excluding(("extra a", "group b")),
            "extra a and group b exclude each other in this lock",
            2,
        ),
        (Ambiguous("demo", 3, 9), "package 'demo' is selected twice, at lines 3 and 9", 3),
        (Ambiguous("demo", 3, 9, True), "package 'demo' is selected twice, at lines 3 and 9", 3),
        (
            InsecureHashes("demo.whl", ("md5",)),
            "demo.whl: its hashes are md5, none of them is secure",
            3,
        ),
        (NotInstallable("demo", "it is odd"), "demo: it is odd", 3),
    ],
)
def test_each_says_what_is_wrong_and_what_to_do(
    error: LockstreamError, text: str, code: int
) -> None:
    assert str(error) == text
    assert error.exit_code is ExitCode(code)
    assert error.hint


def test_a_long_list_of_builds_is_cut() -> None:
    text = str(NeedsBuild(tuple(f"p{number}" for number in range(13))))
    assert text.endswith("p9 and 3 more")


def test_a_project_in_the_lock_of_another_tool_is_told_how_to_go_on() -> None:
    assert "uv export --no-emit-project" in NeedsBuild(("app (directory)",)).hint
    assert "--build-unmeasured" in NeedsBuild(("app (directory)",)).hint
    assert "uv" not in NeedsBuild(("app (directory)", "b (archive)")).hint
