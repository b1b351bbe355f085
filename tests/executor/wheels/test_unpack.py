"""A wheel in any chunks becomes the same folder, or is refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from executor.sources.errors import HashMismatch
from executor.wheels.errors import NamesUnited, WheelRefused
from executor.wheels.rules import STRICT, Rules
from helpers.archives import Descriptor, Member
from helpers.environments import chunked, schemes_below, stage
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel
from schemas.digests import Mismatch
from schemas.wheel import MAX_NAME_SIZE
from schemas.zipformat import Method

FILES = {"demo/__init__.py": b"", "demo/data.bin": bytes(range(256)) * 300}
WHEEL = build_wheel(files=FILES, data_files={"scripts/run": "#!python\n"})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes such names")
class TestNamesThatOtherSystemsDislike:
    NAMES = ("demo/aux.py", "demo/a:b", "demo/dot.", "demo/mpiCC", "demo/mpicc")
    FILES: ClassVar = {**FILES, **dict.fromkeys(NAMES, b"x")}

    def test_a_wheel_for_linux_may_have_them(self, tmp_path: Path) -> None:
        wheel = build_wheel(files=self.FILES, tag="py3-none-manylinux_2_17_x86_64.linux_x86_64")
        staged = stage(wheel, tmp_path / "one")
        for name in self.NAMES:
            assert Path(staged.tree, name).read_bytes() == b"x"
        assert not staged.warnings

    @pytest.mark.parametrize("name", NAMES[:3])
    def test_a_wheel_for_all_may_only_if_the_user_is_lenient(
        self, tmp_path: Path, name: str
    ) -> None:
        wheel = build_wheel(files={**FILES, name: b"x"})
        with pytest.raises(WheelRefused) as caught:
            stage(wheel, tmp_path / "one")
        assert "--lenient installs it" in caught.value.hint
        staged = stage(wheel, tmp_path / "two", rules=Rules(lenient=True))
        assert Path(staged.tree, name).read_bytes() == b"x"
        assert [one for one in staged.warnings if one.startswith(f"{name}: ")]

    @pytest.mark.parametrize("rules", [STRICT, Rules(lenient=True)], ids=["strict", "lenient"])
    def test_where_two_names_are_one_the_file_system_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Rules
    ) -> None:
        """A folder of macOS or Windows in a container."""
        whole = os.open

        def without_case(path: str, flags: int, *words: Any, **named: Any) -> int:
            if flags & os.O_EXCL and path.lower() in map(str.lower, os.listdir(named["dir_fd"])):
                raise FileExistsError
            return whole(path, flags, *words, **named)

        files = {**FILES, "demo/mpiCC": b"c++", "demo/mpicc": b"c"}
        wheel = build_wheel(files=files, tag="py3-none-linux_x86_64")
        monkeypatch.setattr("executor.files.destination.os.open", without_case)
        with pytest.raises(NamesUnited) as caught:
            stage(wheel, tmp_path / "one", rules=rules)
        assert str(caught.value) == (
            f"{wheel.filename}: 'demo/mpicc': a member before it has a name that this file system "
            "takes for the same"
        )
        assert "hostile" not in caught.value.hint

    def test_what_leads_out_of_the_wheel_is_refused_all_the_same(self, tmp_path: Path) -> None:
        wheel = build_wheel(files={"../evil.py": b"x"}, tag="py3-none-linux_x86_64")
        with pytest.raises(WheelRefused) as caught:
            stage(wheel, tmp_path / "one", rules=Rules(lenient=True))
        assert "--lenient" not in caught.value.hint


class TestAccepted:
    @pytest.mark.parametrize("chunk", [1, 7, 64 << 10])
    @pytest.mark.parametrize("method", list(Method))
    def test_chunks_and_methods_make_no_difference(
        self, tmp_path: Path, method: Method, chunk: int
    ) -> None:
        schemes = schemes_below(tmp_path)
        wheel = WHEEL.rebuilt(replace(member, method=method) for member in WHEEL.members)
        staged = stage(wheel, tmp_path / "one", chunk=chunk, schemes=schemes)
        other = stage(WHEEL, tmp_path / "other", schemes=schemes)
        assert snapshot(Path(staged.tree)) == snapshot(Path(other.tree))
        assert snapshot(Path(staged.data)) == snapshot(Path(other.data))

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"descriptor": Descriptor()}, id="data descriptors"),
            pytest.param({"zip64": True}, id="zip64 extra fields"),
            pytest.param({"central": {"made_by": 20}}, id="made on DOS"),
            pytest.param({"headers": {"extra": b"\x55\x54\x05\x00\x01\0\0\0\0"}}, id="timestamps"),
        ],
    )
    def test_forms_of_an_archive_make_no_difference(
        self, tmp_path: Path, changes: dict[str, Any]
    ) -> None:
        wheel = WHEEL.rebuilt(replace(member, **changes) for member in WHEEL.members)
        staged = stage(wheel, tmp_path / "s")
        assert Path(staged.tree, "demo/data.bin").read_bytes() == FILES["demo/data.bin"]

    def test_the_order_of_members_makes_no_difference_but_to_the_order_of_record(
        self, tmp_path: Path
    ) -> None:
        """7.5 % of real wheels do not keep dist-info last."""
        schemes = schemes_below(tmp_path)
        turned = stage(WHEEL.rebuilt(reversed(WHEEL.members)), tmp_path / "one", schemes=schemes)
        straight = stage(WHEEL, tmp_path / "other", schemes=schemes)
        record = f"{straight.dist_info}/RECORD"
        assert snapshot(Path(turned.tree), [record]) == snapshot(Path(straight.tree), [record])
        one, other = (Path(staged.tree, record).read_text() for staged in (turned, straight))
        assert one != other
        assert sorted(one.splitlines()) == sorted(other.splitlines())

    def test_folders_that_are_listed_are_passed_over(self, tmp_path: Path) -> None:
        folders = [
            Member("demo/", b"", Method.STORED, mode=0o040755),
            Member("demo/empty/", b"", Method.DEFLATED, mode=0o040755),
            # pyarrow 15 and 16
            Member("demo./", b"", Method.STORED, mode=0o040755),
        ]
        staged = stage(WHEEL.rebuilt([*folders, *WHEEL.members]), tmp_path / "s")
        assert not {"demo/empty", "demo."} & snapshot(Path(staged.tree)).keys()

    @pytest.mark.parametrize("name", ["../", "demo/../", "./", "demo/./", ". /", "a./b/", "/"])
    def test_a_listed_folder_that_leads_elsewhere_is_refused(
        self, tmp_path: Path, name: str
    ) -> None:
        folder = Member(name, b"", Method.STORED, mode=0o040755)
        with pytest.raises(WheelRefused):
            stage(WHEEL.rebuilt([folder, *WHEEL.members]), tmp_path / "s")

    def test_what_is_written_is_told(self, tmp_path: Path) -> None:
        told: list[int] = []
        stage(WHEEL, tmp_path / "s", wrote=told.append)
        assert sum(told) == sum(len(member.data) for member in WHEEL.members)


class TestNames:
    """Siblings are checked against less than their first, but nothing passes for it."""

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            pytest.param(
                ["a/b", "a/.."],
                "its name is absolute or not in its shortest form "
                "(it has an empty, '.' or '..' part)",
                id="dots",
            ),
            pytest.param(
                ["a/b", "a//c"],
                "its name is absolute or not in its shortest form "
                "(it has an empty, '.' or '..' part)",
                id="empty",
            ),
            pytest.param(
                ["a/b", "a/nul.txt"], "its part 'nul.txt' is a reserved name on Windows", id="NUL"
            ),
            pytest.param(
                [f"{'x/' * 60}y", f"{'x/' * 60}{'x/' * 3}y/z"],
                "it is more than 64 folders deep",
                id="depth",
            ),
            pytest.param(
                [
                    f"{'x' * 250}/{'x' * 250}/{'x' * 250}/{'x' * 250}/{end}"
                    for end in ("y", "y" * 200)
                ],
                f"its name is longer than {MAX_NAME_SIZE} bytes",
                id="length",
            ),
        ],
    )
    def test_a_bad_name_is_refused_behind_a_good_one(
        self, tmp_path: Path, names: list[str], message: str
    ) -> None:
        wheel = WHEEL.rebuilt([*(Member(name) for name in names), *WHEEL.members])
        with pytest.raises(WheelRefused) as caught:
            stage(wheel, tmp_path / "s")
        assert str(caught.value) == f"{WHEEL.filename}: {names[1]!r}: {message}"


class TestCause:
    """Bytes that are not the locked ones are said to be so, wherever the damage shows first."""

    @pytest.mark.parametrize(
        "damaged",
        [
            pytest.param(WHEEL.edited("demo/data.bin", headers={"crc": 1}), id="in a member"),
            pytest.param(WHEEL.edited("demo/data.bin", payload=b"\x07"), id="in its deflated data"),
            pytest.param(WHEEL.edited("demo/data.bin", local={"flags": 1}), id="in a header"),
            pytest.param(WHEEL.edited("demo/data.bin", central={"crc": 1}), id="in the directory"),
            pytest.param(WHEEL.rebuilt(end={"size": 1}), id="in the end"),
            pytest.param(WHEEL.rebuilt(prefix=b"x"), id="at the beginning"),
        ],
    )
    @pytest.mark.parametrize("chunk", [100, 1 << 20])
    def test_the_hash_goes_before_the_archive(
        self, tmp_path: Path, damaged: Wheel, chunk: int
    ) -> None:
        mismatch = HashMismatch(WHEEL.filename, "somewhere", Mismatch("sha256", "aa", "bb"))

        def chunks() -> Iterator[bytes]:
            yield from chunked(damaged.content, chunk)
            raise mismatch

        with pytest.raises(HashMismatch) as caught:
            stage(WHEEL, tmp_path / "s", chunks=chunks())
        assert caught.value is mismatch

    def test_an_archive_that_is_cut_short_says_so_where_the_lock_agrees_with_it(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(WheelRefused) as caught:
            stage(WHEEL, tmp_path / "s", chunks=[WHEEL.content[:-1]])
        assert str(caught.value) == f"{WHEEL.filename}: it ends before its last record"
