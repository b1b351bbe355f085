"""What is shipped: the built distributions, and the program installed from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipapp
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.version import VERSION

PROJECT = Path(__file__).parent.parent
PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

EXECUTOR_DEPENDENCIES = ("click", "isal", "packaging", "pyproject-hooks", "zstandard")
PROGRAMS = {"executor/builds/launcher.py", "executor/environment/probe.py"}
"""What runs as a program of its own, in the interpreter of a target."""
MARKERS = {f"{room}/py.typed" for room in ("schemas", "planner", "executor")}
"""Files by which type checkers know that a package has types (PEP 561)."""
PLANNER_DEPENDENCIES = (
    "certifi",
    "fastjsonschema",
    "jinja2",
    "msgspec",
    "rich",
    "tomli-w",
)


def run(*command: str | Path, **options: str | Path) -> subprocess.CompletedProcess[str]:
    cwd = options.pop("cwd", None)
    environment = {**os.environ, **{name: str(value) for name, value in options.items()}}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def build(kind: str, source: Path, folder: Path) -> Path:
    built = run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    assert built.returncode == 0, built.stderr
    (path,) = folder.iterdir()
    return path


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(name="sdist", scope="module")
def _sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", PROJECT, tmp_path_factory.mktemp("sdist"))


def sources() -> set[str]:
    """The modules, JSON Schemas, page templates and names of the product in the working tree."""
    return {
        path.relative_to(PROJECT).as_posix()
        for pattern in (
            "schemas/**/*.py",
            "planner/**/*.py",
            "executor/**/*.py",
            "schemas/*.json",
            "planner/runs/page/*",
            "planner/planning/popular_names.txt",
        )
        for path in PROJECT.glob(pattern)
    } | {"lockstream.py"}


class TestWheel:
    def test_it_holds_the_program_and_its_rooms_and_nothing_else(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        dist_info = f"lockstream-{VERSION}.dist-info"
        assert names == sources() | MARKERS | {
            f"{dist_info}/{name}"
            for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
        }

    def test_its_metadata_is_that_of_the_project(self, wheel: Path) -> None:
        assert wheel.name == f"lockstream-{VERSION}-py3-none-any.whl"
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"lockstream-{VERSION}.dist-info/METADATA")
            entry_points = archive.read(f"lockstream-{VERSION}.dist-info/entry_points.txt")
        metadata = message_from_bytes(content)
        assert metadata["Name"] == "lockstream"
        assert metadata["Requires-Python"] == PROJECT_TABLE["requires-python"]
        assert metadata["License-Expression"] == "MIT"
        assert entry_points.decode() == "[console_scripts]\nlockstream = lockstream:main\n"
        assert set(map(Requirement, metadata.get_all("Requires-Dist", []))) >= set(
            map(Requirement, PROJECT_TABLE["dependencies"])
        )

    def test_type_checkers_find_its_types(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            assert all(archive.read(marker) == b"" for marker in MARKERS)
            packages = {name.partition("/")[0] for name in archive.namelist() if "/" in name}
        assert {marker.partition("/")[0] for marker in MARKERS} == {
            package for package in packages if not package.endswith(".dist-info")
        }

    def test_it_can_be_built_from_the_sdist(self, wheel: Path, sdist: Path, tmp_path: Path) -> None:
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        (source,) = tmp_path.iterdir()
        rebuilt = build("wheel", source, tmp_path / "dist")
        assert rebuilt.read_bytes() == wheel.read_bytes()


def test_the_sdist_holds_the_tests_and_no_work_of_machines(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "pyproject.toml", "tests/test_packaging.py"} <= names
    assert not {name for name in names if name.startswith((".venv/", ".demo/", "dist/"))}


@dataclass(frozen=True)
class Installed:
    """An environment that the built wheel is installed into."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def script(self) -> Path:
        return self.root / "bin" / "lockstream"

    @property
    def site(self) -> Path:
        (site,) = self.root.glob("lib/python3*/site-packages")
        return site

    def add(self, *names: str) -> None:
        """Copy distributions, with all they require, from the environment of the tests."""
        for name in closure(names):
            for file in distribution(name).files or ():
                if ".." not in file.parts:
                    target = self.site / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), target)


def closure(names: tuple[str, ...]) -> set[str]:
    """``names`` with all distributions that they require here."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        if (name := canonicalize_name(queue.pop())) not in found:
            found.add(name)
            queue += [
                requirement.name
                for requirement in map(Requirement, distribution(name).requires or ())
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            ]
    return found


@pytest.fixture(name="installed", scope="module")
def _installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The program with the dependencies of the executor alone."""
    installed = Installed(tmp_path_factory.mktemp("installed"))
    venv.create(installed.root, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(installed.python)]
    added = run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    assert added.returncode == 0, added.stderr
    installed.add(*EXECUTOR_DEPENDENCIES)
    return installed


def test_the_dependencies_of_both_phases_are_those_of_the_project() -> None:
    required = {Requirement(line).name for line in PROJECT_TABLE["dependencies"]}
    assert {*EXECUTOR_DEPENDENCIES, *PLANNER_DEPENDENCIES} == required


class TestExecutorAlone:
    @pytest.mark.parametrize("name", PLANNER_DEPENDENCIES)
    def test_nothing_of_the_planner_is_there(self, installed: Installed, name: str) -> None:
        assert run(installed.python, "-I", "-c", f"import {name.replace('-', '_')}").returncode == 1

    def test_every_module_of_the_executor_can_be_imported(self, installed: Installed) -> None:
        modules = sorted(
            path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for path in sources()
            if path.endswith(".py")
            and path.startswith(("executor/", "schemas/"))
            and path not in PROGRAMS
        )
        shown = run(installed.python, "-I", "-c", "\n".join(f"import {name}" for name in modules))
        assert (shown.returncode, shown.stderr) == (0, "")

    def test_the_command_runs(self, installed: Installed) -> None:
        shown = run(installed.script, "execute", "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith("Usage: lockstream execute ")

    def test_a_lock_is_executed(self, installed: Installed, tmp_path: Path) -> None:
        demo = build_wheel(entry_points={"console_scripts": {"demo": "demo:main"}})
        write_lock(tmp_path, [demo])
        executed = run(installed.script, "execute", "--venv", "env", cwd=tmp_path)
        assert executed.returncode == 0, executed.stderr
        code = "import demo; print(demo.__version__)"
        assert run(tmp_path / "env" / "bin" / "python", "-c", code).stdout == "1.0\n"


@pytest.fixture(name="zipped", scope="module")
def _zipped(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program and its dependencies as one file."""
    archive = tmp_path_factory.mktemp("zipped") / "lockstream.pyz"
    zipapp.create_archive(installed.site, archive, main="lockstream:main")
    return archive


class TestShadows:
    """Modules of the user's with the names of our rooms stay out of the way."""

    @pytest.fixture(name="theirs")
    def _theirs(self, tmp_path: Path) -> Path:
        for name in ("schemas", "planner", "executor"):
            (tmp_path / f"{name}.py").write_text(f"raise SystemExit('their {name}')")
        return tmp_path

    def test_of_the_installed_program(self, installed: Installed, theirs: Path) -> None:
        shown = run(installed.script, "execute", "--help", cwd=theirs, PYTHONPATH=theirs)
        assert (shown.returncode, shown.stderr) == (0, "")

    def test_of_the_program_in_one_file(
        self, installed: Installed, zipped: Path, theirs: Path
    ) -> None:
        shown = run(installed.python, zipped, "--help", cwd=theirs, PYTHONPATH=theirs)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith("Usage: lockstream ")
