"""Branches that add different packages merge without a conflict, into a lock that is right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import WINDOWS, plan_into
from helpers.repositories import own_git
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")

LINES = ["app", "middle", "zoo"]


@pytest.fixture
def repository(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock under version control."""
    own_git(monkeypatch)
    for name in ("app", "middle", "zoo", "shared"):
        index.add(build_wheel(name, requires=["shared"] if name != "shared" else []))
    index.add(build_wheel("base", requires=["shared", "new"]), build_wheel("new"))
    index.add(build_wheel("water", requires=["win; os_name == 'nt'", "new"]), build_wheel("win"))
    git(tmp_path, "init", "-q", "-b", "main")
    commit(index, tmp_path, LINES)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def commit(index: Index, folder: Path, lines: list[str]) -> None:
    plan_into(index, folder, lines, *WINDOWS)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Plan")


def test_branches_merge_whose_packages_have_extras_and_hashes(
    index: Index, repository: Path
) -> None:
    index.add(build_wheel("beta", extras={"x": ["new"]}))
    hashed = build_wheel("wave")
    index.add(hashed)
    one, two = "beta[x]", f"wave --hash=sha256:{hashed.sha256}"
    git(repository, "checkout", "-q", "-b", "one")
    commit(index, repository, ["app", one, "middle", "zoo"])
    git(repository, "checkout", "-q", "-b", "two", "main")
    commit(index, repository, ["app", "middle", two, "zoo"])
    git(repository, "merge", "-q", "--no-edit", "one")
    lock = repository / "pylock.toml"
    assert lockstream.main(["check", str(lock)]) == 0
    merged = lock.read_text()
    plan_into(index, repository, ["app", one, "middle", two, "zoo"], *WINDOWS, "--refresh")
    assert lock.read_text() == merged


def test_a_wheel_that_a_merge_left_for_a_target_that_is_gone_is_found(
    index: Index, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for platform in ("manylinux_2_28_x86_64", "win_amd64"):
        index.add(build_wheel("native", tag=f"cp311-cp311-{platform}"))
    lock = repository / "pylock.toml"
    plan_into(index, repository, ["native"], *WINDOWS, "--refresh")
    both = lock.read_text()
    plan_into(index, repository, ["native"], "--forget", "--refresh")
    linux = lock.read_text()
    start = "[[packages]]"
    lock.write_text(linux.partition(start)[0] + start + both.partition(start)[2])
    assert lockstream.main(["check", str(lock)]) == 1
    problem = "no target of the lock uses native-1.0-cp311-cp311-win_amd64.whl"
    assert problem in capsys.readouterr().err
    plan_into(index, repository, ["native"], "--refresh")
    assert lock.read_text() == linux


def test_two_branches_merge(index: Index, repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "one")
    commit(index, repository, ["app", "base", "middle", "zoo"])
    git(repository, "checkout", "-q", "-b", "two", "main")
    commit(index, repository, ["app", "middle", "water", "zoo"])
    git(repository, "merge", "-q", "--no-edit", "one")
    lock = repository / "pylock.toml"
    assert lockstream.main(["check", str(lock)]) == 0
    merged = lock.read_text()
    plan_into(index, repository, ["app", "base", "middle", "water", "zoo"], *WINDOWS)
    assert lock.read_text() == merged
