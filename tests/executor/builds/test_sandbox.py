"""A command of a build is measured, capped and ended whole."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.builds import sandbox
from executor.builds.cgroup import BuildGroup
from executor.builds.sandbox import SandboxLimits, SandboxResult, _status, contained, pause_after
from executor.files.mounts import is_in_memory

Run = Callable[..., SandboxResult]

MIB = 1 << 20


def landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))


def groups_can_be_made() -> bool:
    group = BuildGroup.make(None)
    if group is None:
        return False
    group.remove()
    return True


def is_reset_possible() -> bool:
    """Whether the kernel tells the peak since it was last asked (cgroup v2: from Linux 6.12 on)."""
    group = BuildGroup.make(None)
    if group is None:
        return False
    try:
        return Path(group.entrance).with_name("memory.max_usage_in_bytes").exists()
    finally:
        group.remove()


both_tiers = pytest.mark.parametrize(
    "group",
    [
        pytest.param(
            True,
            id="own group",
            marks=pytest.mark.skipif(not groups_can_be_made(), reason="no control group here"),
        ),
        pytest.param(False, id="watched"),
    ],
)
needs_landlock = pytest.mark.skipif(landlock_version() < 6, reason="the kernel has no Landlock 6")


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Run:
    folder = tmp_path / "build"
    folder.mkdir()

    def run(code: str, **limits: object) -> SandboxResult:
        return contained(
            [sys.executable, "-c", code],
            folder=str(folder),
            environment={"PATH": os.environ["PATH"], "SHOWN": "yes"},
            writable=[str(folder)],
            log=str(tmp_path / "log"),
            limits=SandboxLimits(**limits),  # type: ignore[arg-type]
        )

    return run


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state != b"Z"


@both_tiers
class TestMeasuring:
    def test_a_view_hears_what_is_held(self, run: Run, group: bool, tmp_path: Path) -> None:
        heard: list[int] = []

        def hear(held: int) -> None:
            heard.append(held)
            if held > 64 * MIB:
                (tmp_path / "build/heard").touch()

        code = (
            "import os, time\n"
            "x = b'x' * (64 << 20)\n"
            "while not os.path.exists('heard'): time.sleep(0.01)\n"
        )
        result = run(code, group=group, hears=hear)
        assert 64 * MIB < max(heard) <= result.demand

    def test_demand_is_what_all_processes_hold_together(self, run: Run, group: bool) -> None:
        code = (
            "import os, time\n"
            "r, w = os.pipe()\n"
            "if os.fork() == 0:\n"
            "    x = bytearray(48 << 20); os.write(w, b'x'); time.sleep(1.0); os._exit(0)\n"
            "x = bytearray(48 << 20); os.read(r, 1); time.sleep(0.8); os.wait()"
        )
        result = run(code, group=group)
        assert result.status == 0
        assert 96 * MIB <= result.demand <= 150 * MIB

    def test_a_peak_between_two_looks_counts(
        self, run: Run, group: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not (group and is_reset_possible()):
            pytest.skip("this kernel does not tell")
        monkeypatch.setattr(sandbox, "pause_after", lambda *_: 1.0)
        assert run("x = bytearray(96 << 20)", group=group).demand > 96 * MIB

    def test_page_cache_is_no_demand(self, run: Run, group: bool, tmp_path: Path) -> None:
        if is_in_memory(str(tmp_path)):
            pytest.skip("files are memory here")
        code = (
            "import time\n"
            "with open('big', 'wb') as f:\n"
            "    for _ in range(128): f.write(bytes(1 << 20))\n"
            "time.sleep(0.1)"
        )
        assert run(code, group=group).demand < 64 * MIB

    def test_files_in_use_are_told_apart(self, run: Run, group: bool, tmp_path: Path) -> None:
        if is_in_memory(str(tmp_path)):
            pytest.skip("files are memory here")
        code = (
            "import mmap, time\n"
            "with open('big', 'wb') as f: f.write(bytes(32 << 20))\n"
            "with open('big', 'rb') as f: m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n"
            "sum(m[::4096])\n"
            "x = bytearray(48 << 20); time.sleep(1.0)"
        )
        result = run(code, group=group)
        assert result.files >= 32 * MIB
        assert result.demand < 80 * MIB

    def test_the_exit_status_is_that_of_the_command(self, run: Run, group: bool) -> None:
        assert run("raise SystemExit(3)", group=group).status == 3


def test_what_ends_soon_is_looked_at_more_often() -> None:
    pauses = [pause_after(seconds, 0.003) for seconds in (0.0, 0.4, 1.2, 60.0)]
    assert pauses == [0.003, 0.003, 0.006, 0.012]
    assert pause_after(0.0, 0.012) == 0.012


@both_tiers
class TestCapping:
    def test_what_allocates_without_end_ends(self, run: Run, group: bool) -> None:
        result = run(
            "x = []\nwhile True: x.append(bytearray(1 << 20))", limit=96 * MIB, group=group
        )
        assert result.status != 0
        assert result.demand <= 112 * MIB

    def test_what_forks_without_end_ends_with_all_its_children(
        self, run: Run, group: bool, tmp_path: Path
    ) -> None:
        code = (
            "import os, time\n"
            "for _ in range(40):\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        open('pids', 'a').write(f'{os.getpid()}\\n')\n"
            "        x = bytearray(8 << 20); time.sleep(60); os._exit(0)\n"
            "time.sleep(60)"
        )
        result = run(code, limit=96 * MIB, seconds=30, group=group)
        assert result.stopped or result.kills
        pids = [int(line) for line in (tmp_path / "build" / "pids").read_text().split()]
        assert pids
        assert not [pid for pid in pids if is_running(pid)]

    def test_what_hangs_is_ended(self, run: Run, group: bool) -> None:
        result = run("import time; time.sleep(600)", seconds=0.5, group=group)
        assert result.stopped == "time"

    def test_what_has_hardly_begun_can_be_ended(self, run: Run, group: bool) -> None:
        result = run("import time; time.sleep(600)", seconds=0.0, group=group)
        assert result.stopped == "time"

    def test_what_has_ended_meanwhile_has_a_status(
        self, run: Run, group: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = []

        def late(process: subprocess.Popen[bytes]) -> int | None:
            looks.append(process.pid)
            if len(looks) > 2:
                return _status(process)
            if len(looks) == 2:
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            return None

        monkeypatch.setattr("executor.builds.sandbox._status", late)
        result = run("import time; time.sleep(600)", seconds=0.0, group=group)
        assert (result.stopped, result.status) == ("time", -9)

    def test_what_is_left_behind_is_ended(self, run: Run, group: bool, tmp_path: Path) -> None:
        code = (
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork():\n"
            "        os._exit(0)\n"
            "    open('pid.new', 'w').write(str(os.getpid())); os.rename('pid.new', 'pid')\n"
            "    time.sleep(600)\n"
            "while not os.path.exists('pid'): time.sleep(0.01)"
        )
        assert run(code, group=group).status == 0
        assert not is_running(int((tmp_path / "build" / "pid").read_text()))


FILLS = (
    "import os, time\n"
    "with open('big', 'wb', buffering=0) as f:\n"
    "    for _ in range(96):\n"
    # What waits to be written is not page cache that can be dropped: on a slow disk it kills.
    "        f.write(bytes(1 << 20)); os.fdatasync(f.fileno())\n"
)
HANGS = "time.sleep(600)"


@pytest.mark.skipif(not groups_can_be_made(), reason="no control group here")
class TestStalling:
    """Against its limit, in page cache, a build may never end."""

    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        if is_in_memory(str(tmp_path)):
            pytest.skip("files are memory here")
        monkeypatch.setattr(sandbox, "STALL_SECONDS", 0.5)

    def test_in_a_group_of_its_own_is_ended(self, run: Run) -> None:
        assert run(FILLS + HANGS, limit=64 * MIB, expected_seconds=0.0).stopped == "stall"

    def test_in_the_group_of_all_is_ended(self, tmp_path: Path) -> None:
        code = (
            "import os, sys\n"
            "from executor.builds import sandbox\n"
            "sandbox.STALL_SECONDS = 0.5\n"
            "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
            "limits = sandbox.SandboxLimits(group=False, expected_seconds=0.0, seconds=60)\n"
            "command = [sys.executable, '-c', sys.argv[2]]\n"
            "print(sandbox.contained(command, folder='.', environment={}, writable=['.'],\n"
            "                            log='log', limits=limits).stopped)"
        )
        group = BuildGroup.make(96 * MIB)
        assert group is not None
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, group.entrance, FILLS + HANGS],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": os.getcwd()},
                capture_output=True,
                check=True,
                text=True,
            )
        finally:
            group.remove()
        assert done.stdout == "stall\n"

    def test_what_gets_on_is_not_ended(self, run: Run) -> None:
        # It computes all the while, however long the disk takes to be written to.
        code = (
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    while not os.path.exists('full') or time.process_time() < 3: pass\n"
            "    os._exit(0)\n"
            f"{FILLS}"
            "open('full', 'w').close(); os.wait()"
        )
        assert run(code, limit=64 * MIB, expected_seconds=0.0).status == 0

    def test_what_has_room_is_not_ended(self, run: Run) -> None:
        assert run("import time; time.sleep(1)", limit=64 * MIB, expected_seconds=0.0).status == 0


@pytest.mark.skipif(not groups_can_be_made(), reason="no control group here")
def test_a_kill_by_the_kernel_is_known_though_the_build_ended_well(run: Run) -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'x = bytearray(1 << 30)'])\n"
        "print('falling back')"
    )
    assert run(code, limit=96 * MIB).kills


@pytest.mark.skipif(not groups_can_be_made(), reason="no control group here")
def test_what_a_killed_program_left_running_is_ended_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "from executor.builds.cgroup import BuildGroup\n"
        "group = BuildGroup.make(None)\n"
        "command = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(command, stdout=subprocess.DEVNULL)\n"
        "open(group.entrance, 'w').write(str(child.pid))\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    left = int(run.stdout)
    assert is_running(left)
    group = BuildGroup.make(None)
    assert group is not None
    group.remove()
    assert not is_running(left)


class TestRights:
    @needs_landlock
    def test_it_writes_nowhere_but_in_its_folders(self, run: Run, tmp_path: Path) -> None:
        if tmp_path.is_relative_to("/dev/shm"):
            pytest.skip("this is where multiprocessing writes")
        result = run(f"open('inside', 'w').close(); open({str(tmp_path / 'outside')!r}, 'w')")
        assert result.status == 1
        assert result.writes == "held to its folders"
        assert (tmp_path / "build" / "inside").exists()
        assert not (tmp_path / "outside").exists()

    @needs_landlock
    def test_it_signals_nobody_else(self, run: Run) -> None:
        assert run(f"import os; os.kill({os.getpid()}, 0)").status == 1

    @needs_landlock
    def test_it_has_no_network(self, run: Run) -> None:
        connect = "import socket\nsocket.create_connection(('127.0.0.1', {}), 5)"
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            assert run(connect.format(port)).status == 1
            assert run(connect.format(port), network=True).status == 0

    def test_it_can_talk_to_itself(self, run: Run) -> None:
        code = (
            "import socket\n"
            "server = socket.create_server(('127.0.0.1', 0))\n"
            "socket.create_connection(server.getsockname(), 5)"
        )
        result = run(code)
        if result.network not in {"none", "asked not to"}:
            pytest.skip("no network can be made here, so none is allowed")
        assert result.status == 0

    def test_it_sees_the_environment_that_it_is_given(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOKEN", "secret")
        assert run("import os; assert 'TOKEN' not in os.environ; os.environ['SHOWN']").status == 0

    def test_it_sees_as_many_processors_as_jobs(self, run: Run) -> None:
        assert run("import os; assert len(os.sched_getaffinity(0)) == 1", jobs=1).status == 0


@both_tiers
def test_the_watch_takes_no_lock_that_a_signal_could_leave_taken(
    run: Run, group: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = []
    poll = subprocess.Popen.poll

    def counted(process: subprocess.Popen[bytes]) -> int | None:
        polls.append(process.pid)
        return poll(process)

    monkeypatch.setattr(subprocess.Popen, "poll", counted)
    assert run("import time; time.sleep(0.5)", group=group).status == 0
    assert len(polls) <= 1, "only the last kill asks"


@pytest.mark.parametrize(("code", "status"), [("exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)])
def test_the_status_is_that_of_the_command(run: Run, code: str, status: int) -> None:
    assert run(f"import os; {code}").status == status
