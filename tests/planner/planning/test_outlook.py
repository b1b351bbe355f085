"""What an upgrade would choose is found without writing or building anything."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from helpers.index import Index
from helpers.locks import WINDOWS
from helpers.outlooks import locked_here, outlook_here, standing_of
from helpers.planning import plan_here, planned_packages
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def versions(*texts: str) -> tuple[Version, ...]:
    return tuple(map(Version, texts))


def test_it_is_what_an_upgrade_then_chooses(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", requires=["base", "old"]),
        build_wheel("base", "1.0"),
        build_wheel("old", "1.0"),
    )
    locked_here(index, "app")
    index.add(
        build_wheel("app", "2.0", requires=["base<3", "new"]),
        build_wheel("base", "2.0"),
        build_wheel("base", "3.0"),
        build_wheel("new", "0.1"),
        build_wheel("old", "1.1"),
    )
    outlook = outlook_here()
    assert {one.name: one.upgrade for one in outlook.standings} == {
        "app": versions("2.0"),
        "base": versions("2.0"),
        "old": (),
    }
    assert outlook.added == {"new": versions("0.1")}
    assert plan_here(index, "--upgrade") == 0
    packages = planned_packages().values()
    assert {one["name"]: one["version"] for one in packages} == {
        "app": "2.0",
        "base": "2.0",
        "new": "0.1",
    }


def test_nothing_is_written_and_no_wheel_is_sized(index: Index) -> None:
    index.metadata = True
    index.add(build_wheel("app", "1.0"))
    locked_here(index, "app")
    before = Path("pylock.toml").stat().st_mtime_ns, sorted(Path().iterdir())
    index.add(build_wheel("app", "2.0"))
    asked = len(index.paths())
    assert standing_of("app").upgrade == versions("2.0")
    assert (Path("pylock.toml").stat().st_mtime_ns, sorted(Path().iterdir())) == before
    assert set(index.paths()[asked:]) == {
        "/simple/app/",
        "/files/app-2.0-py3-none-any.whl.metadata",
    }


def test_a_project_that_nothing_requires_any_more_is_said(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("base", "1.0"), build_wheel("base", "2.0"))
    locked_here(index, "app", "base<2")
    Path("requirements.in").write_text("app\n")
    base = standing_of("base")
    assert (base.upgrade, base.newest, base.changes) == ((), None, True)
    assert base.remarks == ("nothing requires it any more",)


def test_what_the_inputs_require_themselves_is_known(index: Index) -> None:
    index.add(build_wheel("app", "1.0", requires=["base"]), build_wheel("base", "1.0"))
    locked_here(index, "app")
    found = {one.name: one.is_required_by_inputs for one in outlook_here().standings}
    assert found == {"app": True, "base": False}


def test_targets_may_get_different_versions(index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64"),
        build_wheel("app", "1.5", tag="cp311-cp311-win_amd64"),
    )
    targets = (*WINDOWS, "--no-align")
    locked_here(index, "app", arguments=targets)
    index.add(build_wheel("app", "2.0", tag="cp311-cp311-win_amd64"))
    app = standing_of("app")
    assert (app.locked, app.upgrade) == (versions("1.0", "1.5"), versions("1.0", "2.0"))
    assert app.hindrances == (
        (Version("2.0"), "it has no wheel for CPython 3.11.0 on manylinux_2_28_x86_64"),
    )


def test_an_upgrade_may_go_back(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"))
    locked_here(index, "app")
    index.add(build_wheel("app", "2.0"), yanked="a bug")
    app = standing_of("app")
    assert (app.upgrade, app.newest) == (versions("1.0"), Version("1.0"))
    assert (app.is_outdated, app.changes) == (False, True)
    assert app.remarks == ("2.0 is yanked: a bug",)


def test_a_locked_pre_release_is_compared_with_later_ones(index: Index) -> None:
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0rc1"))
    locked_here(index, "app>=2.0rc1")
    index.add(build_wheel("app", "2.0rc2"))
    app = standing_of("app")
    assert (app.upgrade, app.newest) == (versions("2.0rc2"), Version("2.0rc2"))


def test_what_is_required_by_its_address_is_not_called_up_to_date(
    index: Index, tmp_path: Path
) -> None:
    wheel = build_wheel("app", "1.0")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    index.add(build_wheel("app", "2.0"))
    locked_here(index, f"app @ {(tmp_path / wheel.filename).as_uri()}")
    outlook = outlook_here()
    assert outlook.standings == ()
    assert outlook.uncompared == ("app is locked by the address of its file",)


def test_a_project_that_is_now_required_by_its_address_is_not_compared(
    index: Index, tmp_path: Path
) -> None:
    wheel = build_wheel("app", "1.0")
    index.add(wheel)
    locked_here(index, "app")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    Path("requirements.in").write_text(f"app @ {(tmp_path / wheel.filename).as_uri()}\n")
    assert outlook_here().uncompared == ("app is required by its address",)


def test_but_another_version_at_its_address_is_an_upgrade(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("app", "1.0"))
    locked_here(index, "app")
    wheel = build_wheel("app", "1.1")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    Path("requirements.in").write_text(f"app @ {(tmp_path / wheel.filename).as_uri()}\n")
    app = standing_of("app")
    assert (app.upgrade, app.newest) == (versions("1.1"), None)
    assert app.remarks == ("it is required by its address",)


def test_a_source_is_not_built_and_the_lock_of_its_build_stays(
    index: Index, tmp_path: Path
) -> None:
    index.add(build_wheel("tool", "1.0"))
    ran = tmp_path / "ran"
    sdist = build_sdist("app", "1.0")
    index.add_file(sdist.filename, sdist.content)
    assert plan_here(index, "--build", "missing", lines=["app"], targets=()) == 0
    shutil.rmtree("wheelhouse")
    newer = build_sdist("app", "2.0", before_wheel=f"open({str(ran)!r}, 'w')")
    index.add_file(newer.filename, newer.content)
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    assert standing_of("app").upgrade == versions("2.0")
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before
    assert tomllib.loads(before["pylock.toml"].decode())["packages"][0]["version"] == "1.0"
