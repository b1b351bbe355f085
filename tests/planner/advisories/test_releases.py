"""Which releases of a lock advisories can be about."""

from __future__ import annotations

from typing import Any

from executor import SelectOptions
from helpers.exports import lock_with, sdist, wheel
from planner.advisories.audit import AuditRequest
from planner.advisories.releases import releases_of

VCS = {"type": "git", "url": "https://git.example/demo.git", "commit-id": "0" * 40}


def names_of(lock: Any, **request: Any) -> list[str]:
    return [name for name, _ in releases_of(lock, AuditRequest(**request))[0]]


def test_every_package_counts_that_has_a_version() -> None:
    lock = lock_with(
        wheel("app"),
        sdist("built", "2.0"),
        {"name": "fork", "version": "3.0", "vcs": VCS},
    )
    pins, others = releases_of(lock, AuditRequest())
    assert [(name, str(version)) for name, version in pins] == [
        ("app", "1.0"),
        ("built", "2.0"),
        ("fork", "3.0"),
    ]
    assert others == ()


def test_a_version_may_be_known_by_the_file_alone() -> None:
    unversioned = {key: value for key, value in wheel("app", "1.5").items() if key != "version"}
    ((_, version),), _ = releases_of(lock_with(unversioned), AuditRequest())
    assert str(version) == "1.5"


def test_what_no_database_can_know_is_told() -> None:
    """The name of a folder is that of the user's own project, which nobody else should learn."""
    lock = lock_with(
        {"name": "own", "version": "1.0", "directory": {"path": "."}},
        {"name": "fork", "vcs": VCS},
    )
    pins, others = releases_of(lock, AuditRequest())
    assert pins == ()
    assert others == ("own is locked as a folder", "the lock does not record the version of fork")


def test_without_a_choice_all_extras_and_groups_count() -> None:
    lock = lock_with(
        wheel("app"),
        wheel("fast", marker="'fast' in extras and 'slow' not in extras"),
        wheel("slow", marker="'slow' in extras and 'fast' not in extras"),
        wheel("pytest", marker="'dev' in dependency_groups"),
        extras=["fast", "slow"],
        dependency_groups=["dev"],
    )
    assert names_of(lock) == ["app", "fast", "slow", "pytest"]
    assert names_of(lock, select=SelectOptions()) == ["app"]
    assert names_of(lock, select=SelectOptions(extras=frozenset({"fast"}))) == ["app", "fast"]


def test_a_target_leaves_out_what_it_does_not_need() -> None:
    lock = lock_with(
        wheel("app", marker="sys_platform == 'linux'"),
        wheel("colorama", marker="sys_platform == 'win32' and 'fast' in extras"),
        extras=["fast"],
    )
    assert names_of(lock) == ["app", "colorama"]
    windows: dict[str, Any] = {"platforms": ("windows",), "python_versions": ("3.12",)}
    assert names_of(lock, **windows) == ["colorama"]
    assert names_of(lock, **windows, select=SelectOptions()) == []
