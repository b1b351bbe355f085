"""``plan --each``: one command for the locks of a repository."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from planner.cli.plan_each import find_locks

SERVICES = ("services/alpha", "services/beta", "services/gamma")


@pytest.fixture(autouse=True)
def repository(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.add(build_wheel("demo"))
    for service in SERVICES:
        write(service, "demo")


def write(service: str, *requirements: str) -> None:
    Path(service).mkdir(parents=True, exist_ok=True)
    project = {"name": Path(service).name, "version": "1", "dependencies": list(requirements)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in project.items()]
    Path(service, "pyproject.toml").write_text("\n".join(["[project]", *lines, ""]))


def outcomes(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    status = lockstream.main(["plan", "--each", "--json", *words])
    rows = json.loads(capsys.readouterr().out)
    assert status == 0 or any(row["error"] for row in rows)
    return {Path(row["folder"]).as_posix(): row["outcome"] for row in rows}


def test_each_project_gets_a_lock_in_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcomes(capsys, *SERVICES) == dict.fromkeys(SERVICES, "wrote")
    for service in SERVICES:
        assert "demo" in Path(service, "pylock.toml").read_text()
        assert lockstream.main(["check", f"{service}/pylock.toml"]) == 0


def test_a_script_has_its_own_lock_and_a_file_of_a_project_that_of_its_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("tools").mkdir()
    for name in ("one", "two"):
        Path(f"tools/{name}.py").write_text("# /// script\n# dependencies = ['demo']\n# ///\n")
    named = ("tools/one.py", "tools/two.py", f"{SERVICES[0]}/pyproject.toml")
    assert outcomes(capsys, *named) == dict.fromkeys(named, "wrote")
    for lock in ("tools/pylock.one.toml", "tools/pylock.two.toml", f"{SERVICES[0]}/pylock.toml"):
        assert lockstream.main(["check", "--quiet", lock]) == 0
    assert outcomes(capsys, *named) == dict.fromkeys(named, "kept")


def test_a_lock_is_the_one_that_a_plan_in_its_folder_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lockstream.main(["plan", "--each", *SERVICES]) == 0
    together = Path(SERVICES[0], "pylock.toml").read_bytes()
    monkeypatch.chdir(SERVICES[0])
    Path("pylock.toml").unlink()
    assert lockstream.main(["plan"]) == 0
    assert Path("pylock.toml").read_bytes() == together


def test_without_projects_all_locks_below_are_planned(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes(capsys, *SERVICES)
    index.add(build_wheel("other"))
    write(SERVICES[1], "demo", "other")
    assert outcomes(capsys) == {
        SERVICES[0]: "kept", SERVICES[1]: "wrote", SERVICES[2]: "kept",
    }  # fmt: skip


def test_one_that_fails_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    write(SERVICES[0], "demo==99")
    assert lockstream.main(["plan", "--each", *SERVICES]) == 4
    error = capsys.readouterr().err
    assert f"{SERVICES[0]}: error:" in error
    assert "3 locks: wrote 2, failed 1" in error
    assert not Path(SERVICES[0], "pylock.toml").exists()
    assert Path(SERVICES[2], "pylock.toml").exists()


IN_TURNS = f"""
import sys
from contextlib import contextmanager
from pathlib import Path

import lockstream
from planner.cli import plan_each

take_turns = plan_each.take_turns

@contextmanager
def noted(turn):
    with turn, Path("turns").open("a") as turns:
        print("<", end="", file=turns, flush=True)
        yield
        print(">", end="", file=turns, flush=True)

plan_each.usable_processors = lambda: {len(SERVICES)}
plan_each.take_turns = lambda turn: take_turns(noted(turn))
sys.exit(lockstream.main(sys.argv[1:]))
"""
"""A program that notes the turns. It is one of its own: the processes of plan --each are forks, in
which what other tests have begun with Dask would stand still."""


def test_the_builds_of_one_lock_begin_when_those_of_another_have_ended(index: Index) -> None:
    for service in SERVICES:
        sdist = build_sdist(f"of-{Path(service).name}")
        index.add_file(sdist.filename, sdist.content)
        write(service, f"of-{Path(service).name}")
    words = ("--build", "missing", "--on", "dask", "--into", "store")
    command = [sys.executable, "-c", IN_TURNS, "plan", "--each", "--json", *SERVICES, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {row["outcome"] for row in json.loads(done.stdout)} == {"wrote"}
    assert Path("turns").read_text() == "<>" * len(SERVICES)
    assert len(list(Path("store").iterdir())) == len(SERVICES)
    for service in SERVICES:
        assert list(Path(service, "wheelhouse").glob("*.whl"))


def test_environments_and_foreign_locks_are_passed_over() -> None:
    lockstream.main(["plan", "--each", *SERVICES])
    text = Path(SERVICES[0], "pylock.toml").read_text()
    for place in (".hidden", "node_modules/x", "venv", "services/other"):
        Path(place).mkdir(parents=True)
        Path(place, "pylock.toml").write_text(text)
    Path("venv/pyvenv.cfg").write_text("")
    Path("services/other/pylock.toml").write_text('lock-version = "1.0"\n')
    assert [Path(one).as_posix() for one in find_locks(".")] == [
        f"{service}/pylock.toml" for service in SERVICES
    ]


def test_locks_of_build_requirements_and_subsets_are_passed_over() -> None:
    lockstream.main(["plan", "--each", *SERVICES])
    lock = Path(SERVICES[0], "pylock.toml")
    text = lock.read_text()
    recorded = text[text.index("[tool.lockstream.inputs]") : text.index("[[packages]]")]
    requires = '[tool.lockstream.inputs]\nrequires = ["x"]\n\n'
    lock.with_name("pylock.build-x.toml").write_text(text.replace(recorded, requires))
    assert lockstream.main(["subset", "-q", str(lock), "-o", "pylock.part.toml"]) == 0
    damaged = lock.with_name("pylock.damaged.toml")
    damaged.write_text(text.replace("[[packages]]", "<<<<<<< HEAD\n[[packages]]", 1))
    assert [Path(one).as_posix() for one in find_locks(".")] == sorted(
        [*(f"{service}/pylock.toml" for service in SERVICES), damaged.as_posix()],
        key=lambda path: (os.path.dirname(path), "damaged" in path),
    )


def test_a_lock_of_another_tool_does_not_lead_to_the_project_of_the_working_folder(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("other"))
    write(".", "other")
    lock = Path(SERVICES[0], "pylock.toml")
    lock.write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    assert outcomes(capsys, SERVICES[0]) == {SERVICES[0]: "wrote"}
    assert '"demo"' in lock.read_text()
    lock.write_text("<<<<<<< ours\n")
    assert outcomes(capsys, SERVICES[0], "-U") == {SERVICES[0]: "wrote"}
    assert '"demo"' in lock.read_text()


def test_without_projects_the_locks_of_scripts_are_planned_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = Path(SERVICES[0], "tool.py")
    script.write_text('# /// script\n# dependencies = ["demo"]\n# ///\n')
    outcomes(capsys, str(script), SERVICES[0])
    assert outcomes(capsys) == {
        SERVICES[0]: "kept", f"{SERVICES[0]}/pylock.tool.toml": "kept"
    }  # fmt: skip


def test_a_lock_is_planned_once_however_its_project_is_spelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spellings = [SERVICES[0], f"./{SERVICES[0]}/", str(tmp_path / SERVICES[0])]
    assert outcomes(capsys, *spellings, f"{SERVICES[0]}/pyproject.toml") == {SERVICES[0]: "wrote"}


def test_a_name_to_upgrade_that_no_lock_has_is_told(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("other"))
    write(SERVICES[1], "other")
    assert lockstream.main(["plan", "--each", *SERVICES, "-P", "other", "-P", "dmeo"]) == 0
    error = capsys.readouterr().err
    assert "warning: --upgrade-package dmeo: no lock has such a package" in error
    assert "--upgrade-package other" not in error


def test_a_warning_names_the_lock(capfd: pytest.CaptureFixture[str]) -> None:
    write(SERVICES[2])
    assert lockstream.main(["plan", "--each", *SERVICES]) == 0
    error = capfd.readouterr().err
    assert f"{SERVICES[2]}: warning: the inputs require nothing for these targets" in error


@pytest.mark.parametrize("words", [["-o", "pylock.x.toml"], ["-r", "x"], ["--merge-into", "y"]])
def test_options_for_one_lock_are_an_error(words: list[str]) -> None:
    assert lockstream.main(["plan", "--each", *words]) == 2


def test_no_lock_at_all_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["plan", "--each"]) == 2
    assert "lockstream plan --each services/*" in capsys.readouterr().err


@pytest.mark.parametrize("reaches_all", [True, False], ids=["terminal", "kill"])
def test_an_interrupted_one_waits_for_no_server(tmp_path: Path, reaches_all: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/simple/"
        program = Path(sys.executable).with_name("lockstream")
        process = subprocess.Popen(
            [program, "plan", "--each", *SERVICES, "--index-url", address],
            env={**os.environ, "LOCKSTREAM_CACHE_DIR": str(tmp_path / "cache")},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            (os.killpg if reaches_all else os.kill)(process.pid, signal.SIGINT)
            # With its attempts, the request itself would take a minute, for each lock.
            error = process.communicate(timeout=40)[1]
    assert (process.returncode, error) == (130, "interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert not list(tmp_path.rglob("pylock.toml"))
