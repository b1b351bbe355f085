"""Interpreter: what a probe reports is what that Python would find itself."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import packaging
import pytest
from packaging.specifiers import SpecifierSet

from executor.environment.errors import InterpreterUnusable
from executor.environment.interpreter import Kind, probe
from helpers.pythons import PYTHONS, minor
from schemas.errors import ExitCode

ITSELF = f"""
import json, os, sys, sysconfig
sys.path.insert(0, {str(Path(packaging.__file__).parent.parent)!r})
from packaging.markers import default_environment
from packaging.tags import sys_tags
json.dump({{
    "tags": [str(tag) for tag in sys_tags()],
    "environment": default_environment(),
    "paths": sysconfig.get_paths(),
    "executable": sys.executable,
}}, sys.stdout)
"""

RUNS_PACKAGING = SpecifierSet(metadata("packaging")["Requires-Python"])
MODERN = [version for version in PYTHONS if version in RUNS_PACKAGING]
TOO_OLD = [version for version in PYTHONS if minor(version) < (3, 8)]


def test_the_running_python_is_among_those_tested() -> None:
    assert ".".join(map(str, sys.version_info[:3])) in MODERN


@pytest.mark.parametrize("version", MODERN)
def test_a_probe_finds_what_the_interpreter_finds_itself(version: str) -> None:
    executable = PYTHONS[version]
    run = subprocess.run([executable, "-I", "-c", ITSELF], capture_output=True, check=True)
    itself: dict[str, Any] = json.loads(run.stdout)
    found = probe(executable)
    assert [str(tag) for tag in found.target.tags] == itself["tags"]
    assert found.target.environment == itself["environment"]
    assert str(found.target.python_version) == version
    assert {
        name: getattr(found.schemes, name) for name in ("purelib", "platlib", "scripts", "data")
    } == {name: itself["paths"][name] for name in ("purelib", "platlib", "scripts", "data")}
    assert found.schemes.executable == itself["executable"]


@pytest.mark.parametrize("version", [found for found in PYTHONS if minor(found) == (3, 8)])
def test_the_oldest_python_is_probed_without_its_own_packaging(version: str) -> None:
    found = probe(PYTHONS[version])
    assert str(found.target.python_version) == version
    assert str(found.target.tags[0]).startswith("cp38-cp38-")


@pytest.mark.parametrize("version", TOO_OLD)
def test_a_python_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(InterpreterUnusable) as caught:
        probe(PYTHONS[version])
    message = str(caught.value)
    assert PYTHONS[version] in message
    assert message.endswith((f" is Python {version}", "SyntaxError: invalid syntax"))
    assert "Python 3.8 and newer" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("version", [sys.executable, *MODERN])
def test_an_absent_environment_is_described_as_it_will_be(version: str, tmp_path: Path) -> None:
    executable = PYTHONS.get(version, version)
    folder = tmp_path / "env"
    promised = probe(executable, "venv", str(folder))
    assert not folder.exists()
    command = [executable, "-I", "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True)
    assert probe(str(folder / "bin" / "python")) == promised
    assert promised.schemes.purelib.startswith(str(folder))
    assert promised.schemes.headers.startswith(str(folder))


@pytest.mark.parametrize("kind", ["", "venv"])
def test_the_variables_and_folders_of_the_user_change_nothing(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = probe(sys.executable, kind, str(tmp_path))
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    monkeypatch.setenv("PYTHONPLATLIBDIR", "elsewhere")
    assert probe(sys.executable, kind, str(tmp_path)) == expected


def test_what_runs_at_every_start_may_print(tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nprintf {{\n{sys.executable} "$@"\necho {{ bye; echo }}\n')
    wrapper.chmod(0o755)
    assert probe(str(wrapper)) == probe(sys.executable)


class TestUnusable:
    @staticmethod
    def script(folder: Path, text: str) -> str:
        path = folder / "python"
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    @staticmethod
    def refusal(executable: str) -> str:
        with pytest.raises(InterpreterUnusable) as caught:
            probe(executable)
        assert caught.value.hint
        assert caught.value.exit_code is ExitCode.USAGE
        return str(caught.value)

    def test_one_that_is_absent_is_told(self, tmp_path: Path) -> None:
        path = str(tmp_path / "python")
        assert self.refusal(path) == f"{path}: cannot be run: No such file or directory"

    def test_one_of_another_system_is_told(self, tmp_path: Path) -> None:
        """Such as a Python for musl where there is only glibc."""
        path = self.script(tmp_path, "#!/gone/loader\n")
        problem = "the loader that it names, or the program in its first line, does not exist"
        assert self.refusal(path) == f"{path}: cannot be run: {problem}"

    def test_it_is_not_blamed_if_there_are_no_devices(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object, **__: object) -> None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.devnull)

        path = self.script(tmp_path, "#!/bin/sh\n")
        monkeypatch.setattr("subprocess.Popen", refused)
        absent = "/dev/null: No such file or directory"
        assert self.refusal(path) == f"{path}: cannot be run: {absent}"

    def test_one_that_is_no_program_is_told(self, tmp_path: Path) -> None:
        path = self.script(tmp_path, "")
        os.chmod(path, 0o644)
        assert self.refusal(path) == f"{path}: cannot be run: Permission denied"

    @pytest.mark.parametrize(
        "number", [errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSYS]
    )
    def test_it_is_not_blamed_if_no_more_processes_or_files_may_be_had(
        self, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("subprocess.Popen", refused)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            probe("/usr/bin/another", "venv", "")
        assert not isinstance(caught.value, InterpreterUnusable)

    def test_one_that_fails_is_told_with_the_last_line_it_said(self, tmp_path: Path) -> None:
        path = self.script(tmp_path, "#!/bin/sh\necho first >&2\necho last >&2\nexit 3\n")
        assert self.refusal(path) == f"{path}: failed with exit status 3: last"

    def test_a_shim_that_finds_no_python_is_told_with_the_first_line(self, tmp_path: Path) -> None:
        said = "echo 'pyenv: python3.12: command not found' >&2\necho 'a tip' >&2"
        path = self.script(tmp_path, f"#!/bin/sh\n{said}\nexit 127\n")
        told = "pyenv: python3.12: command not found"
        assert self.refusal(path) == f"{path}: failed with exit status 127: {told}"

    @pytest.mark.parametrize("said", ["", "hello", "{", "\\377"])
    def test_one_that_is_no_python_is_told(self, tmp_path: Path, said: str) -> None:
        path = self.script(tmp_path, f"#!/bin/sh\nprintf '{said}'\n")
        assert self.refusal(path) == f"{path}: does not answer as Python does"

    def test_one_that_prints_without_end_is_no_python(self, tmp_path: Path) -> None:
        path = self.script(tmp_path, "#!/bin/sh\nexec yes\n")
        assert self.refusal(path) == f"{path}: does not answer as Python does"

    @pytest.mark.parametrize(
        ("pattern", "replacement", "message"),
        [
            (
                r'"platform": "[^"]*"',
                '"platform": "freebsd_13"',
                " is for 'freebsd_13', which no wheels are built for",
            ),
            (
                r'"python_full_version": "[^"]*"',
                '"python_full_version": "one"',
                ": Invalid version: 'one'",
            ),
        ],
    )
    def test_one_of_another_kind_is_told(
        self, tmp_path: Path, pattern: str, replacement: str, message: str
    ) -> None:
        path = self.script(
            tmp_path,
            f"#!/bin/sh\n'{sys.executable}' \"$@\" | sed -E 's/{pattern}/{replacement}/'\n",
        )
        assert self.refusal(path) == f"{path}{message}"
