"""Install: what is decided before anything is written, and what changes then."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.environment.installed import installed_distributions
from executor.install.decide import decide
from helpers.environments import environment_below, read_record
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel, lock_of
from schemas.errors import LockstreamError

OLD = build_wheel("demo", "1.0", files={"demo/a.py": "old", "demo/gone.py": "", "same.py": ""})
NEW = build_wheel("demo", "2.0", files={"demo/a.py": "new", "same.py": ""})
OTHER = build_wheel("other", files={"other.py": "", "demo/other.py": ""})


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


def packages(environment: Environment) -> Path:
    return Path(environment.interpreter.schemes.purelib)


def installed(environment: Environment) -> list[str]:
    found = installed_distributions(str(packages(environment)))
    return [f"{one.name} {one.version}" for one in found]


def test_deciding_reads_the_lock_and_nothing_else(tmp_path: Path, environment: Environment) -> None:
    """Nobody listens at the address, and nothing is written."""
    path = write_lock(tmp_path / "project", [OLD, OTHER], base_url="http://127.0.0.1:9")
    before = snapshot(tmp_path)
    changes = decide(path, environment)
    assert [step.name for step in changes.install] == ["demo", "other"]
    assert snapshot(tmp_path) == before


def test_another_version_takes_the_place_of_what_is_there(
    tmp_path: Path, environment: Environment
) -> None:
    execute(write_lock(tmp_path / "old", [OLD, OTHER]), environment)
    report = execute(write_lock(tmp_path / "new", [NEW, OTHER]), environment)
    assert (report.installed, report.removed, report.unchanged) == (1, 1, 1)
    assert installed(environment) == ["demo 2.0", "other 1.0"]
    assert (packages(environment) / "demo/a.py").read_text() == "new"
    assert not (packages(environment) / "demo/gone.py").exists()
    assert (packages(environment) / "demo/other.py").exists()
    fresh = environment_below(tmp_path / "fresh")
    execute(write_lock(tmp_path / "new", [NEW, OTHER]), fresh)
    assert snapshot(Path(environment.path)) == snapshot(Path(fresh.path))


def test_what_new_files_inherit_they_inherit_from_the_folder_of_the_packages(
    tmp_path: Path, environment: Environment
) -> None:
    packages(environment).chmod(0o2755)
    execute(
        write_lock(tmp_path, [build_wheel("demo", data_files={"data/share/x": ""})]), environment
    )
    for folder in (packages(environment) / "demo", Path(environment.path) / "share"):
        assert folder.stat().st_mode & stat.S_ISGID, folder


def test_a_version_that_is_refused_leaves_the_old_one(
    tmp_path: Path, environment: Environment
) -> None:
    execute(write_lock(tmp_path / "old", [OLD]), environment)
    before = snapshot(Path(environment.path))
    bad = NEW.edited("demo/a.py", headers={"crc": 1})
    with pytest.raises(LockstreamError):
        execute(write_lock(tmp_path / "new", [bad]), environment)
    assert snapshot(Path(environment.path)) == before


@pytest.mark.parametrize("exact", [True, False])
def test_what_the_lock_does_not_hold_goes_only_where_it_is_asked_to(
    tmp_path: Path, environment: Environment, exact: bool
) -> None:
    execute(write_lock(tmp_path / "both", [OLD, OTHER]), environment)
    execute(write_lock(tmp_path / "one", [OTHER]), environment, sync=Sync(exact=exact))
    assert installed(environment) == (["other 1.0"] if exact else ["demo 1.0", "other 1.0"])
    assert (packages(environment) / "demo/a.py").exists() is not exact


def test_reinstalling_mends_what_was_changed(tmp_path: Path, environment: Environment) -> None:
    path = write_lock(tmp_path / "project", [OLD, OTHER])
    execute(path, environment)
    before = snapshot(Path(environment.path))
    (packages(environment) / "demo/a.py").write_text("changed")
    assert execute(path, environment).installed == 0
    sync = Sync(reinstall_packages=frozenset({"demo"}))
    assert execute(path, environment, sync=sync).installed == 1
    assert snapshot(Path(environment.path)) == before


def test_an_archive_is_told_from_a_version(tmp_path: Path, environment: Environment) -> None:
    """direct_url.json is for what was asked for by its address, and for nothing else."""
    folder = tmp_path / "project"
    folder.mkdir()
    OLD.write(folder)
    OTHER.write(folder)
    archive = {"path": OLD.filename, "size": OLD.size, "hashes": {"sha256": OLD.sha256}}
    text = lock_of([OTHER]).replace(
        "[[packages]]",
        f'[[packages]]\nname = "demo"\n[packages.archive]\npath = "{archive["path"]}"\n'
        f'hashes = {{sha256 = "{OLD.sha256}"}}\n\n[[packages]]',
        1,
    )
    (folder / "pylock.toml").write_text(text)
    execute(str(folder / "pylock.toml"), environment)
    direct_url = packages(environment) / OLD.dist_info / "direct_url.json"
    assert json.loads(direct_url.read_text()) == {
        "url": (folder / OLD.filename).as_uri(),
        "archive_info": {"hashes": {"sha256": OLD.sha256}},
    }
    assert direct_url.resolve() in read_record(direct_url.parent)
    assert not (packages(environment) / OTHER.dist_info / "direct_url.json").exists()


def test_a_file_that_is_not_there_is_missed(tmp_path: Path, environment: Environment) -> None:
    path = write_lock(tmp_path / "project", [OLD])
    (tmp_path / "project" / OLD.filename).unlink()
    before = snapshot(tmp_path)
    with pytest.raises(LockstreamError, match="does not exist"):
        execute(path, environment)
    assert snapshot(tmp_path) == before
