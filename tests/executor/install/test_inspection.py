"""Inspection: what runs in an environment though no RECORD speaks of it, and nothing else."""

from __future__ import annotations

import _imp
import os
import py_compile
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.install.decide import verify_environment
from executor.install.inspection import inspect
from helpers.environments import drifts_of_venv, packages_of_venv
from helpers.locks import write_lock
from helpers.wheels import build_wheel

DEMO = build_wheel(
    "demo",
    files={"demo/__init__.py": "def main(): pass\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)
PYC = f"demo/__pycache__/__init__.cpython-{sys.version_info[0]}{sys.version_info[1]}.pyc"


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with a package."""
    folder = tmp_path_factory.mktemp("template")
    execute(write_lock(folder, [DEMO]), Environment.venv(str(folder / "env")))
    return folder


@pytest.fixture(name="root")
def _root(template: Path) -> Path:
    """A copy of it, in the same place for each test: launchers name their interpreter."""
    shutil.rmtree(template / "env")
    shutil.rmtree(template / "commands", ignore_errors=True)
    execute(str(template / "pylock.toml"), Environment.venv(str(template / "env")))
    return template / "env"


SYSTEM_PACKAGES = (
    "include-system-site-packages: packages of the base interpreter can be imported too"
)
OTHER_SOURCE = "it was compiled from another source than {}/demo/__init__.py"
SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def test_where_every_user_may_write_to_everything_that_is_said_once(root: Path) -> None:
    """The file systems of Windows, and folders that a host shares, have one mode for all."""
    every = [root, *(path for path in root.rglob("*") if not path.is_symlink())]
    for path in every:
        path.chmod(0o777)
    assert drifts_of_venv(root) == [
        f"changed: {root}: every user may write to it, and to all that is in it"
    ]
    module = packages_of_venv(root) / "demo/__init__.py"
    module.chmod(0o4777)
    detail = "it runs with the rights of its owner or group (mode 4777)"
    assert drifts_of_venv(root)[1:] == [f"changed: {SITE}/demo/__init__.py: {detail}"]
    module.chmod(0o755)
    assert len(drifts_of_venv(root)) > 9


def test_what_is_wrong_with_a_command_in_a_folder_of_packages_is_said_once(tmp_path: Path) -> None:
    lock, folder = write_lock(tmp_path, [DEMO]), tmp_path / "t"
    environment = Environment.target(str(folder))
    execute(lock, environment)
    (folder / "bin/more").touch(0o644)
    for name in ("bin", "bin/demo"):
        (folder / name).chmod(0o757)
    _, drifts = verify_environment(lock, environment)
    detail = "every user may write to it (mode 757)"
    assert [str(drift).replace(f"{folder}/", "") for drift in drifts] == [
        "extra: bin/more: no installed package owns it",
        f"changed: bin: {detail}",
        f"changed: bin/demo: {detail}",
    ]


def test_what_was_installed_and_imported_is_right(root: Path) -> None:
    subprocess.run([root / "bin/python", "-c", "import demo"], check=True, env={})
    assert (packages_of_venv(root) / PYC).exists()
    assert drifts_of_venv(root) == []


def test_an_environment_of_uv_is_right(root: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    shutil.rmtree(root)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, root], check=True)
    execute(str(root.parent / "pylock.toml"), Environment.venv(str(root)))
    assert drifts_of_venv(root) == []


def test_the_further_name_of_python_3_14_is_right(root: Path) -> None:
    (root / "bin/\N{MATHEMATICAL ITALIC SMALL PI}thon").symlink_to("python")
    assert drifts_of_venv(root) == []


def replaced_by_link(place: Path, moved: Path) -> None:
    place.rename(moved)
    place.symlink_to(moved)


def beside_byte_code(package: Path, name: str) -> None:
    place = package / "__pycache__" / name
    place.parent.mkdir(parents=True)
    place.write_text("")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda r: (packages_of_venv(r) / "more").symlink_to(r.parent),
            f"extra: {SITE}/more: it is a link to {{parent}}, which no RECORD speaks of",
        ),
        (
            lambda r: replaced_by_link(packages_of_venv(r) / "demo", r.parent / "moved"),
            f"extra: {SITE}/demo: it is a link to {{parent}}/moved, which no RECORD speaks of",
        ),
        (
            lambda r: (packages_of_venv(r) / "_virtualenv.pth").write_text("import os; os.abort()"),
            f"changed: {SITE}/_virtualenv.pth: it is not the file that virtualenv and uv write",
        ),
        (
            lambda r: (r / "pyvenv.cfg").write_text(
                (r / "pyvenv.cfg").read_text().replace("= false", "= true")
            ),
            f"changed: pyvenv.cfg: {SYSTEM_PACKAGES}",
        ),
        (
            lambda r: (packages_of_venv(r) / "demo/__init__.py").chmod(0o666),
            f"changed: {SITE}/demo/__init__.py: every user may write to it (mode 666)",
        ),
        (
            lambda r: (packages_of_venv(r) / "demo").chmod(0o777),
            f"changed: {SITE}/demo: every user may write to it (mode 777)",
        ),
        (
            lambda r: (r / "lib").chmod(0o777),
            "changed: lib: every user may write to it (mode 777)",
        ),
        (
            lambda r: (r / "pyvenv.cfg").chmod(0o666),
            "changed: pyvenv.cfg: every user may write to it (mode 666)",
        ),
        (
            lambda r: replaced_by_link(r / "bin", r.parent / "commands"),
            "changed: bin: it is in fact {parent}/commands, out of the environment",
        ),
        (
            lambda r: (r / "pyvenv.cfg").write_text(
                "version = 1\n" + (r / "pyvenv.cfg").read_text()
            ),
            "changed: pyvenv.cfg: it says twice what version is",
        ),
        (
            lambda r: beside_byte_code(packages_of_venv(r) / "demo", "more.py"),
            f"extra: {SITE}/demo/__pycache__/more.py: no installed package owns it",
        ),
        (
            lambda r: beside_byte_code(packages_of_venv(r) / "demo", "below/more.pyc"),
            f"extra: {SITE}/demo/__pycache__/below/more.pyc: no installed package owns it",
        ),
        (
            lambda r: (r / "bin/demo").chmod(0o4755),
            "changed: bin/demo: it runs with the rights of its owner or group (mode 4755)",
        ),
    ],
)
def test_each_is_told(root: Path, change: Callable[[Path], object], expected: str) -> None:
    change(root)
    assert drifts_of_venv(root) == [expected.format(parent=root.parent)]


def test_a_home_that_is_not_that_of_the_interpreter_is_told(root: Path) -> None:
    settings = root / "pyvenv.cfg"
    settings.write_text("home = /elsewhere/bin\n" + settings.read_text().partition("\n")[2])
    schemes = Environment.venv(str(root)).interpreter.schemes
    (drift,) = inspect(schemes, ())
    assert drift.detail.startswith("home is '/elsewhere/bin', and ")


def test_an_interpreter_that_is_a_script_is_told(root: Path) -> None:
    schemes = Environment.venv(str(root)).interpreter.schemes
    (root / "bin/python").unlink()
    (root / "bin/python").write_text("#!/bin/sh\n")
    first, *others = inspect(schemes, ())
    assert str(first) == f"changed: {root}/bin/python: it is a script, not an interpreter"
    assert all("is another program than" in str(other) for other in others)


class TestByteCode:
    def test_of_another_source_is_told(self, root: Path) -> None:
        evil = root.parent / "evil.py"
        evil.write_text("import os\nos.abort()\n")
        py_compile.compile(str(evil), cfile=str(packages_of_venv(root) / PYC))
        assert drifts_of_venv(root) == [f"changed: {SITE}/{PYC}: {OTHER_SOURCE.format(SITE)}"]

    @pytest.mark.parametrize("checks", [True, False])
    def test_with_a_hash_is_compared_by_it(self, root: Path, checks: bool) -> None:
        """Python never looks at the source of one that is unchecked (PEP 552)."""
        mode = py_compile.PycInvalidationMode
        source = packages_of_venv(root) / "demo/__init__.py"
        py_compile.compile(
            str(source),
            cfile=str(packages_of_venv(root) / PYC),
            invalidation_mode=mode.CHECKED_HASH if checks else mode.UNCHECKED_HASH,
        )
        assert drifts_of_venv(root) == []
        content = (packages_of_venv(root) / PYC).read_bytes()
        key = int.from_bytes(content[:4], "little")
        digest = _imp.source_hash(key, b"import os")
        (packages_of_venv(root) / PYC).write_bytes(content[:8] + digest + content[16:])
        assert drifts_of_venv(root) == [f"changed: {SITE}/{PYC}: {OTHER_SOURCE.format(SITE)}"]

    def test_without_a_source_is_told(self, root: Path) -> None:
        path = packages_of_venv(root) / "demo/__pycache__/gone.cpython-311.pyc"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(16))
        assert drifts_of_venv(root) == [
            f"extra: {SITE}/demo/__pycache__/gone.cpython-311.pyc: there is no source of it"
        ]

    @pytest.mark.parametrize("kind", ["pipe", "socket"])
    def test_that_is_no_file_is_not_waited_for(self, root: Path, kind: str) -> None:
        path = packages_of_venv(root) / PYC
        path.parent.mkdir(exist_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        else:
            here = os.getcwd()
            os.chdir(path.parent)
            try:
                with socket.socket(socket.AF_UNIX) as one:
                    one.bind(path.name)
            finally:
                os.chdir(here)
        assert len(drifts_of_venv(root)) == 1
