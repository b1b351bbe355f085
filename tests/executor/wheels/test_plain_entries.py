"""Entries that are compared many at once are compared as those that are read one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executor.archive.unzip import ForwardZip
from executor.files.held_folder import HeldFolder
from executor.wheels.errors import WheelRefused
from executor.wheels.manifest import Manifest, ManifestRow
from executor.wheels.member_names import MemberNames
from executor.wheels.plain_entries import PlainEntries
from executor.wheels.records import record_row
from helpers.archives import zip64_extra
from helpers.environments import stage
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel

FILES = {f"pkg/{number % 3}/f{number}.py": b"x" * number for number in range(90)}
WHEEL = build_wheel(files=FILES, executables=["pkg/1/f40.py", "pkg/2/f41.py"])
NAME = "pkg/1/f40.py"

CHUNKS = (1, 50, 1 << 20)


def outcome(wheel: Wheel, folder: Path, chunk: int) -> object:
    try:
        return snapshot(Path(stage(wheel, folder, chunk=chunk).tree))
    except WheelRefused as error:
        return error.rule, error.member


@pytest.mark.parametrize(
    ("central", "rule"),
    [
        ({"crc": 1}, "CRC"),
        ({"size": 1}, "states size"),
        ({"compressed_size": 1}, "compressed size"),
        ({"offset": 1}, "offset"),
        ({"method": 0}, "compression method"),
        ({"flags": 2}, "flags"),
        ({"name": b"pkg/1/f49.py"}, "name"),
        ({"disk": 1}, "several disks"),
        ({"version": 90}, "version 9.0"),
        ({"external": 0o120777 << 16}, "symbolic link"),
        ({"external": 0o040755 << 16}, "a directory"),
    ],
    ids=str,
)
def test_an_entry_that_differs_is_refused_wherever_chunks_are_cut(
    tmp_path: Path, central: dict[str, Any], rule: str
) -> None:
    wheel = WHEEL.edited(NAME, central=central)
    first, *others = [outcome(wheel, tmp_path / str(chunk), chunk) for chunk in CHUNKS]
    assert isinstance(first, tuple)
    assert rule in first[0]
    assert others == [first, first]


@pytest.mark.parametrize(
    "central",
    [{"comment": b"note"}, {"extra": zip64_extra()}, {"made_by": 0, "external": 0}, {"date": 0}],
    ids=str,
)
def test_what_may_differ_makes_the_same_tree(tmp_path: Path, central: dict[str, Any]) -> None:
    wheel = WHEEL.edited(NAME, central=central)
    first, *others = [outcome(wheel, tmp_path / str(chunk), chunk) for chunk in CHUNKS]
    assert isinstance(first, dict)
    assert others == [first, first]


def test_only_executable_files_are_made_executable(tmp_path: Path) -> None:
    tree = Path(stage(WHEEL, tmp_path / "s", chunk=1 << 20).tree)
    assert {name for name in FILES if (tree / name).stat().st_mode & 0o111} == {
        "pkg/1/f40.py", "pkg/2/f41.py",
    }  # fmt: skip


def test_most_entries_make_no_row(tmp_path: Path) -> None:
    archive = ForwardZip([WHEEL.content])
    with HeldFolder.at(str(tmp_path)) as folder, Manifest(folder) as manifest:
        for member in archive.members():
            for _ in member.pieces():
                pass
            header = member.header
            row = record_row(member.name, "", member.size)
            manifest.append(
                ManifestRow(
                    member.name, header.flags, header.method, member.crc, member.compressed_size,
                    member.size, member.offset, row,
                )
            )  # fmt: skip
        for name in ("pkg/1/f40.py", "pkg/2/f41.py"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        plain = PlainEntries(archive, manifest, MemberNames(), folder)
        rows = []
        for _ in archive.central_entries():
            rows.append(plain.row())
            plain.pass_equal()
        assert [row.name for row in rows if row] == [WHEEL.members[0].name]
        assert plain.row() is None
        plain.close()
