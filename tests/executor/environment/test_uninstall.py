"""Removal: what RECORD lists goes, what is made of it goes too, and nothing else."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from executor.environment.errors import RecordEscapes, RecordUnreadable
from executor.environment.installed import Installed, installed_distributions
from executor.environment.places import Ways
from executor.environment.uninstall import (
    check_removal,
    remove_files,
    removed_entries,
    shared_paths,
)
from executor.files.held_folder import HeldFolder
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
    with HeldFolder.at(found.path) as dist_info:
        remove_files(dist_info, found.path, roots, keep or [])


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


def test_the_first_file_goes_too_if_a_mark_is_before_it(packages: Path) -> None:
    """uv takes a wheel whose RECORD an editor of Windows has written."""
    found = install(packages, "demo/__init__.py", "top.py")
    record = Path(found.record)
    record.write_bytes(b"\xef\xbb\xbf" + record.read_bytes())
    remove(packages, found)
    assert left(packages) == []


def test_byte_code_is_looked_at_once_however_a_record_is_ordered(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A RECORD may come back to a folder after each file."""
    names = [f"demo/{folder}/m{number}" for number in range(20) for folder in "ab"]
    found = install(packages, *(f"{name}.py" for name in names))
    fill(packages, *(f"{os.path.dirname(name)}/__pycache__/{name[7:]}.x.pyc" for name in names))
    listed: list[object] = []
    listdir = os.listdir

    def counted(folder: int) -> list[str]:
        listed.append(folder)
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", counted)
    remove(packages, found)
    assert len(listed) < 10
    assert left(packages) == []


def test_folders_that_an_environment_begins_with_stay(packages: Path) -> None:
    env = packages.parent.parent
    found = install(
        packages, "../../bin/x", "../../include/site/python3/demo/x.h", "../../share/x/y"
    )
    headers = env / "include" / "site" / "python3"
    roots = [*map(str, (packages, env / "bin", env, headers))]
    with HeldFolder.at(found.path) as dist_info:
        remove_files(dist_info, found.path, roots, [])
    assert left(packages) == ["bin", "include"]


@pytest.mark.parametrize(
    ("file", "stays"),
    [
        ("../../pyvenv.cfg", True),
        ("../../bin/python", True),
        ("../../bin/PYTHON3.12t", True),
        ("../../bin/pypy3", True),
        ("../../bin/activate.fish", True),
        ("../../bin/python-demo", False),
        ("../../bin/lib/python", False),
        ("../../share/pyvenv.cfg", False),
        # Modules that packages may have.
        ("activate.py", False),
        ("python/__init__.py", False),
    ],
)
def test_the_interpreter_and_the_settings_of_an_environment_stay(
    packages: Path, file: str, *, stays: bool
) -> None:
    """A wheel whose RECORD lists them was installed by another tool."""
    found = install(packages, file)
    root = packages.parent.parent
    (root / "bin").mkdir(exist_ok=True)
    roots = [str(packages), str(root / "bin"), str(root)]
    with HeldFolder.at(found.path) as dist_info:
        remove_files(dist_info, found.path, roots, [])
    assert Path(os.path.normpath(packages / file)).exists() is stays


def test_a_folder_with_the_name_of_byte_code_stays(packages: Path) -> None:
    """It must not stop the removal in the middle of a commit."""
    found = install(packages, "demo/__init__.py", "demo/a.py")
    fill(packages, "demo/__pycache__/a.cpython-312.pyc")
    (packages / "demo/__pycache__/a.cpython-311.pyc").mkdir()
    remove(packages, found)
    assert left(packages) == [
        "lib/site-packages/demo",
        "lib/site-packages/demo/__pycache__",
        "lib/site-packages/demo/__pycache__/a.cpython-311.pyc",
    ]


def test_a_record_that_leads_to_what_was_removed_lists_nothing(packages: Path) -> None:
    found = install(packages, "demo/__init__.py")
    Path(found.record).unlink()
    Path(found.record).symlink_to("../other/records")
    remove(packages, found)
    assert (packages / "demo/__init__.py").exists()


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

    def fail(path: str, **_: object) -> None:
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
        (bytes(1 << 20), "a line has 262144 characters or more"),
    ],
    ids=["not text", "null", "long", "endless"],
)
def test_a_damaged_record_is_told(packages: Path, record: bytes, problem: str) -> None:
    found = install(packages, "demo.py")
    (packages / RECORD).write_bytes(record)
    with pytest.raises(RecordUnreadable) as caught:
        check_removal(found, [str(packages)])
    assert str(caught.value).startswith(f"{packages / RECORD}: is damaged: {problem}")
    assert caught.value.hint


@pytest.mark.parametrize("path", ["x" * 256, "é" * 128, "a/" * 2048, f"a/{'b' * 300}/c"])
def test_a_path_that_no_file_can_have_is_damage(packages: Path, path: str) -> None:
    """A quote that is never closed makes one of all that follows."""
    found = install(packages, "demo.py")
    with open(found.record, "a") as record:
        record.write(f"{path},,\n")
    with pytest.raises(RecordUnreadable, match="no file has the path"):
        check_removal(found, [str(packages)])


def test_a_path_of_two_owners_is_shared_where_only_one_goes(packages: Path) -> None:
    one = install(packages, "same.py", "one.py", name="one")
    two = install(packages, "same.py", "two.py", name="two")
    roots = [str(packages)]
    assert list(shared_paths([one], [one, two], roots)) == [str(packages / "same.py")]
    assert list(shared_paths([one, two], [one, two], roots)) == []
    assert list(shared_paths([], [one, two], roots)) == []


class TestLinks:
    """Removal never leaves the environment."""

    @pytest.fixture(name="sources")
    def _sources(self, packages: Path, tmp_path: Path) -> Path:
        """The developer's sources, which a link in the place of the package leads to."""
        sources = tmp_path / "sources"
        fill(sources, "__init__.py", "sub/x.py", "__pycache__/gone.cpython-311.pyc")
        (packages / "demo").symlink_to(sources)
        return sources

    def test_a_link_in_the_place_of_a_folder_goes_and_the_sources_stay(
        self, packages: Path, sources: Path
    ) -> None:
        found = install(packages)
        (packages / RECORD).write_text(f"demo/__init__.py,,\ndemo/sub/x.py,,\n{RECORD},,\n")
        before = snapshot(sources)
        roots = [str(packages), str(packages.parent.parent)]
        assert list(removed_entries(found, Ways(roots))) == [
            str(packages / "demo"),
            str(packages / RECORD),
        ]
        check_removal(found, roots)
        remove(packages, found)
        assert left(packages) == []
        assert snapshot(sources) == before

    def test_a_link_that_another_distribution_has_files_behind_stays(
        self, packages: Path, sources: Path
    ) -> None:
        found = install(packages)
        (packages / RECORD).write_text("demo/__init__.py,,\n")
        other = install(packages, name="other")
        Path(other.record).write_text("demo/sub/x.py,,\n")
        keep = list(shared_paths([found], [found, other], [str(packages)]))
        assert keep == [str(packages / "demo")]
        remove(packages, found, keep)
        assert (packages / "demo").is_symlink()
        assert (sources / "__init__.py").exists()

    def test_byte_code_behind_a_link_stays(self, packages: Path, sources: Path) -> None:
        fill(packages, "real/a.py")
        (packages / "real/__pycache__").symlink_to(sources / "__pycache__")
        (packages / "demo").unlink()
        found = install(packages, "real/a.py")
        remove(packages, found)
        assert os.listdir(sources / "__pycache__") == ["gone.cpython-311.pyc"]

    def test_a_link_inside_of_the_environment_is_passed_and_stays(self, packages: Path) -> None:
        env = packages.parent.parent
        (env / "lib64").symlink_to("lib")
        found = install(packages, "../../lib64/libdemo.so", "../../lib64/site-packages/demo/a.py")
        remove(packages, found)
        assert left(packages) == ["lib64"]

    def test_what_a_layout_link_leads_to_stays_when_it_is_emptied(self, packages: Path) -> None:
        env = packages.parent.parent
        (env / "share/man").mkdir(parents=True)
        (env / "man").symlink_to("share/man")
        remove(packages, install(packages, "../../man/man1/demo.1"))
        assert list((env / "man").iterdir()) == []

    def test_a_folder_that_is_replaced_by_a_link_meanwhile_is_not_followed(
        self, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(tmp_path / "outside", "a.py")
        found = install(packages, "demo/a.py")
        opened = Ways.opened

        def replaced(ways: Ways, folder: str) -> AbstractContextManager[int | None]:
            if folder == str(packages / "demo") and not os.path.islink(folder):
                os.rename(folder, tmp_path / "moved")
                os.symlink(tmp_path / "outside", folder)
            return opened(ways, folder)

        monkeypatch.setattr(Ways, "opened", replaced)
        remove(packages, found)
        assert (tmp_path / "outside/a.py").exists()

    def test_a_layout_link_of_the_user_stays(self, packages: Path, tmp_path: Path) -> None:
        env = packages.parent.parent
        fill(tmp_path / "volume", "demo/x")
        (env / "share").symlink_to(tmp_path / "volume")
        found = install(packages, "../../share/demo/x")
        remove(packages, found)
        assert (env / "share").is_symlink()
        assert (tmp_path / "volume/demo/x").exists()


def test_a_row_that_is_a_folder_goes_with_the_folder(packages: Path) -> None:
    found = install(packages, "demo/sub/a.py", "space/a.py")
    (packages / RECORD).write_text(f"demo,,\ndemo/sub,,\nspace,,\ndemo/sub/a.py,,\n{RECORD},,\n")
    remove(packages, found)
    assert left(packages) == ["lib/site-packages/space", "lib/site-packages/space/a.py"]
