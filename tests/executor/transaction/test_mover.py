"""Moves land in the folders of the environment, whatever is exchanged for a link meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.files.held_folder import HeldFolder
from executor.transaction.mover import Mover
from helpers.trees import snapshot


@pytest.fixture(name="staging")
def _staging(tmp_path: Path) -> Iterator[HeldFolder]:
    for path in ("staging/0/tree/pkg/sub/a.py", "staging/0/tree/pkg/b.py", "staging/0/tree/top.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    for folder in ("env/lib", "outside"):
        (tmp_path / folder).mkdir(parents=True)
    with HeldFolder.at(str(tmp_path / "staging")) as staging:
        yield staging


def move(staging: HeldFolder, tmp_path: Path, to: str = "lib") -> Mover:
    mover = Mover([f"{tmp_path}/env/lib", f"{tmp_path}/env"])
    mover.make(staging, "0/tree", f"{tmp_path}/env/{to}", None)
    return mover


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


ALL = {"pkg/sub/a.py", "pkg/b.py", "top.py"}


def test_all_is_moved(staging: HeldFolder, tmp_path: Path) -> None:
    assert move(staging, tmp_path).changed == {f"{tmp_path}/env/lib"}
    assert files(tmp_path / "env/lib") == ALL
    assert staging.names("0") == []


def test_what_exists_is_merged(staging: HeldFolder, tmp_path: Path) -> None:
    (tmp_path / "env/lib/pkg/sub").mkdir(parents=True)
    (tmp_path / "env/lib/pkg/sub/other.py").write_text("")
    move(staging, tmp_path)
    assert files(tmp_path / "env/lib") == ALL | {"pkg/sub/other.py"}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.EIO])
def test_what_exists_is_merged_whatever_error_a_file_system_has_for_it(
    staging: HeldFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """sshfs says EPERM of a folder with contents, and SMB EACCES."""
    (tmp_path / "env/lib/pkg/sub").mkdir(parents=True)
    (tmp_path / "env/lib/pkg/sub/other.py").write_text("")
    rename = os.rename

    def refuse(source: str, destination: str, **keywords: int) -> None:
        try:
            rename(source, destination, **keywords)
        except OSError as error:
            raise OSError(number, os.strerror(number), source) from error

    monkeypatch.setattr(os, "rename", refuse)
    move(staging, tmp_path)
    assert files(tmp_path / "env/lib") == ALL | {"pkg/sub/other.py"}


def test_a_folder_that_is_absent_is_made_below_its_root(
    staging: HeldFolder, tmp_path: Path
) -> None:
    move(staging, tmp_path, "include/site/demo")
    assert files(tmp_path / "env/include/site/demo") == ALL


def test_a_link_that_stays_inside_is_passed(staging: HeldFolder, tmp_path: Path) -> None:
    (tmp_path / "env/other").mkdir()
    (tmp_path / "env/lib/pkg").symlink_to("../other")
    move(staging, tmp_path)
    assert files(tmp_path / "env/other") == {"sub/a.py", "b.py"}


def test_a_folder_that_a_removal_emptied_is_made_again_behind_its_link(
    staging: HeldFolder, tmp_path: Path
) -> None:
    (tmp_path / "env/lib/pkg").symlink_to("../share/pkg")
    move(staging, tmp_path)
    assert files(tmp_path / "env/lib") >= {"top.py"}
    assert files(tmp_path / "env/share/pkg") == {"sub/a.py", "b.py"}


def test_no_folder_is_made_behind_a_link_that_leaves_the_environment(
    staging: HeldFolder, tmp_path: Path
) -> None:
    (tmp_path / "env/lib/pkg").symlink_to(tmp_path / "outside/pkg")
    with pytest.raises(NotADirectoryError):
        move(staging, tmp_path)
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("errors", [{}, {"pkg": errno.EXDEV}, {"pkg": errno.ENOTEMPTY}])
def test_a_link_that_leaves_the_environment_is_not(
    staging: HeldFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: dict[str, int]
) -> None:
    (tmp_path / "env/lib/pkg").symlink_to(tmp_path / "outside")
    rename = os.rename

    def failing(source: str, destination: str, **keywords: Any) -> None:
        if source in errors:
            raise OSError(errors[source], os.strerror(errors[source]))
        rename(source, destination, **keywords)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(
        NotADirectoryError if not errors else OSError, match=r"directory|link|empty"
    ):
        move(staging, tmp_path)
    assert os.listdir(tmp_path / "outside") == []


def exchange(path: Path, outside: Path) -> None:
    path.rename(path.with_name("away"))
    path.symlink_to(outside)


STEPS = range(8)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("folder", ["env/lib/pkg", "env/lib/pkg/sub", "staging/0/tree/pkg"])
def test_a_folder_that_is_exchanged_between_two_steps_leads_nowhere(
    staging: HeldFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, step: int
) -> None:
    """Before the first, second, ... call that opens, renames or removes something."""
    (tmp_path / "env/lib/pkg/sub").mkdir(parents=True)
    (tmp_path / "env/lib/pkg/sub/other.py").write_text("")
    outside = tmp_path / "outside"
    for name in ("sub", "a.py", "b.py", "keep"):
        (outside / name).mkdir()
    before, calls = snapshot(outside), iter(range(1000))

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if next(calls) == step * 3:
                exchange(tmp_path / folder, outside)
            return real(*arguments, **keywords)

        return call

    for name in ("rename", "rmdir", "open"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    with suppress(NotADirectoryError, FileNotFoundError, IsADirectoryError):
        move(staging, tmp_path)
    monkeypatch.undo()
    assert snapshot(outside) == before


def test_to_another_file_system_it_is_copied(
    staging: HeldFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def between(source: str, destination: str, **keywords: Any) -> None:
        if source != ".lockstream-new":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, destination, **keywords)

    monkeypatch.setattr(os, "rename", between)
    (tmp_path / "env/lib/pkg").mkdir()
    assert move(staging, tmp_path).changed >= {f"{tmp_path}/env/lib", f"{tmp_path}/env/lib/pkg"}
    assert files(tmp_path / "env/lib") == ALL
    assert staging.names("0") == []


def test_a_folder_that_is_exchanged_between_two_wheels_is_no_success(
    staging: HeldFolder, tmp_path: Path
) -> None:
    """It is held open, and its files would go where nobody looks for them."""
    mover = Mover([str(tmp_path / "env"), str(tmp_path / "env/lib")])
    mover.make(staging, "0/tree", str(tmp_path / "env/lib"), None)
    exchange(tmp_path / "env/lib", tmp_path / "outside")
    with pytest.raises(OSError, match="exchanged"):
        mover.leave()
    mover.close()
    assert os.listdir(tmp_path / "outside") == []


def test_a_wheel_of_which_all_is_moved_leaves_nothing(staging: HeldFolder, tmp_path: Path) -> None:
    staging.write("0/complete", b"{}")
    mover = Mover([str(tmp_path / "env")])
    mover.make(staging, "0/tree", str(tmp_path / "env/lib"), "pkg")
    mover.leave()
    assert staging.names() == []
