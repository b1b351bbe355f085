"""What could stop a commit in the middle is refused before it, or done all the same."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.environment.places import Ways
from executor.environment.schemes import STAGING
from executor.transaction.errors import JournalRefused
from executor.transaction.permission_check import PermissionCheck
from helpers.environments import check_nothing_lies, environment_below
from helpers.faults import killed_at
from helpers.locks import write_lock
from helpers.namespaces import can_mount, in_namespace
from helpers.trees import snapshot
from helpers.users import NOBODY, OTHER, Ended, done_as, open_folder
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ExitCode

AAA, ZZZ = (build_wheel(name, files={f"{name}/__init__.py": "1"}) for name in ("aaa", "zzz"))
AAA2, ZZZ2 = (
    build_wheel(name, "2.0", files={f"{name}/__init__.py": "2"}) for name in ("aaa", "zzz")
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")
needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs root and mount namespaces")


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def lock(folder: Path, name: str, *wheels: Wheel) -> str:
    return write_lock(folder / name, wheels)


def packages(environment: Environment) -> Path:
    return Path(environment.interpreter.schemes.purelib)


def own(environment: Environment, user: int) -> None:
    for place, _, files in os.walk(environment.path):
        for path in (place, *(os.path.join(place, name) for name in files)):
            os.chown(path, user, user)


class Upgrade:
    """An environment with the first versions of two packages, and a lock with the second."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new = lock(folder, "old", AAA, ZZZ), lock(folder, "new", AAA2, ZZZ2)
        self.environment = environment_below(folder / "env")
        execute(self.old, self.environment)

    @property
    def packages(self) -> Path:
        return packages(self.environment)

    def refused(self, user: int = 0) -> Ended:
        """Let the upgrade fail, and check that nothing has changed."""
        before = snapshot(Path(self.environment.path))
        ended = done_as(user, partial(execute, self.new, self.environment))
        assert ended.status == ExitCode.NOT_PERMITTED, ended.text
        assert "as it was before" in ended.text
        shutil.rmtree(self.packages / STAGING, ignore_errors=True)
        assert snapshot(Path(self.environment.path)) == before
        return ended

    def check_done(self) -> None:
        execute(self.new, self.environment)
        for name in ("aaa", "zzz"):
            assert (self.packages / name / "__init__.py").read_text() == "2"


@pytest.fixture(name="upgrade")
def _upgrade(folder: Path) -> Upgrade:
    return Upgrade(folder)


@needs_root
class TestOwners:
    def test_a_package_of_another_user_is_refused_before_anything_changes(
        self, upgrade: Upgrade
    ) -> None:
        """``sudo pip install zzz`` in a user's environment."""
        own(upgrade.environment, NOBODY)
        for name in ("zzz", "zzz-1.0.dist-info"):
            os.chown(upgrade.packages / name, 0, 0)
        ended = upgrade.refused(NOBODY)
        assert "zzz-1.0.dist-info: is not writable and belongs to root" in ended.text
        upgrade.check_done()

    def test_byte_code_of_another_user_is_refused_before_anything_changes(
        self, upgrade: Upgrade
    ) -> None:
        """Root has imported the package."""
        own(upgrade.environment, NOBODY)
        cache = upgrade.packages / "zzz/__pycache__"
        cache.mkdir()
        (cache / "__init__.cpython-311.pyc").write_text("")
        assert (
            "zzz/__pycache__: is not writable and belongs to root" in upgrade.refused(NOBODY).text
        )
        upgrade.check_done()

    def test_byte_code_of_another_user_is_refused_also_if_its_source_is_gone(
        self, upgrade: Upgrade
    ) -> None:
        """The first package was removed, and the second could not be."""
        own(upgrade.environment, NOBODY)
        cache = upgrade.packages / "zzz/__pycache__"
        cache.mkdir()
        (cache / "__init__.cpython-311.pyc").write_text("")
        (upgrade.packages / "zzz/__init__.py").unlink()
        text = upgrade.refused(NOBODY).text
        assert "zzz/__pycache__: is not writable and belongs to root" in text
        upgrade.check_done()

    def test_a_file_of_another_user_in_a_sticky_folder_is_refused(self, upgrade: Upgrade) -> None:
        own(upgrade.environment, NOBODY)
        os.chown(upgrade.packages / "zzz", OTHER, OTHER)
        os.chown(upgrade.packages / "zzz/__init__.py", OTHER, OTHER)
        (upgrade.packages / "zzz").chmod(0o1777)
        text = upgrade.refused(NOBODY).text
        assert "zzz/__init__.py: its folder is sticky, and it belongs to" in text
        upgrade.check_done()

    def test_a_folder_of_another_user_in_a_sticky_folder_is_refused(self, upgrade: Upgrade) -> None:
        """Both packages were removed, and none was installed."""
        own(upgrade.environment, NOBODY)
        os.chown(upgrade.packages, 0, 0)
        upgrade.packages.chmod(0o1777)
        os.chown(upgrade.packages / "zzz", OTHER, OTHER)
        (upgrade.packages / "zzz").chmod(0o777)
        text = upgrade.refused(NOBODY).text
        assert "zzz: its folder is sticky, and it belongs to" in text
        upgrade.check_done()

    def test_an_emptied_folder_of_data_of_another_user_may_stay(self, folder: Path) -> None:
        """The package was half removed: its folder was not sticky, but that around it was."""
        wheel = build_wheel(data_files={"data/share/demo/a": "x"})
        environment = environment_below(folder / "env")
        execute(lock(folder, "lock", wheel), environment)
        own(environment, NOBODY)
        inner = Path(environment.interpreter.schemes.data, "share/demo")
        for place, user, mode in ((inner.parent, 0, 0o1777), (inner, OTHER, 0o777)):
            os.chown(place, user, user)
            place.chmod(mode)
        remove = partial(execute, lock(folder, "none"), environment, sync=Sync(exact=True))
        ended = done_as(NOBODY, remove)
        assert ended.status == 0, ended.text
        assert [*inner.iterdir()] == [*packages(environment).iterdir()] == []

    def test_a_folder_that_forbids_changes_is_refused_with_the_command_that_helps(
        self, upgrade: Upgrade
    ) -> None:
        own(upgrade.environment, NOBODY)
        (upgrade.packages / "zzz").chmod(0o555)
        text = upgrade.refused(NOBODY).text
        assert f"run chmod u+wx {upgrade.packages}/zzz, then run the command again" in text
        (upgrade.packages / "zzz").chmod(0o755)
        assert done_as(NOBODY, partial(execute, upgrade.new, upgrade.environment)).status == 0

    def test_folders_above_the_packages_may_belong_to_another_user(self, folder: Path) -> None:
        """Images give a user the packages of an environment that root has made."""
        wheel = build_wheel(files={"demo.py": "1"}, data_files={"headers/demo.h": ""})
        environment = environment_below(folder / "env")
        execute(lock(folder, "old", wheel), environment)
        own(replace(environment, path=str(packages(environment))), NOBODY)
        own(replace(environment, path=f"{environment.path}/include/demo"), NOBODY)
        work = partial(execute, lock(folder, "none"), environment, sync=Sync(exact=True))
        assert done_as(NOBODY, work) == Ended(0, "")
        assert list(packages(environment).iterdir()) == []
        assert list(Path(environment.path, "include").iterdir()) == [
            Path(environment.path, "include/demo")
        ]

    def test_what_one_user_has_begun_another_may_finish(self, upgrade: Upgrade) -> None:
        own(upgrade.environment, NOBODY)
        work = partial(execute, upgrade.new, upgrade.environment, lanes=1)
        number = 0
        while not (upgrade.packages / STAGING / "journal").exists():
            number += 1
            own(upgrade.environment, NOBODY)
            assert done_as(NOBODY, partial(killed_at, number, work)).status == 0
        upgrade.check_done()
        check_nothing_lies(upgrade.environment)

    def test_what_another_user_cannot_finish_is_told_and_stays(self, upgrade: Upgrade) -> None:
        number = 0
        while not (upgrade.packages / STAGING / "journal").exists():
            number += 1
            assert killed_at(number, partial(execute, upgrade.new, upgrade.environment, lanes=1))
        own(upgrade.environment, NOBODY)
        for place, _, files in os.walk(upgrade.packages / STAGING):
            for path in (place, *(os.path.join(place, name) for name in files)):
                os.chown(path, 0, 0)
        ended = done_as(NOBODY, partial(execute, upgrade.new, upgrade.environment))
        assert ended.status == ExitCode.NOT_PERMITTED, ended.text
        assert "run as the user who owns it" in ended.text
        upgrade.check_done()


@needs_root
@pytest.mark.parametrize(
    ("entry", "flag"),
    [
        pytest.param("zzz/__init__.py", 0x10, id="immutable file"),
        pytest.param("zzz", 0x20, id="append-only folder"),
        pytest.param("zzz/__pycache__", 0x10, id="immutable folder of byte code"),
        pytest.param("zzz/__pycache__/__init__.cpython-312.pyc", 0x10, id="immutable byte code"),
        pytest.param("zzz/__pycache__/gone.cpython-312.pyc", 0x10, id="byte code left behind"),
        pytest.param("zzz-1.0.dist-info", 0x20, id="append-only dist-info"),
    ],
)
def test_what_is_immutable_is_refused_before_anything_changes(
    upgrade: Upgrade, entry: str, flag: int
) -> None:
    path = upgrade.packages / entry
    if path.suffix == ".pyc":
        path.parent.mkdir()
        path.touch()
    elif not path.exists():
        path.mkdir()

    def change(flags: int) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, 0x40086602, struct.pack("l", flags))
        finally:
            os.close(descriptor)

    try:
        change(flag)
    except OSError:
        pytest.skip("the file system has no immutable files")
    try:
        text = upgrade.refused().text
    finally:
        change(0)
    assert f"{path}: is immutable or append-only" in text
    assert f"run chattr -i -a {path}" in text
    upgrade.check_done()


@needs_root
def test_byte_code_that_stays_may_be_immutable(upgrade: Upgrade) -> None:
    """It is that of a module that the upgrade leaves alone."""
    (upgrade.packages / "zzz/__pycache__").mkdir()
    (upgrade.packages / "zzz/mine.py").touch()
    path = upgrade.packages / "zzz/__pycache__/mine.cpython-312.pyc"
    path.touch()
    if subprocess.run(["chattr", "+i", path], check=False).returncode:
        pytest.skip("the file system has no immutable files")
    try:
        upgrade.check_done()
    finally:
        subprocess.run(["chattr", "-i", path], check=True)
    assert path.exists()


def test_byte_code_is_checked_once_however_a_record_is_ordered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemes = environment_below(folder / "env").interpreter.schemes
    place = Path(schemes.purelib)
    for name in ("a/__pycache__", "b/__pycache__"):
        (place / name).mkdir(parents=True)
    entries = [place / inner / f"m{number}.py" for number in range(20) for inner in "ab"]
    for entry in entries:
        entry.touch()
    listed: list[object] = []
    listdir = os.listdir

    def counted(path: str) -> list[str]:
        listed.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", counted)
    check = PermissionCheck(schemes, Ways(schemes.roots))
    for entry in entries:
        check.goes(str(entry))
    assert len(listed) == 2


class TestNothingToDo:
    @needs_root
    def test_another_user_is_told_that_all_is_right(self, upgrade: Upgrade) -> None:
        before = snapshot(Path(upgrade.environment.path))
        ended = done_as(NOBODY, partial(execute, upgrade.old, upgrade.environment))
        assert ended == Ended(0, "")
        assert snapshot(Path(upgrade.environment.path)) == before

    @needs_root
    @pytest.mark.parametrize("mode", [0o755, 0o700])
    def test_a_staging_folder_of_another_user_is_no_hindrance(
        self, upgrade: Upgrade, mode: int
    ) -> None:
        (upgrade.packages / STAGING).mkdir()
        (upgrade.packages / STAGING).chmod(mode)
        assert done_as(NOBODY, partial(execute, upgrade.old, upgrade.environment)) == Ended(0, "")

    def test_not_even_the_time_of_a_folder_changes(self, upgrade: Upgrade) -> None:
        os.utime(upgrade.packages, (1, 1))
        execute(upgrade.old, upgrade.environment)
        assert upgrade.packages.stat().st_mtime == 1

    @needs_mounts
    def test_a_read_only_environment_that_is_right_stays_so(self, upgrade: Upgrade) -> None:
        script = """
            lockstream execute "$1" --target t
            mount --bind t t; mount -o remount,ro,bind t
            lockstream execute "$1" --target t; lockstream execute "$2" --target t
        """
        ended = in_namespace(
            script, Path(upgrade.environment.path).parent, upgrade.old, upgrade.new
        )
        assert ended.returncode == ExitCode.NOT_PERMITTED, ended.stderr
        assert "Read-only file system" in ended.stderr
        assert "installed 0 packages, 2 unchanged" in ended.stderr + ended.stdout


@needs_mounts
class TestMounts:
    def test_a_package_of_a_lower_layer_is_replaced(self, upgrade: Upgrade) -> None:
        """Docker and Podman mount overlays without ``redirect_dir``."""
        folder = Path(upgrade.environment.path).parent
        script = """
            mkdir low up work m
            lockstream execute "$1" --target low/t
            mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,redirect_dir=off m
            lockstream execute "$2" --target m/t
            grep -q 2 m/t/zzz/__init__.py
            test ! -e m/t/aaa-1.0.dist-info
            test ! -e m/t/.lockstream
            lockstream execute "$1" --target m/t
            lockstream verify "$1" --target m/t
        """
        with_overlay = in_namespace(script, folder, upgrade.old, upgrade.new)
        assert with_overlay.returncode == 0, with_overlay.stderr

    def test_an_overlay_that_cannot_hide_what_goes_is_refused_before_anything_changes(
        self, folder: Path
    ) -> None:
        """Of what is in a lower layer, each file takes an inode of the upper one when it goes."""
        files = {f"demo/{number}.py": "" for number in range(100)}
        old = lock(folder, "old", build_wheel(files=files))
        new = lock(folder, "new", build_wheel(version="2.0"))
        script = """
            mkdir low top m; lockstream execute "$1" --target low/t
            mount -t tmpfs -o nr_inodes=$3 top top; mkdir top/up top/work
            options=lowerdir=low,upperdir=top/up,workdir=top/work,redirect_dir=off
            mount -t overlay -o $options overlay m
            set +e; lockstream execute "$2" --target m/t; rc=$?
            if [ $rc = 0 ]; then lockstream verify "$2" --target m/t && exit 0; fi
            lockstream verify "$1" --target m/t && exit $rc
        """
        (few := folder / "few").mkdir()
        (enough := folder / "enough").mkdir()
        ended = in_namespace(script, few, old, new, "80")
        assert ended.returncode == ExitCode.NOT_ENOUGH, ended.stderr
        assert "m/t/.lockstream: needs 1" in ended.stderr
        ended = in_namespace(script, enough, old, new, "140")
        assert ended.returncode == 0, ended.stderr

    def test_a_volume_in_the_way_is_filled(self, folder: Path) -> None:
        wheel = build_wheel(
            files={"space/demo.py": "demo"},
            data_files={"data/share/jupyter/kernel.json": "{}"},
        )
        script = """
            mkdir -p t/share t/space
            mount -t tmpfs volume t/share; mount -t tmpfs volume t/space
            echo mine > t/share/mine; echo mine > t/space/mine
            lockstream execute "$1" --target t
            lockstream verify "$1" --target t
            cat t/share/mine t/share/jupyter/kernel.json t/space/demo.py
            lockstream execute "$2" --target t --exact
            test ! -e t/space/demo.py; test ! -e t/share/jupyter; test -e t/space/mine
        """
        ended = in_namespace(script, folder, lock(folder, "lock", wheel), lock(folder, "none"))
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.startswith("mine\n{}demo") or "mine\n{}demo" in ended.stdout

    def test_a_read_only_volume_that_hides_files_has_nothing_to_remove(self, folder: Path) -> None:
        """The package was half removed: Linux names the mount before it looks for the file."""
        wheel = build_wheel(data_files={"data/share/f/a": "x", "data/share/g/h/b.py": "x"})
        script = """
            lockstream execute "$1" --target t
            mount -t tmpfs volume t/share; mkdir -p t/share/g/h/__pycache__
            touch t/share/g/h/__pycache__/mine.pyc; mount -o remount,ro t/share
            echo "share/g/h,," >> t/demo-1.0.dist-info/RECORD
            lockstream execute "$2" --target t --exact
            ls -A t; find t/share -type f
        """
        ended = in_namespace(script, folder, lock(folder, "lock", wheel), lock(folder, "none"))
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.endswith("share\nt/share/g/h/__pycache__/mine.pyc\n"), ended.stdout

    def test_a_volume_that_is_too_small_is_refused_before_anything_changes(
        self, folder: Path
    ) -> None:
        wheel = build_wheel(data_files={"data/share/big": os.urandom(300_000)})
        script = """
            mkdir -p t/share; mount -t tmpfs -o size=100k volume t/share
            lockstream execute "$1" --target t || { rc=$?; ls -A t t/share; exit $rc; }
        """
        ended = in_namespace(script, folder, lock(folder, "lock", wheel))
        assert ended.returncode == ExitCode.NOT_ENOUGH, ended.stderr
        assert "t/share: needs 1 MiB of disk, 0 MiB are free on" in ended.stderr
        assert "demo" not in ended.stdout

    def test_a_file_that_is_mounted_is_refused_before_anything_changes(
        self, upgrade: Upgrade
    ) -> None:
        script = """
            lockstream execute "$1" --target t
            touch mine; mount --bind mine t/zzz/__init__.py
            set +e; lockstream execute "$2" --target t; rc=$?
            umount t/zzz/__init__.py
            lockstream verify "$1" --target t && exit $rc
        """
        ended = in_namespace(
            script, Path(upgrade.environment.path).parent, upgrade.old, upgrade.new
        )
        assert ended.returncode == ExitCode.NOT_PERMITTED, ended.stderr
        assert "zzz/__init__.py: something is mounted on it" in ended.stderr


class TestCopies:
    def half_committed(self, upgrade: Upgrade, number: int) -> bool:
        """Kill the upgrade before a change; whether it was in its commit."""
        killed_at(number, partial(execute, upgrade.new, upgrade.environment, lanes=1))
        return (upgrade.packages / STAGING / "journal").exists()

    def test_a_copy_is_finished_where_it_is_and_the_original_is_left_alone(
        self, folder: Path
    ) -> None:
        tried = 0
        for number in range(30, 200, 3):
            place = folder / str(number)
            place.mkdir()
            upgrade = Upgrade(place)
            if not self.half_committed(upgrade, number):
                if tried:
                    break
                continue
            tried += 1
            shutil.copytree(upgrade.environment.path, place / "copy", symlinks=True)
            before = snapshot(Path(upgrade.environment.path))
            copy = environment_below(place / "copy")
            execute(upgrade.new, copy, sync=Sync(exact=True))
            assert (packages(copy) / "zzz/__init__.py").read_text() == "2"
            check_nothing_lies(copy)
            assert snapshot(Path(upgrade.environment.path)) == before
            execute(upgrade.new, upgrade.environment)
            assert snapshot(Path(upgrade.environment.path)) == snapshot(Path(copy.path))
        assert tried > 3

    def test_an_environment_that_was_moved_is_finished(self, upgrade: Upgrade) -> None:
        number = next(n for n in range(60, 200) if self.half_committed(upgrade, n))
        moved = Path(upgrade.environment.path).with_name("moved")
        os.rename(upgrade.environment.path, moved)
        environment = environment_below(moved)
        execute(upgrade.new, environment)
        assert (packages(environment) / "zzz/__init__.py").read_text() == "2", number
        assert not Path(upgrade.environment.path).exists()

    def test_a_journal_of_an_environment_of_another_kind_is_not_obeyed(self, folder: Path) -> None:
        """The packages alone were copied, and are a target now."""
        old = build_wheel(files={"demo.py": "1"}, data_files={"scripts/run": "1"})
        new = build_wheel(version="2.0", files={"demo.py": "2"}, data_files={"scripts/run": "2"})
        first, second = lock(folder, "old", old), lock(folder, "new", new)
        environment = environment_below(folder / "env")
        execute(first, environment)
        shutil.copytree(environment.path, folder / "template")
        number = 30
        while not (packages(environment) / STAGING / "journal").exists():
            number += 1
            shutil.rmtree(environment.path)
            shutil.copytree(folder / "template", environment.path)
            assert killed_at(number, partial(execute, second, environment, lanes=1))
        copied = folder / "sub" / "sub" / "target"
        shutil.copytree(packages(environment), copied)
        (folder / "sub/bin").mkdir()
        target = Environment.target(str(copied))
        with pytest.raises(JournalRefused, match="which is outside"):
            execute(second, target)
        assert os.listdir(folder / "sub/bin") == []
