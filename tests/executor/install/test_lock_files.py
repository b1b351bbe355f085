"""The files of a lock are those of all its targets, with each choice of extras and groups."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from executor.install.lock_files import files_of
from executor.lock.errors import LockUnreadable, NotForThisTarget, NotInstallable
from executor.lock.options import TargetNames
from executor.lock.selection import Selector
from executor.sources.errors import SameName
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import UsageError
from schemas.target import Target

LINUX, WINDOWS = "py3-none-manylinux_2_17_x86_64", "py3-none-win_amd64"
TARGETS = [
    {"python": "3.11", "platform": "manylinux_2_28_x86_64"},
    {"python": "3.12", "platform": "win_amd64"},
]
APP = build_wheel("app")

NATIVE = [build_wheel("native", tag=tag) for tag in (LINUX, WINDOWS)]


def write(folder: Path, wheels: Iterable[Wheel], *, more: str = "", **keys: object) -> str:
    header = {"tool": {"lockstream": {"targets": keys.pop("targets", TARGETS)}}, **keys}
    packages = {"extra": {"marker": '"x" in extras'}, "rest": {"marker": '"x" not in extras'}}
    path = folder / "pylock.toml"
    path.write_text(lock_of(wheels, header=header, packages=packages) + more)
    return str(path)


def names(lock: str, **named: tuple[str, ...]) -> list[str]:
    return sorted(step.filename for step in files_of(lock, TargetNames(**named)).steps)


def test_each_target_has_its_files(tmp_path: Path) -> None:
    lock = write(tmp_path, NATIVE)
    assert names(lock) == sorted(wheel.filename for wheel in NATIVE)
    assert names(lock, platforms=("windows",)) == [NATIVE[1].filename]
    (target,) = files_of(lock, TargetNames(python_versions=("3.12",), platforms=("linux",))).targets
    assert str(target) == "CPython 3.12.0 on manylinux_2_28_x86_64"


def test_memory_does_not_grow_with_the_targets(tmp_path: Path) -> None:
    pythons = [f"3.{minor}" for minor in range(8, 40)]
    wheels = [build_wheel("native", tag=f"cp{one.replace('.', '')}-none-any") for one in pythons]
    lock = write(tmp_path, [*wheels, APP])
    peaks = []
    for chosen in pythons[-8:], pythons:
        tracemalloc.start()
        found = names(lock, python_versions=tuple(chosen), platforms=("linux",))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        expected = [APP.filename, *(wheel.filename for wheel in wheels[-len(chosen) :])]
        assert found == sorted(expected)
    assert peaks[1] < 1.5 * peaks[0]


def test_a_python_that_is_named_without_a_release_has_the_files_of_each(tmp_path: Path) -> None:
    wheels = [build_wheel("app", version) for version in ("1.0", "2.0", "3.0")]
    ranges = [
        "python_full_version < '3.11.5'",
        "python_full_version >= '3.11.5' and python_full_version < '3.12.9'",
        "python_full_version >= '3.12.9'",
    ]
    text = lock_of(wheels, header={"requires-python": ">=3.11"})
    for version, marker in zip(("1.0", "2.0", "3.0"), ranges, strict=True):
        text = text.replace(
            f'version = "{version}"\n', f'version = "{version}"\nmarker = "{marker}"\n'
        )
    path = tmp_path / "pylock.toml"
    path.write_text(text)
    for named, versions in (
        ("3.11.2", "1"), ("3.11.7", "2"), ("3.11", "12"), ("3.12", "23"), ("3.13", "3"),
    ):  # fmt: skip
        expected = [f"app-{one}.0-py3-none-any.whl" for one in versions]
        assert names(str(path), python_versions=(named,), platforms=("linux",)) == expected, named


def test_a_lock_for_later_releases_of_a_python_is_for_that_python(tmp_path: Path) -> None:
    """It was refused: the lock is for Python >=3.11.2, but the target is CPython 3.11.0."""
    wheels = [build_wheel("a"), build_wheel("b", tag="cp312-cp312-any")]
    lock = write(tmp_path, wheels, **{"requires-python": ">=3.11.2"})
    found = files_of(lock, TargetNames(python_versions=("3.11",), platforms=("linux",)))
    assert [step.name for step in found.steps] == ["a"]
    with pytest.raises(NotForThisTarget):
        files_of(lock, TargetNames(python_versions=("3.11.0",)))


def test_releases_that_no_python_has_had_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock of 37 KB that names a thousand of them took minutes."""
    made: list[str] = []

    def counted(header: Any, target: Target, options: Any) -> Selector:
        made.append(target.environment["python_full_version"])
        return Selector(header, target, options)

    monkeypatch.setattr("executor.install.lock_files.Selector", counted)
    lock = Path(write(tmp_path, [APP]))
    marker = " or ".join(f"python_full_version == '3.11.{one}'" for one in range(1000))
    named = f'name = "app"\nmarker = "{marker}"\n'
    lock.write_text(lock.read_text().replace('name = "app"\n', named))
    assert names(str(lock), python_versions=("3.11",), platforms=("linux",)) == [APP.filename]
    assert set(made) == {f"3.11.{one}" for one in range(41)}


def test_a_lock_that_is_a_pipe_is_refused_for_that(tmp_path: Path) -> None:
    text = Path(write(tmp_path, [APP])).read_bytes()
    read, written = os.pipe()
    os.write(written, text)
    os.close(written)
    try:
        with pytest.raises(LockUnreadable, match="it is a pipe") as caught:
            names(f"/dev/fd/{read}")
    finally:
        os.close(read)
    assert caught.value.hint == "write it to a file, and name that"


def test_each_choice_of_extras_has_its_files(tmp_path: Path) -> None:
    wheels = [build_wheel("extra"), build_wheel("rest")]
    lock = write(tmp_path, wheels, extras=["x"])
    assert names(lock) == [wheel.filename for wheel in wheels]


def test_a_lock_of_another_tool_is_for_the_running_python(tmp_path: Path) -> None:
    lock = write(tmp_path, NATIVE, targets=[])
    assert names(lock) == [NATIVE[0].filename]


def test_what_is_no_file_and_what_has_none_is_named(tmp_path: Path) -> None:
    more = '[[packages]]\nname = "tree"\ndirectory = { path = "tree" }\n'
    found = files_of(write(tmp_path, NATIVE[:1], more=more))
    assert list(found.warnings()) == [
        "not fetched, as folders or repositories: tree",
        "no file for one of the targets: native",
    ]


def test_a_source_counts_where_no_wheel_does(tmp_path: Path) -> None:
    more = (
        '[[packages]]\nname = "source"\nversion = "1.0"\nsdist = { path = "source-1.0.tar.gz", '
        f'hashes = {{ sha256 = "{"a" * 64}" }} }}\n'
    )
    assert names(write(tmp_path, [APP], more=more)) == [APP.filename, "source-1.0.tar.gz"]


def test_two_files_of_one_name_do_not_fit_into_a_folder(tmp_path: Path) -> None:
    name = NATIVE[0].filename
    more = "".join(
        '[[packages]]\nname = "native"\nversion = "1.0"\n'
        f"marker = \"python_version == '{python}'\"\n"
        f'wheels = [{{ path = "w/{name}", hashes = {{ sha256 = "{digit * 64}" }} }}]\n'
        for python, digit in (("3.11", "a"), ("3.12", "b"))
    )
    targets = [{"python": python, "platform": "linux"} for python in ("3.11", "3.12")]
    lock = write(tmp_path, [APP], targets=targets, more=more)
    with pytest.raises(SameName) as raised:
        files_of(lock)
    assert str(raised.value) == f"the lock has two different files with the name {name}"
    # What the hint says helps.
    assert names(lock, python_versions=("3.11",)) == [APP.filename, name]


@pytest.mark.parametrize(
    "name",
    ["..", ".bashrc", "--checkpoint=x.zip", "a\\nb.zip", "\\u001b]0;a.zip", "\\u202e.zip"],
)
def test_a_file_cannot_leave_its_folder_hide_or_be_an_option(tmp_path: Path, name: str) -> None:
    archive = f'archive = {{ path = "x/{name}", hashes = {{ sha256 = "{"a" * 64}" }} }}\n'
    more = f'[[packages]]\nname = "source"\nversion = "1.0"\n{archive}'
    with pytest.raises(NotInstallable) as raised:
        files_of(write(tmp_path, [APP], more=more))
    plain = name.encode().decode("unicode-escape")
    assert str(raised.value) == f"source: {plain!r} is not the name of a file"


def test_a_name_that_no_file_can_have_is_said(tmp_path: Path) -> None:
    for name, is_one in (("é" * 120 + ".zip", True), ("é" * 130 + ".zip", False)):
        archive = f'archive = {{ path = "{name}", hashes = {{ sha256 = "{"a" * 64}" }} }}\n'
        lock = write(tmp_path, [APP], more=f'[[packages]]\nname = "source"\n{archive}')
        if is_one:
            assert name in names(lock)
            continue
        with pytest.raises(NotInstallable, match="is not the name of a file"):
            files_of(lock)


def test_a_target_that_the_lock_is_not_for_is_refused(tmp_path: Path) -> None:
    lock = write(tmp_path, NATIVE, environments=["sys_platform == 'linux'"], targets=TARGETS[:1])
    with pytest.raises(NotForThisTarget):
        names(lock, platforms=("windows",))
    with pytest.raises(UsageError):
        names(lock, platforms=("no-such",))
