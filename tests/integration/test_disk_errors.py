"""Disks that fail: a clear error, and the environment is what it was, or what it shall be."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from executor.transaction.errors import OutOfMemory
from helpers.environments import check_nothing_lies, environment_below
from helpers.faults import count_changes, failed_at
from helpers.locks import write_lock
from helpers.mounts import mounted_tmpfs
from helpers.servers import Server, file
from helpers.trees import Entry, snapshot
from helpers.wheels import build_wheel, lock_of
from schemas.errors import LockstreamError, NotEnough

ROOT = Path(__file__).parents[2]

CODES = [
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG,
    errno.EMFILE, errno.ENOMEM,
]  # fmt: skip
"""What a write can fail with."""

EVERY = 3

OLD = build_wheel("demo", "1.0", files={"demo/a.py": "old", "demo/old.py": "", "shared/d.py": ""})
NEW = build_wheel("demo", "2.0", files={"demo/a.py": "new", "demo/sub/b.py": "b"})
OTHER = build_wheel(
    "other",
    files={"other.py": "", "shared/other.py": ""},
    data_files={"scripts/run": "#!python\n", "data/share/x": "x"},
    entry_points={"console_scripts": {"other": "other:main"}},
    executables=["other.py"],
)


class Upgrade:
    """An environment with ``OLD`` that becomes one with ``NEW`` and ``OTHER``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_lock(folder / "old", [OLD])
        write_lock(folder / "new", [NEW, OTHER])

    def prepare(self, name: str) -> Environment:
        environment = environment_below(self.folder / name)
        lock = str(self.folder / "old/pylock.toml")
        execute(lock, environment, lanes=1, durability="kill")
        return environment

    def run(self, environment: Environment) -> None:
        lock = str(self.folder / "new/pylock.toml")
        execute(lock, environment, lanes=1, durability="kill")


@pytest.fixture(name="upgrade")
def _upgrade(tmp_path: Path) -> Upgrade:
    return Upgrade(tmp_path)


def tree(environment: Environment) -> dict[str, Entry]:
    return snapshot(Path(environment.path))


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.__getitem__)
def test_a_change_that_fails_is_told_and_breaks_nothing(upgrade: Upgrade, code: int) -> None:
    whole = upgrade.prepare("whole")
    before = tree(whole)
    count = count_changes(partial(upgrade.run, whole))
    assert count > 60
    outcomes = set()
    # Each code at every third change, and all of them at each.
    for number in range(CODES.index(code) % EVERY, count, EVERY):
        environment = upgrade.prepare(str(number))
        told = failed_at(number, partial(upgrade.run, environment), code)
        packages = Path(environment.interpreter.schemes.purelib)
        is_committed = (packages / ".lockstream/journal").exists()
        if told is not None and "as it was before" in told:
            assert tree(environment) == before, (number, told)
        elif told is not None:
            assert is_committed, (number, told)
            assert "run the command again: it finishes what was begun" in told
        check_nothing_lies(environment)
        upgrade.run(environment)
        assert tree(environment) == tree(whole), (number, told)
        outcomes.add((told is None, is_committed))
    # Before the commit and behind it.
    assert {(False, False), (False, True)} <= outcomes


def test_a_folder_whose_files_nobody_could_open_is_refused(tmp_path: Path) -> None:
    """Staged files are reached from the folder above them, and come there folder by folder."""
    lock = write_lock(tmp_path / "lock", [NEW])
    short = 4095 - len("/demo-2.0.dist-info/REQUESTED")
    folder = f"{tmp_path}/target"
    while (left := short - len(folder)) > 1:
        # No part is longer than 255 bytes, and none is empty.
        folder += "/" + "f" * min(left - 1, 200 if left > 202 else 100)
    folder += "f" * (short - len(folder))
    execute(lock, Environment.target(folder))
    assert Path(folder, "demo-2.0.dist-info/REQUESTED").exists()
    with pytest.raises(LockstreamError, match="REQUESTED: File name too long") as caught:
        execute(lock, Environment.target(f"{folder}f"))
    assert "the environment is as it was before; install into a folder with a" in caught.value.hint
    assert not Path(f"{folder}f", "demo").exists()


def test_too_few_open_files_are_told(upgrade: Upgrade) -> None:
    environment = upgrade.prepare("env")
    before = tree(environment)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2);"
        "import lockstream; sys.exit(lockstream.main(sys.argv[2:]))"
    )
    seen = set()
    for limit in range(4, 24):
        done = subprocess.run(
            [
                *(sys.executable, "-c", program, str(limit), "execute", "--lanes", "1"),
                *(
                    str(upgrade.folder / "new/pylock.toml"),
                    "--target",
                    f"{environment.path}/{limit}",
                ),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seen.add(done.returncode)
        assert done.returncode in {0, 7} or "open files" in done.stderr, done.stderr
        if done.returncode:
            assert not Path(environment.path, str(limit)).exists()
        else:
            break
    assert {0, 7} <= seen
    assert before.keys() <= tree(environment).keys()


def test_requests_ahead_leave_the_files_that_an_installation_must_open(tmp_path: Path) -> None:
    deep = "".join(f"{level}/" for level in range(10))
    wheels = [build_wheel(f"demo{number}", files={deep + str(number): ""}) for number in range(60)]
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (52, 52));"
        "import lockstream; sys.exit(lockstream.main(sys.argv[1:]))"
    )
    with Server() as server:
        for wheel in wheels:
            server.script(f"/{wheel.filename}", file(wheel.content))
        lock = tmp_path / "pylock.toml"
        lock.write_text(lock_of(wheels, base_url=server.origin))
        command = [*(sys.executable, "-c", program, "execute", "--lanes", "1"), str(lock)]
        command += ["--target", str(tmp_path / "env")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_too_little_memory_is_told(upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = upgrade.prepare("env")
    before = tree(environment)

    def refuse(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("executor.transaction.stager.stage_wheel", refuse)
    with pytest.raises(OutOfMemory) as caught:
        upgrade.run(environment)
    assert "the environment is as it was before" in caught.value.hint
    assert tree(environment) == before


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            "transaction.mover.Mover._move_entries",
            "then run the command again: it finishes what was begun",
        ),
        ("install.install._compile", "the environment is what the lock says"),
    ],
)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), MemoryError()], ids=repr)
def test_what_fails_late_is_told_with_what_the_environment_is(
    upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch, place: str, told: str, error: Exception
) -> None:
    environment = upgrade.prepare("env")

    def fail(*_: object) -> None:
        raise error

    lock = str(upgrade.folder / "new/pylock.toml")
    with monkeypatch.context() as patched:
        patched.setattr(f"executor.{place}", fail)
        with pytest.raises(NotEnough) as caught:
            execute(lock, environment, lanes=1, durability="kill", compile_files=True)
    assert told in caught.value.hint
    upgrade.run(environment)
    whole = upgrade.prepare("whole")
    upgrade.run(whole)
    assert tree(environment) == tree(whole)


class TestFileSystems:
    """The folders of an environment may be on several, some of them small."""

    LARGE = build_wheel(
        "large",
        data_files={"scripts/large": b"#!/bin/sh\n" + bytes(100_000), "scripts/small": "#!/bin/sh"},
    )
    NEXT = build_wheel("large", "2.0", data_files={"scripts/large": b"#!/bin/sh\n" + bytes(99_000)})

    @pytest.fixture(name="resize")
    def _resize(self, tmp_path: Path) -> Iterator[Callable[[str], None]]:
        """Changes the size of the file system that scripts go to."""
        try:
            with mounted_tmpfs(tmp_path / "env/bin", "size=1m,nr_inodes=100") as resize:
                yield resize
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no file system can be mounted: {error.stderr}")

    @pytest.mark.parametrize(
        ("room", "told", "remedy"),
        [
            ("size=64k", "needs 1 MiB of disk, 0 MiB are free", "free space"),
            ("nr_inodes=2", "needs 4 inodes, 1 are free", "remove files"),
        ],
        ids=["space", "inodes"],
    )
    def test_what_one_of_them_has_no_room_for_is_told_before_the_commit(
        self, tmp_path: Path, resize: Callable[[str], None], room: str, told: str, remedy: str
    ) -> None:
        environment = environment_below(tmp_path / "env")
        lock = write_lock(tmp_path, [self.LARGE, OTHER])
        resize(room)
        before = tree(environment)
        with pytest.raises(NotEnough) as caught:
            execute(lock, environment, lanes=1)
        place = tmp_path / "env/bin"
        assert str(caught.value) == f"{place}: {told} on {place}"
        assert caught.value.hint == f"{remedy} there, or name another place"
        assert "the environment is as it was before" in caught.value.left
        assert snapshot(Path(environment.path), [f"*/{STAGING}"]) == before
        resize("size=1m,nr_inodes=100")
        report = execute(lock, environment, lanes=1)
        assert all(package.is_reused for package in report.packages)
        assert (place / "large").stat().st_size > 100_000

    def test_what_is_replaced_makes_room(
        self, tmp_path: Path, resize: Callable[[str], None]
    ) -> None:
        environment = environment_below(tmp_path / "env")
        execute(write_lock(tmp_path, [self.LARGE]), environment, lanes=1)
        resize("size=128k")
        execute(write_lock(tmp_path, [self.NEXT]), environment, lanes=1)
        assert [path.name for path in (tmp_path / "env/bin").iterdir()] == ["large"]

    def test_that_of_binary_packages_is_looked_at_before_the_first_byte(
        self, tmp_path: Path, resize: Callable[[str], None]
    ) -> None:
        environment = environment_below(tmp_path / "env")
        interpreter = environment.interpreter
        tag = str(interpreter.target.tags[0])
        binary = build_wheel("b", tag=tag, purelib=False, files={"b": bytes(20 << 20)})
        schemes = replace(interpreter.schemes, platlib=interpreter.schemes.scripts)
        environment = replace(environment, interpreter=replace(interpreter, schemes=schemes))
        before = tree(environment)
        with pytest.raises(NotEnough, match=r"needs 29 MiB of disk, 1 MiB are free on .*/env/bin"):
            execute(write_lock(tmp_path, [binary], hints=True), environment, lanes=1)
        assert tree(environment) == before
        resize("size=64m")
        execute(write_lock(tmp_path, [binary], hints=True), environment, lanes=1)
        assert (tmp_path / "env/bin/b").stat().st_size == 20 << 20
