"""Disks that fail: a clear error, and the environment is what it was, or what it shall be."""

from __future__ import annotations

import errno
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from executor.environment import Environment
from executor.install import execute
from executor.shortage import OutOfMemory
from helpers.environments import check_nothing_lies, environment_below
from helpers.faults import count_changes, failed_at
from helpers.trees import Entry, snapshot
from helpers.wheels import build_wheel, lock_of
from schemas.errors import NotEnough

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
        for name, wheels in (("old", [OLD]), ("new", [NEW, OTHER])):
            (folder / name).mkdir()
            for wheel in wheels:
                wheel.write(folder / name)
            (folder / name / "pylock.toml").write_text(lock_of(wheels))

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
            assert "run it again: it finishes what was begun" in told
        check_nothing_lies(environment)
        upgrade.run(environment)
        assert tree(environment) == tree(whole), (number, told)
        outcomes.add((told is None, is_committed))
    # Before the commit and behind it.
    assert {(False, False), (False, True)} <= outcomes


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


def test_too_little_memory_is_told(upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = upgrade.prepare("env")
    before = tree(environment)

    def refuse(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("executor.transaction.stage_wheel", refuse)
    with pytest.raises(OutOfMemory) as caught:
        upgrade.run(environment)
    assert "the environment is as it was before" in caught.value.hint
    assert tree(environment) == before


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("commit._move_entries", "then run it again: it finishes what was begun"),
        ("install._compile", "the environment is what the lock says"),
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
