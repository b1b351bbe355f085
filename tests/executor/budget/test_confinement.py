"""A budget that no limit enforces is enforced by the kernel, if a group may be made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.budget import confinement
from executor.budget.cgroups import own_groups, read_int
from executor.budget.confinement import SMALLEST, confined
from executor.budget.memory import resident

MIB = 1 << 20


def own_memory_group() -> str:
    return next((folder for folder, _ in own_groups("memory")), "")


def may_make_groups() -> bool:
    place = confinement.place_for_group()
    return place is not None and os.access(place[1], os.W_OK) and os.geteuid() == 0


@pytest.mark.skipif(not may_make_groups(), reason="needs a writable memory cgroup")
class TestWherePossible:
    def test_the_body_runs_in_a_group_with_the_limit(self) -> None:
        home = own_memory_group()
        budget = resident() + 64 * MIB
        with confined(budget) as is_confined:
            group = own_memory_group()
            assert is_confined
            assert group != home
            limit = read_int(os.path.join(group, "memory.limit_in_bytes"))
            limit = limit or read_int(os.path.join(group, "memory.max"))
            assert limit is not None
            assert SMALLEST <= limit <= 64 * MIB
        assert own_memory_group() == home
        assert not os.path.exists(group)

    def test_an_error_in_the_body_leaves_no_group(self) -> None:
        home = own_memory_group()
        groups: list[str] = []

        def fail() -> None:
            with confined(resident() + 64 * MIB):
                groups.append(own_memory_group())
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert own_memory_group() == home
        assert groups != [home]
        assert not os.path.exists(groups[0])

    def test_what_is_left_of_the_budget_must_be_enough_to_work_in(self) -> None:
        with confined(resident() + SMALLEST // 2) as is_confined:
            assert not is_confined


def test_where_there_are_no_groups_the_body_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confinement, "own_groups", lambda _: iter(()))
    with confined(64 * MIB) as is_confined:
        assert not is_confined


def test_where_none_may_be_made_the_body_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement, "own_groups", lambda _: iter([(str(tmp_path / "gone"), 1)]))
    with confined(1024 * MIB) as is_confined:
        assert not is_confined


def test_below_a_group_of_version_2_that_gives_no_limits_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "cgroup.subtree_control").write_text("cpu pids\n")
    monkeypatch.setattr(confinement, "own_groups", lambda _: iter([(str(tmp_path / "home"), 2)]))
    with confined(1024 * MIB) as is_confined:
        assert not is_confined
    assert sorted(os.listdir(tmp_path)) == ["cgroup.subtree_control", "home"]


@pytest.mark.parametrize(("control", "is_found"), [("memory pids", True), ("cpu", False)])
def test_a_group_of_version_2_is_made_below_ours_and_never_next_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control: str, is_found: bool
) -> None:
    # A scope of systemd: its parent may limit groups, but they would escape the limit of the scope.
    home = tmp_path / "user.slice" / "run-u7.scope"
    home.mkdir(parents=True)
    (home.parent / "cgroup.subtree_control").write_text("memory pids\n")
    (home / "cgroup.subtree_control").write_text(f"{control}\n")
    monkeypatch.setattr(confinement, "own_groups", lambda _: iter([(str(home), 2)]))
    expected = (str(home), str(home), 2) if is_found else None
    assert confinement.place_for_group() == expected
