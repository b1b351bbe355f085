"""The tightest limit of this process is found wherever the kernel states it."""

from __future__ import annotations

import builtins
import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest

from executor.budget import memory
from executor.budget.cgroups import _contents as contents
from executor.budget.memory import (
    Limit,
    counts_what_is_reserved,
    physical_limit,
    rss_peak,
    smallest_limit,
)

MIB = 1 << 20
OWN = 16 * MIB
"""What this process holds, as its status says."""
PROGRAM = 8 * MIB
"""What it has mapped of files and touched."""

STATUS = f"""\
Name:\tpython
VmSize:\t {100 << 10} kB
VmHWM:\t {30 << 10} kB
VmRSS:\t {28 << 10} kB
RssAnon:\t {OWN >> 10} kB
RssFile:\t {PROGRAM >> 10} kB
VmData:\t {50 << 10} kB
"""

Surround = Callable[..., None]


@pytest.fixture(name="surround")
def prepared_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surround:
    """Let the process stand in a cgroup: its line, the mounts, and the files below them."""

    def surround(cgroup: str, mounts: str, files: Mapping[str, object]) -> None:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        told = {
            "/proc/self/cgroup": cgroup,
            "/proc/self/mountinfo": mounts.format(tmp_path),
            "/proc/self/status": STATUS,
        }

        def open_prepared(path: Any, *arguments: Any, **options: Any) -> Any:
            if path in told:
                return io.StringIO(told[path])
            return builtins.open(path, *arguments, **options)

        monkeypatch.setattr("executor.budget.memory.open", open_prepared, raising=False)
        monkeypatch.setattr(
            "executor.budget.cgroups._contents",
            lambda path: told[path].encode() if path in told else contents(path),
        )

    return surround


V2 = "31 23 0:27 / {0} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "30 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "36 23 0:32 {root} {{0}} rw,nosuid shared:15 - cgroup cgroup rw,memory\n"
)


def v2(folder: str = "", **values: object) -> dict[str, object]:
    """The files of a cgroup: ``max=...`` is memory.max."""
    defaults: dict[str, object] = {"max": "max", "high": "max", "current": OWN}
    return {f"{folder}memory.{name}": value for name, value in {**defaults, **values}.items()}


def v1(folder: str = "", limit: int = 2**63 - 4096, usage: int = OWN) -> dict[str, object]:
    return {
        f"{folder}memory.limit_in_bytes": limit,
        f"{folder}memory.usage_in_bytes": usage,
        f"{folder}memory.max_usage_in_bytes": usage + 1,
    }


class TestVersion2:
    def test_the_limit_of_a_container_is_found(self, surround: Surround, tmp_path: Path) -> None:
        surround("0::/\n", V2, v2(max=64 * MIB))
        assert smallest_limit() == Limit(64 * MIB, str(tmp_path / "memory.max"))

    def test_without_a_limit_there_is_none(self, surround: Surround) -> None:
        surround("0::/\n", V2, v2())
        assert smallest_limit() is None

    def test_the_threshold_of_throttling_is_a_limit(
        self, surround: Surround, tmp_path: Path
    ) -> None:
        surround("0::/\n", V2, v2(max=64 * MIB, high=48 * MIB))
        assert smallest_limit() == Limit(48 * MIB, str(tmp_path / "memory.high"))

    def test_the_tightest_ancestor_counts(self, surround: Surround, tmp_path: Path) -> None:
        files = {**v2("a/b/", max=64 * MIB), **v2("a/", max=40 * MIB), **v2(max=50 * MIB)}
        surround("0::/a/b\n", V2, files)
        assert smallest_limit() == Limit(40 * MIB, str(tmp_path / "a" / "memory.max"))

    def test_a_looser_ancestor_counts_where_others_fill_it(
        self, surround: Surround, tmp_path: Path
    ) -> None:
        files = {
            **v2("a/b/", max=64 * MIB),
            **v2("a/", max=100 * MIB, current=OWN + 70 * MIB),
        }
        surround("0::/a/b\n", V2, files)
        expected = Limit(30 * MIB, str(tmp_path / "a" / "memory.max"), others=70 * MIB)
        assert smallest_limit() == expected

    def test_what_others_hold_is_not_ours(self, surround: Surround) -> None:
        surround("0::/\n", V2, v2(max=64 * MIB, current=OWN + 10 * MIB))
        limit = smallest_limit()
        assert limit is not None
        assert limit.available == 54 * MIB

    def test_cache_that_the_kernel_drops_is_nobodys(self, surround: Surround) -> None:
        stat = f"anon {OWN}\ninactive_file {9 * MIB}\nactive_file {MIB}\nshmem {2 * MIB}"
        surround("0::/\n", V2, v2(max=64 * MIB, current=OWN + 12 * MIB, stat=stat))
        limit = smallest_limit()
        assert limit is not None
        assert limit.available == 62 * MIB

    def test_files_that_a_process_has_locked_in_memory_are_held(self, surround: Surround) -> None:
        # Locked pages of no file are in both anon and unevictable, and count once.
        stat = (
            f"anon {OWN + MIB}\ninactive_anon {OWN}\ninactive_file {9 * MIB}\n"
            f"unevictable {21 * MIB}\nhugetlb {2 * MIB}"
        )
        surround("0::/\n", V2, v2(max=64 * MIB, current=OWN + 32 * MIB, stat=stat))
        limit = smallest_limit()
        assert limit is not None
        assert limit.available == 41 * MIB

    @pytest.mark.parametrize(("mapped", "programs"), [(0, 0), (5, 5), (8, 8), (30, 8)])
    def test_pages_of_our_program_are_told_where_we_are_charged_for_them(
        self, surround: Surround, mapped: int, programs: int
    ) -> None:
        stat = f"anon {OWN}\nfile_mapped {mapped * MIB}\nactive_file {40 * MIB}"
        surround("0::/\n", V2, v2(max=64 * MIB, current=OWN + 40 * MIB, stat=stat))
        limit = smallest_limit()
        assert limit is not None
        assert (limit.available, limit.programs) == (64 * MIB, programs * MIB)

    def test_a_group_without_memory_control_is_passed_over(
        self, surround: Surround, tmp_path: Path
    ) -> None:
        surround("0::/a/b\n", V2, {"a/b/cgroup.procs": "", **v2("a/", max=40 * MIB)})
        assert smallest_limit() == Limit(40 * MIB, str(tmp_path / "a" / "memory.max"))

    def test_the_root_has_no_limit(self, surround: Surround) -> None:
        surround("0::/\n", V2, {"cgroup.procs": ""})
        assert smallest_limit() is None

    def test_the_unified_part_of_a_hybrid_machine_has_no_memory(
        self, surround: Surround, tmp_path: Path
    ) -> None:
        mounts = V2.replace("{0}", "{0}/unified") + V1.format(root="/").replace("{0}", "{0}/memory")
        files = {"unified/cgroup.procs": "", **v1("memory/job/", 40 * MIB)}
        surround("4:memory:/job\n0::/\n", mounts, files)
        limit = smallest_limit()
        assert limit == Limit(40 * MIB, str(tmp_path / "memory/job/memory.limit_in_bytes"))


class TestVersion1:
    LINES = "5:cpu,cpuacct:/job\n4:memory:/job\n1:name=systemd:/\n"

    def test_the_limit_is_found(self, surround: Surround, tmp_path: Path) -> None:
        surround(self.LINES, V1.format(root="/"), {**v1("job/", 64 * MIB), **v1()})
        expected = Limit(64 * MIB, str(tmp_path / "job" / "memory.limit_in_bytes"))
        assert smallest_limit() == expected

    def test_pages_of_our_program_are_told(self, surround: Surround) -> None:
        stat = f"total_rss {OWN}\nmapped_file {9 * MIB}\ntotal_mapped_file {3 * MIB}"
        surround(self.LINES, V1.format(root="/"), {**v1("job/", 64 * MIB), "job/memory.stat": stat})
        limit = smallest_limit()
        assert limit is not None
        assert limit.programs == 3 * MIB

    def test_files_that_a_process_has_locked_in_memory_are_held(self, surround: Surround) -> None:
        stat = f"unevictable {MIB}\ntotal_rss {OWN}\ntotal_active_anon {OWN}\n"
        stat += f"total_unevictable {24 * MIB}"
        surround(self.LINES, V1.format(root="/"), {**v1("job/", 64 * MIB), "job/memory.stat": stat})
        limit = smallest_limit()
        assert limit is not None
        assert limit.available == 40 * MIB

    def test_no_limit_is_a_number_near_the_largest(self, surround: Surround) -> None:
        surround(self.LINES, V1.format(root="/"), {**v1("job/"), **v1()})
        assert smallest_limit() is None

    def test_a_container_sees_a_part_of_the_tree(self, surround: Surround, tmp_path: Path) -> None:
        surround("4:memory:/docker/abc\n", V1.format(root="/docker/abc"), v1("", 64 * MIB))
        assert smallest_limit() == Limit(64 * MIB, str(tmp_path / "memory.limit_in_bytes"))

    def test_ancestors_that_a_container_does_not_see_limit_it(
        self, surround: Surround, tmp_path: Path
    ) -> None:
        # Docker in Docker: the outer container has the limit.
        stat = f"total_rss {OWN}\nhierarchical_memory_limit {100 * MIB}"
        surround("4:memory:/d/a\n", V1.format(root="/d/a"), {**v1(), "memory.stat": stat})
        assert smallest_limit() == Limit(100 * MIB, str(tmp_path / "memory.stat"))

    @pytest.mark.parametrize(("holds", "left"), [(False, 64 * MIB), (True, 40 * MIB)])
    def test_memory_of_the_kernel_counts_if_another_process_may_hold_it(
        self, surround: Surround, monkeypatch: pytest.MonkeyPatch, holds: bool, left: int
    ) -> None:
        files = {
            **v1("job/", 64 * MIB),
            "job/memory.stat": f"total_rss {OWN}",
            "job/memory.kmem.usage_in_bytes": 24 * MIB,
            "job/cgroup.procs": "17",
        }
        surround(self.LINES, V1.format(root="/"), files)
        monkeypatch.setattr(memory, "_holds_kernel_memory", lambda process: holds and process == 17)
        limit = smallest_limit()
        assert limit is not None
        assert limit.available == left
        # A build of ours runs, whose processes have pipes.
        assert smallest_limit(ours=OWN) == Limit(64 * MIB, ANY)


class TestKernelMemory:
    @pytest.mark.parametrize(
        ("code", "holds"),
        [
            pytest.param("", False, id="idle"),
            pytest.param("import os; keep = os.pipe()", True, id="a pipe"),
            pytest.param("import socket; keep = socket.socketpair()", True, id="a socket"),
            pytest.param(
                "keep = [open('/dev/null') for _ in range(100)]", True, id="many open files"
            ),
            pytest.param(
                "import mmap\nkeep = mmap.mmap(-1, 2 << 30)\n"
                "for place in range(0, 2 << 30, 1 << 21): keep[place] = 1",
                True,
                id="page tables",
            ),
        ],
    )
    def test_a_process_holds_it_through_what_it_has_open(self, code: str, holds: bool) -> None:
        code += "\nprint(1, flush=True)\nimport time; time.sleep(600)"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, close_fds=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            found = memory._holds_kernel_memory(process.pid)
            process.kill()
        assert found is holds

    def test_processes_that_cannot_be_seen_count_and_our_own_does_not(self) -> None:
        assert memory._holds_kernel_memory(0)
        assert not memory._holds_kernel_memory(os.getpid())
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            process.wait()
        assert not memory._holds_kernel_memory(process.pid)

    def test_version_2_states_what_cannot_be_reclaimed(self, surround: Surround) -> None:
        stat = f"anon {OWN}\nkernel {30 * MIB}\nslab_reclaimable {9 * MIB}\nsock {MIB}"
        surround("0::/\n", V2, v2(max=64 * MIB, stat=stat))
        assert smallest_limit() == Limit(42 * MIB, ANY, others=22 * MIB)


class TestPhysicalMemory:
    def test_a_limit_above_it_does_not_hold(self, surround: Surround) -> None:
        surround("0::/\n", V2, v2(max=1 << 50))
        limit, physical = smallest_limit(), physical_limit()
        assert limit is not None
        assert physical is not None
        assert limit.source == physical.source == "/proc/meminfo"

    @pytest.mark.parametrize(
        ("stated", "known"),
        [("MemTotal: 4 kB MemAvailable:", 4 << 10), ("MemAvailable: kB", None), ("", None)],
    )
    def test_a_figure_that_is_not_stated_is_not_known(
        self, monkeypatch: pytest.MonkeyPatch, stated: str, known: int | None
    ) -> None:
        monkeypatch.setattr(memory, "read_words", lambda _: stated.split())
        monkeypatch.setattr(memory, "_ours", lambda: 0)
        found = physical_limit()
        assert (found and found.available) == known

    def test_a_named_size_counts_only_if_it_is_the_smallest(self, surround: Surround) -> None:
        surround("0::/\n", V2, v2(max=64 * MIB))
        assert smallest_limit(64 * MIB - 1) == Limit(64 * MIB - 1, "--memory")
        assert smallest_limit(64 * MIB + 1) == Limit(64 * MIB, ANY)

    def test_bytes_of_ours_do_not_count_as_those_of_others(self, surround: Surround) -> None:
        surround("0::/\n", V2, v2(max=64 * MIB, stat=f"anon {OWN + 30 * MIB}"))
        assert smallest_limit(ours=OWN + 30 * MIB) == Limit(64 * MIB, ANY)
        assert smallest_limit() == Limit(34 * MIB, ANY, others=30 * MIB)


class TestOtherPrograms:
    @pytest.mark.parametrize(("is_loaded", "ours"), [(False, 18 * MIB), (True, 21 * MIB)])
    def test_what_a_program_holds_that_uses_the_library_is_not_free(
        self, surround: Surround, monkeypatch: pytest.MonkeyPatch, is_loaded: bool, ours: int
    ) -> None:
        """What the client takes is ours, whenever it is imported."""
        surround("0::/\n", V2, v2(max=200 * MIB, stat=f"anon {120 * MIB}"))
        monkeypatch.setattr("executor.budget.memory.own_memory", lambda: 120 * MIB)
        monkeypatch.delitem(sys.modules, "executor.sources.client", raising=False)
        if is_loaded:
            monkeypatch.setitem(sys.modules, "executor.sources.client", ModuleType("client"))
        assert smallest_limit() == Limit(80 * MIB + ours, ANY, others=120 * MIB - ours)


class TestElsewhere:
    @pytest.mark.parametrize(
        ("cgroup", "mounts"),
        [
            pytest.param("", "", id="no cgroups"),
            pytest.param("0::/a\n", "", id="not mounted"),
            pytest.param("4:memory:/a\n", V2, id="another version is mounted"),
            pytest.param("0::/gone\n", V2, id="folder without files"),
        ],
    )
    def test_where_nothing_is_told_nothing_is_known(
        self, surround: Surround, cgroup: str, mounts: str
    ) -> None:
        surround(cgroup, mounts, {})
        assert smallest_limit() is None

    def test_a_system_without_proc_has_no_figures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def absent(*_: object, **__: object) -> None:
            raise FileNotFoundError

        monkeypatch.setattr("executor.budget.memory.open", absent, raising=False)
        monkeypatch.setattr("os.open", absent)
        monkeypatch.setattr("resource.getrusage", lambda _: SimpleNamespace(ru_maxrss=0))
        assert (smallest_limit(), rss_peak()) == (None, 0)


def test_the_peak_is_that_of_the_largest_process(
    surround: Surround, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 5 * MIB < rss_peak() < 1 << 40
    surround("", "", {})
    for children, peak in ((29, 30), (31, 31)):
        usage = SimpleNamespace(ru_maxrss=children << 10)
        monkeypatch.setattr("resource.getrusage", lambda _, usage=usage: usage)
        assert rss_peak() == peak * MIB


def test_the_surroundings_of_this_process_can_be_read() -> None:
    limit = smallest_limit()
    assert limit is None or Path(limit.source).read_text().strip().isdigit()


@pytest.mark.parametrize(
    ("kind", "limit", "left"),
    [("RLIMIT_AS", 200 * MIB, 128 * MIB), ("RLIMIT_DATA", 90 * MIB, 56 * MIB)],
)
def test_a_limit_of_the_process_counts_less_what_it_reserves_in_vain(
    surround: Surround, monkeypatch: pytest.MonkeyPatch, kind: str, limit: int, left: int
) -> None:
    def getrlimit(asked: int) -> tuple[int, int]:
        told = limit if asked == getattr(resource, kind) else resource.RLIM_INFINITY
        return told, resource.RLIM_INFINITY

    surround("0::/\n", V2.format("/"), v2(max=1 << 40))
    monkeypatch.setattr(resource, "getrlimit", getrlimit)
    assert smallest_limit() == Limit(left, kind, others=limit - left)
    assert counts_what_is_reserved()


def test_a_control_group_counts_only_what_is_held(surround: Surround) -> None:
    surround("0::/\n", V2.format("/"), v2(max=64 * MIB))
    assert not counts_what_is_reserved()
