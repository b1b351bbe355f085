"""A Python whose platform packages are in ``lib64``, as Fedora, RHEL and openSUSE configure it.

It consists of links to the running one, but for ``sysconfig``, which says what it says after
``--with-platlibdir=lib64`` (https://docs.python.org/3/using/configure.html).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.install.decide import verify_environment
from helpers.environments import check_nothing_lies
from helpers.locks import write_lock
from helpers.pythons import linked_python
from helpers.wheels import build_wheel

SAID = "_CONFIG_VARS['platlibdir'] = sys.platlibdir"


@pytest.fixture(name="python", scope="module")
def _python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of that Python."""
    return linked_python(tmp_path_factory.mktemp("fedora"), _with_lib64)


def _with_lib64(text: str) -> str:
    assert SAID in text
    return text.replace(SAID, SAID.replace("sys.platlibdir", "'lib64'"))


@pytest.fixture(name="environment")
def _environment(python: str, tmp_path: Path) -> Environment:
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    return Environment.venv(str(tmp_path / "env"))


def lock(folder: Path, version: str) -> str:
    wheels = [
        build_wheel("pure", version, files={"pure.py": f"v = {version}"}),
        build_wheel("native", version, files={"native.py": f"v = {version}"}, purelib=False),
    ]
    return write_lock(folder / version, wheels)


def imported(environment: Environment) -> str:
    python = Path(environment.path) / "bin/python"
    code = "import native, pure; print(native.v, pure.v)"
    return subprocess.run(
        [python, "-B", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_an_environment_is_filled_verified_upgraded_and_emptied(
    environment: Environment, tmp_path: Path
) -> None:
    schemes = environment.interpreter.schemes
    assert "/lib64/" in schemes.platlib
    assert "/lib64/" not in schemes.purelib
    old, new = lock(tmp_path, "1.0"), lock(tmp_path, "2.0")
    assert execute(old, environment, compile_files=True).installed == 2
    assert imported(environment) == "1.0 1.0\n"
    assert list(verify_environment(old, environment)[1]) == []
    assert execute(old, environment).unchanged == 2
    report = execute(new, environment, compile_files=True)
    assert (report.installed, report.removed) == (2, 2)
    assert imported(environment) == "2.0 2.0\n"
    check_nothing_lies(environment)
    assert list(verify_environment(new, environment)[1]) == []
    Path(schemes.platlib, "native.py").write_text("changed")
    assert [drift.kind for drift in verify_environment(new, environment)[1]] == ["changed"]
    none = write_lock(tmp_path / "none", [])
    assert execute(none, environment, sync=Sync(exact=True)).removed == 2
    assert not [*Path(schemes.purelib).rglob("*.py*"), *Path(schemes.platlib).rglob("*.py*")]
