"""Poetry's constraints and tables become requirements that mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from planner.inputs.poetry import poetry_lines, poetry_specifier, source_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", ""),
        ("", ""),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("1.2.*", "==1.2.*"),
        (">= 1.2, < 2", ">=1.2,<2"),
        (">=1.2 <2", ">=1.2,<2"),
        ("~=1.2", "~=1.2"),
        ("!=1.5", "!=1.5"),
        ("^1.2.3", ">=1.2.3,<2"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^1.0rc1", ">=1.0rc1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("^1.2,!=1.5", ">=1.2,<2,!=1.5"),
        ("^1!2.0", ">=1!2.0,<1!3"),
        ("~1!2.3", ">=1!2.3,<1!2.4"),
        (">=1.0.*,<2.*", ">=1.0,<2"),
    ],
)
def test_a_constraint_is_a_range_of_versions(text: str, expected: str) -> None:
    assert SpecifierSet(poetry_specifier(text)) == SpecifierSet(expected)


@pytest.mark.parametrize("text", ["1|2", "^1 ||", "^x.y", "latest version !"])
def test_a_constraint_that_has_no_specifier_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Requirement(f"a{poetry_specifier(text)}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("^1.0", ["a>=1.0,<2"]),
        ({"version": "1.0", "extras": ["x", "y"]}, ["a[x,y]==1.0"]),
        ({"version": "*", "markers": "os_name == 'nt' or os_name == 'posix'"},
         ["a ; (os_name == 'nt' or os_name == 'posix')"]),
        ({"version": "*", "python": "^3.8", "platform": "win32"},
         ["a ; python_version >= '3.8' and python_version < '4' and sys_platform == 'win32'"]),
        ({"version": "*", "platform": "!=win32"}, ["a ; sys_platform != 'win32'"]),
        ({"version": "*", "platform": "!= win32, != darwin"},
         ["a ; sys_platform != 'win32' and sys_platform != 'darwin'"]),
        ({"version": "*", "platform": "*"}, ["a"]),
        ({"version": "*", "platform": "linux || ==darwin", "python": "^2.7 || ^3.8"},
         [("a ; (python_version >= '2.7' and python_version < '3' or python_version >= '3.8' and "
           "python_version < '4') and (sys_platform == 'linux' or sys_platform == 'darwin')")]),
        ({"version": "*", "python": "* || <3"}, ["a"]),
        ({"version": "1", "python": ">=3.8.1"}, ["a==1 ; python_full_version >= '3.8.1'"]),
        ({"version": "1", "python": ">3.8,!=3.11.*"},
         ["a==1 ; python_full_version > '3.8.0' and python_version != '3.11.*'"]),
        ({"version": "1", "python": "<=3.12,!=3.10"},
         ["a==1 ; python_full_version <= '3.12.0' and python_full_version != '3.10.0'"]),
        ([{"version": "1", "python": "<3.9"}, {"version": "2", "python": ">=3.9"}],
         ["a==1 ; python_version < '3.9'", "a==2 ; python_version >= '3.9'"]),
        ({"path": "my lib"}, ["a @ file:my%20lib"]),
        ({"url": "https://f.example/a.zip#sha256=0f", "subdirectory": "b c"},
         ["a @ https://f.example/a.zip#sha256=0f&subdirectory=b%20c"]),
        ({"git": "https://git.example/a.git", "branch": "main", "subdirectory": "b"},
         ["a @ git+https://git.example/a.git@main#subdirectory=b"]),
        ({"url": "https://files.example/a-1.tar.gz"}, ["a @ https://files.example/a-1.tar.gz"]),
        ({"path": "../a"}, ["a @ file:../a"]),
    ],
)  # fmt: skip
def test_an_entry_is_one_requirement_for_each_table(value: Any, expected: list[str]) -> None:
    found = [str(Requirement(line)) for line in poetry_lines("a", value)]
    assert found == [str(Requirement(line)) for line in expected]


@pytest.mark.parametrize("value", [1, None, {"extras": "x"}, {"extras": [1]}, [1]])
def test_a_malformed_entry_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(poetry_lines("a", value))


def test_an_address_of_ssh_is_a_url() -> None:
    assert source_url({"git": "git@git.example:a/b.git"}) == "git+ssh://git@git.example/a/b.git"
    assert source_url({"version": "1"}) is None


def test_a_platform_with_an_exclamation_mark_alone_is_not_taken_for_that_platform() -> None:
    with pytest.raises(ValueError, match="'!darwin' is not a platform; another one than NAME is"):
        list(poetry_lines("a", {"version": "*", "platform": "!darwin"}))
