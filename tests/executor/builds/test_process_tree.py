"""The processes of a build are found, measured and ended, whatever they do to get away."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.builds import process_tree
from executor.builds.process_tree import ProcessTree, computed, end_strays, mapped_files

ORPHANS = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        x = bytearray(32 << 20); print('ready', flush=True); time.sleep(600)\n"
    "    os._exit(0)\n"
    "os.wait()\n"
)


@pytest.fixture(name="tree")
def _tree() -> Iterator[ProcessTree]:
    tree = ProcessTree()
    yield tree
    tree.remove()


def start(code: str, **environment: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
    return process


def test_a_process_that_left_its_session_and_parent_still_counts(tree: ProcessTree) -> None:
    process = start(ORPHANS)
    process.wait()
    assert len(tree.processes()) == 1
    assert tree.demand() >= 32 << 20
    tree.kill()
    assert tree.processes() == []


def test_children_of_before_do_not_belong_to_it() -> None:
    before = start("import time; print('ready', flush=True); time.sleep(600)")
    tree = ProcessTree()
    try:
        assert tree.processes() == []
        tree.kill()
        assert before.poll() is None
    finally:
        tree.remove()
        before.kill()
        before.wait()


def test_a_program_maps_files(tree: ProcessTree) -> None:
    process = start("import time; print('ready', flush=True); time.sleep(600)")
    assert mapped_files(tree.processes()) > 1 << 20
    assert mapped_files([]) == 0
    process.kill()
    process.wait()


def test_its_own_code_counts_as_computing(tree: ProcessTree) -> None:
    process = start("print('ready', flush=True)\nwhile True: sum(range(10_000))")
    deadline = time.monotonic() + 20
    while computed(tree.processes()) < 0.3 and time.monotonic() < deadline:
        time.sleep(0.02)
    found = computed(tree.processes())
    process.kill()
    process.wait()
    assert found >= 0.3


def test_a_process_that_is_gone_has_computed_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert computed([process.pid]) == 0


def test_strays_are_known_by_their_home(tmp_path: Path) -> None:
    code = "import time; print('ready', flush=True); time.sleep(600)"
    stray = start(code, HOME=str(tmp_path / "home"))
    other = start(code, HOME=str(tmp_path / "home2"))
    try:
        end_strays(str(tmp_path / "home"))
        assert stray.wait(10) == -9
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    "absent", [(), ("smaps_rollup",), ("smaps_rollup", "RssAnon:", "RssShmem:")], ids=len
)
def test_a_kernel_that_states_less_is_measured_all_the_same(
    tree: ProcessTree, monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...]
) -> None:
    whole = process_tree._sum

    def limited(process: int, name: str, keys: tuple[bytes, ...]) -> int:
        if name in absent or any(key.decode() in absent for key in keys):
            return 0
        return whole(process, name, keys)

    process = start(
        "x = bytearray(24 << 20); import time; print('ready', flush=True); time.sleep(600)"
    )
    monkeypatch.setattr(process_tree, "_sum", limited)
    found = tree.demand()
    process.kill()
    process.wait()
    assert 24 << 20 <= found < 60 << 20


def _absent(path: str) -> str:
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def test_the_proc_of_another_namespace_shows_no_process_of_ours(
    tree: ProcessTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start("import time; print('ready', flush=True); time.sleep(600)")
    monkeypatch.setattr(os, "readlink", lambda _: "12345678")
    assert tree.processes() == []
    assert tree.demand() == 0
    monkeypatch.setattr(os, "readlink", _absent)
    assert tree.processes() == []
    monkeypatch.undo()
    process.kill()
    process.wait()
