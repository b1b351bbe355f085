"""Several targets in one plan: the same versions wherever they can be, and one entry for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from helpers.index import Index
from helpers.wheels import build_wheel
from planner.index.client import IndexClient
from planner.index.indexes import Indexes, parse_index
from planner.inputs.requirements_file import read_requirements
from planner.lock.compose import LockContent, build_lock
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.planning.plan import Plan, plan
from planner.resolver.solve import UnsolvableTargets
from planner.resolver.unsolvable import Unsolvable
from schemas.target import Target

LINUX = Target.named("3.11", "manylinux_2_28_x86_64")
OLD_LINUX = Target.named("3.10", "manylinux_2_28_x86_64")
MUSL = Target.named("3.11", "musllinux_1_2_x86_64")
WINDOWS = Target.named("3.11", "win_amd64")

LINUX_TAG = "cp311-cp311-manylinux_2_28_x86_64"
MUSL_TAG = "cp311-cp311-musllinux_1_2_x86_64"
WINDOWS_TAG = "cp311-cp311-win_amd64"


@pytest.fixture
def _app(index: Index) -> None:
    """Version 2.0 has no wheel for Windows."""
    index.add(
        build_wheel("app", "1.0", tag=LINUX_TAG),
        build_wheel("app", "1.0", tag=WINDOWS_TAG),
        build_wheel("app", "2.0", tag=LINUX_TAG),
    )


def make(
    index: Index, folder: Path, targets: Sequence[Target], *lines: str, align: bool = True
) -> Plan:
    path = folder / "requirements.in"
    path.write_text("\n".join(lines))
    inputs = read_requirements([str(path)], environment={})
    indexes = Indexes(places=(parse_index(index.url),))
    policy = Policy(align=align)
    with IndexClient() as client:
        return plan(inputs, group_targets(targets), client=client, indexes=indexes, policy=policy)


def entries(planned: Plan) -> list[tuple[str, str]]:
    return [
        (f"{entry.name} {entry.version}", str(entry.marker or "")) for entry, _ in planned.entries
    ]


def lock_of(planned: Plan) -> Pylock:
    content = LockContent(
        environments=planned.environments,
        entries=planned.entries,
        extras=(),
        groups=(),
        inputs={},
    )
    return build_lock(content)


def selected(lock: Pylock, target: Target) -> dict[str, str]:
    """What another reader of the lock would install."""
    chosen = lock.select(environment=target.environment, tags=target.tags)  # type: ignore[arg-type]
    return {package.name: file.filename for package, file in chosen}  # type: ignore[union-attr]


@pytest.mark.usefixtures("_app")
def test_versions_align_where_they_can(index: Index, tmp_path: Path) -> None:
    for targets in ([LINUX, WINDOWS], [WINDOWS, LINUX]):
        assert entries(make(index, tmp_path, targets, "app")) == [("app 1.0", "")]


@pytest.mark.usefixtures("_app")
def test_each_target_can_have_the_newest(index: Index, tmp_path: Path) -> None:
    assert entries(make(index, tmp_path, [LINUX, WINDOWS], "app", align=False)) == [
        ("app 1.0", 'sys_platform == "win32"'),
        ("app 2.0", 'sys_platform == "linux"'),
    ]


@pytest.mark.usefixtures("_app")
def test_versions_differ_where_they_must(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("top", requires=["app>=2; sys_platform == 'linux'", "app"]))
    planned = make(index, tmp_path, [LINUX, WINDOWS], "top")
    assert entries(planned) == [
        ("app 1.0", 'sys_platform == "win32"'),
        ("app 2.0", 'sys_platform == "linux"'),
        ("top 1.0", ""),
    ]
    top = planned.entries[-1][0]
    assert [(one.name, str(one.version)) for one in top.dependencies] == [
        ("app", "1.0"), ("app", "2.0"),
    ]  # fmt: skip


def test_markers_of_requirements_are_those_of_each_target(index: Index, tmp_path: Path) -> None:
    index.add(
        build_wheel("app", requires=["shim; python_version < '3.11'", "win; os_name == 'nt'"]),
        build_wheel("shim"),
        build_wheel("win"),
    )
    planned = make(index, tmp_path, [LINUX, OLD_LINUX, WINDOWS], "app")
    assert entries(planned) == [
        ("app 1.0", ""),
        ("shim 1.0", 'python_version < "3.11"'),
        ("win 1.0", 'sys_platform == "win32"'),
    ]


@pytest.mark.usefixtures("_app")
def test_every_target_gets_its_own_wheel(index: Index, tmp_path: Path) -> None:
    lock = lock_of(make(index, tmp_path, [LINUX, WINDOWS], "app"))
    assert selected(lock, LINUX) == {"app": f"app-1.0-{LINUX_TAG}.whl"}
    assert selected(lock, WINDOWS) == {"app": f"app-1.0-{WINDOWS_TAG}.whl"}


def test_targets_of_one_environment_get_one_version(index: Index, tmp_path: Path) -> None:
    index.add(
        build_wheel("app", "1.0", tag=LINUX_TAG, requires=["base"]),
        build_wheel("app", "1.0", tag=MUSL_TAG, requires=["other"]),
        build_wheel("app", "2.0", tag=MUSL_TAG),
        build_wheel("base"),
        build_wheel("other"),
    )
    lock = lock_of(make(index, tmp_path, [LINUX, MUSL], "app"))
    # No marker tells them apart, so each gets what either of the wheels asks for.
    for target, tag in ((LINUX, LINUX_TAG), (MUSL, MUSL_TAG)):
        assert selected(lock, target) == {
            "app": f"app-1.0-{tag}.whl",
            "base": "base-1.0-py3-none-any.whl",
            "other": "other-1.0-py3-none-any.whl",
        }


@pytest.mark.usefixtures("_app")
def test_a_target_without_a_wheel_is_named(index: Index, tmp_path: Path) -> None:
    with pytest.raises(Unsolvable) as raised:
        make(index, tmp_path, [LINUX, WINDOWS], "app>=2")
    assert str(raised.value).startswith(
        "no wheels satisfy the requirements for CPython 3.11.0 on win_amd64\n"
    )
    assert f"app-2.0-{LINUX_TAG}.whl: it is built for manylinux_2_28_x86_64" in str(raised.value)


@pytest.mark.usefixtures("_app")
def test_all_targets_without_a_wheel_are_named(index: Index, tmp_path: Path) -> None:
    with pytest.raises(UnsolvableTargets) as raised:
        make(index, tmp_path, [LINUX, WINDOWS, OLD_LINUX], "app>=2")
    told = str(raised.value)
    assert told.startswith("2 of 3 targets have no solution\n")
    assert "for CPython 3.11.0 on win_amd64\n" in told
    assert "for CPython 3.10.0 on manylinux_2_28_x86_64\n" in told


def test_many_targets_ask_for_nothing_twice(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("app", requires=["base"]), build_wheel("base"))
    make(index, tmp_path, [LINUX, WINDOWS, OLD_LINUX, MUSL], "app")
    assert len(index.paths()) == 4
