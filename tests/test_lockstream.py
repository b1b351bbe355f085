"""The program: what it loads, whose modules it runs, what its exit status says."""

from __future__ import annotations

import errno
import os
import pkgutil
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

import click
import pytest

import lockstream
from executor.cli.ending import DEFECT
from helpers.wheels import build_wheel, lock_of
from lockstream import COMMANDS, Entry
from schemas.errors import ExitCode, InvalidInput

SCRIPT = str(Path(sys.executable).with_name("lockstream"))
PROJECT = str(Path(lockstream.__file__).parent)


def run(
    *command: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _wrapped(cause: BaseException) -> RuntimeError:
    """Return ``cause`` as Python up to 3.11 reports it if it meets the body of a class."""
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = cause
    return error


class TestHelp:
    def test_it_lists_each_command_with_its_summary(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main(["--help"]) == ExitCode.DONE
        listed = capsys.readouterr().out
        for name, entry in COMMANDS.items():
            assert f"  {name} " in listed
            assert entry.summary in listed

    def test_it_explains_each_exit_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        lockstream.main(["--help"])
        listed = capsys.readouterr().out.partition("Exit codes:")[2].splitlines()[1:]
        assert [int(line.split()[0]) for line in listed] == list(ExitCode)

    def test_it_imports_no_command_nor_what_they_need(self) -> None:
        code = """
import sys, lockstream
lockstream.main(["--help"])
print("loaded:", *sys.modules)
"""
        shown = run(sys.executable, "-c", code, cwd=Path(PROJECT)).stdout
        loaded = shown.partition("loaded:")[2].split()
        assert "click" in loaded
        assert not {"planner", "packaging", "httpx", "ssl"} & set(loaded)
        ours = {name for name in loaded if name.startswith(("executor.", "schemas."))}
        of_the_memory = {"executor.budget", *(name for name in ours if "executor.budget." in name)}
        assert ours - of_the_memory == {"executor.cli", "executor.cli.program"}

    @pytest.mark.parametrize("command", list(COMMANDS))
    def test_each_command_can_be_loaded(
        self, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main([command, "--help"]) == ExitCode.DONE
        assert capsys.readouterr().out.startswith(f"Usage: lockstream {command} ")

    def test_the_version_is_that_of_the_distribution(self) -> None:
        shown = run(SCRIPT, "--version")
        assert shown.stdout == f"lockstream, version {version('lockstream')}\n"
        assert (shown.returncode, shown.stderr) == (0, "")


class TestRooms:
    """A user's modules of the same names are neither run nor in the way."""

    @pytest.fixture(name="theirs")
    def _theirs(self, tmp_path: Path) -> Path:
        (tmp_path / "schemas.py").write_text("raise SystemExit('their schemas')")
        (tmp_path / "executor.py").write_text("raise SystemExit('their executor')")
        (tmp_path / "planner").mkdir()
        (tmp_path / "planner" / "__init__.py").write_text("raise SystemExit('their planner')")
        return tmp_path

    @pytest.mark.parametrize("command", list(COMMANDS))
    def test_in_the_working_directory(self, theirs: Path, command: str) -> None:
        shown = run(sys.executable, "-m", "lockstream", command, "--help", cwd=theirs)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith(f"Usage: lockstream {command} ")

    @pytest.mark.parametrize("command", list(COMMANDS))
    def test_on_the_import_path(self, theirs: Path, command: str) -> None:
        shown = run(SCRIPT, command, "--help", PYTHONPATH=str(theirs))
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith(f"Usage: lockstream {command} ")

    def test_imported_before_the_program_began(self, tmp_path: Path) -> None:
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas" / "__init__.py").touch()
        (tmp_path / "schemas" / "errors.py").write_text("class ExitCode: ...")
        (tmp_path / "sitecustomize.py").write_text("import schemas.errors")
        shown = run(SCRIPT, "plan", "--help", PYTHONPATH=str(tmp_path))
        assert (shown.returncode, shown.stderr) == (0, "")

    def test_the_library_leaves_names_alone_until_the_program_runs(self, theirs: Path) -> None:
        code = "import lockstream, schemas"
        shown = run(sys.executable, "-c", code, cwd=theirs)
        assert (shown.returncode, shown.stderr) == (1, "their schemas\n")


Run = Callable[[Callable[[], object]], int]


@dataclass(eq=False)
class WrongColour(InvalidInput):
    colour: str
    hint = "use green"

    def __str__(self) -> str:
        return f"{self.colour} is no colour for a lock"


@pytest.fixture(name="run_command")
def _run_command(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a function as the command ``probe``."""

    def run_command(function: Callable[[], object]) -> int:
        module = ModuleType("probe")
        module.__dict__["probe"] = click.command()(function)
        monkeypatch.setitem(sys.modules, "probe", module)
        monkeypatch.setitem(COMMANDS, "probe", Entry("probe", "probe", ""))
        return lockstream.main(["probe"])

    return run_command


class TestExitStatus:
    def test_a_command_that_ends_is_done(self, run_command: Run) -> None:
        assert run_command(lambda: None) == 0

    def test_an_error_is_shown_with_its_hint_and_decides_the_status(
        self, run_command: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_command(raiser(WrongColour("mauve"))) == 3
        shown = capsys.readouterr()
        assert shown.err == "error: mauve is no colour for a lock\nhint: use green\n"
        assert shown.out == ""

    def test_an_error_without_a_hint_is_one_line(
        self, run_command: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_command(raiser(InvalidInput("no lock"))) == 3
        assert capsys.readouterr().err == "error: no lock\n"

    @pytest.mark.parametrize(
        ("raised", "status"),
        [
            pytest.param(click.exceptions.Exit(1), 1, id="the answer is no"),
            pytest.param(click.UsageError("both"), 2, id="usage"),
            pytest.param(click.FileError("lock"), 2, id="click's own status is 1"),
            pytest.param(KeyboardInterrupt(), 130, id="interrupt"),
            pytest.param(_wrapped(KeyboardInterrupt()), 130, id="interrupt in a class body"),
            pytest.param(click.Abort(), 130, id="interrupted prompt"),
            pytest.param(RuntimeError(), 70, id="defect"),
        ],
    )
    def test_no_other_end_reads_as_an_answer(
        self, run_command: Run, raised: BaseException, status: int
    ) -> None:
        assert run_command(raiser(raised)) == status

    def test_another_interrupt_while_it_ends_shows_no_traceback(
        self, run_command: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.cli.ending.tell_why", lambda _: raiser(KeyboardInterrupt())())
        assert run_command(raiser(KeyboardInterrupt())) == 130

    def test_a_defect_shows_its_traceback(
        self, run_command: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run_command(raiser(RuntimeError("unforeseen")))
        shown = capsys.readouterr().err
        assert shown.startswith("Traceback (most recent call last):\n")
        assert shown.endswith("RuntimeError: unforeseen\n")

    @pytest.mark.parametrize(
        ("arguments", "begin"),
        [
            pytest.param(["--no-such-option"], "error: lockstream has no option ", id="option"),
            pytest.param([], "Usage: lockstream ", id="none"),
            pytest.param(["cache"], "Usage: lockstream cache ", id="group"),
        ],
    )
    def test_wrong_usage_is_2_and_says_nothing_on_stdout(
        self, arguments: Sequence[str], begin: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith(begin)

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        shown = subprocess.run(
            [SCRIPT, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(writer)
        assert (shown.returncode, shown.stderr) == (141, "")

    def test_run_as_a_module_it_is_the_same_program(self) -> None:
        shown = run(sys.executable, "-m", "lockstream", "no-such-command", cwd=Path(PROJECT))
        assert shown.returncode == 2
        assert shown.stderr == run(SCRIPT, "no-such-command").stderr


def test_a_module_is_found_as_python_finds_it() -> None:
    finder = lockstream.RoomFinder()
    found = 0
    for room in ("schemas", "executor", "planner"):
        package = import_module(room)
        for info in pkgutil.walk_packages(package.__path__, f"{room}."):
            path = list(import_module(info.name.rpartition(".")[0]).__path__)
            ours, pythons = (each.find_spec(info.name, path) for each in (finder, PathFinder))
            assert ours is not None
            assert pythons is not None
            for name in ("name", "origin", "cached", "has_location", "parent"):
                assert getattr(ours, name) == getattr(pythons, name)
            assert type(ours.loader) is type(pythons.loader)
            assert ours.submodule_search_locations == pythons.submodule_search_locations
            found += 1
    assert found > 300


class TestEnds:
    """However it ends, the exit status says why, and no traceback is shown."""

    @pytest.fixture(name="lock")
    def _lock(self, tmp_path: Path) -> Path:
        wheel = build_wheel("demo", files={"demo.py": ""})
        wheel.write(tmp_path)
        lock = tmp_path / "pylock.toml"
        lock.write_text(lock_of([wheel], folder=""))
        return lock

    @pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
    @pytest.mark.parametrize("option", ["", "--json", "--dry-run"])
    def test_closed_streams_are_no_reason_to_fail(
        self, lock: Path, closed: str, option: str
    ) -> None:
        command = f"exec {SCRIPT} execute {lock} --target t {option} {closed}"
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        assert done.returncode == 0, done.stderr
        assert (lock.parent / "t/demo.py").exists() == (option != "--dry-run")

    @pytest.mark.parametrize(("option", "code"), [("--json", 0), ("--none", ExitCode.USAGE)])
    def test_a_parent_that_ignores_the_ends_of_children_is_no_reason_to_fail(
        self, lock: Path, option: str, code: int
    ) -> None:
        ignoring = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
        program = ignoring + "os.execv(sys.argv[1], sys.argv[1:])"
        words = (SCRIPT, "execute", str(lock), "--venv", "v", option)
        done = run(sys.executable, "-c", program, *words, cwd=lock.parent)
        assert done.returncode == code, done.stderr

    def test_a_full_output_is_an_error_that_is_named(self, lock: Path) -> None:
        command = f"exec {SCRIPT} execute {lock} --target t --json >/dev/full"
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        assert done.returncode == ExitCode.NOT_ENOUGH
        assert "error: the system: No space left on device\nhint: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_full_error_output_leaves_the_status(self, lock: Path) -> None:
        command = f"exec {SCRIPT} execute none.toml --target t 2>/dev/full"
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        assert done.returncode == ExitCode.INVALID_INPUT

    def test_a_full_error_output_does_not_end_an_installation(self, lock: Path) -> None:
        command = f"exec {SCRIPT} execute {lock} --target t 2>/dev/full"
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        assert done.returncode == 0
        assert (lock.parent / "t/demo.py").exists()

    def test_nothing_is_lost_in_a_pipe_that_does_not_wait(self, lock: Path) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        with (
            open(reading, "rb") as reader,
            subprocess.Popen([SCRIPT, "key", str(lock)], stdout=writing) as process,
        ):
            os.close(writing)
            assert len(reader.read().lstrip(b"x").split()) == 1
        assert process.returncode == 0

    def test_a_deleted_working_directory_is_wrong_usage(self, lock: Path) -> None:
        command = f"mkdir gone && cd gone && rmdir ../gone && exec {SCRIPT} execute {lock}"
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        assert done.returncode == ExitCode.USAGE
        assert done.stderr.startswith("error: the working directory is deleted\nhint: ")

    @pytest.mark.parametrize(
        ("words", "subject"),
        [
            (["execute", "--target", ""], "--target"),
            (["execute", "--venv="], "--venv"),
            (["execute", ""], "an argument"),
            (["check", "--json", ""], "an argument"),
            (["plan", "-r", ""], "-r"),
            (["cache", "list", "--cache-dir", ""], "--cache-dir"),
        ],
    )
    def test_an_empty_value_is_wrong_usage(
        self, words: list[str], subject: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main(words) == ExitCode.USAGE
        assert capsys.readouterr().err.startswith(f"error: {subject} is empty\nhint: ")

    def test_a_run_ends_at_once_unless_somebody_measures_it(self, lock: Path) -> None:
        """Python would free every object first. Profilers report when it does."""
        ends = "import atexit, sys; atexit.register(print, 'freed'); import lockstream; "
        measured = "sys.setprofile(lambda *_: None); "
        for before, printed in (("", ""), (measured, "freed\n")):
            words = f"sys.argv[1:] = ['execute', {str(lock)!r}, '--target', 't', '-q']; "
            program = f"{ends}{words}{before}sys.exit(lockstream.main())"
            done = run(sys.executable, "-c", program, cwd=lock.parent, PYTHONPATH=PROJECT)
            assert (done.returncode, done.stdout) == (0, printed), done.stderr

    def test_any_text_can_be_printed_in_any_locale(self, lock: Path) -> None:
        folder = lock.parent / os.fsdecode(b"caf\xe9 \xc3\xbc")
        folder.mkdir()
        done = run(
            SCRIPT, "execute", str(lock), "--target", "t\N{SNOWMAN}", cwd=folder,
            LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (folder / "t\N{SNOWMAN}" / "demo.py").exists()

    @pytest.mark.parametrize(
        ("number", "status"),
        [
            (errno.EACCES, 9),
            (errno.EROFS, 9),
            (errno.ENOSYS, 9),
            (errno.ENOSPC, 7),
            (errno.EMFILE, 7),
            (errno.ENOMEM, 7),
            (errno.ENOTDIR, 2),
            (errno.EIO, 7),
        ],
    )
    def test_an_error_of_the_system_is_a_sentence(
        self, run_command: Run, capsys: pytest.CaptureFixture[str], number: int, status: int
    ) -> None:
        assert run_command(raiser(OSError(number, os.strerror(number), "/some/file"))) == status
        shown = capsys.readouterr().err
        assert shown.startswith("error: ")
        assert "\nhint: " in shown

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            ImportError("libssl.so.3: failed to map segment from shared object"),
            RuntimeError("can't start new thread"),
        ],
    )
    def test_a_lack_of_memory_is_told_apart(
        self, run_command: Run, capsys: pytest.CaptureFixture[str], error: Exception
    ) -> None:
        assert run_command(raiser(error)) == ExitCode.NOT_ENOUGH == lockstream.NOT_ENOUGH
        assert capsys.readouterr().err == lockstream.NO_MEMORY

    @pytest.mark.parametrize(
        ("number", "status", "hint"),
        [
            (errno.EACCES, 9, "let this user read it"),
            (errno.ENOSYS, 9, "let this user read it"),
            (errno.EMFILE, 7, "ulimit -n"),
            (errno.ENOMEM, 7, "ulimit -v"),
        ],
    )
    def test_a_program_that_cannot_be_loaded_says_why(
        self, tmp_path: Path, number: int, status: int, hint: str
    ) -> None:
        fails = f"raise OSError({number}, 'no', __file__)"
        (tmp_path / "click.py").write_text(fails)
        done = run(sys.executable, "-m", "lockstream", PYTHONPATH=str(tmp_path))
        assert done.returncode == status
        assert "Traceback" not in done.stderr
        assert hint in done.stderr
        assert (f"{tmp_path / 'click.py'}: " in done.stderr) == (number != errno.ENOMEM)

    @pytest.mark.parametrize("module", ["click", "zstandard"])
    def test_what_is_missing_or_made_for_another_python_is_named(
        self, tmp_path: Path, module: str
    ) -> None:
        """A folder of ``pip install --target`` is of the Python that made it; a zipapp has none of
        its shared libraries.
        """
        (tmp_path / f"{module}.py").write_text("from nowhere import made_of_c")
        done = run(sys.executable, "-m", "lockstream", "plan", "-h", PYTHONPATH=str(tmp_path))
        assert done.returncode == ExitCode.USAGE
        assert done.stderr == (
            f"error: Python {sys.version.split()[0]} ({sys.executable}) cannot load lockstream: "
            "No module named 'nowhere'\n"
            "hint: it needs Python 3.11 or newer, and what it requires installed for that "
            "Python and hidden by no other module: pipx install lockstream, or uv "
            "tool install lockstream\n"
        )

    def test_a_module_of_the_user_that_hides_one_is_no_lack_of_memory(self, tmp_path: Path) -> None:
        (tmp_path / "click").mkdir()
        (tmp_path / "click/__init__.py").touch()
        done = run(sys.executable, "-m", "lockstream", "plan", "-h", PYTHONPATH=str(tmp_path))
        assert done.returncode == ExitCode.USAGE
        assert "cannot load lockstream: No module named 'click.exceptions'\n" in done.stderr

    @pytest.mark.parametrize(
        "module", ["executor/budget/__init__", "executor/lock/reader", "executor/install/install"]
    )
    def test_byte_code_that_a_full_disk_has_cut_off_is_no_defect(
        self, tmp_path: Path, module: str
    ) -> None:
        """Python takes it for whole; the reader of a lock is a fork."""
        (tmp_path / "pylock.toml").write_text(lock_of([]))
        words = ["execute", str(tmp_path / "pylock.toml"), "--target", str(tmp_path / "tree")]
        command = [sys.executable, "-m", "lockstream", *words]
        code = tmp_path / "code"
        done = run(*command, PYTHONPYCACHEPREFIX=str(code), PYTHONDONTWRITEBYTECODE="")
        assert done.returncode == 0
        file = Path(cache_from_source(f"{PROJECT}/{module}.py"))
        file = code / file.parent.parent.relative_to("/") / file.name
        file.write_bytes(file.read_bytes()[:40])
        done = run(*command, PYTHONPYCACHEPREFIX=str(code))
        assert done.returncode == ExitCode.USAGE
        assert "it is damaged, as a full disk leaves it (marshal data too short)\n" in done.stderr
        hints = (f"hint: delete {file}: ", "hint: set PYTHONPYCACHEPREFIX to an empty folder: ")
        assert any(hint in done.stderr for hint in hints)
        assert run(*command, PYTHONPYCACHEPREFIX=str(tmp_path / "empty")).returncode == 0
        file.unlink()
        assert run(*command, PYTHONPYCACHEPREFIX=str(code)).returncode == 0

    def test_what_a_room_does_not_define_is_a_defect(
        self, run_command: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        error = ImportError("cannot import name 'a' from 'schemas.text'", name="schemas.text")
        assert run_command(raiser(error)) == DEFECT
        assert capsys.readouterr().err.startswith("Traceback")

    def test_an_interrupt_while_it_is_loaded_shows_no_traceback(self, tmp_path: Path) -> None:
        (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
        done = run(sys.executable, "-m", "lockstream", PYTHONPATH=str(tmp_path))
        assert (done.returncode, done.stderr) == (130, "interrupted\n")

    @pytest.mark.skipif(sys.platform != "linux", reason="macOS has no such limits")
    @pytest.mark.parametrize("option", ["-d", "-v"])
    def test_a_limit_of_the_process_that_a_refusal_names_is_enough(
        self, lock: Path, option: str
    ) -> None:
        command = f"exec {SCRIPT} execute {lock} --target t --compile --log log"
        for mebibytes in range(24, 100, 4):
            limited = f"ulimit {option} {mebibytes << 10}; {command}"
            done = run("/bin/sh", "-c", limited, cwd=lock.parent)
            if found := re.search(r"give it at least (\d+) MiB: a larger limit", done.stderr):
                break
        assert found
        assert done.returncode == ExitCode.NOT_ENOUGH
        limited = f"ulimit {option} {int(found[1]) << 10}; {command}"
        done = run("/bin/sh", "-c", limited, cwd=lock.parent)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("mebibytes", [24, 32, 40, 48, 64, 96])
    def test_a_small_address_space_is_a_lack_of_memory(self, lock: Path, mebibytes: int) -> None:
        command = f"ulimit -v {mebibytes << 10}; exec {SCRIPT} execute {lock} --target t"
        begins = run("/bin/sh", "-c", f"ulimit -v {mebibytes << 10}; exec {sys.executable} -c ''")
        done = run("/bin/sh", "-c", command, cwd=lock.parent)
        if begins.returncode == 0:
            assert done.returncode in {ExitCode.DONE, ExitCode.NOT_ENOUGH}, done.stderr
            assert "Traceback" not in done.stderr


def raiser(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


class TestAnInterruptedPlan:
    def test_does_not_wait_for_a_server_that_says_nothing(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            (tmp_path / "r.in").write_text("demo\n")
            address = f"http://127.0.0.1:{server.getsockname()[1]}/simple/"
            words = ["plan", "-r", "r.in", "-o", "pylock.toml", "--index-url", address]
            process = subprocess.Popen(
                [SCRIPT, *words],
                cwd=tmp_path,
                env={**os.environ, "LOCKSTREAM_CACHE_DIR": str(tmp_path / "cache")},
                stderr=subprocess.PIPE,
                text=True,
            )
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                process.send_signal(signal.SIGINT)
                # With its attempts, the request itself would take a minute.
                error = process.communicate(timeout=40)[1]
        assert (process.returncode, error) == (130, "interrupted\n")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["r.in"]
