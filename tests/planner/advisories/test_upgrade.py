"""The commands that choose other versions are those that work for the lock."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

import lockstream
from helpers.exports import lock_with, wheel
from helpers.index import Index
from helpers.locks import foreign_lock, plan_into
from helpers.wheels import build_wheel
from planner.advisories.upgrade import upgrade_commands
from planner.lock.reader import read_lock


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def follow(commands: tuple[str, ...]) -> None:
    """Run them, as a user types them."""
    for command in commands:
        assert lockstream.main(command.split()[1:]) == 0


def planned(index: Index, tmp_path: Path, name: str = "pylock.toml") -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("base", "1.0"))
    plan_into(index, tmp_path, ["app", "base"], name=name)
    index.add(build_wheel("app", "2.0"), build_wheel("base", "2.0"))


def versions_in(path: str) -> dict[str, str]:
    return {one.name: str(one.version) for one in read_lock(path).packages}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("pylock.toml", "lockstream plan --upgrade-package app"),
        ("pylock.dev.toml", "lockstream plan -o pylock.dev.toml --upgrade-package app"),
    ],
)
def test_a_planned_lock_is_planned_again(
    index: Index, tmp_path: Path, name: str, command: str
) -> None:
    planned(index, tmp_path, name)
    commands = upgrade_commands(read_lock(name), name, ["app"])
    assert commands == (command,)
    follow(commands)
    assert versions_in(name) == {"app": "2.0", "base": "1.0"}


def test_a_subset_is_made_again_of_the_lock_that_decides(index: Index, tmp_path: Path) -> None:
    planned(index, tmp_path)
    assert lockstream.main(["subset", "--package", "app", "-o", "pylock.app.toml"]) == 0
    commands = upgrade_commands(read_lock("pylock.app.toml"), "pylock.app.toml", ["app"])
    assert commands == (
        "lockstream plan --upgrade-package app",
        "lockstream subset pylock.toml --package app -o pylock.app.toml",
    )
    follow(commands)
    assert versions_in("pylock.app.toml") == {"app": "2.0"}


def test_a_lock_of_another_tool_is_planned_with_the_project(index: Index, tmp_path: Path) -> None:
    old = [build_wheel(name, "1.0") for name in ("app", "base")]
    index.add(*old, build_wheel("app", "2.0"), build_wheel("base", "2.0"))
    folder = tmp_path / "service"
    folder.mkdir()
    packages = [
        {
            "name": one.name,
            "wheels": [
                {
                    "url": index.url_of(one.filename),
                    "hashes": {"sha256": sha256(one.content).hexdigest()},
                }
            ],
        }
        for one in old
    ]
    path = foreign_lock(folder / "pylock.toml", packages)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1.0"\ndependencies = ["app", "base"]\n'
        f'[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
    )
    place = "service/pylock.toml"
    commands = upgrade_commands(read_lock(path), place, ["app"])
    assert commands == (f"lockstream plan service -o {place} --upgrade-package app",)
    follow(commands)
    assert versions_in(place) == {"app": "2.0", "base": "1.0"}


def test_nothing_to_upgrade_needs_no_command() -> None:
    assert upgrade_commands(lock_with(wheel("app")), "pylock.toml", []) == ()
