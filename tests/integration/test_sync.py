"""Sync: whatever was there before, in step with a lock an environment is a fresh one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lockstream
from executor import Environment, Sync, execute, verify_environment
from executor.environment.installed import installed_distributions
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import differences, snapshot
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ExitCode

EXACT = Sync(exact=True)


def release(name: str, version: str, **options: Any) -> Wheel:
    """A wheel that has some files in each version, some in one, and shares some with others."""
    major = version.partition(".")[0]
    files = {
        f"{name}/__init__.py": f"version = {version!r}\n",
        f"{name}/only_{major}.py": "",
        f"{name}/sub{major}/deep/x.txt": version,
        f"space/{name}.py": version,
        "space/same.txt": "for all",
    }
    data = {
        f"scripts/{name}-run": f"#!python\nprint({version!r})\n",
        f"data/share/{name}/{major}.txt": version,
        f"headers/{name}{major}.h": version,
    }
    entry_points = {"console_scripts": {f"{name}-{major}": f"{name}:main"}}
    return build_wheel(
        name, version, files=files, data_files=data, entry_points=entry_points, **options
    )


RELEASES = {
    (name, version): release(name, version)
    for name in ("a", "b", "c")
    for version in ("1.0", "2.0")
}
states = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1.0", "2.0"]))


def tree(environment: Environment) -> dict[str, Any]:
    return dict(snapshot(Path(environment.path)))


def compile_everything(environment: Environment) -> None:
    """As a run of the programs does."""
    packages = environment.interpreter.schemes.purelib
    subprocess.run([sys.executable, "-m", "compileall", "-q", packages], check=True)


@settings(max_examples=40)
@given(st.lists(states, min_size=2, max_size=4))
def test_any_row_of_locks_ends_in_a_fresh_tree(
    tmp_path_factory: pytest.TempPathFactory, row: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("sync")
    # At one path, for programs name their interpreter, and it is the same in both.
    environment = environment_below(folder / "env")
    for number, state in enumerate(row):
        lock = write_lock(folder / str(number), [RELEASES[item] for item in state.items()])
        execute(lock, environment, sync=EXACT)
        assert [*verify_environment(lock, environment)[1]] == []
        if number + 1 < len(row):
            compile_everything(environment)
    left = tree(environment)
    fresh = environment_below(folder / "fresh")
    execute(lock, fresh, sync=EXACT)
    # Folders of the environment itself stay where they were made.
    own = {"bin", "include"}
    unneeded = {path for path in own if path not in tree(fresh)}
    stays = {path: entry for path, entry in left.items() if "__pycache__" not in path}
    assert {p: e for p, e in stays.items() if p not in unneeded} == tree(fresh)
    sources = {path.rpartition("__pycache__")[0] for path in left if path.endswith(".pyc")}
    kept = {one["name"] for one in names(environment)}
    assert all(any(part in kept | {"space"} for part in folder.split("/")) for folder in sources)
    shutil.rmtree(folder)


def names(environment: Environment) -> Iterator[dict[str, str]]:
    for found in installed_distributions(environment.interpreter.schemes.purelib):
        yield {"name": found.name, "version": found.version}


def test_it_is_left_alone_where_it_is_right(tmp_path: Path) -> None:
    lock = write_lock(tmp_path / "lock", list(RELEASES.values())[::2])
    environment = environment_below(tmp_path / "env")
    execute(lock, environment)
    stamps = {path: path.stat() for path in Path(environment.path).rglob("*")}
    report = execute(lock, environment, sync=EXACT)
    assert (report.installed, report.removed, report.unchanged) == (0, 0, 3)
    for path, status in stamps.items():
        now = path.stat()
        # The folder that holds the staging folder is touched by it.
        if path != Path(environment.interpreter.schemes.purelib):
            assert (now.st_mtime_ns, now.st_ino) == (status.st_mtime_ns, status.st_ino), path


class TestCollisions:
    """With --on-collision last the last by name has a path, however the environment came to be."""

    OWNERS: ClassVar = {
        name: build_wheel(name, files={"same.py": name, f"{name}.py": ""}) for name in "abc"
    }

    @pytest.mark.parametrize("before", ["", "a", "b", "c", "ab", "bc", "ac", "abc"])
    @pytest.mark.parametrize("after", ["a", "b", "ab", "bc", "ac", "abc"])
    def test_the_owner_of_a_path_does_not_depend_on_history(
        self, tmp_path: Path, before: str, after: str
    ) -> None:
        environment = environment_below(tmp_path / "env")
        for number, state in enumerate((before, after)):
            lock = write_lock(tmp_path / str(number), [self.OWNERS[name] for name in state])
            execute(lock, environment, sync=EXACT, last_wins=True)
        packages = Path(environment.interpreter.schemes.purelib)
        assert (packages / "same.py").read_text() == after[-1]
        fresh = environment_below(tmp_path / "fresh")
        execute(lock, fresh, last_wins=True)
        assert differences(tree(environment), tree(fresh)) == []
        assert [*verify_environment(lock, environment)[1]] == []

    def test_the_name_decides_and_not_how_a_file_spells_it(self, tmp_path: Path) -> None:
        one = build_wheel("Zope", files={"same.py": "zope"})
        other = build_wheel("attrs", files={"same.py": "attrs"})
        upper = Wheel("Zope-1.0-py3-none-any.whl", one.members, one.content)
        environment = environment_below(tmp_path / "env")
        execute(write_lock(tmp_path / "lock", [upper, other]), environment, last_wins=True)
        packages = Path(environment.interpreter.schemes.purelib)
        assert (packages / "same.py").read_text() == "zope"


class TestProgram:
    @pytest.fixture(name="locks")
    def _locks(self, tmp_path: Path) -> tuple[str, str]:
        first = write_lock(tmp_path / "1", [RELEASES["a", "1.0"], RELEASES["b", "1.0"]])
        second = write_lock(tmp_path / "2", [RELEASES["a", "2.0"], RELEASES["c", "1.0"]])
        return first, second

    def test_the_plan_is_told_and_nothing_changes(
        self, tmp_path: Path, locks: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = ["--target", str(tmp_path / "t")]
        assert lockstream.main(["execute", locks[0], *target]) == ExitCode.DONE
        before = snapshot(tmp_path)
        capsys.readouterr()
        dry = ["execute", locks[1], *target, "--exact", "--dry-run"]
        assert lockstream.main(dry) == ExitCode.DONE
        # What comes is told in the order it is worked on in, largest first.
        assert sorted(capsys.readouterr().out.splitlines()) == [
            "+ c 1.0",
            "- b 1.0",
            "0 unchanged",
            "~ a 2.0 (was 1.0)",
        ]
        assert lockstream.main([*dry, "--json"]) == ExitCode.DONE
        told = json.loads(capsys.readouterr().out)
        assert {one["name"]: one["replaces"] for one in told["install"]} == {"a": "1.0", "c": None}
        assert told["remove"] == [{"name": "b", "version": "1.0"}]
        assert snapshot(tmp_path) == before

    def test_a_named_package_goes_without_all_others(
        self, tmp_path: Path, locks: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = ["--target", str(tmp_path / "t")]
        assert lockstream.main(["execute", locks[0], *target]) == ExitCode.DONE
        assert lockstream.main(["execute", locks[1], *target, "--remove", "B"]) == ExitCode.DONE
        assert sorted(path.name for path in (tmp_path / "t").glob("*.dist-info")) == [
            "a-2.0.dist-info",
            "c-1.0.dist-info",
        ]
        capsys.readouterr()
        assert lockstream.main(["verify", locks[1], *target]) == ExitCode.DONE
        assert capsys.readouterr().out == "2 packages verified, 0 differences\n"


REAL = {
    "old": ["click==8.1.7", "markupsafe==3.0.1", "ruamel.yaml==0.18.6", "zope.interface==7.1.1"],
    "new": ["click==8.3.0", "markupsafe==3.0.2", "zope.interface==8.0.1", "zope.event==6.0"],
}


@pytest.mark.registry
def test_from_one_set_of_real_versions_to_another_and_back(tmp_path: Path) -> None:
    venv, kept = tmp_path / "venv", tmp_path / "kept"
    kept.mkdir()
    locks = {}
    for name, requirements in REAL.items():
        inputs = tmp_path / f"{name}.in"
        inputs.write_text("\n".join(requirements))
        locks[name] = str(tmp_path / f"pylock.{name}.toml")
        assert lockstream.main(["plan", "-r", str(inputs), "-o", locks[name]]) == ExitCode.DONE
        # At the same path, which programs name in their first line.
        assert lockstream.main(["execute", locks[name], "--venv", str(venv)]) == ExitCode.DONE
        venv.rename(kept / name)
    assert lockstream.main(["execute", locks["old"], "--venv", str(venv)]) == ExitCode.DONE
    for name in ("new", "old"):
        subprocess.run([venv / "bin/python", "-m", "compileall", "-q", venv / "lib"], check=True)
        arguments = ["execute", locks[name], "--venv", str(venv), "--exact"]
        assert lockstream.main(arguments) == ExitCode.DONE
        found = snapshot(venv, ignore=["*__pycache__*"])
        assert differences(found, snapshot(kept / name)) == []
