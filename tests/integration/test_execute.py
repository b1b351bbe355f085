"""Execute: from a lock and wheels to a tree that is what the wheels say, or to no change at all."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lockstream
from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from executor.report.reporter import Reporter
from executor.transaction.errors import FileConflict
from executor.wheels.scripts import shebang
from helpers.environments import (
    INSTALLERS_OWN,
    environment_below,
    read_record,
    record_row,
    spread,
)
from helpers.index import Index
from helpers.locks import write_lock
from helpers.mounts import mounted_tmpfs
from helpers.trees import differences, snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ExitCode

SCRIPT = str(Path(sys.executable).with_name("lockstream"))

APP = build_wheel(
    "app",
    files={
        "app/__init__.py": "import sys\ndef main():\n print('ran', *sys.argv[1:])\n return 3\n",
        "app/tool.sh": "#!/bin/sh\necho tool\n",
        "app/data, with comma.txt": "text",
        "namespace/app.py": "",
    },
    executables=["app/tool.sh"],
    entry_points={"console_scripts": {"app": "app:main"}, "gui_scripts": {"app-gui": "app:main"}},
)
NATIVE = build_wheel(
    "native",
    "2.1",
    purelib=False,
    files={"native.so": bytes(range(256)) * 2000, "namespace/native.py": "x = 1\n"},
    data_files={
        "scripts/native-run": "#!python\nimport native_pure\nprint('native')\n",
        "scripts/native-shell": "#!/bin/sh\necho shell\n",
        "headers/native.h": "int native;\n",
        "data/share/native/doc.txt": "documentation",
        "purelib/native_pure.py": "",
    },
)
BIG = build_wheel(
    "big", files={f"big/{number % 7}/{number}.py": f"x = {number}\n" for number in range(150)}
)
WHEELS = [APP, NATIVE, BIG]
WRAPPERS = {"app", "app-gui"}


@pytest.fixture(name="lock")
def _lock(tmp_path: Path) -> str:
    return write_lock(tmp_path / "project", WHEELS)


def files_below(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check_is_what_the_wheels_say(environment: Environment, wheels: list[Wheel]) -> None:
    schemes = environment.interpreter.schemes
    expected = spread(wheels, schemes)
    packages = Path(schemes.purelib)
    for wheel in wheels:
        for name, content in INSTALLERS_OWN.items():
            expected[packages / wheel.dist_info / name] = content
    found = files_below(Path(environment.path))
    for wheel in wheels:
        record = packages / wheel.dist_info / "RECORD"
        expected[record] = found[record]
    scripts = Path(schemes.scripts)
    for name in WRAPPERS:
        expected[scripts / name] = found[scripts / name]
    shipped = scripts / "native-run"
    expected[shipped] = expected[shipped].replace(b"#!python\n", shebang(schemes.executable))
    assert found.keys() == expected.keys()
    assert found == expected


class TestTree:
    def test_it_is_what_zipfile_unpacks_and_what_an_installer_adds(
        self, tmp_path: Path, lock: str
    ) -> None:
        environment = environment_below(tmp_path / "env")
        report = execute(lock, environment)
        check_is_what_the_wheels_say(environment, WHEELS)
        assert (report.installed, report.unchanged, report.removed) == (3, 0, 0)
        found = files_below(Path(environment.path))
        assert report.files == len(found)
        records = sum(len(found[path]) for path in found if path.name == "RECORD")
        assert report.bytes_installed == sum(map(len, found.values())) - records
        assert report.bytes_fetched == 0, "local files come over no network"

    def test_it_is_the_same_from_a_server(self, tmp_path: Path, index: Index, lock: str) -> None:
        index.add(*WHEELS)
        text = lock_of(WHEELS, base_url=f"{index.origin}/files")
        (tmp_path / "pylock.toml").write_text(text)
        served, local = (environment_below(tmp_path / name) for name in ("served", "local"))
        execute(str(tmp_path / "pylock.toml"), served)
        execute(lock, local)
        assert snapshot(Path(served.path)) == snapshot(Path(local.path))
        assert sorted(index.paths()) == sorted(f"/files/{wheel.filename}" for wheel in WHEELS)

    def test_records_list_every_file_as_it_is_and_nothing_else(
        self, tmp_path: Path, lock: str
    ) -> None:
        environment = environment_below(tmp_path / "env")
        execute(lock, environment)
        recorded: dict[Path, tuple[str, str]] = {}
        for wheel in WHEELS:
            own = Path(environment.interpreter.schemes.purelib, wheel.dist_info)
            rows = read_record(own)
            assert rows.pop((own / "RECORD").resolve()) == ("", "")
            assert not recorded.keys() & rows.keys()
            recorded |= rows
        found = files_below(Path(environment.path))
        assert recorded == {
            path.resolve(): record_row(content)
            for path, content in found.items()
            if path.name != "RECORD"
        }

    @pytest.mark.parametrize("lanes", [1, 2, 4])
    def test_the_number_of_lanes_makes_no_difference(
        self, tmp_path: Path, lock: str, lanes: int
    ) -> None:
        one, many = (environment_below(tmp_path / name) for name in ("one", "many"))
        execute(lock, one, lanes=1)
        assert execute(lock, many, lanes=lanes).lanes == lanes
        assert differences(snapshot(Path(one.path)), snapshot(Path(many.path))) == []

    def test_what_our_tables_say_makes_no_difference(self, tmp_path: Path, lock: str) -> None:
        """PEP 751: tool data is disposable."""
        with_tables, without = (environment_below(tmp_path / name) for name in ("with", "without"))
        hinted = write_lock(tmp_path / "hinted", WHEELS, hints=True)
        assert "tool.lockstream" in Path(hinted).read_text()
        execute(hinted, with_tables)
        execute(lock, without)
        assert differences(snapshot(Path(with_tables.path)), snapshot(Path(without.path))) == []

    def test_a_second_execution_changes_nothing(self, tmp_path: Path, lock: str) -> None:
        environment = environment_below(tmp_path / "env")
        execute(lock, environment)
        before = {path: path.stat().st_mtime_ns for path in files_below(tmp_path)}
        report = execute(lock, environment)
        assert (report.installed, report.unchanged, report.files) == (0, 3, 0)
        assert {path: path.stat().st_mtime_ns for path in files_below(tmp_path)} == before

    def test_events_come_in_the_fixed_order_however_lanes_end(
        self, tmp_path: Path, lock: str
    ) -> None:
        class Heard(Reporter):
            def __init__(self) -> None:
                self.events: list[str] = []

            def staged(self, number: int, step: Any, wheel: Any) -> None:
                self.events.append(f"{number} {step.name}")

            def committing(self) -> None:
                self.events.append("committing")

        heard = Heard()
        execute(lock, environment_below(tmp_path / "env"), lanes=2, reporter=heard)
        names = [wheel.name for wheel in sorted(WHEELS, key=lambda wheel: -wheel.size)]
        assert heard.events == [*(f"{n} {name}" for n, name in enumerate(names)), "committing"]


@pytest.fixture(name="fresh_venv", scope="module")
def _fresh_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("venvs") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


@pytest.fixture(name="venv")
def _venv(tmp_path: Path, fresh_venv: Path) -> Path:
    """A virtual environment that a test may fill."""
    return Path(shutil.copytree(fresh_venv, tmp_path / "venv", symlinks=True))


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class TestProgram:
    @pytest.mark.parametrize("umask", [0o022, 0o027])
    def test_it_makes_an_environment_that_works(
        self, tmp_path: Path, lock: str, umask: int
    ) -> None:
        venv = tmp_path / "with space" / "venv"
        report = tmp_path / "report.json"
        done = run(SCRIPT, "execute", lock, "--venv", venv, "--report", report, umask=umask)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"installed 3 packages into {venv} in ")
        assert re.findall(r"^\[(\d/\d)\] \+ (\w+)", done.stderr, re.MULTILINE) == [
            ("1/3", "big"), ("2/3", "native"), ("3/3", "app")
        ]  # fmt: skip
        assert '"installed": 3' in report.read_text()
        imported = run(venv / "bin/python", "-c", "import app, namespace.native, big; print('ok')")
        assert imported.stdout == "ok\n", imported.stderr
        started = run(venv / "bin/app", "a b")
        assert (started.returncode, started.stdout) == (3, "ran a b\n"), started.stderr
        assert run(venv / "bin/native-run").stdout == "native\n"
        assert run(venv / "bin/native-shell").stdout == "shell\n"
        (packages,) = venv.glob("lib/python*/site-packages")
        assert run(packages / "app/tool.sh").stdout == "tool\n"
        assert (venv / "share/native/doc.txt").read_text() == "documentation"
        (header,) = venv.glob("include/site/python*/native/native.h")
        modes = {path: path.stat().st_mode & 0o777 for path in files_below(packages)}
        programs = {packages / "app/tool.sh"}
        assert {modes[path] for path in programs} == {0o666 & ~umask | 0o111}
        assert {mode for path, mode in modes.items() if path not in programs} == {0o666 & ~umask}
        assert header.stat().st_mode & 0o777 == 0o666 & ~umask
        assert (venv / "bin/app").stat().st_mode & 0o777 == 0o666 & ~umask | 0o111

    def test_it_fills_an_environment_that_is_there(self, venv: Path, lock: str) -> None:
        assert lockstream.main(["execute", lock, "--venv", str(venv)]) == ExitCode.DONE
        assert run(venv / "bin/app").returncode == 3


Failure = Callable[[Index, Path], tuple[str, ExitCode, str]]
"""Sets up what goes wrong; gives the lock, the exit code and the message."""

DEMO = build_wheel("demo", files={"demo.bin": bytes(range(256)) * 40})
OTHER = build_wheel("demo", files={"demo.bin": bytes(range(255, -1, -1)) * 40})
FILE = f"/files/{DEMO.filename}"


def served(index: Index, **keys: Any) -> str:
    return lock_of(
        [DEMO, APP], base_url=f"{index.origin}/files", files={DEMO.filename: keys} if keys else None
    )


def wrong_hash(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    index.add(DEMO, APP)
    return (
        served(index, hashes={"sha256": "0" * 64}),
        ExitCode.ARTIFACT_REFUSED,
        (
            f"{DEMO.filename} from {index.origin}{FILE}: sha256 differs\n"
            f"  expected {'0' * 64}\n  found    {DEMO.sha256}"
        ),
    )


def damaged(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    """One byte of a member: the archive shows it before the hash does."""
    content = bytearray(DEMO.content)
    content[300] ^= 1
    broken = Wheel(DEMO.filename, DEMO.members, bytes(content))
    index.add(broken, APP)
    return (
        served(index),
        ExitCode.ARTIFACT_REFUSED,
        (
            f"{DEMO.filename} from {index.origin}{FILE}: sha256 differs\n"
            f"  expected {DEMO.sha256}\n  found    {broken.sha256}"
        ),
    )


def larger(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    index.add(DEMO, APP)
    return (
        served(index, size=DEMO.size - 1),
        ExitCode.ARTIFACT_REFUSED,
        (
            f"{DEMO.filename} from {index.origin}{FILE}: "
            f"expected {DEMO.size - 1} bytes, found more than {DEMO.size - 1}"
        ),
    )


def smaller_on_disk(_: Index, folder: Path) -> tuple[str, ExitCode, str]:
    APP.write(folder)
    (folder / DEMO.filename).write_bytes(DEMO.content[:-5])
    return (
        lock_of([DEMO, APP]),
        ExitCode.ARTIFACT_REFUSED,
        (
            f"{DEMO.filename} from {folder / DEMO.filename}: "
            f"expected {DEMO.size} bytes, found {DEMO.size - 5}"
        ),
    )


def truncated(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    """Its server sends a part of it each time, and takes no ranges."""
    index.add(DEMO, APP)
    index.ranges = "none"
    headers = {"Content-Length": str(DEMO.size), "Connection": "close"}
    index.answers[FILE] = [(200, headers, DEMO.content[:100])] * 20
    return (
        served(index),
        ExitCode.NETWORK,
        f"{index.origin}{FILE}: the connection ended after 100 bytes (tried 5 times)",
    )


def gone(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    index.add(APP)
    return (
        served(index), ExitCode.NETWORK, f"{index.origin}{FILE}: the server answered 404 Not Found"
    )  # fmt: skip


def unreachable(_: Index, folder: Path) -> tuple[str, ExitCode, str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    APP.write(folder)
    origin = f"http://127.0.0.1:{port}"
    return (
        lock_of([DEMO], base_url=origin),
        ExitCode.NETWORK,
        f"{origin}/{DEMO.filename}: Connection refused (tried 5 times)",
    )


def other_python(index: Index, _: Path) -> tuple[str, ExitCode, str]:
    index.add(DEMO, APP)
    text = lock_of([DEMO, APP], header={"requires-python": ">=4"})
    return text, ExitCode.NO_SOLUTION, "the lock is for Python >=4, but the target is TARGET"


def other_platform(_: Index, __: Path) -> tuple[str, ExitCode, str]:
    wheel = build_wheel("demo", tag="cp311-cp311-win_amd64")
    message = f"demo 1.0: none of its wheels suits TARGET; the lock lists {wheel.filename}"
    return lock_of([wheel]), ExitCode.NO_SOLUTION, message


def conflict(_: Index, folder: Path) -> tuple[str, ExitCode, str]:
    one, two = (build_wheel(name, files={"same.py": name}) for name in ("one", "two"))
    one.write(folder)
    two.write(folder)
    return (
        lock_of([one, two]),
        ExitCode.ARTIFACT_REFUSED,
        f"PACKAGES/same.py: belongs to {one.filename} and, with other contents, to {two.filename}",
    )


def refused(_: Index, folder: Path) -> tuple[str, ExitCode, str]:
    bad = DEMO.edited("demo.bin", headers={"crc": 1})
    bad.write(folder)
    APP.write(folder)
    crc = f"{zlib.crc32(bytes(range(256)) * 40):08x}"
    message = f"{DEMO.filename}: 'demo.bin': its CRC is {crc}, not the 00000001 it states"
    return lock_of([bad, APP]), ExitCode.ARTIFACT_REFUSED, message


FAILURES = [
    wrong_hash, damaged, larger, smaller_on_disk, truncated, gone, unreachable, other_python,
    other_platform, conflict, refused,
]  # fmt: skip


class TestFailure:
    """The right exit code, one message, and everything as it was before."""

    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
    @pytest.mark.parametrize(
        ("there", "lanes"),
        [(False, "1"), (True, "2")],
        ids=["no environment", "environment, 2 lanes"],
    )
    def test_it_is_told_and_nothing_changes(
        self,
        tmp_path: Path,
        index: Index,
        venv: Path,
        there: bool,
        failure: Failure,
        lanes: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        folder = tmp_path / "project"
        folder.mkdir()
        text, code, message = failure(index, folder)
        (folder / "pylock.toml").write_text(text)
        where = venv if there else tmp_path / "new" / "venv"
        where.parent.mkdir(exist_ok=True)
        interpreter = Environment.venv(str(where)).interpreter
        message = message.replace("PACKAGES", interpreter.schemes.purelib)
        before = snapshot(tmp_path)
        arguments = ["execute", str(folder / "pylock.toml"), "--venv", str(where)]
        assert lockstream.main([*arguments, "--lanes", lanes, "--progress", "none"]) == code
        told = capsys.readouterr()
        assert told.out == ""
        told_first = f"error: {message.replace('TARGET', str(interpreter.target))}\n"
        assert told.err.startswith(told_first), told.err
        assert "Traceback" not in told.err
        kept = []
        if code == ExitCode.NETWORK and "complete wheels wait" in told.err:
            # In an environment that would be made, they wait together with it.
            kept = [f"*/{STAGING}"] if there else ["new/venv"]
        assert differences(before, snapshot(tmp_path, kept)) == []


class TestDisk:
    """Highly compressible files: what the preflight guesses from their wheels is too little."""

    ZEROS = build_wheel("zeros", files={"zeros.bin": bytes(24 << 20)})

    def check(self, venv: Path, done: subprocess.CompletedProcess[str], reason: str) -> None:
        assert done.returncode == ExitCode.NOT_ENOUGH, done.stderr
        assert done.stdout == ""
        assert f"error: {venv}: {reason}\n" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("lanes", ["1", "2"])
    def test_a_file_that_cannot_be_written_changes_nothing(
        self, tmp_path: Path, venv: Path, lanes: str
    ) -> None:
        lock = write_lock(tmp_path / "project", [self.ZEROS, APP])
        before = snapshot(tmp_path)
        done = run(
            *(SCRIPT, "execute", lock, "--venv", venv, "--lanes", lanes, "--progress", "none"),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        )
        self.check(venv, done, "File too large")
        assert differences(before, snapshot(tmp_path)) == []

    @pytest.fixture(name="small_disk")
    def _small_disk(self, tmp_path: Path) -> Iterator[Path]:
        """16 MiB; mounting it takes the rights of root, which containers often give."""
        disk = tmp_path / "disk"
        try:
            with mounted_tmpfs(disk, "size=16m"):
                yield disk
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no file system can be mounted: {error.stderr}")

    @pytest.mark.parametrize("there", [False, True], ids=["no environment", "environment"])
    def test_a_full_disk_changes_nothing(
        self, tmp_path: Path, venv: Path, small_disk: Path, there: bool
    ) -> None:
        lock = write_lock(tmp_path / "project", [self.ZEROS, APP])
        where = small_disk / "venv"
        if there:
            shutil.copytree(venv, where, symlinks=True)
        before = snapshot(small_disk)
        done = run(SCRIPT, "execute", lock, "--venv", where, "--progress", "none")
        self.check(where, done, "No space left on device")
        assert differences(before, snapshot(small_disk)) == []

    def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
        self, tmp_path: Path, small_disk: Path
    ) -> None:
        lock = write_lock(tmp_path / "project", [self.ZEROS], hints=True)
        done = run(SCRIPT, "execute", lock, "--venv", small_disk / "venv", "--progress", "none")
        assert done.returncode == ExitCode.NOT_ENOUGH
        needed = r"error: .*/disk: needs \d+ MiB of disk, 16 MiB are free on .*/disk\n"
        assert re.match(needed, done.stderr), done.stderr
        assert list(small_disk.iterdir()) == []

    def test_a_disk_that_is_memory_takes_of_the_budget(
        self, tmp_path: Path, small_disk: Path
    ) -> None:
        lock = write_lock(tmp_path / "project", [APP], hints=True)
        command = (SCRIPT, "execute", lock, "--venv", small_disk / "venv", "--progress", "none")
        done = run(*command, "--memory", "26MiB")
        assert done.returncode == ExitCode.NOT_ENOUGH
        told = "error: one lane needs 26 MiB of memory and the files on a tmpfs 9 MiB, but --memory"
        assert done.stderr.startswith(told), done.stderr
        assert list(small_disk.iterdir()) == []
        done = run(*command, "--memory", "35MiB")
        assert done.returncode == 0, done.stderr


class TestCollisions:
    def test_a_path_with_one_content_is_installed_for_both(self, tmp_path: Path) -> None:
        one, two = (build_wheel(name, files={"same.py": "1", f"{name}.py": ""}) for name in "ab")
        environment = environment_below(tmp_path / "env")
        execute(write_lock(tmp_path / "project", [one, two]), environment)
        packages = Path(environment.interpreter.schemes.purelib)
        assert (packages / "same.py").read_text() == "1"
        for wheel in (one, two):
            assert (packages / "same.py").resolve() in read_record(packages / wheel.dist_info)

    def test_the_last_by_name_wins_where_the_user_says_so(self, tmp_path: Path) -> None:
        one, two = (build_wheel(name, files={"same.py": name}) for name in "ab")
        environment = environment_below(tmp_path / "env")
        lock = write_lock(tmp_path / "project", [one, two])
        with pytest.raises(FileConflict):
            execute(lock, environment)
        execute(lock, environment, last_wins=True)
        packages = Path(environment.interpreter.schemes.purelib)
        assert (packages / "same.py").read_text() == "b"


def test_nothing_is_open_when_it_is_over(tmp_path: Path, lock: str) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    execute(lock, environment_below(tmp_path / "env"), lanes=2)
    conflicting = [build_wheel(name, files={"same.py": name}) for name in "ab"]
    other = write_lock(tmp_path / "other", conflicting)
    with pytest.raises(FileConflict):
        execute(other, environment_below(tmp_path / "other_env"), lanes=2)
    assert sorted(os.listdir("/proc/self/fd")) == before
