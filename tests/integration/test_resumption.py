"""Runs that are stopped: at once, without a trace in the environment, and not for nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import lockstream
from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from executor.report.reporter import Reporter
from helpers.environments import environment_below
from helpers.faults import killed_at
from helpers.servers import Answer, Connection, Request, Server, file, status
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ArtifactRefused, ExitCode, NetworkError

ROOT = Path(__file__).parents[2]

BIG = build_wheel("big", files={f"big/{number}.py": os.urandom(500) for number in range(40)})
SMALL = build_wheel("small", files={"small.py": "1"})
LAST = build_wheel("last")

SECONDS = 10.0
"""Longest that a test waits for what should be a matter of milliseconds."""


class Heard(Reporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


def write_lock(folder: Path, server: Server, *wheels: Wheel) -> str:
    for wheel in wheels:
        server.script(f"/{wheel.filename}", file(wheel.content))
    path = folder / "pylock.toml"
    path.write_text(lock_of(wheels, base_url=server.origin))
    return str(path)


def fetched(server: Server) -> list[str]:
    return sorted(request.path.removeprefix("/") for request in server.requests)


def stalls(content: bytes) -> Answer:
    """The head and half of the file, then nothing."""

    def answer(_request: Request, connection: Connection) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        connection.send(head + content[: len(content) // 2])

    return answer


def kill_with_a_complete_wheel(lock: str, environment: Environment) -> Path:
    """Kill a run when its first wheel is complete, and no other; the staging folder."""
    staging = Path(environment.interpreter.schemes.purelib, ".lockstream")
    for number in range(50, 200):
        assert killed_at(number, partial(execute, lock, environment, lanes=1))
        if list(staging.glob("*/complete")):
            return staging
        shutil.rmtree(staging)
    raise AssertionError("it never is")


class TestKills:
    def test_a_complete_wheel_is_never_fetched_again(
        self, tmp_path: Path, server: Server, environment: Environment
    ) -> None:
        wheels = (BIG, SMALL, LAST)
        lock = write_lock(tmp_path, server, *wheels)
        whole = environment_below(tmp_path / "whole")
        execute(lock, whole, lanes=1)
        for number in range(0, 150, 7):
            run = environment_below(tmp_path / str(number))
            killed = killed_at(number, partial(execute, lock, run, lanes=1, durability="kill"))
            told = [
                json.loads(path.read_text())
                for path in Path(run.path).rglob(".lockstream/*/complete")
            ]
            staged = {facts["dist_info"] for facts in told}
            committed = Path(run.interpreter.schemes.purelib, ".lockstream/journal").exists()
            server.wait_until_left()
            first = len(server.requests)
            report = execute(lock, run, lanes=1)
            if killed and not committed and report.installed:
                missing = [wheel for wheel in wheels if wheel.dist_info not in staged]
                assert report.bytes_fetched == sum(len(wheel.content) for wheel in missing)
                again = sorted(request.path for request in server.requests[first:])
                assert again == sorted(f"/{wheel.filename}" for wheel in missing)
            assert snapshot(Path(run.path)) == snapshot(Path(whole.path))

    def test_the_next_run_tells_what_became_of_the_last(
        self, tmp_path: Path, server: Server, environment: Environment
    ) -> None:
        lock = write_lock(tmp_path, server, BIG, SMALL)
        assert killed_at(20, partial(execute, lock, environment, lanes=1))
        execute(lock, environment, reporter=(heard := Heard()))
        (warning,) = heard.warnings
        assert "was killed or lost power while it was unpacking big-1" in warning
        assert "0 of 2 wheels were complete" in warning
        execute(lock, environment, reporter=(heard := Heard()))
        assert heard.warnings == []

    def test_what_another_lock_has_staged_is_collected(
        self, tmp_path: Path, server: Server, environment: Environment
    ) -> None:
        lock = write_lock(tmp_path, server, BIG, SMALL)
        staging = kill_with_a_complete_wheel(lock, environment)
        execute(write_lock(tmp_path, server, LAST), environment)
        assert not staging.exists()
        assert fetched(server).count(LAST.filename) == 1

    def test_a_damaged_wheel_is_fetched_again(
        self, tmp_path: Path, server: Server, environment: Environment
    ) -> None:
        lock = write_lock(tmp_path, server, BIG, SMALL)
        staged = kill_with_a_complete_wheel(lock, environment)
        (victim,) = staged.glob("*/tree/big/7.py")
        victim.write_bytes(b"evil")
        server.wait_until_left()
        server.requests.clear()
        execute(lock, environment)
        assert fetched(server) == [BIG.filename, SMALL.filename]
        path = Path(environment.interpreter.schemes.purelib, "big/7.py")
        assert path.read_bytes() == BIG["big/7.py"]


class TestErrors:
    """Runs that end with one, when the first of two wheels is complete."""

    @pytest.fixture(name="lock")
    def _lock(self, tmp_path: Path, server: Server) -> str:
        return write_lock(tmp_path, server, BIG, SMALL)

    @pytest.fixture(name="packages")
    def _packages(self, environment: Environment) -> Path:
        return Path(environment.interpreter.schemes.purelib)

    def test_where_the_network_fails_complete_wheels_wait_for_the_next_run(
        self, lock: str, server: Server, environment: Environment, packages: Path
    ) -> None:
        server.script(f"/{SMALL.filename}", status(404))
        with pytest.raises(NetworkError) as caught:
            execute(lock, environment, lanes=1)
        assert caught.value.left == (
            "the environment is as it was before; for the next run, complete wheels wait in "
            f"{packages / STAGING}: 1"
        )
        assert os.listdir(packages) == [STAGING]
        server.script(f"/{SMALL.filename}", file(SMALL.content))
        execute(lock, environment, lanes=1, reporter=(heard := Heard()))
        assert fetched(server) == [BIG.filename, SMALL.filename, SMALL.filename]
        assert "failed (http://" in heard.warnings[0]
        assert "while it was unpacking small-1.0" in heard.warnings[0]
        assert not (packages / STAGING).exists()

    def test_the_program_says_so_in_its_hint(
        self, tmp_path: Path, lock: str, server: Server, capfd: pytest.CaptureFixture[str]
    ) -> None:
        server.script(f"/{SMALL.filename}", status(404))
        words = ["execute", lock, "--target", str(tmp_path / "here"), "--lanes", "1"]
        assert lockstream.main([*words, "--progress", "none"]) == ExitCode.NETWORK
        assert re.search(
            r"\nhint: the file is gone .*; the environment .*: 1\n", capfd.readouterr().err
        )

    def test_a_wheel_that_is_refused_takes_all_with_it(
        self, lock: str, server: Server, environment: Environment
    ) -> None:
        server.script(f"/{SMALL.filename}", file(bytes(len(SMALL.content))))
        with pytest.raises(ArtifactRefused) as caught:
            execute(lock, environment, lanes=1)
        assert caught.value.left == ""
        assert not list(Path(environment.path).rglob(STAGING))

    def test_what_waits_is_held_to_its_record_before_it_is_taken(
        self, lock: str, server: Server, environment: Environment, packages: Path
    ) -> None:
        server.script(f"/{SMALL.filename}", status(404), file(SMALL.content))
        with pytest.raises(NetworkError):
            execute(lock, environment, lanes=1)
        (victim,) = packages.glob(f"{STAGING}/*/tree/big/7.py")
        victim.write_bytes(b"evil")
        execute(lock, environment, lanes=1)
        assert fetched(server).count(BIG.filename) == 2
        assert (packages / "big/7.py").read_bytes() == BIG["big/7.py"]


class TestSignals:
    def start(self, lock: str, venv: Path, lanes: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "lockstream", "execute", lock, "--venv", str(venv)),
                *("--lanes", str(lanes), "--progress", "none"),
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, server: Server, wheel: Wheel) -> None:
        end = time.monotonic() + SECONDS
        while wheel.filename not in fetched(server):
            assert time.monotonic() < end
            time.sleep(0.01)

    @pytest.mark.parametrize("lanes", [1, 2])
    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
    )
    def test_one_ends_a_run_that_waits_and_leaves_nothing(
        self, tmp_path: Path, server: Server, number: signal.Signals, status: int, lanes: int
    ) -> None:
        lock = write_lock(tmp_path, server, BIG, SMALL)
        server.script(f"/{BIG.filename}", stalls(BIG.content))
        server.script(f"/{SMALL.filename}", stalls(SMALL.content))
        with self.start(lock, tmp_path / "venv", lanes) as process:
            self.wait_for(server, BIG)
            process.send_signal(number)
            _, told = process.communicate(timeout=SECONDS)
        assert (process.returncode, told) == (status, f"stopped by {number.name}\n")
        assert not (tmp_path / "venv").exists()

    def test_complete_wheels_wait_for_the_next_run(self, tmp_path: Path, server: Server) -> None:
        lock = write_lock(tmp_path, server, BIG, SMALL)
        server.script(f"/{SMALL.filename}", stalls(SMALL.content), file(SMALL.content))
        logs = partial(tmp_path.glob, "venv/**/.lockstream/run")
        with self.start(lock, tmp_path / "venv", 1) as process:
            end = time.monotonic() + SECONDS
            # That it is asked for says less: that may come before the first is complete.
            while not any(SMALL.filename in path.read_text() for path in logs()):
                assert time.monotonic() < end
                time.sleep(0.01)
            process.terminate()
            _, told = process.communicate(timeout=SECONDS)
        assert process.returncode == 143
        assert told.startswith(
            "stopped by SIGTERM; the environment is as it was before; "
            "for the next run, complete wheels wait in "
        )
        packages = next((tmp_path / "venv").rglob("site-packages"))
        assert [path.name for path in packages.iterdir()] == [".lockstream"]
        with self.start(lock, tmp_path / "venv", 1) as process:
            _, told = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert "was stopped by SIGTERM while it was unpacking small-1.0" in told
        assert fetched(server) == [BIG.filename, SMALL.filename, SMALL.filename]
        assert not list((tmp_path / "venv").rglob(".lockstream*"))

    def test_one_that_comes_in_the_commit_waits_for_its_end(
        self,
        tmp_path: Path,
        server: Server,
        environment: Environment,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from executor.lanes.signals import stoppable
        from schemas.errors import Interrupted

        moves = 0
        rename = os.rename

        def stopped_rename(
            old: str, new: str, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
        ) -> None:
            nonlocal moves
            rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            if signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
                moves += 1
                if moves == 1:
                    os.kill(os.getpid(), signal.SIGTERM)

        lock = write_lock(tmp_path, server, SMALL)
        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr("os.rename", stopped_rename)
        with pytest.raises(Interrupted) as caught, stoppable():
            execute(lock, environment)
        assert moves > 1
        assert caught.value.exit_status == 143
        assert signal.getsignal(signal.SIGTERM) == before
        packages = Path(environment.interpreter.schemes.purelib)
        assert (packages / "small.py").exists()
        assert not (packages / ".lockstream").exists()
