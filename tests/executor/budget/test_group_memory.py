"""What is charged to our group is counted from the beginning of this run on."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import closing
from errno import ENODEV
from pathlib import Path

import pytest

from executor.budget import group_memory
from executor.budget.cgroups import read_int
from executor.budget.confinement import confined, place_for_group
from executor.budget.group_memory import GroupMemory, PeakGauge
from executor.budget.memory import resident

MIB = 1 << 20


def may_make_groups() -> bool:
    place = place_for_group()
    return place is not None and os.access(place[1], os.W_OK) and os.geteuid() == 0


def hold(size: int) -> None:
    """Hold ``size`` bytes for a moment."""
    with closing(mmap.mmap(-1, size)) as pages:
        for offset in range(0, size, mmap.PAGESIZE):
            pages[offset] = 1


@pytest.mark.skipif(not may_make_groups(), reason="needs a writable memory cgroup")
class TestInARealGroup:
    @pytest.fixture(autouse=True)
    def _in_a_group_of_its_own(self) -> Iterator[None]:
        with confined(1 << 30) as is_confined:
            assert is_confined
            yield

    def test_a_peak_of_before_does_not_count(self) -> None:
        hold(200 * MIB)
        with closing(PeakGauge()) as gauge:
            hold(20 * MIB)
            peak = gauge.peak()
        assert peak is not None
        assert 20 * MIB <= peak.bytes < 100 * MIB
        assert not peak.is_sampled

    def test_a_higher_peak_is_that_of_the_kernel(self) -> None:
        with closing(PeakGauge()) as gauge:
            hold(50 * MIB)
            peak = gauge.peak()
            place = group_memory._place()
        assert peak is not None
        assert place is not None
        assert peak.bytes == read_int(os.path.join(place[0], group_memory._PEAK[place[1]]))

    def test_if_the_peak_cannot_be_reset_samples_count_and_are_called_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold(200 * MIB)
        monkeypatch.setattr(PeakGauge, "_reset", lambda *_: None)
        with closing(PeakGauge()) as gauge, closing(mmap.mmap(-1, 30 * MIB)) as pages:
            for offset in range(0, len(pages), mmap.PAGESIZE):
                pages[offset] = 1
            gauge.sample()
            peak = gauge.peak()
        assert peak is not None
        assert peak.is_sampled
        assert peak.before + 29 * MIB <= peak.bytes < 200 * MIB

    def test_a_group_of_our_own_has_a_peak_of_its_own(self) -> None:
        hold(200 * MIB)
        with closing(PeakGauge()) as gauge:
            with confined(resident() + 100 * MIB, gauge) as is_confined:
                assert is_confined
                hold(30 * MIB)
            peak = gauge.peak()
        assert peak is not None
        assert 30 * MIB <= peak.bytes - peak.before < 50 * MIB

    def test_memory_is_told_by_kind(self) -> None:
        group = GroupMemory()
        before = group.now()
        with closing(mmap.mmap(-1, 40 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)) as pages:
            for offset in range(0, len(pages), mmap.PAGESIZE):
                pages[offset] = 1
            now = group.now()
        assert before is not None
        assert now is not None
        assert 38 * MIB < now["anonymous"] - before["anonymous"] < 44 * MIB
        assert now["usage"] >= now["anonymous"]

    def test_groups_are_numbered_as_they_are_entered(self) -> None:
        with closing(GroupMemory()) as group:
            places = [group.now()]
            with confined(resident() + 100 * MIB) as is_confined:
                assert is_confined
                places.append(group.now())
            places.append(group.now())
        assert [held and held["place"] for held in places] == [0, 1, 0]


class TestVersion2:
    @pytest.fixture(name="group")
    def group_of_version_2(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "memory.current").write_text(f"{30 * MIB}\n")
        (tmp_path / "memory.peak").write_text(f"{30 * MIB}\n")
        (tmp_path / "memory.stat").write_text(
            f"anon {9 * MIB}\nfile {8 * MIB}\nkernel {3 * MIB}\nfile_dirty 4096\nshmem 8192\n"
        )
        monkeypatch.setattr(group_memory, "own_groups", lambda _: iter([(str(tmp_path), 2)]))
        return tmp_path

    def test_memory_is_told_by_kind(self, group: Path) -> None:
        assert GroupMemory().now() == {
            "place": 0, "usage": 30 * MIB, "anonymous": 9 * MIB, "cache": 8 * MIB, "dirty": 4096,
            "writeback": 0, "tmpfs": 8192, "kernel": 3 * MIB,
        }  # fmt: skip

    def test_a_peak_that_has_grown_is_of_this_run(self, group: Path) -> None:
        with closing(PeakGauge()) as gauge:
            (group / "memory.peak").write_text(f"{50 * MIB}\n")
            peak = gauge.peak()
        assert peak == (50 * MIB, 30 * MIB, False)

    def test_an_older_kernel_lets_no_peak_be_reset(
        self, group: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (group / "memory.peak").write_text(f"{900 * MIB}\n")

        opened = os.open

        def refused(path: str, flags: int) -> int:
            if flags & os.O_RDWR:
                raise PermissionError
            return opened(path, flags)

        monkeypatch.setattr("os.open", refused)
        with closing(PeakGauge()) as gauge:
            (group / "memory.current").write_text(f"{41 * MIB}\n")
            peak = gauge.peak()
        assert peak == (41 * MIB, 30 * MIB, True)

    def test_a_peak_is_read_where_it_was_reset(self, group: Path) -> None:
        """Linux 6.12 and newer keep a peak for each descriptor that asked for a reset."""
        file = group / "memory.peak"
        file.write_text(f"{900 * MIB}\n")
        with closing(PeakGauge()) as gauge, file.open("r+") as as_reset:
            assert as_reset.read(6) == "reset\n"
            file.unlink()
            file.write_text(f"{900 * MIB}\n")  # what any other reader gets
            as_reset.seek(0)
            as_reset.truncate()
            as_reset.write(f"{44 * MIB}\n")
            as_reset.flush()
            peak = gauge.peak()
        assert peak == (44 * MIB, 30 * MIB, False)

    def test_an_earlier_peak_that_hides_nothing_is_not_reset(self, group: Path) -> None:
        with closing(PeakGauge()):
            assert (group / "memory.peak").read_text() == f"{30 * MIB}\n"

    def test_samples_count_if_the_group_is_removed_after_a_reset(
        self, group: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (group / "memory.peak").write_text(f"{900 * MIB}\n")

        def gone(*_: object) -> bytes:
            raise OSError(ENODEV, "No such device")

        with closing(PeakGauge()) as gauge:
            (group / "memory.current").write_text(f"{41 * MIB}\n")
            gauge.sample()
            monkeypatch.setattr("os.pread", gone)
            peak = gauge.peak()
        assert peak == (41 * MIB, 30 * MIB, True)

    def test_the_group_of_the_whole_machine_has_no_figures(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_memory, "own_groups", lambda _: iter([(str(tmp_path), 2)]))
        with closing(PeakGauge()) as gauge:
            assert gauge.peak() is None
        assert GroupMemory().now() is None


def test_the_root_of_version_1_is_the_whole_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "release_agent").touch()
    monkeypatch.setattr(group_memory, "own_groups", lambda _: iter([(str(tmp_path), 1)]))
    with closing(PeakGauge()) as gauge:
        assert gauge.peak() is None
