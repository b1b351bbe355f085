"""Landings: which staged entries come as a whole, and in which folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.environment.places import Ways
from executor.files.held_folder import HeldFolder
from executor.transaction.journal_entries import Move
from executor.transaction.landing import Landings, check_lengths, existing_folder, landings


@pytest.fixture(name="staged")
def _staged(tmp_path: Path) -> Path:
    staging = tmp_path / "staging"
    for name in ("0/tree/demo/sub/a.py", "0/tree/top.py", "0/tree/lib64/libx.so"):
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text("")
    return staging


def landed(staged: Path, env: Path) -> list[tuple[str, str, list[str], bool]]:
    moves = [Move("0/tree", str(env))]
    with HeldFolder.at(str(staged)) as held:
        return sorted(
            (source, os.path.relpath(folder, env), sorted(names), is_linked)
            for source, folder, names, is_linked, _ in landings(moves, held, Ways([str(env)]))
        )


def test_into_a_folder_that_is_absent_all_comes_as_a_whole(tmp_path: Path, staged: Path) -> None:
    assert landed(staged, tmp_path / "env") == [("0/tree", ".", ["demo", "lib64", "top.py"], False)]


def test_folders_that_exist_have_landings_of_their_own(tmp_path: Path, staged: Path) -> None:
    (tmp_path / "env/demo").mkdir(parents=True)
    assert landed(staged, tmp_path / "env") == [
        ("0/tree", ".", ["lib64", "top.py"], False),
        ("0/tree/demo", "demo", ["sub"], False),
    ]


def test_a_link_inside_leads_to_another_folder(tmp_path: Path, staged: Path) -> None:
    (tmp_path / "env/lib").mkdir(parents=True)
    (tmp_path / "env/lib64").symlink_to("lib")
    assert ("0/tree/lib64", "lib", ["libx.so"], True) in landed(staged, tmp_path / "env")


def test_a_link_outside_leads_nowhere(tmp_path: Path, staged: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "env/demo").symlink_to(tmp_path / "sources")
    assert [names for _, _, names, _ in landed(staged, tmp_path / "env")] == [
        ["demo", "lib64", "top.py"]
    ]


def test_the_nearest_thing_that_exists_may_be_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to("nowhere")
    assert existing_folder(f"{tmp_path}/bin/x") == f"{tmp_path}/bin"
    assert existing_folder(f"{tmp_path}/a/b/c") == str(tmp_path)


@pytest.mark.parametrize("most", [1, 4096])
def test_they_are_looked_for_once_if_they_are_few(
    tmp_path: Path, staged: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("executor.transaction.landing._MAX_HELD", most)
    (tmp_path / "env/demo").mkdir(parents=True)
    ways = Ways([str(tmp_path / "env")])
    with HeldFolder.at(str(staged)) as held:
        found = Landings([Move("0/tree", str(tmp_path / "env"))], held, ways)
        first = list(found)
        assert list(found) == first
        (staged / "0/tree/top.py").unlink()
        assert (list(found) == first) == (most > 1)
        found.forget()
        assert sorted(next(iter(found)).names) == ["lib64"]
    assert [landing.met for landing in first] == [("demo",), ()]


@pytest.mark.parametrize(
    ("size", "too_long"),
    [(4095 - len("/demo/sub/a.py"), None), (4096 - len("/demo/sub/a.py"), "a.py")],
)
def test_a_path_that_the_kernel_does_not_take_is_found(
    staged: Path, size: int, too_long: str | None
) -> None:
    folder = "/".join(["", "\xe4" * 50, "x" * (size - 102)])
    assert len(os.fsencode(folder)) == size
    with HeldFolder.at(str(staged)) as held:
        if too_long is None:
            check_lengths([Move("0/tree", folder)], held)
            return
        with pytest.raises(OSError, match="File name too long") as caught:
            check_lengths([Move("0/tree", folder)], held)
    assert str(caught.value.filename).endswith(f"x/demo/sub/{too_long}")
