"""Environment: what is filled is found or made, and a failure leaves it as it was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.environment.environment import Environment
from executor.environment.errors import EnvironmentBusy, ExternallyManaged, InterpreterUnusable
from executor.environment.interpreter import probe
from helpers.trees import snapshot
from schemas.errors import ExitCode, UsageError
from schemas.target import Target

UNFINISHED = ".lockstream-unsettled"


@pytest.fixture(name="folder")
def environment_folder(tmp_path: Path) -> Path:
    return tmp_path / "env"


class TestVenv:
    def test_an_absent_one_is_made_on_demand(self, folder: Path) -> None:
        environment = Environment.venv(str(folder))
        assert (environment.path, environment.exists) == (str(folder), False)
        assert not folder.exists()
        with environment.made():
            run = subprocess.run(
                [folder / "bin" / "python", "-c", "import sys; print(sys.prefix)"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert run.stdout.strip() == str(folder)
        again = Environment.venv(str(folder))
        assert again.exists
        assert again.interpreter == environment.interpreter

    def test_a_relative_path_is_made_absolute(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder.parent)
        assert Environment.venv("env").path == str(folder)

    def test_an_empty_folder_will_do(self, folder: Path) -> None:
        folder.mkdir()
        assert not Environment.venv(str(folder)).exists

    def test_it_is_made_in_the_empty_folder_that_a_link_leads_to(self, folder: Path) -> None:
        """``.venv`` may lead to a volume."""
        volume = folder.parent / "volume"
        volume.mkdir()
        folder.symlink_to("volume")
        with Environment.venv(str(folder)).made():
            pass
        assert folder.is_symlink()
        assert (volume / "pyvenv.cfg").is_file()
        assert Environment.venv(str(folder)).exists

    @pytest.mark.parametrize("kind", ["folder with files", "file", "dangling link"])
    def test_anything_else_is_refused_and_kept(self, folder: Path, kind: str) -> None:
        if kind == "folder with files":
            folder.mkdir()
            (folder / "precious").write_text("x")
        elif kind == "file":
            folder.write_text("x")
        else:
            folder.symlink_to("nowhere")
        with pytest.raises(UsageError) as caught:
            Environment.venv(str(folder))
        assert str(caught.value) == (
            f"{folder} exists and is not a virtual environment (it has no pyvenv.cfg)"
        )
        assert caught.value.hint == "name another folder with --venv, or remove this one"
        assert os.path.lexists(folder)

    def test_one_whose_settings_are_no_file_is_told(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "pyvenv.cfg").mkdir()
        with pytest.raises(UsageError, match=r"pyvenv\.cfg is not a file"):
            Environment.venv(str(folder))

    def test_one_without_its_interpreter_is_told(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "pyvenv.cfg").touch()
        with pytest.raises(InterpreterUnusable) as caught:
            Environment.venv(str(folder))
        assert str(caught.value) == (
            f"{folder}/bin/python: cannot be run: No such file or directory"
        )
        (folder / "bin").mkdir()
        (folder / "bin/python").symlink_to("/gone/python3")
        with pytest.raises(InterpreterUnusable) as caught:
            Environment.venv(str(folder))
        assert str(caught.value) == (
            f"{folder}/bin/python: cannot be run: it leads to /gone/python3, which does not exist"
        )
        assert caught.value.hint == (
            f"remove {folder}: lockstream execute makes it anew; or name another with --venv"
        )
        shutil.rmtree(folder)
        with Environment.venv(str(folder)).made():
            pass

    @pytest.mark.parametrize("existed", [False, True], ids=["absent", "empty"])
    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_a_failure_takes_it_away_again(
        self, folder: Path, existed: bool, error: type[BaseException]
    ) -> None:
        if existed:
            folder.mkdir()
        environment = Environment.venv(str(folder))
        with pytest.raises(error), environment.made():
            raise error
        assert folder.exists() == existed
        assert list(folder.parent.rglob("*")) == ([folder] if existed else [])

    def test_a_failure_keeps_one_that_was_there(self, folder: Path) -> None:
        with Environment.venv(str(folder)).made():
            pass
        with pytest.raises(RuntimeError), Environment.venv(str(folder)).made():
            raise RuntimeError
        assert (folder / "pyvenv.cfg").exists()

    def test_one_below_a_name_that_is_not_utf_8_has_a_hint_of_its_own(self, tmp_path: Path) -> None:
        folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
        environment = Environment.venv(os.path.join(folder, "env"))
        with pytest.raises(InterpreterUnusable) as caught, environment.made():
            pass
        assert "--target" in caught.value.hint
        assert not os.path.lexists(folder)

    def test_one_that_cannot_be_made_is_told(self, folder: Path) -> None:
        environment = Environment.venv(str(folder / "below" / "env"))
        folder.write_text("in the way")
        with pytest.raises(NotADirectoryError), environment.made():
            pytest.fail("made")
        assert folder.read_text() == "in the way"

    def test_folders_above_it_go_with_it(self, folder: Path) -> None:
        environment = Environment.venv(str(folder / "a" / "b" / "env"))
        folder.mkdir()
        with pytest.raises(RuntimeError), environment.made():
            raise RuntimeError
        assert list(folder.iterdir()) == []

    def test_one_whose_maker_was_killed_is_made_again(self, folder: Path) -> None:
        _leave_unfinished(folder)
        (folder / "bin" / "python").unlink()
        again = Environment.venv(str(folder))
        assert not again.exists
        with again.made():
            assert (folder / "bin" / "python").exists()
        assert Environment.venv(str(folder)).exists
        assert set(snapshot(folder)) == set(_fresh(folder.parent / "fresh"))

    def test_a_kill_before_the_mark_is_written_leaves_an_empty_folder(self, folder: Path) -> None:
        folder.mkdir()
        (folder / UNFINISHED).write_text("")
        with Environment.venv(str(folder)).made():
            pass
        assert set(snapshot(folder)) == set(_fresh(folder.parent / "fresh"))

    @pytest.mark.parametrize("mark", ["", "1:2", "link", "pipe", "copied"])
    def test_a_mark_that_came_with_a_checkout_clears_nothing(self, folder: Path, mark: str) -> None:
        path = folder / UNFINISHED
        if mark == "copied":
            _leave_unfinished(other := folder.parent / "other")
            shutil.copytree(other, folder, symlinks=True)
            (folder / "pyvenv.cfg").unlink()
        else:
            folder.mkdir()
            if mark == "link":
                path.symlink_to("/dev/zero")
            elif mark == "pipe":
                os.mkfifo(path)
            else:
                path.write_text(mark)
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin/mine").write_text("precious")
        with pytest.raises(UsageError, match="exists and is not a virtual environment"):
            Environment.venv(str(folder))
        assert (folder / "bin/mine").read_text() == "precious"

    def test_what_its_maker_did_not_make_is_not_cleared(self, folder: Path) -> None:
        _leave_unfinished(folder)
        (folder / "pyvenv.cfg").unlink()
        (folder / "mine").write_text("precious")
        with pytest.raises(UsageError, match="exists and is not a virtual environment"):
            Environment.venv(str(folder))
        assert (folder / "mine").read_text() == "precious"

    def test_one_that_another_makes_is_left_alone(self, folder: Path) -> None:
        environment = Environment.venv(str(folder))
        with environment.made():
            with pytest.raises(EnvironmentBusy), environment.made():
                pytest.fail("made")
            assert (folder / "pyvenv.cfg").exists()
        with pytest.raises(EnvironmentBusy), environment.made():
            pytest.fail("it is there by now")
        assert (folder / "pyvenv.cfg").exists()

    def test_what_waits_for_the_next_run_stays(self, folder: Path) -> None:
        environment = Environment.venv(str(folder))
        waiting = Path(environment.interpreter.schemes.purelib, ".lockstream", "wheel")

        def fail() -> None:
            with environment.made():
                waiting.mkdir(parents=True)
                environment.settled()
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert waiting.is_dir()
        assert Environment.venv(str(folder)).exists


def _leave_unfinished(folder: Path) -> None:
    """Make an environment in a process that is killed before it is settled."""
    pid = os.fork()
    if pid == 0:
        with Environment.venv(str(folder)).made():
            os._exit(0)
    os.waitpid(pid, 0)


def _fresh(folder: Path) -> list[str]:
    with Environment.venv(str(folder)).made():
        pass
    return list(snapshot(folder))


class TestPython:
    MARKED = """\
#!/bin/sh
'{python}' "$@" | '{python}' -c '
import json, sys
facts = json.load(sys.stdin)
facts["externally_managed"] = "{marker}"
json.dump(facts, sys.stdout)'
"""

    def managed(self, folder: Path, marker: str | None) -> str:
        """An interpreter that another package manager owns, with this marker file."""
        path = folder / "EXTERNALLY-MANAGED"
        if marker is not None:
            path.write_text(marker)
        program = folder / "python"
        program.write_text(self.MARKED.format(python=sys.executable, marker=path))
        program.chmod(0o755)
        return str(program)

    def test_an_interpreter_stands_for_its_environment(self) -> None:
        environment = Environment.of_python(sys.executable)
        assert (environment.path, environment.exists) == (sys.executable, True)
        run = subprocess.run(
            [
                sys.executable,
                "-c",
                "import json, sysconfig; print(json.dumps(sysconfig.get_paths()))",
            ],
            capture_output=True,
            check=True,
        )
        assert environment.interpreter.schemes.purelib == json.loads(run.stdout)["purelib"]

    def test_it_may_be_named_as_on_the_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
        name = os.path.basename(sys.executable)
        assert Environment.of_python(name).path == sys.executable

    def test_it_may_be_named_by_its_version(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        program = tmp_path / f"python{version}"
        program.symlink_to(sys.executable)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert Environment.of_python(version).path == str(program)

    def test_it_may_be_named_by_the_folder_of_its_environment(self, folder: Path) -> None:
        python = str(folder / "bin" / "python")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        assert Environment.of_python(str(folder)).path == python

    @pytest.mark.parametrize(
        ("name", "program"), [("python-of-nowhere", "python-of-nowhere"), ("3.999", "python3.999")]
    )
    def test_one_that_is_absent_is_told(self, name: str, program: str) -> None:
        with pytest.raises(InterpreterUnusable) as caught:
            Environment.of_python(name)
        assert str(caught.value) == f"{program}: no such program"
        assert caught.value.hint == "name it with its path"

    def test_one_that_is_absent_and_has_a_path_is_told(self, tmp_path: Path) -> None:
        link = tmp_path / "python"
        link.symlink_to("/gone/python3")
        leads = "it leads to /gone/python3, which does not exist"
        folder = tmp_path / "folder"
        folder.symlink_to("/etc")
        absent = "no such program"
        for name, problem in (("/etc", absent), (str(folder), absent), (str(link), leads)):
            with pytest.raises(InterpreterUnusable) as caught:
                Environment.of_python(name)
            assert str(caught.value) == f"{name}: {problem}"
            assert caught.value.hint == "name a Python that exists, or its version, such as 3.12"

    def test_one_in_a_folder_that_may_not_be_entered_is_not_called_absent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as a Python below the home of root, in an image with another user."""
        program, stat = str(tmp_path / "python3"), os.stat

        def denied(path: str, **keywords: Any) -> os.stat_result:
            if path == program:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return stat(path, **keywords)

        monkeypatch.setattr(os, "stat", denied)
        with pytest.raises(InterpreterUnusable) as caught:
            Environment.of_python(program)
        assert str(caught.value) == f"{program}: cannot be reached: Permission denied"
        assert caught.value.hint == (
            "let this user enter the folders that lead to it, or name another interpreter"
        )

    def test_one_that_may_not_be_run_is_called_that(self, tmp_path: Path) -> None:
        program = tmp_path / "python3"
        program.touch(mode=0o644)
        with pytest.raises(InterpreterUnusable) as caught:
            Environment.of_python(str(program))
        assert str(caught.value) == f"{program}: cannot be run: Permission denied"

    @pytest.mark.parametrize(
        ("marker", "reason"),
        [
            (
                "[externally-managed]\nError=Use apt.\n See 100% of it.\n",
                ":\nUse apt.\nSee 100% of it.",
            ),
            ("[externally-managed]\nError-de=Nimm apt.\nError=Use apt.\n", ":\nUse apt."),
            ("[externally-managed]\n", " (PEP 668)"),
            ("[other]\nError=x\n", " (PEP 668)"),
            ("no ini file", " (PEP 668)"),
            ("", " (PEP 668)"),
            (None, " (PEP 668)"),
        ],
    )
    def test_one_of_another_package_manager_is_refused_in_its_words(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        marker: str | None,
        reason: str,
    ) -> None:
        monkeypatch.setattr("locale.getlocale", lambda: ("en_US", "UTF-8"))
        python = self.managed(tmp_path, marker)
        with pytest.raises(ExternallyManaged) as caught:
            Environment.of_python(python)
        assert str(caught.value) == f"{python} is externally managed{reason}"
        assert caught.value.exit_code is ExitCode.REFUSED
        assert "--venv" in caught.value.hint

    @pytest.mark.parametrize(
        ("language", "reason"),
        [
            ("de_DE", "Deutsch"),
            ("de_AT", "Österreichisch"),
            ("fr_FR", "English"),
            (None, "English"),
        ],
    )
    def test_the_reason_is_in_the_language_of_the_user(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        language: str | None,
        reason: str,
    ) -> None:
        monkeypatch.setattr("locale.getlocale", lambda: (language, "UTF-8"))
        marker = (
            "[externally-managed]\nError=English\nError-de=Deutsch\nError-de_AT=Österreichisch\n"
        )
        with pytest.raises(ExternallyManaged, match=f"\n{reason}$"):
            Environment.of_python(self.managed(tmp_path, marker))

    def test_it_may_be_broken_on_demand(self, tmp_path: Path) -> None:
        python = self.managed(tmp_path, "[externally-managed]\nError=no\n")
        assert Environment.of_python(python, break_system=True).path == python


class TestFolders:
    def test_a_prefix_is_laid_out_as_an_installation(self, folder: Path) -> None:
        schemes = Environment.prefix(str(folder)).interpreter.schemes
        version = "python{}.{}".format(*sys.version_info)
        assert schemes.purelib == str(folder / "lib" / version / "site-packages")
        assert schemes.scripts == str(folder / "bin")
        assert schemes.data == str(folder)
        assert schemes.headers == str(folder / "include" / version)
        assert schemes.executable == sys.executable

    def test_a_target_holds_packages_directly(self, folder: Path) -> None:
        schemes = Environment.target(str(folder)).interpreter.schemes
        assert schemes.purelib == schemes.platlib == schemes.data == str(folder)
        assert schemes.scripts == str(folder / "bin")
        assert schemes.executable == sys.executable

    def test_a_target_may_be_for_another_machine(self, folder: Path) -> None:
        environment = Environment.target(
            str(folder), python_version="3.13", platform="musllinux_1_2_aarch64"
        )
        assert str(environment.interpreter.target) == "CPython 3.13.0 on musllinux_1_2_aarch64"
        assert environment.interpreter.schemes.executable == "/usr/bin/env python3.13"

    @pytest.mark.parametrize(
        ("version", "command"), [("3.13.2t", "python3.13t"), ("pypy3.11", "pypy3.11")]
    )
    def test_its_commands_run_with_a_python_of_its_kind(
        self, folder: Path, version: str, command: str
    ) -> None:
        """The usual CPython of that version loads no extension that was built for the other."""
        environment = Environment.target(str(folder), python_version=version)
        assert environment.interpreter.schemes.executable == f"/usr/bin/env {command}"

    @pytest.mark.parametrize("own", ["3.13.2t", "pypy3.11.4", "3.12.4"])
    def test_the_python_that_is_not_named_is_this_one_with_its_kind(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, own: str
    ) -> None:
        found = probe(sys.executable, "target", str(folder))
        mine = replace(found, target=Target.named(own, "linux"))
        monkeypatch.setattr("executor.environment.environment.probe", lambda *_: mine)
        other = Environment.target(str(folder), platform="manylinux_2_28_aarch64")
        assert other.interpreter.target.python_name == own
        moved = Environment.target(str(folder), relocatable=True)
        assert moved.interpreter.schemes.script_python.endswith(mine.target.command)

    def test_what_is_not_named_of_another_machine_is_that_of_this_one(self, folder: Path) -> None:
        own = Environment.target(str(folder)).interpreter.target
        other = Environment.target(str(folder), python_version="3.8").interpreter.target
        assert other.platform == own.platform
        assert str(other.python_version) == "3.8.0"

    @pytest.mark.parametrize(
        ("named", "problem"),
        [
            ({"python_version": "2.7"}, "--python-version '2.7' is not a version of Python 3"),
            (
                {"platform": "amiga"},
                "--platform 'amiga' is not a platform that wheels are built for",
            ),
        ],
    )
    def test_a_machine_that_is_none_is_refused(
        self, folder: Path, named: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(UsageError) as caught:
            Environment.target(str(folder), **named)
        assert str(caught.value) == problem
        assert caught.value.hint
