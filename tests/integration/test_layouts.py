"""Layouts of distributions: lib64 as a link and as a folder, and links of the environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment import bytecode
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.install.decide import verify_environment
from executor.transaction.errors import FileConflict, NoFolder
from helpers.environments import check_nothing_lies, environment_below
from helpers.locks import write_lock
from helpers.mounts import mounted_btrfs
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ArtifactRefused, ExitCode

PURE = build_wheel("pure", files={"pure.py": "1", "shared/pure.py": ""})
NATIVE = build_wheel("native", files={"native.py": "1", "shared/native.py": ""}, purelib=False)
PURE2 = build_wheel("pure", "2.0", files={"pure.py": "2", "shared/pure.py": ""})
NATIVE2 = build_wheel("native", "2.0", files={"native.py": "2", "shared/native.py": ""})


def lock(folder: Path, name: str, *wheels: Wheel) -> str:
    return write_lock(folder / name, wheels)


def with_lib64(root: Path, kind: str) -> Environment:
    """An environment whose platlib is spelled below ``lib64``."""
    environment = environment_below(root)
    schemes = environment.interpreter.schemes
    if kind == "link":
        (root / "lib64").symlink_to("lib")
    elif kind == "link above":
        (root / "lib64").mkdir()
        (root / "lib64/site-packages").symlink_to("../lib/site-packages")
    else:
        (root / "lib64/site-packages").mkdir(parents=True)
    schemes = replace(schemes, platlib=str(root / "lib64/site-packages"))
    return replace(environment, interpreter=replace(environment.interpreter, schemes=schemes))


@pytest.mark.parametrize("kind", ["link", "link above", "folder"])
class TestLib64:
    """Fedora, RHEL, Amazon Linux and openSUSE; virtualenv makes a folder of it."""

    def test_what_is_right_stays_and_what_is_old_is_replaced(
        self, tmp_path: Path, kind: str
    ) -> None:
        environment = with_lib64(tmp_path / "env", kind)
        old, new = lock(tmp_path, "old", PURE, NATIVE), lock(tmp_path, "new", PURE2, NATIVE2)
        assert execute(old, environment).installed == 2
        assert list(verify_environment(old, environment)[1]) == []
        before = snapshot(tmp_path)
        again = execute(old, environment, sync=Sync(exact=True))
        assert (again.installed, again.removed, again.unchanged) == (0, 0, 2)
        assert snapshot(tmp_path) == before
        report = execute(new, environment)
        assert (report.installed, report.removed) == (2, 2)
        assert list(verify_environment(new, environment)[1]) == []
        assert execute(lock(tmp_path, "none"), environment, sync=Sync(exact=True)).removed == 2
        kinds = {entry.kind for entry in snapshot(tmp_path / "env").values()}
        assert kinds <= {"directory", "link"}

    def test_a_file_is_compiled_once(
        self, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environment = with_lib64(tmp_path / "env", kind)
        compiled: list[str] = []

        def note(_executable: str, paths: list[str], _data: int | None) -> None:
            compiled.extend(path for path in paths if path.endswith(".py"))

        monkeypatch.setattr(bytecode, "compile_files", note)
        execute(lock(tmp_path, "lock", PURE, NATIVE), environment, compile_files=True)
        names = sorted(path.rpartition("site-packages/")[2] for path in compiled)
        assert names == ["native.py", "pure.py", "shared/native.py", "shared/pure.py"]

    def test_data_files_go_through_it_but_not_around_the_rules(
        self, tmp_path: Path, kind: str
    ) -> None:
        environment = with_lib64(tmp_path / "env", kind)
        wheel = build_wheel(data_files={"data/lib64/libdemo.so": "so"})
        execute(path := lock(tmp_path, "lock", wheel), environment)
        assert (tmp_path / "env/lib64/libdemo.so").read_text() == "so"
        assert list(verify_environment(path, environment)[1]) == []
        for name in ("sitecustomize.py", "other-1.0.dist-info/METADATA"):
            evil = build_wheel("evil", data_files={f"data/lib64/site-packages/{name}": ""})
            with pytest.raises(ArtifactRefused):
                execute(lock(tmp_path, name[:3], evil), environment)
        execute(lock(tmp_path, "none"), environment, sync=Sync(exact=True))
        assert not (tmp_path / "env/lib64/libdemo.so").exists()


def test_links_of_the_environment_do_not_lead_around_the_rules(tmp_path: Path) -> None:
    """``sbin`` -> ``bin``: a wheel must not replace the interpreter through it."""
    environment = environment_below(tmp_path / "env")
    (tmp_path / "env/bin").mkdir()
    (tmp_path / "env/bin/python").symlink_to(sys.executable)
    (tmp_path / "env/sbin").symlink_to("bin")
    evil = build_wheel(data_files={"data/sbin/python": "evil"})
    with pytest.raises(ArtifactRefused):
        execute(lock(tmp_path, "lock", evil), environment)


@pytest.mark.parametrize("before", ["man/man1/demo.1", "share/man/man1/demo.1"])
def test_an_upgrade_may_empty_the_folder_that_a_link_leads_to(tmp_path: Path, before: str) -> None:
    old = build_wheel("demo", data_files={f"data/{before}": "1"})
    new = build_wheel("demo", "2.0", data_files={"data/man/man1/demo.1": "2"})
    environment = environment_below(tmp_path / "env")
    (tmp_path / "env/share/man").mkdir(parents=True)
    (tmp_path / "env/man").symlink_to("share/man")
    for name, wheel in (("old", old), ("new", new)):
        execute(lock(tmp_path, name, wheel), environment)
    assert (tmp_path / "env/share/man/man1/demo.1").read_text() == "2"


class TestUpgradesCollideAsFreshInstallationsDo:
    A = build_wheel("a", files={"same.py": "1"})
    B = build_wheel("b", files={"same.py": "1", "b.py": ""})
    B2 = build_wheel("b", "2.0", files={"same.py": "2", "b.py": ""})

    def test_a_file_that_is_shared_is_not_exchanged(self, tmp_path: Path) -> None:
        environment = environment_below(tmp_path / "env")
        new = lock(tmp_path, "new", self.A, self.B2)
        with pytest.raises(FileConflict) as fresh:
            execute(new, environment_below(tmp_path / "fresh"))
        execute(lock(tmp_path, "old", self.A, self.B), environment)
        before = snapshot(tmp_path / "env")
        with pytest.raises(FileConflict) as upgrade:
            execute(new, environment)
        assert snapshot(tmp_path / "env") == before
        assert fresh.value.hint == upgrade.value.hint
        assert "--on-collision last" in fresh.value.hint

    def test_the_last_wins_in_both(self, tmp_path: Path) -> None:
        for first in (self.A, build_wheel("c", files={"same.py": "1"})):
            folder = tmp_path / first.name
            folder.mkdir()
            new = lock(folder, "new", first, self.B2)
            fresh, environment = (environment_below(folder / name) for name in ("fresh", "env"))
            execute(new, fresh, last_wins=True)
            execute(lock(folder, "old", first, self.B), environment)
            execute(new, environment, last_wins=True)
            assert snapshot(Path(environment.path)) == snapshot(Path(fresh.path))

    def test_where_case_counts_both_spellings_are_installed(self, tmp_path: Path) -> None:
        first = build_wheel("first", files={"x.py": "1"})
        second = build_wheel("second", files={"X.py": "2"})
        environment = environment_below(tmp_path / "env")
        execute(lock(tmp_path, "one", second), environment)
        execute(lock(tmp_path, "both", first, second), environment, last_wins=True)
        packages = Path(environment.interpreter.schemes.purelib)
        assert [(packages / name).read_text() for name in ("x.py", "X.py")] == ["1", "2"]


class TestLinksInsteadOfPackages:
    def test_a_package_that_was_linked_to_sources_is_replaced_and_the_sources_stay(
        self, tmp_path: Path
    ) -> None:
        environment = environment_below(tmp_path / "env")
        execute(lock(tmp_path, "old", build_wheel(files={"demo/a.py": "1"})), environment)
        package = Path(environment.interpreter.schemes.purelib, "demo")
        shutil.move(package, tmp_path / "sources")
        package.symlink_to(tmp_path / "sources")
        new = lock(tmp_path, "new", build_wheel(version="2.0", files={"demo/a.py": "2"}))
        execute(new, environment)
        assert (tmp_path / "sources/a.py").read_text() == "1"
        assert (package / "a.py").read_text() == "2"
        assert not package.is_symlink()
        check_nothing_lies(environment)

    def test_a_dist_info_folder_that_is_a_link_goes_as_one(self, tmp_path: Path) -> None:
        environment = environment_below(tmp_path / "env")
        execute(lock(tmp_path, "old", build_wheel(files={"demo/a.py": "1"})), environment)
        packages = Path(environment.interpreter.schemes.purelib)
        shutil.move(packages / "demo-1.0.dist-info", tmp_path / "elsewhere")
        (packages / "demo-1.0.dist-info").symlink_to("../../../elsewhere")
        execute(lock(tmp_path, "none"), environment, sync=Sync(exact=True))
        assert list(packages.iterdir()) == []
        assert (tmp_path / "elsewhere/RECORD").exists()


def test_what_shares_its_files_with_a_cache_of_packages_leaves_the_cache_alone(
    tmp_path: Path,
) -> None:
    """conda links the files of packages from its cache into environments."""
    environment = environment_below(tmp_path / "env")
    execute(lock(tmp_path, "old", PURE), environment)
    packages = Path(environment.interpreter.schemes.purelib)
    for path in [*packages.rglob("*")]:
        kept = tmp_path / "cache" / path.relative_to(packages)
        kept.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            kept.hardlink_to(path)
    before = snapshot(tmp_path / "cache")
    report = execute(lock(tmp_path, "new", PURE2), environment, compile_files=True)
    assert (report.installed, report.removed) == (1, 1)
    check_nothing_lies(environment)
    assert execute(lock(tmp_path, "none"), environment, sync=Sync(exact=True)).removed == 1
    assert snapshot(tmp_path / "cache") == before


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.btrfs") is None, reason="needs root and btrfs-progs"
)
def test_an_environment_on_btrfs_is_filled_upgraded_and_emptied(tmp_path: Path) -> None:
    """Its folders show what was made since they were opened only when they are rewound."""
    with mounted_btrfs(tmp_path / "disk", tmp_path / "image"):
        environment = environment_below(tmp_path / "disk/env")
        execute(lock(tmp_path, "old", PURE, NATIVE), environment)
        report = execute(lock(tmp_path, "new", PURE2, NATIVE2), environment)
        assert (report.installed, report.removed) == (2, 2)
        check_nothing_lies(environment)
        assert not [*(tmp_path / "disk").rglob(".lockstream")]
        assert execute(lock(tmp_path, "none"), environment, sync=Sync(exact=True)).removed == 2


def loop(path: Path) -> None:
    path.symlink_to(path.name)


class TestLoops:
    """A link that leads to itself leads to no folder: it is a file like any other link."""

    def test_one_in_the_place_of_a_package_goes_with_it(self, tmp_path: Path) -> None:
        environment = environment_below(tmp_path / "env")
        packages = Path(environment.interpreter.schemes.purelib)
        execute(lock(tmp_path, "old", PURE), environment)
        shutil.rmtree(packages / "shared")
        loop(packages / "shared")
        assert list(verify_environment(str(tmp_path / "old/pylock.toml"), environment)[1])
        execute(lock(tmp_path, "new", PURE2), environment)
        check_nothing_lies(environment)
        assert not (packages / "shared").is_symlink()

    @pytest.mark.parametrize("make", [loop, Path.touch], ids=["loop", "file"])
    def test_one_in_the_place_of_the_packages_is_refused(
        self, tmp_path: Path, make: Callable[[Path], None]
    ) -> None:
        environment = environment_below(tmp_path / "env")
        packages = Path(environment.interpreter.schemes.purelib)
        packages.rmdir()
        make(packages)
        with pytest.raises(NoFolder) as caught:
            execute(lock(tmp_path, "new", PURE), environment)
        assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
        assert caught.value.path == str(packages)
        assert "move the file or the link away" in caught.value.hint
