"""An ordered build runs as a process of its own, and ends when its result is not wanted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist
from planner.builds.unit import target_label, units_of
from planner.engines.order import BuildOrder
from planner.engines.order_runner import buildable, run_order
from planner.lock.reader import read_lock

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def order_of(index: Index, before_wheel: str = "pass") -> BuildOrder:
    sdist = build_sdist(before_wheel=before_wheel)
    index.add_file(sdist.filename, sdist.content)
    Path("requirements.in").write_text("demo\n")
    plan = ["plan", "-r", "requirements.in", "-i", index.url, "--build", "missing"]
    assert lockstream.main([*plan, "--defer-builds"]) == 0
    (unit,) = units_of(read_lock("pylock.toml"))
    return BuildOrder(
        key=unit.key,
        package=unit.requirement,
        target=target_label(unit.target),
        lock=Path("pylock.toml").read_bytes(),
        memory=1 << 30,
    )


def test_its_wheel_comes_back(index: Index) -> None:
    order = order_of(index)
    result = run_order(order, lambda: True)
    assert (result.status, result.name) == (0, "demo-1.0-py3-none-any.whl")
    assert json.loads(result.fragment)["key"] == order.key
    assert result.wheel[:2] == b"PK"


def test_modules_in_the_folder_of_the_worker_are_not_its(index: Index, tmp_path: Path) -> None:
    order = order_of(index)
    for name in ("click", "httpx", "h2", "planner"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    assert run_order(order, lambda: True).status == 0


def test_its_failure_comes_back(index: Index) -> None:
    result = run_order(order_of(index, "raise SystemExit('no compiler')"), lambda: True)
    assert result.status == 8
    assert "the build failed in build_wheel" in result.text


def test_it_ends_when_its_result_is_not_wanted(index: Index) -> None:
    order = order_of(index, "import time; time.sleep(60)")
    started = time.monotonic()
    result = run_order(order, lambda: time.monotonic() - started < 3)
    assert result.status == 128 + signal.SIGTERM
    assert time.monotonic() - started < 20


def test_it_ends_when_its_worker_is_killed(index: Index, tmp_path: Path) -> None:
    order = order_of(index, "import time; time.sleep(60)")
    (tmp_path / "order.py").write_text(
        textwrap.dedent(f"""
        import sys
        sys.path[:0] = {sys.path!r}
        from planner.engines.order import BuildOrder
        from planner.engines.order_runner import run_order
        run_order({order!r}, lambda: print(end="", flush=True) is None)
        """)
    )
    worker = subprocess.Popen([sys.executable, str(tmp_path / "order.py")])
    try:
        build = _wait_for_child(worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        for _ in range(200):
            if not _runs(build):
                break
            time.sleep(0.1)
        assert not _runs(build)
    finally:
        worker.kill()


def test_a_machine_builds_for_itself_and_not_for_others() -> None:
    targets = [(HERE, "linux"), (HERE, "windows"), ("3.4711", "linux")]
    assert buildable(targets) == [(HERE, "linux")]


def _wait_for_child(process: int) -> int:
    for _ in range(200):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if children:
            time.sleep(1)
            return int(children[0])
        time.sleep(0.1)
    raise AssertionError("no build was started")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
