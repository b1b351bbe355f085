"""The block of a package is what a plan would write, to its sizes and the bytes of its files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel
from planner import check_lock


def drop_measured(package: dict[str, Any]) -> None:
    del package["tool"]["lockstream"]["wheels"]


def drop_size(package: dict[str, Any]) -> None:
    del package["wheels"][0]["size"]


def state_another_size(package: dict[str, Any]) -> None:
    package["wheels"][0]["size"] += 1


def state_another_digest(package: dict[str, Any]) -> None:
    package["wheels"][0]["hashes"] = {"sha512": "0" * 128}


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (drop_measured, "the sizes of {} are not in the lock"),
        (drop_size, "the sizes of {} are not in the lock"),
        (state_another_size, "{} is another file than the one that was planned"),
        (state_another_digest, "{} is another file than the one that was planned"),
    ],
)
def test_sizes_and_digests_that_a_plan_would_not_write_are_found(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[dict[str, Any]], None],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    wheel = build_wheel("other", "1.0")
    wheel.write(tmp_path)
    plan_into(index, tmp_path, [f"-f {tmp_path}", "other"])
    lock = tmp_path / "pylock.toml"
    planned = lock.read_bytes()
    document = tomllib.loads(lock.read_text())
    spoil(document["packages"][0])
    lock.write_text(tomli_w.dumps(document))
    assert check_lock("pylock.toml").problems == (problem.format(wheel.filename),)
    assert lockstream.main(["plan", "-q"]) == 0
    assert lock.read_bytes() == planned


def rebuild(folder: Path) -> None:
    build_wheel("other", "1.0", files={"other.py": "new"}).write(folder)


def add_to_links(folder: Path) -> None:
    build_wheel("other", "2.0").write(folder)


@pytest.mark.parametrize(
    ("line", "change", "problems"),
    [
        ("other @ {url}", rebuild,
         ["other-1.0-py3-none-any.whl is another file than the one that was planned",
          "the content of other at its local address has changed"]),
        ("-f {folder}\nother", rebuild,
         ["other-1.0-py3-none-any.whl is another file than the one that was planned"]),
        ("-f {folder}\nother", add_to_links,
         ["the local folders of wheels have other files of other"]),
        ("other @ {url}", lambda folder: (folder / "other-1.0-py3-none-any.whl").unlink(),
         ["other-1.0-py3-none-any.whl: No such file or directory",
          "the content of other at its local address has changed"]),
    ],
)  # fmt: skip
def test_local_files_count_by_their_bytes(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    change: Callable[[Path], object],
    problems: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    url = build_wheel("other", "1.0").write(tmp_path).as_uri()
    plan_into(index, tmp_path, [line.format(url=url, folder=tmp_path)])
    assert check_lock("pylock.toml").problems == ()
    change(tmp_path)
    assert [*check_lock("pylock.toml").problems] == problems


@pytest.mark.parametrize(
    "dependencies",
    [[{}], [{"version": "1"}], [{"name": ["base"]}], [{"name": "base", "vcs": {"url": "x"}}]],
)
def test_dependencies_that_no_plan_writes_are_found(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dependencies: list[dict[str, object]],
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", "1.0", requires=["base"]), build_wheel("base", "1.0"))
    plan_into(index, tmp_path, ["app"])
    lock = tmp_path / "pylock.toml"
    document = tomllib.loads(lock.read_text())
    document["packages"][0]["dependencies"] = dependencies
    lock.write_text(tomli_w.dumps(document))
    (problem,) = check_lock(str(lock)).problems
    assert problem.startswith("app 1.0 now has other dependencies: ")
    assert "base" in problem
