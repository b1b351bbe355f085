"""``execute --build``: foreseen, capped, checked, and the environment untouched where it fails."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from executor.builds.toolchain import describe
from executor.environment.interpreter import probe
from helpers.build_records import build_record
from helpers.repositories import Repository, needs_git
from helpers.sdists import Sdist, build_sdist
from helpers.wheels import build_wheel, lock_of
from schemas.builds import BuildFlags, BuildRecord

MIB = 1 << 20

Execute = Callable[..., int]


@pytest.fixture(name="execute")
def _execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))

    def execute(*arguments: str) -> int:
        return lockstream.main(["execute", "--target", "env", *arguments])

    return execute


def record_of(sdist: Sdist, **changes: Any) -> BuildRecord:
    facts: dict[str, Any] = {
        "wheel": f"{sdist.filename.removesuffix('.tar.gz')}-py3-none-any.whl",
        "demand": {1: 16 * MIB},
        "measured_on": describe(probe(sys.executable).target, "backend"),
    }
    return build_record(**{**facts, **changes})


def write_lock(
    *sdists: Sdist, records: Mapping[str, BuildRecord] | None = None, wheels: str = ""
) -> None:
    """A lock that lists sources and no wheels of them."""
    blocks: list[dict[str, Any]] = []
    for sdist in sdists:
        sdist.write(Path())
        name, version = sdist.filename.removesuffix(".tar.gz").split("-")
        record = (records or {}).get(name, record_of(sdist))
        build = {record.wheel: record.to_table()}
        described = {"path": sdist.filename, "hashes": {"sha256": sdist.sha256}}
        blocks.append(
            {
                "name": name,
                "version": version,
                "sdist": described,
                "tool": {"lockstream": {"build": build}},
            }
        )
    document = {"lock-version": "1.0", "created-by": "tests", "packages": blocks}
    Path("pylock.toml").write_text(tomli_w.dumps(document) + wheels)


def is_untouched() -> bool:
    return not Path("env").exists() or not [
        path for path in Path("env").iterdir() if not path.name.startswith(".")
    ]


class TestASourceIsBuilt:
    def test_and_installed_with_the_wheels(self, execute: Execute) -> None:
        sdist = build_sdist()
        other = build_wheel("other")
        other.write(Path())
        write_lock(sdist, wheels=lock_of([other]).partition("\n\n")[2])
        assert execute("--build", "--report", "report.json") == 0
        assert Path("env/demo/__init__.py").exists()
        assert Path("env/other/__init__.py").exists()
        (built,) = json.loads(Path("report.json").read_text())["builds"]
        assert built["package"] == "demo"
        assert built["demand"] > 0

    def test_only_where_that_is_asked_for(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_lock(build_sdist())
        assert execute() == 4
        assert "lockstream plan --build" in capsys.readouterr().err

    def test_with_the_flags_and_requirements_of_the_lock(self, execute: Execute) -> None:
        tool = build_wheel("tool", "2.0")
        tool.write(Path())
        Path("pylock.build-demo.toml").write_text(lock_of([tool]))
        code = "import os, tool; assert os.environ['LEVEL'] == '3'"
        sdist = build_sdist(before_wheel=code, build_requires=["tool"])
        flags = BuildFlags(environment={"LEVEL": "3"})
        record = record_of(sdist, flags=flags, lock="pylock.build-demo.toml")
        write_lock(sdist, records={"demo": record})
        assert execute("--build") == 0

    def test_once(self, execute: Execute, tmp_path: Path) -> None:
        write_lock(build_sdist())
        assert execute("--build", "--report", "report.json") == 0
        arguments = ("execute", "--target", "again", "--build", "--report", "again.json")
        assert lockstream.main(list(arguments)) == 0
        assert json.loads(Path("again.json").read_text())["builds"] == []
        assert Path("again/demo/__init__.py").exists()

    def test_anew_where_what_was_kept_is_damaged(self, execute: Execute, tmp_path: Path) -> None:
        write_lock(build_sdist())
        assert execute("--build") == 0
        (kept,) = tmp_path.glob("cache/built/*/*.whl")
        kept.write_bytes(b"damaged")
        assert lockstream.main(["execute", "--target", "again", "--build"]) == 0

    def test_and_verified_as_installed(self, execute: Execute) -> None:
        write_lock(build_sdist())
        assert execute("--build") == 0
        assert lockstream.main(["verify", "--target", "env", "--build"]) == 0

    def test_and_left_alone_the_next_time(self, execute: Execute) -> None:
        write_lock(build_sdist())
        assert execute("--build") == 0
        write_lock(build_sdist(before_wheel="raise SystemExit(1)"))
        assert execute("--build") == 0


def write_lock_of(**source: Any) -> None:
    """A lock that lists ``demo`` as a source tree, and what building it took."""
    sdist = build_sdist()
    record = record_of(sdist)
    tool = {"lockstream": {"build": {record.wheel: record.to_table()}}}
    blocks = [{"name": "demo", **source, "tool": tool}]
    document = {"lock-version": "1.0", "created-by": "tests", "packages": blocks}
    Path("pylock.toml").write_text(tomli_w.dumps(document))


def direct_url() -> Any:
    return json.loads(Path("env/demo-1.0.dist-info/direct_url.json").read_text())


class TestASourceTreeIsBuilt:
    @needs_git
    def test_of_a_repository(self, execute: Execute, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "repository")
        files = build_sdist(module="part = 1\n").files
        commit = repository.commit({f"part/{name}": data for name, data in files.items()})
        repository.commit({"part/told.json": b"later"})
        vcs = {"type": "git", "path": "repository", "commit-id": commit}
        write_lock_of(vcs={**vcs, "requested-revision": "main", "subdirectory": "part"})
        assert execute("--build", "--report", "report.json") == 0
        assert Path("env/demo/__init__.py").read_text() == "part = 1\n"
        assert direct_url() == {
            "url": repository.url,
            "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": commit},
            "subdirectory": "part",
        }
        assert lockstream.main(["verify", "--target", "env", "--build"]) == 0
        # Installed already, and built already.
        assert execute("--build", "--report", "again.json") == 0
        assert json.loads(Path("again.json").read_text())["installed"] == 0
        words = ("execute", "--target", "other", "--build", "--report", "other.json")
        assert lockstream.main(list(words)) == 0
        assert json.loads(Path("other.json").read_text())["builds"] == []

    @needs_git
    def test_of_no_other_commit(
        self, execute: Execute, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Repository(tmp_path / "repository").commit(build_sdist().files)
        vcs = {"type": "git", "path": "repository", "commit-id": "0" * 40}
        write_lock_of(vcs=vcs)
        assert execute("--build") == 5
        assert "demo: the repository" in capsys.readouterr().err
        write_lock_of(vcs={**vcs, "commit-id": "main"})
        assert execute("--build") == 3
        assert "'main' is not the full name of a commit" in capsys.readouterr().err
        assert is_untouched()

    @pytest.mark.parametrize("editable", [False, True])
    def test_of_a_folder(self, execute: Execute, tmp_path: Path, editable: bool) -> None:
        build_sdist(module="here = 1\n").spread(tmp_path / "projects" / "demo")
        write_lock_of(directory={"path": "projects", "subdirectory": "demo", "editable": editable})
        assert execute("--build") == 0
        assert Path("env/demo/__init__.py").exists() is not editable
        assert direct_url() == {
            "url": (tmp_path / "projects").as_uri(),
            "dir_info": {"editable": True} if editable else {},
            "subdirectory": "demo",
        }

    @pytest.mark.parametrize("kind", ["pipe", "socket", "archive"])
    def test_of_nothing_else_in_the_place_of_a_folder(
        self, execute: Execute, capsys: pytest.CaptureFixture[str], kind: str
    ) -> None:
        if kind == "pipe":
            os.mkfifo("project")
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("project")
        elif kind == "archive":
            Path("project").write_bytes(build_sdist().content)
        write_lock_of(directory={"path": "project"})
        assert execute("--build") == 5
        told = capsys.readouterr().err
        assert "project: it is not a folder" in told
        assert "hint: the lock names this path; put the folder of the project there" in told
        assert is_untouched()

    def test_of_an_archive_of_any_name(self, execute: Execute) -> None:
        sdist = build_sdist()
        Path("main").write_bytes(sdist.content)
        hashes = {"sha256": sdist.sha256}
        write_lock_of(archive={"path": "main", "hashes": hashes})
        assert execute("--build") == 0
        assert direct_url()["archive_info"] == {"hashes": hashes}
        write_lock_of(archive={"path": "main", "hashes": {"sha256": "0" * 64}})
        assert execute("--build", "--reinstall") == 6

    def test_only_where_that_is_asked_for(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for source in (
            {"vcs": {"type": "git", "url": "https://git.example/x", "commit-id": "0" * 40}},
            {"directory": {"path": "."}},
            {"archive": {"path": "main.zip", "hashes": {"sha256": "0" * 64}}},
        ):
            write_lock_of(**source)
            assert execute() == 4
            assert "lockstream plan --build" in capsys.readouterr().err


class TestWhatIsForeseen:
    def test_does_not_fit(self, execute: Execute, capsys: pytest.CaptureFixture[str]) -> None:
        sdist = build_sdist(before_wheel="raise SystemExit(1)")
        write_lock(sdist, records={"demo": record_of(sdist, demand={1: 100 * MIB})})
        assert execute("--build", "--memory", "130MiB") == 7
        told = capsys.readouterr().err
        assert "demo: its build needs 137.0 MiB of memory (measured: 100.0 MiB)" in told
        assert "--memory leaves 130.0 MiB" in told
        assert "hint: nothing was written" in told
        assert not Path("env").exists()

    def test_needs_more_room_where_the_toolchain_is_another(self, execute: Execute) -> None:
        sdist = build_sdist(before_wheel="raise SystemExit(1)")
        record = record_of(sdist, demand={1: 100 * MIB}, measured_on={"compiler": "gcc 4"})
        write_lock(sdist, records={"demo": record})
        assert execute("--build", "--memory", "145MiB") == 7

    @pytest.mark.parametrize(("files", "warns"), [(60, True), (40, False)])
    def test_is_slow_where_the_compiler_does_not_stay_in_memory(
        self,
        execute: Execute,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        files: int,
        warns: bool,
    ) -> None:
        # The process of all tests may hold more than the budget.
        monkeypatch.setattr("executor.builds.builder.own_memory", lambda: 20 * MIB)
        sdist = build_sdist()
        record = record_of(sdist, demand={1: 100 * MIB}, files=files * MIB)
        write_lock(sdist, records={"demo": record})
        assert execute("--build", "--memory", "180MiB") == 0
        told = capsys.readouterr().err
        assert ("warning: demo: its build may be slow" in told) is warns
        assert ("(60.0 MiB) do not all stay in the 180.0 MiB that --memory" in told) is warns
        assert ("192.0 MiB are enough" in told) is warns

    def test_is_told_of_all_builds_at_once(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdists = [build_sdist("a"), build_sdist("b")]
        records = {"a": record_of(sdists[0], demand={1: 1 << 33}),
                   "b": record_of(sdists[1], demand={1: 1 << 33})}  # fmt: skip
        write_lock(*sdists, records=records)
        assert execute("--build", "--memory", "64MiB") == 7
        told = capsys.readouterr().err
        assert "a: its build" in told
        assert "b: its build" in told

    def test_is_unknown_where_nothing_was_measured(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_lock(build_sdist())
        path = Path("pylock.toml")
        path.write_text(path.read_text().partition("[packages.tool")[0])
        assert execute("--build") == 2
        assert "--build-unmeasured" in capsys.readouterr().err
        assert execute("--build", "--build-unmeasured") == 0


class TestABuildThatFails:
    def test_leaves_the_environment_as_it_was(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_lock(build_sdist(before_wheel="print('no compiler'); raise SystemExit(1)"))
        assert execute("--build") == 8
        assert "no compiler" in capsys.readouterr().err
        assert is_untouched()

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param("x = []\nwhile True: x.append(bytearray(1 << 20))", id="allocates"),
            pytest.param(
                "import os, time\nfor _ in range(64):\n    if os.fork() == 0:\n"
                "        x = bytearray(8 << 20); time.sleep(30); os._exit(0)\ntime.sleep(30)",
                id="forks",
            ),
            pytest.param(
                "import subprocess, sys\n"
                "subprocess.run([sys.executable, '-c', 'x = bytearray(1 << 30)'])",
                id="loses its compiler and carries on",
            ),
        ],
    )
    def test_because_it_takes_too_much_tells_so(self, execute: Execute, code: str) -> None:
        sdist = build_sdist(before_wheel=code, native={"demo/fast.so": "ELF"})
        # Where no group can be made, the lost compiler is known by what was planned instead.
        record = record_of(sdist, native=("demo/fast.so", "demo/other.so"))
        write_lock(sdist, records={"demo": record})
        # Not in this process: the budget would be that of the tests.
        words = ("execute", "--target", "env", "--build", "--memory", "128MiB")
        run = subprocess.run(
            [sys.executable, "-m", "lockstream", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 8, run.stderr
        assert is_untouched()

    def test_because_it_hangs_tells_so(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_lock(build_sdist(before_wheel="import time; time.sleep(600)"))
        assert execute("--build", "--build-timeout", "1") == 8
        assert "did not end in time" in capsys.readouterr().err
        assert is_untouched()

    def test_because_it_made_another_wheel_tells_so(
        self, execute: Execute, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist()
        record = record_of(sdist, native=("demo/fast.so",))
        write_lock(sdist, records={"demo": record})
        assert execute("--build") == 8
        assert "was built without demo/fast.so" in capsys.readouterr().err
        assert is_untouched()

    def test_because_the_source_is_not_the_locked_one_runs_nothing(self, execute: Execute) -> None:
        write_lock(build_sdist())
        Path("demo-1.0.tar.gz").write_bytes(build_sdist(module="evil = 1\n").content)
        assert execute("--build") == 6
        assert is_untouched()


def test_an_execution_that_builds_nothing_loads_nothing_of_builds(tmp_path: Path) -> None:
    wheel = build_wheel()
    wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([wheel]))
    code = (
        "import sys, lockstream\n"
        "assert lockstream.main(['execute', '--target', 'env', '--build']) == 0\n"
        "print([name for name in sys.modules if name.startswith(('executor.builds', "
        "'pyproject_hooks', 'tarfile'))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
