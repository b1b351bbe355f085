"""Files of a source archive land below their folder, whatever links came before them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.builds import source_files
from executor.builds.source_files import SourceFiles, Unsafe


@pytest.fixture
def files(tmp_path: Path) -> SourceFiles:
    (tmp_path / "into").mkdir()
    return SourceFiles(str(tmp_path / "into"))


def test_a_file_and_the_folders_above_it_are_made(tmp_path: Path, files: SourceFiles) -> None:
    files.file("demo/src/a.py", [b"a", b"b"], executable=True)
    found = tmp_path / "into/demo/src/a.py"
    assert found.read_bytes() == b"ab"
    assert found.stat().st_mode & 0o777 == 0o755


def test_a_later_file_takes_the_place_of_an_earlier_one(tmp_path: Path, files: SourceFiles) -> None:
    files.file("a", [b"1"], executable=False)
    files.hardlink("b", "a")
    files.file("a", [b"2"], executable=False)
    assert (tmp_path / "into/a").read_bytes() == b"2"
    assert (tmp_path / "into/b").read_bytes() == b"1"


@pytest.mark.parametrize("target", ["", "/etc", "..", "../..", "a/../..", "x/..", "b/../../../c"])
def test_a_link_that_could_lead_outside_is_refused(files: SourceFiles, target: str) -> None:
    with pytest.raises(Unsafe, match="leads outside"):
        files.symlink("demo" if target in {"..", "x/.."} else "link", target)


def test_a_link_that_stays_inside_is_made(tmp_path: Path, files: SourceFiles) -> None:
    files.file("demo/real/a", [b"a"], executable=False)
    files.symlink("demo/other/link", "../real/a")
    assert (tmp_path / "into/demo/other/link").read_bytes() == b"a"


def test_links_that_lead_on_stay_inside(tmp_path: Path, files: SourceFiles) -> None:
    files.folder("a/b/c/d")
    files.folder("top")
    files.symlink("a/b/c/d/up", "../../../../top")
    # As text this is a/b/c/d/x; by way of the link it would be a place above the folder.
    with pytest.raises(Unsafe, match="leads outside"):
        files.symlink("a/b/c/d/out", "up/../../x")


def test_nothing_is_written_through_a_link(tmp_path: Path, files: SourceFiles) -> None:
    files.folder("real")
    files.symlink("link", "real")
    with pytest.raises(Unsafe, match="is a link, and then a folder"):
        files.file("link/a", [b"a"], executable=False)
    with pytest.raises(Unsafe):
        files.folder("link")
    assert not (tmp_path / "into/real/a").exists()


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path, files: SourceFiles) -> None:
    files.file("real", [b"real"], executable=False)
    files.symlink("link", "real")
    files.file("link", [b"new"], executable=False)
    assert (tmp_path / "into/real").read_bytes() == b"real"
    assert not (tmp_path / "into/link").is_symlink()


def test_a_second_name_is_given_to_files_of_the_archive_only(
    tmp_path: Path, files: SourceFiles
) -> None:
    (tmp_path / "secret").write_text("secret")
    files.symlink("link", "nowhere")
    for target in ("../secret", "link", "absent"):
        with pytest.raises(Unsafe):
            files.hardlink("copy", target)


@pytest.mark.parametrize("name", ["..", "a/../b", "a/..", "x" * 256, "x/" * 1100])
def test_a_name_that_is_no_place_inside_is_refused(files: SourceFiles, name: str) -> None:
    with pytest.raises(Unsafe):
        files.file(name, [b""], executable=False)


def test_a_folder_is_not_replaced_by_a_file(files: SourceFiles) -> None:
    files.file("a/b", [b""], executable=False)
    with pytest.raises(Unsafe, match="a folder and a file"):
        files.file("a", [b""], executable=False)
    with pytest.raises(Unsafe, match="a folder and a file"):
        files.folder("a/b")


def test_members_and_bytes_are_counted(files: SourceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "MAX_SIZE", 10)
    with pytest.raises(Unsafe, match="more than 10 bytes"):
        files.file("a", [b"12345", b"678901"], executable=False)
    monkeypatch.setattr(source_files, "MAX_MEMBERS", 2)
    files.folder("b")
    with pytest.raises(Unsafe, match="more than 2 members"):
        files.folder("c")


def test_folders_and_paths_are_counted_too(
    files: SourceFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MAX_MEMBERS", 10)
    with pytest.raises(Unsafe, match="more than 10 members"):
        files.file("/".join("abcdefghijkl"), [], executable=False)
    monkeypatch.setattr(source_files, "MAX_MEMBERS", 100)
    monkeypatch.setattr(source_files, "MAX_NAMES", 30)
    with pytest.raises(Unsafe, match="more than 30 characters"):
        files.folder("b" * 31)


def test_folders_go_200_deep(files: SourceFiles) -> None:
    files.file("d/" * 199 + "f", [], executable=False)
    with pytest.raises(Unsafe, match="is in more than 200 folders"):
        files.folder("e/" * 201)


NAMES = st.lists(st.sampled_from(["a", "b", "c", ".", ".."]), min_size=1, max_size=4).map("/".join)
MEMBERS = st.lists(
    st.tuples(st.sampled_from(["file", "folder", "symlink", "hardlink"]), NAMES, NAMES), max_size=12
)


@given(MEMBERS)
def test_whatever_is_unpacked_every_path_stays_inside(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, str, str]]
) -> None:
    place = tmp_path_factory.mktemp("any")
    root = place / "into"
    root.mkdir()
    (place / "a").mkdir()
    (place / "b").write_text("outside")
    files = SourceFiles(str(root))
    for kind, name, target in members:
        try:
            if kind == "file":
                files.file(name, [b"inside"], executable=False)
            elif kind == "folder":
                files.folder(name)
            else:
                getattr(files, kind)(name, target)
        except Unsafe:
            pass
    assert (place / "b").read_text() == "outside"
    assert sorted(os.listdir(place)) == ["a", "b", "into"]
    assert os.listdir(place / "a") == []
    for folder, folders, names in os.walk(root):
        for found in (*folders, *names):
            real = os.path.realpath(os.path.join(folder, found))
            assert real == str(root) or real.startswith(f"{root}/")
