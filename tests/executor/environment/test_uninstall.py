"""Removal: what RECORD lists goes, what is made of it goes too, and nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from executor.environment.errors import RecordEscapes, RecordUnreadable
from executor.environment.installed import Installed, installed_distributions
from executor.environment.uninstall import check_removal, remove_files, shared_paths
from helpers.trees import snapshot

RECORD = "demo-1.0.dist-info/RECORD"


@pytest.fixture(name="packages")
def _packages(tmp_path: Path) -> Path:
    folder = tmp_path / "env" / "lib" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def fill(packages: Path, *files: str) -> None:
    for name in files:
        path = packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def install(packages: Path, *files: str, name: str = "demo") -> Installed:
    """``files``, and a RECORD that lists them, relative to ``packages``."""
    record = f"{name}-1.0.dist-info/RECORD"
    fill(packages, *files, record)
    (packages / record).write_text("".join(f'"{file}",,\n' for file in [*files, record]))
    return next(found for found in installed_distributions(str(packages)) if found.name == name)


def remove(packages: Path, found: Installed, keep: list[str] | None = None) -> None:
    roots = [str(packages), str(packages.parent.parent)]
    remove_files(found.path, str(packages), roots, keep or [])


def left(packages: Path) -> list[str]:
    root = packages.parent.parent
    return [path for path in snapshot(root) if path not in {"lib", "lib/site-packages"}]


def test_every_listed_file_goes_with_its_byte_code_and_empty_folders(packages: Path) -> None:
    found = install(
        packages, "demo/__init__.py", "demo/sub/deep/a.py", "demo/data.txt", "top.py", "../../bin/x"
    )
    fill(
        packages,
        "demo/__pycache__/__init__.cpython-311.pyc",
        "demo/__pycache__/__init__.cpython-312.opt-1.pyc",
        "demo/sub/deep/__pycache__/a.cpython-38.pyc",
        "__pycache__/top.cpython-311.pyc",
    )
    remove(packages, found)
    assert left(packages) == []
    assert not (packages.parent.parent / "bin").exists()


def test_folders_that_an_environment_begins_with_stay(packages: Path) -> None:
    env = packages.parent.parent
    found = install(
        packages, "../../bin/x", "../../include/site/python3/demo/x.h", "../../share/x/y"
    )
    headers = env / "include" / "site" / "python3"
    remove_files(found.path, str(packages), [*map(str, (packages, env / "bin", env, headers))], [])
    assert left(packages) == ["bin", "include"]


def test_byte_code_that_is_listed_goes_as_a_file(packages: Path) -> None:
    found = install(packages, "top.py", "__pycache__/top.cpython-311.pyc")
    remove(packages, found)
    assert left(packages) == []


def test_what_is_not_listed_stays_with_its_folders(packages: Path) -> None:
    found = install(packages, "space/demo/a.py", "top.py")
    fill(
        packages,
        "space/demo/user.cfg",
        "space/other/b.py",
        "space/other/__pycache__/b.cpython-311.pyc",
        "other.py",
        "__pycache__/other.cpython-311.pyc",
        "__pycache__/top.cpython-311.pyc",
    )
    remove(packages, found)
    assert [path.removeprefix("lib/site-packages/") for path in left(packages)] == [
        "__pycache__",
        "__pycache__/other.cpython-311.pyc",
        "other.py",
        "space",
        "space/demo",
        "space/demo/user.cfg",
        "space/other",
        "space/other/__pycache__",
        "space/other/__pycache__/b.cpython-311.pyc",
        "space/other/b.py",
    ]


def test_what_is_to_be_kept_stays(packages: Path) -> None:
    found = install(packages, "same.py", "demo.py")
    remove(packages, found, keep=[str(packages / "same.py")])
    assert left(packages) == ["lib/site-packages/same.py"]


def test_it_can_be_done_again_from_any_point(packages: Path) -> None:
    found = install(packages, "demo/a.py", "demo/b.py")
    record = (packages / RECORD).read_text()
    (packages / "demo/a.py").unlink()
    remove(packages, found)
    fill(packages, RECORD)
    (packages / RECORD).write_text(record)
    remove(packages, found)
    assert left(packages) == []


@pytest.mark.parametrize(
    ("code", "is_told"),
    [(errno.EACCES, True), (errno.EIO, True), (errno.ENOTEMPTY, False), (errno.EBUSY, False)],
    ids=["EACCES", "EIO", "ENOTEMPTY", "EBUSY"],
)
def test_an_empty_folder_stays_only_where_that_is_no_fault(
    packages: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_told: bool
) -> None:
    """One that stayed unnoticed would be importable, as a namespace package."""
    found = install(packages, "demo/a.py")

    def fail(path: str) -> None:
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr("os.rmdir", fail)
    if is_told:
        with pytest.raises(OSError, match=os.strerror(code)):
            remove(packages, found)
    else:
        remove(packages, found)
    assert not (packages / "demo/a.py").exists()


def test_a_link_goes_and_what_it_leads_to_stays(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    fill(tmp_path / "outside", "precious")
    found = install(packages, "demo/a.py")
    (packages / "demo/a.py").unlink()
    (packages / "demo/a.py").symlink_to(tmp_path / "outside" / "precious")
    remove(packages, found)
    assert left(packages) == []
    assert (tmp_path / "outside" / "precious").exists()


@pytest.mark.parametrize(
    "path", ["../../../outside", "/etc/hostname", "demo/../../../../outside", "../../.."]
)
def test_a_record_that_lists_what_is_outside_is_refused(packages: Path, path: str) -> None:
    found = install(packages, "demo.py")
    (packages / RECORD).write_text(f'demo.py,,\n"{path}",,\n')
    with pytest.raises(RecordEscapes) as caught:
        check_removal(found, [str(packages), str(packages.parent.parent)])
    assert str(caught.value).startswith("demo 1.0 cannot be removed: its RECORD lists /")
    assert caught.value.hint


def test_what_is_outside_stays_even_where_nobody_checked(packages: Path) -> None:
    found = install(packages, "demo.py")
    outside = packages.parent.parent.parent / "outside"
    outside.write_text("precious")
    (packages / RECORD).write_text("../../../outside,,\ndemo.py,,\n")
    remove(packages, found)
    assert outside.read_text() == "precious"
    assert not (packages / "demo.py").exists()


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (b"demo.py,,\n\xff,,\n", "'utf-8' codec can't decode byte 0xff in position 10"),
        (b"demo\0.py,,\n", "a path has a null character in it"),
        (b"x" * 200_000 + b",,\n", "field larger than field limit (131072)"),
    ],
    ids=["not text", "null", "endless"],
)
def test_a_damaged_record_is_told(packages: Path, record: bytes, problem: str) -> None:
    found = install(packages, "demo.py")
    (packages / RECORD).write_bytes(record)
    with pytest.raises(RecordUnreadable) as caught:
        check_removal(found, [str(packages)])
    assert str(caught.value).startswith(f"{packages / RECORD}: is damaged: {problem}")
    assert caught.value.hint


def test_a_path_of_two_owners_is_shared_where_only_one_goes(packages: Path) -> None:
    one = install(packages, "same.py", "one.py", name="one")
    two = install(packages, "same.py", "two.py", name="two")
    assert list(shared_paths([one], [one, two])) == [str(packages / "same.py")]
    assert list(shared_paths([one, two], [one, two])) == []
    assert list(shared_paths([], [one, two])) == []
