"""A lock has a name that the standard allows; that of a script is its own."""

from __future__ import annotations

import pytest

from planner.lock.lock_path import lock_path
from schemas.errors import UsageError


@pytest.mark.parametrize(
    ("output", "projects", "path"),
    [
        (None, (), "pylock.toml"),
        (None, (".",), "pylock.toml"),
        (None, ("app", "tools/make.py"), "pylock.toml"),
        (None, ("make.py",), "pylock.make.toml"),
        (None, ("tools/my.own.py",), "tools/pylock.my-own.toml"),
        ("pylock.ci.toml", ("make.py",), "pylock.ci.toml"),
        ("ci/pylock.toml", (), "ci/pylock.toml"),
        ("-", (), "-"),
    ],
)
def test_a_lock_has_the_path_that_is_named_or_its_default(
    output: str | None, projects: tuple[str, ...], path: str
) -> None:
    assert lock_path(output, projects) == path


@pytest.mark.parametrize("name", ["lock.toml", "pylock", "pylock.a.b.toml", "PYLOCK.TOML"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a lock cannot be called") as caught:
        lock_path(f"folder/{name}")
    assert caught.value.hint == "the standard allows pylock.toml and pylock.<name>.toml"


def test_a_file_of_requirements_leads_to_the_command_that_writes_it() -> None:
    with pytest.raises(UsageError) as caught:
        lock_path("our requirements.txt")
    assert "lockstream export -o 'our requirements.txt' writes it" in caught.value.hint


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_the_standard_output_has_a_name_of_its_own(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        lock_path(path)
    assert caught.value.hint == "write -o - for the standard output"
