"""Disk: what does not fit is refused before the first byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.files.mounts import device_of, file_system, has_journal, is_in_memory
from executor.install.preflight import check_disk, surface_of
from executor.lock.step import Step
from helpers.environments import schemes_below
from helpers.power import Disk, can_lose_power
from schemas.errors import ExitCode
from schemas.hints import WheelHints

MIB = 1 << 20
FREE = 100 * MIB
INODES = 1000


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system with 100 MiB left for users, and more for root."""
    values = (
        4096,
        4096,
        4 * FREE // 4096,
        2 * FREE // 4096,
        FREE // 4096,
        9000,
        2000,
        INODES,
        0,
        255,
    )
    monkeypatch.setattr("executor.files.disk_space.os.statvfs", lambda _: os.statvfs_result(values))


def step(size: int | None, unpacked: int | None = None, files: int = 1) -> Step:
    hints = (
        None
        if unpacked is None
        else WheelHints(unpacked_size=unpacked, files=files, largest_file=unpacked)
    )
    return Step(
        name="demo",
        version="1.0",
        filename="demo-1.0-py3-none-any.whl",
        url=None,
        path="x",
        size=size,
        hashes=(),
        hints=hints,
        is_direct=False,
    )


def mount_point(path: Path) -> Path:
    return next(above for above in (path, *path.parents) if above.is_mount())


def test_hints_tell_what_is_needed(tmp_path: Path) -> None:
    nothing = check_disk([], schemes_below(tmp_path))
    assert 0 < nothing < 10 * MIB
    assert check_disk([step(1, 30 * MIB), step(99 * MIB, 5 * MIB)], schemes_below(tmp_path)) == (
        nothing + 35 * MIB
    )


def test_without_hints_only_the_wheel_itself_counts(tmp_path: Path) -> None:
    # A guess of what it unpacks to would refuse wheels of libraries that fit.
    nothing = check_disk([], schemes_below(tmp_path))
    most = FREE - nothing
    assert check_disk([step(most), step(None)], schemes_below(tmp_path)) == FREE
    with pytest.raises(NotEnoughDisk):
        check_disk([step(most + 1)], schemes_below(tmp_path))


def test_what_does_not_fit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    reserve = check_disk([], schemes_below(tmp_path))
    most = FREE - reserve
    assert check_disk([step(1, most)], schemes_below(tmp_path)) == FREE
    with pytest.raises(NotEnoughDisk) as caught:
        check_disk([step(1, most + 1)], schemes_below(tmp_path))
    mount = mount_point(tmp_path)
    assert str(caught.value) == f"{tmp_path}: needs 101 MiB of disk, 100 MiB are free on {mount}"
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert caught.value.hint == "nothing was written; free space there, or name another place"


def test_the_file_system_of_an_absent_folder_is_that_of_its_ancestor(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDisk) as caught:
        check_disk([step(1, 2 * FREE)], schemes_below(tmp_path / "not" / "there"))
    assert caught.value.path == str(tmp_path)


def test_more_files_than_inodes_are_refused(tmp_path: Path) -> None:
    check_disk([step(1, 1, 600)], schemes_below(tmp_path))
    with pytest.raises(NotEnoughInodes) as caught:
        check_disk([step(1, 1, 600), step(1, 1, 300)], schemes_below(tmp_path))
    mount = mount_point(tmp_path)
    assert str(caught.value) == f"{tmp_path}: needs 1250 inodes, 1000 are free on {mount}"
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH


def test_a_file_system_that_states_no_inodes_has_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = (4096, 4096, FREE, FREE, FREE, 0, 0, 0, 0, 255)
    monkeypatch.setattr("executor.files.disk_space.os.statvfs", lambda _: os.statvfs_result(values))
    check_disk([step(1, 1, 10**6)], schemes_below(tmp_path))


@pytest.fixture(scope="module")
def kinds() -> dict[str, str]:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return {path: kind for _, path, kind, *_ in mounts if path in {"/", "/dev/shm"}}


def test_a_tmpfs_is_memory_and_a_disk_is_not(kinds: dict[str, str]) -> None:
    found = {path: is_in_memory(path) for path in kinds}
    assert found == {path: kind in {"tmpfs", "ramfs"} for path, kind in kinds.items()}
    assert is_in_memory("/nowhere/at/all") == is_in_memory("/")


def test_what_is_not_known_to_be_like_ext4_is_another(kinds: dict[str, str]) -> None:
    disks = {path: kind for path, kind in kinds.items() if kind != "overlay"}
    known = {"tmpfs", "ramfs", "ext2", "ext3", "ext4"}
    expected = {path: "ext4" if kind in known else "other" for path, kind in disks.items()}
    assert {path: file_system(path) for path in disks} == expected
    assert file_system("/proc") == "other"


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        pytest.param("ext4 /dev/vda1", "overlay", id="ext4"),
        pytest.param("xfs /dev/nvme0n1p1", "other", id="xfs"),
        pytest.param("ext4 /dev/vda1,xfs /dev/sdb", "other", id="either"),
        pytest.param("proc proc,tmpfs tmpfs", "other", id="not told"),
    ],
)
def test_an_overlay_is_over_the_disks_of_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disks: str, expected: str
) -> None:
    device = tmp_path.stat().st_dev
    mounts = [
        (f"{os.major(device)}:{os.minor(device)}", "overlay", "overlay"),
        *(("0:1", *disk.split()) for disk in disks.split(",")),
    ]
    monkeypatch.setattr("executor.files.mounts._mounts", lambda: iter(mounts))
    assert file_system(str(tmp_path)) == expected


@pytest.mark.skipif(not can_lose_power(), reason="needs root, loop devices and mkfs.ext4")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], True, id="as most have it"),
        pytest.param(["-O", "^has_journal"], False, id="without"),
    ],
)
def test_an_ext4_has_a_journal_or_none(tmp_path: Path, options: list[str], expected: bool) -> None:
    (place := tmp_path / "place").mkdir()
    with Disk(tmp_path / "image", place, "ext4", *options).mounted():
        assert has_journal(str(place / "not" / "there")) == expected
        assert not has_journal("/dev/shm")


@pytest.mark.parametrize("journals", [[], ["vda1-8"]])
@pytest.mark.parametrize("kind", ["overlay", "ext4", "nfs"])
def test_what_shows_no_disk_may_lie_on_any_journal_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journals: list[str], kind: str
) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    monkeypatch.setattr("executor.files.mounts._mounts", lambda: iter([(number, kind, kind)]))
    monkeypatch.setattr("executor.files.mounts._DISKS", str(tmp_path))
    monkeypatch.setattr("executor.files.mounts._JOURNALS", str(tmp_path / "fs" / "jbd2"))
    for journal in journals:
        (tmp_path / "fs" / "jbd2" / journal).mkdir(parents=True)
    (tmp_path / "fs").mkdir(exist_ok=True)
    assert has_journal(str(tmp_path)) == (kind != "nfs" and bool(journals))


@pytest.mark.parametrize(("kind", "expected"), [("ext4", True), ("overlay", True), ("xfs", False)])
def test_where_only_processes_are_shown_an_ext4_counts_as_one_with_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: bool
) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    monkeypatch.setattr("executor.files.mounts._mounts", lambda: iter([(number, kind, kind)]))
    monkeypatch.setattr("executor.files.mounts._JOURNALS", str(tmp_path / "fs" / "jbd2"))
    assert has_journal(str(tmp_path)) == expected


def test_an_overlay_is_memory_if_its_upper_layer_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = f"{os.major(device_of(str(tmp_path)))}:{os.minor(device_of(str(tmp_path)))}"
    shared = "/dev/shm"  # a tmpfs wherever there is one
    for upper, expected in ((shared, is_in_memory(shared)), ("/not/there", False), ("/", False)):
        lines = [
            f"30 29 {number} / / rw - overlay overlay rw,lowerdir=/a,upperdir={upper},workdir=/b\n",
            *Path("/proc/self/mountinfo").read_text().splitlines(keepends=True),
        ]
        monkeypatch.setattr("executor.files.mounts._lines", lambda lines=lines: iter(lines))
        assert is_in_memory(str(tmp_path)) is expected
        monkeypatch.undo()


def test_an_overlay_that_shows_its_upper_layer_is_over_that_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = f"{os.major(device_of(str(tmp_path)))}:{os.minor(device_of(str(tmp_path)))}"
    for upper, expected in (("/dev/shm", "overlay"), ("/not/there", "other")):
        lines = [
            f"30 29 {number} / / rw - overlay overlay rw,lowerdir=/a,upperdir={upper},workdir=/b\n",
            "31 29 0:99 / /elsewhere rw - xfs /dev/vdb rw\n",
            *Path("/proc/self/mountinfo").read_text().splitlines(keepends=True),
        ]
        monkeypatch.setattr("executor.files.mounts._lines", lambda lines=lines: iter(lines))
        assert file_system(str(tmp_path)) == expected


def test_files_that_are_memory_take_whole_pages_and_inodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemes = schemes_below(tmp_path)
    monkeypatch.setattr("executor.install.preflight.is_in_memory", lambda _: True)
    few, many = (surface_of(schemes, [step(1, MIB, files)]).held for files in (1, 10_000))
    assert many - few > 10_000 * (4096 + 1024)
    assert surface_of(schemes, [step(1, MIB, 1)], compiles=True).held > few + MIB // 4
    # Without a hint, the largest factor of real wheels counts.
    assert surface_of(schemes, [step(10 * MIB)]).held > 70 * MIB
    monkeypatch.setattr("executor.install.preflight.is_in_memory", lambda _: False)
    assert surface_of(schemes, [step(1, MIB, 1)]).held == 0


def test_byte_code_takes_disk_and_inodes_too(tmp_path: Path) -> None:
    schemes = schemes_below(tmp_path)
    one = [step(1, 2 * MIB, 300)]
    assert check_disk(one, schemes, compiles=True) > check_disk(one, schemes) + MIB // 4
