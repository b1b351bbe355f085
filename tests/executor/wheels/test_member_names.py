"""Names that any file system takes for one are one."""

from __future__ import annotations

import pytest

from executor.wheels.member_names import MemberNames, NameCollision, folded


def check(*names: str) -> None:
    known = MemberNames()
    files = [name for name in names if not name.endswith("/")]
    for name in files:
        known.add(name)
    for name in names:
        known.check_folders(name)
    known.check_files(files)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/B", "A/b"),
        ("\xc9.py", "\xe9.py"),
        ("e\u0301.py", "\xe9.py"),
        ("E\u0301.py", "\xe9.py"),
        ("\u017f.py", "S.py"),
        ("ma\xdfe", "MASSE"),
        ("\ufb01", "FI"),
    ],
)
def test_two_spellings_of_one_name_collide(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    with pytest.raises(NameCollision) as caught:
        check("x", one, other)
    assert caught.value.name == other


@pytest.mark.parametrize(
    "names",
    [("a", "A/"), ("A/", "a"), ("a", "A/x"), ("x/a", "X/A/y/z"), ("a/b/c", "a/b/c/")],
)
def test_a_file_is_no_folder(names: tuple[str, ...]) -> None:
    with pytest.raises(NameCollision):
        check(*names)


def test_other_names_are_others() -> None:
    check("a/", "a/b", "a/c/", "a/c/d", "b/a", "ab", "a.b", "e", "\xe9")
