"""The metadata of a wheel is its own, and of a version that is known."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.files.held_folder import HeldFolder
from executor.wheels.dist_info import MAX_METADATA_SIZE, MAX_WHOLE_SIZE, DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.layout import Layout

FILENAME = "demo-1.0-py3-none-any.whl"
LAYOUT = Layout.of(FILENAME)

OPEN: list[HeldFolder] = []
"""Closed after each test."""


@pytest.fixture(name="opened", autouse=True)
def _opened() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    folder = tmp_path / "demo-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nText")
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
    return tmp_path


def found(tree: Path) -> DistInfo:
    OPEN.append(HeldFolder.at(str(tree)))
    return DistInfo.find(LAYOUT, OPEN[-1])


def write(tree: Path, name: str, content: str | bytes) -> DistInfo:
    data = content.encode() if isinstance(content, str) else content
    (tree / "demo-1.0.dist-info" / name).write_bytes(data)
    return found(tree)


def purelib_of(info: DistInfo) -> bool:
    return info.root_is_purelib(info.read("WHEEL"))


class TestRecord:
    def test_a_small_one_is_held(self, tree: Path) -> None:
        assert write(tree, "RECORD", "a,,\n").record == b"a,,\n"

    @pytest.mark.parametrize("content", [None, "x" * (65 << 10)])
    def test_what_is_large_or_no_file_is_left_to_who_needs_it(
        self, tree: Path, content: str | None
    ) -> None:
        record = tree / "demo-1.0.dist-info/RECORD"
        record.unlink(missing_ok=True)
        if content is None:
            record.mkdir()
            assert found(tree).record is None
        else:
            assert write(tree, "RECORD", content).record is None


class TestFolder:
    def test_it_is_found_with_the_data_folder_beside_it(self, tree: Path) -> None:
        (tree / "Demo-1.0.data").mkdir()
        info = found(tree)
        assert (info.folder, info.data) == ("demo-1.0.dist-info", "Demo-1.0.data")
        assert info.member("RECORD") == "demo-1.0.dist-info/RECORD"

    def test_a_data_folder_that_is_absent_has_the_name_of_dist_info(self, tree: Path) -> None:
        assert found(tree).data == "demo-1.0.data"

    def test_none_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other-1.0.dist-info").mkdir()
        (tmp_path / "demo-1.0.dist-info").write_text("a file")
        with pytest.raises(WheelRefused) as caught:
            found(tmp_path)
        assert str(caught.value) == (
            f"{FILENAME}: a wheel has one dist-info folder of its name; it has none"
        )

    def test_two_spellings_of_it_are_refused(self, tree: Path) -> None:
        (tree / "Demo-1.0.dist-info").mkdir()
        with pytest.raises(WheelRefused) as caught:
            found(tree)
        assert str(caught.value) == (
            f"{FILENAME}: a wheel has one dist-info folder of its name; "
            "it has 2: Demo-1.0.dist-info, demo-1.0.dist-info"
        )

    def test_two_data_folders_are_refused(self, tree: Path) -> None:
        (tree / "Demo-1.0.data").mkdir()
        (tree / "demo-1.0.data").mkdir()
        with pytest.raises(WheelRefused) as caught:
            found(tree)
        assert str(caught.value) == (
            f"{FILENAME}: a wheel has at most one data folder; it has Demo-1.0.data, demo-1.0.data"
        )


class TestFiles:
    def test_one_that_is_absent_is_none(self, tree: Path) -> None:
        assert found(tree).read("entry_points.txt") is None

    def test_one_that_is_no_text_is_refused(self, tree: Path) -> None:
        info = write(tree, "entry_points.txt", b"\xff")
        with pytest.raises(WheelRefused, match=r"entry_points.txt': it is not UTF-8 text$"):
            info.read("entry_points.txt")

    def test_one_that_is_larger_than_any_is_refused(self, tree: Path) -> None:
        info = write(tree, "entry_points.txt", b" " * (MAX_WHOLE_SIZE + 1))
        with pytest.raises(WheelRefused, match=r": it is larger than 262144 bytes$"):
            info.read("entry_points.txt")

    def test_a_folder_in_its_place_is_refused(self, tree: Path) -> None:
        (tree / "demo-1.0.dist-info/entry_points.txt").mkdir()
        with pytest.raises(WheelRefused, match=r"entry_points.txt': it is a folder$"):
            found(tree).read("entry_points.txt")


class TestWheelFile:
    @pytest.mark.parametrize(
        ("text", "pure"),
        [
            ("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n", True),
            ("wheel-version: 1.9\r\nroot-is-purelib:False\r\n", False),
            ("Wheel-Version: 1.0\n", False),
            ("\ufeffWheel-Version: 1.0\nRoot-Is-Purelib: true\n", True),
            # mkl_fft 1.3.6-58 has two blocks; the first counts.
            ("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n\nRoot-Is-Purelib: false\n", True),
        ],
    )
    def test_it_tells_where_the_root_belongs(self, tree: Path, text: str, pure: bool) -> None:
        assert purelib_of(write(tree, "WHEEL", text)) is pure

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Wheel-Version: 2.0\n", "its Wheel-Version is 2.0, this installer knows 1.x"),
            ("Wheel-Version: 1\n", "its Wheel-Version is '1'"),
            ("Wheel-Version: ².0\n", "its Wheel-Version is '².0'"),
            ("Root-Is-Purelib: true\n", "its Wheel-Version is ''"),
            (f"Wheel-Version: {'1' * 5000}.0\n", f"its Wheel-Version is '{'1' * 5000}.0'"),
        ],
    )
    def test_a_version_that_is_not_known_is_refused(
        self, tree: Path, text: str, message: str
    ) -> None:
        with pytest.raises(WheelRefused) as caught:
            purelib_of(write(tree, "WHEEL", text))
        assert str(caught.value) == f"{FILENAME}: 'demo-1.0.dist-info/WHEEL': {message}"

    def test_a_later_version_is_not_called_damaged(self, tree: Path) -> None:
        with pytest.raises(WheelRefused) as caught:
            purelib_of(write(tree, "WHEEL", "Wheel-Version: 2.0\n"))
        # Lanes send it to the process that shows it.
        error = pickle.loads(pickle.dumps(caught.value))
        assert str(error) == str(caught.value)
        assert error.hint == (
            "a later lockstream may know it: update lockstream, or lock another version"
        )

    def test_it_must_be_there(self, tree: Path) -> None:
        (tree / "demo-1.0.dist-info/WHEEL").unlink()
        with pytest.raises(WheelRefused, match=r"WHEEL': it is missing$"):
            purelib_of(found(tree))


class TestIdentity:
    @pytest.mark.parametrize(
        "text",
        ["Name: demo\nVersion: 1.0\n", "name: DEMO\nversion:1.0.0\n", "X: y\nName:demo\nVersion:1"],
    )
    def test_the_same_project_and_version_pass_however_they_are_spelled(
        self, tree: Path, text: str
    ) -> None:
        write(tree, "METADATA", text).check_identity()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "Name: other\nVersion: 1.0\n",
                "it names 'other', the file name another project",
            ),
            ("Version: 1.0\n", "it names '', the file name another project"),
            (
                "Name: demo\nVersion: 1.1\n",
                "it states version '1.1', the file name another",
            ),
            (
                "Name: demo\nVersion: one\n",
                "it states version 'one', the file name another",
            ),
            ("Name: demo\n\nVersion: 1.0\n", "it states version '', the file name another"),
        ],
    )
    def test_another_project_or_version_is_refused(
        self, tree: Path, text: str, message: str
    ) -> None:
        with pytest.raises(WheelRefused) as caught:
            write(tree, "METADATA", text).check_identity()
        assert str(caught.value) == f"{FILENAME}: 'demo-1.0.dist-info/METADATA': {message}"

    def test_a_version_of_thousands_of_digits_is_refused_and_nothing_else(self, tree: Path) -> None:
        with pytest.raises(WheelRefused, match="the file name another"):
            write(tree, "METADATA", f"Name: demo\nVersion: {'1' * 5000}\n").check_identity()

    def test_many_lines_take_no_more_memory_than_the_file(self, tree: Path) -> None:
        info = write(tree, "METADATA", "x:\n" * (MAX_METADATA_SIZE // 3))
        tracemalloc.start()
        try:
            with pytest.raises(WheelRefused):
                info.check_identity()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * MAX_WHOLE_SIZE
