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
from dataclasses import replace
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.install.decide import verify_environment
from executor.install.inspection import inspect
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
    execute(str(template / "pylock.toml"), Environment.venv(str(template / "env")))
    return template / "env"


def found(root: Path) -> list[str]:
    """The differences, with paths below the environment."""
    _, drifts = verify_environment(str(root.parent / "pylock.toml"), Environment.venv(str(root)))
    return [str(drift).replace(f"{root}/", "") for drift in drifts]


def packages(root: Path) -> Path:
    return Path(Environment.venv(str(root)).interpreter.schemes.purelib)


SYSTEM_PACKAGES = (
    "include-system-site-packages: packages of the base interpreter can be imported too"
)
OTHER_SOURCE = "it was compiled from another source than {}/demo/__init__.py"
SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def test_what_was_installed_and_imported_is_right(root: Path) -> None:
    subprocess.run([root / "bin/python", "-c", "import demo"], check=True, env={})
    assert (packages(root) / PYC).exists()
    assert found(root) == []


def test_an_environment_of_uv_is_right(root: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    shutil.rmtree(root)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, root], check=True)
    execute(str(root.parent / "pylock.toml"), Environment.venv(str(root)))
    assert found(root) == []


def test_the_further_name_of_python_3_14_is_right(root: Path) -> None:
    (root / "bin/\N{MATHEMATICAL ITALIC SMALL PI}thon").symlink_to("python")
    assert found(root) == []


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_launchers_of_other_installers_are_right(root: Path, installer: str) -> None:
    wheel = DEMO.write(root.parent)
    shutil.rmtree(packages(root) / "demo-1.0.dist-info")
    shutil.rmtree(packages(root) / "demo")
    (root / "bin/demo").unlink()
    command = {
        "uv": [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python"],
        "pip": [sys.executable, "-m", "pip", "--quiet", "--python"],
    }[installer]
    tail = ["--no-index", "--no-deps", str(wheel)]
    python = str(root / "bin/python")
    subprocess.run(
        [*command, python, *(["install"] if installer == "pip" else []), *tail], check=True
    )
    assert found(root) == []


def replaced_by_link(place: Path, moved: Path) -> None:
    place.rename(moved)
    place.symlink_to(moved)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda r: (packages(r) / "more").symlink_to(r.parent),
            f"extra: {SITE}/more: it is a link to {{parent}}, which no RECORD speaks of",
        ),
        (
            lambda r: replaced_by_link(packages(r) / "demo", r.parent / "moved"),
            f"extra: {SITE}/demo: it is a link to {{parent}}/moved, which no RECORD speaks of",
        ),
        (
            lambda r: (packages(r) / "_virtualenv.pth").write_text("import os; os.abort()"),
            f"changed: {SITE}/_virtualenv.pth: it is not the file that virtualenv and uv write",
        ),
        (
            lambda r: (r / "bin/git").write_text("#!/bin/sh\n"),
            "extra: bin/git: no installed package owns it",
        ),
        (
            lambda r: (r / "bin/git").symlink_to("/bin/sh"),
            "extra: bin/git: no installed package owns it",
        ),
        (
            lambda r: (r / "pyvenv.cfg").write_text(
                (r / "pyvenv.cfg").read_text().replace("= false", "= true")
            ),
            f"changed: pyvenv.cfg: {SYSTEM_PACKAGES}",
        ),
        (
            lambda r: (packages(r) / "demo/__init__.py").chmod(0o666),
            f"changed: {SITE}/demo/__init__.py: every user may write to it (mode 666)",
        ),
        (
            lambda r: (packages(r) / "demo").chmod(0o777),
            f"changed: {SITE}/demo: every user may write to it (mode 777)",
        ),
        (
            lambda r: (r / "bin/demo").chmod(0o4755),
            "changed: bin/demo: it runs with the rights of its owner or group (mode 4755)",
        ),
    ],
)
def test_each_is_told(root: Path, change: Callable[[Path], object], expected: str) -> None:
    change(root)
    assert found(root) == [expected.format(parent=root.parent)]


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
    (drift,) = inspect(schemes, ())
    assert str(drift) == f"changed: {root}/bin/python: it is a script, not an interpreter"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (
            lambda text: "#!/tmp/python\n" + text.partition("\n")[2],
            "another interpreter runs it: '#!/tmp/python'",
        ),
        (lambda text: text.replace("demo", "evil"), "it does not call demo:main"),
        (lambda _: "\x7fELF", "another interpreter runs it: '\\x7fELF'"),
    ],
)
def test_a_launcher_is_compared_with_its_entry_point(
    root: Path, edit: Callable[[str], str], problem: str
) -> None:
    """Whatever RECORD says of it: who changes the one can change the other."""
    schemes = Environment.venv(str(root)).interpreter.schemes
    launcher = root / "bin/demo"
    text = launcher.read_text()
    # Only what it calls, not where its interpreter is.
    first, _, rest = text.partition("\n")
    edited = edit(text) if "demo" not in problem else f"{first}\n{edit(rest)}"
    launcher.write_text(edited)
    (drift,) = inspect(schemes, {"demo"})
    assert (drift.package, drift.detail) == ("demo", problem)
    assert not list(inspect(schemes, ()))


class TestByteCode:
    def test_of_another_source_is_told(self, root: Path) -> None:
        evil = root.parent / "evil.py"
        evil.write_text("import os\nos.abort()\n")
        py_compile.compile(str(evil), cfile=str(packages(root) / PYC))
        assert found(root) == [f"changed: {SITE}/{PYC}: {OTHER_SOURCE.format(SITE)}"]

    @pytest.mark.parametrize("checks", [True, False])
    def test_with_a_hash_is_compared_by_it(self, root: Path, checks: bool) -> None:
        """Python never looks at the source of one that is unchecked (PEP 552)."""
        mode = py_compile.PycInvalidationMode
        source = packages(root) / "demo/__init__.py"
        py_compile.compile(
            str(source),
            cfile=str(packages(root) / PYC),
            invalidation_mode=mode.CHECKED_HASH if checks else mode.UNCHECKED_HASH,
        )
        assert found(root) == []
        content = (packages(root) / PYC).read_bytes()
        key = int.from_bytes(content[:4], "little")
        digest = _imp.source_hash(key, b"import os")
        (packages(root) / PYC).write_bytes(content[:8] + digest + content[16:])
        assert found(root) == [f"changed: {SITE}/{PYC}: {OTHER_SOURCE.format(SITE)}"]

    def test_without_a_source_is_told(self, root: Path) -> None:
        path = packages(root) / "demo/__pycache__/gone.cpython-311.pyc"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(16))
        assert found(root) == [
            f"extra: {SITE}/demo/__pycache__/gone.cpython-311.pyc: there is no source of it"
        ]

    @pytest.mark.parametrize("kind", ["pipe", "socket"])
    def test_that_is_no_file_is_not_waited_for(self, root: Path, kind: str) -> None:
        path = packages(root) / PYC
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
        assert len(found(root)) == 1


def test_a_folder_of_packages_has_commands_of_its_own_too(tmp_path: Path) -> None:
    environment = Environment.target(str(tmp_path / "t"))
    execute(write_lock(tmp_path, [DEMO]), environment)
    schemes = environment.interpreter.schemes
    assert not list(inspect(schemes, {"demo"}))
    (tmp_path / "t/bin/more").write_text("")
    assert [drift.path for drift in inspect(schemes, {"demo"})] == [f"{tmp_path}/t/bin/more"]
    other = replace(schemes, data="/elsewhere")
    assert not list(inspect(other, {"demo"}))
