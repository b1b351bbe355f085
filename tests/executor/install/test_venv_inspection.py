"""``verify`` reports what surrounds the packages of a virtual environment and no tool has made."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.install.venv_inspection import inspect_venv, problem_of_mode
from helpers.environments import drifts_of_venv
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.digests import encode_digest

DEMO = build_wheel(
    "demo",
    files={"demo.py": ""},
    data_files={"data/lib/demo/libdemo.so": "", "data/lib/libdemo.so": ""},
)
HERE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
UNOWNED = "no installed package owns it"


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """An environment that Python has made."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True, timeout=60
    )
    execute(write_lock(tmp_path, [DEMO]), Environment.venv(str(tmp_path / "env")))
    return tmp_path / "env"


def written(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def linked(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def test_what_python_made_is_right(root: Path) -> None:
    (root / "lib/left-empty/below").mkdir(parents=True)
    written(root / "lib/demo/__pycache__/x.pyc")
    assert drifts_of_venv(root) == []


@pytest.mark.parametrize("options", [[], ["--copies"]], ids=["links", "copies"])
def test_what_virtualenv_lists_of_its_seeds_is_right(root: Path, options: list[str]) -> None:
    """It lists folders of byte code, byte code that nobody has made, and a mark without a hash; a
    copied interpreter comes with a copy of its library.
    """
    shutil.rmtree(root)
    make = [sys.executable, "-m", "venv", "--without-pip", *options, str(root)]
    subprocess.run(make, check=True, timeout=60)
    execute(str(root.parent / "pylock.toml"), Environment.venv(str(root)))
    site = root / HERE / "site-packages"
    written(site / "pip/__init__.py")
    written(site / "pip-1.virtualenv")
    rows = ["pip/__pycache__,,", "pip/__init__.cpython-312.pyc,,", "pip-1.virtualenv,,"]
    written(site / "pip-1.dist-info/METADATA", "Name: pip\nVersion: 1\n")
    written(site / "pip-1.dist-info/INSTALLER", "pip")
    rows += [f"pip-1.dist-info/{name},," for name in ("INSTALLER", "RECORD")]
    for name in ("pip/__init__.py", "pip-1.dist-info/METADATA"):
        digest = encode_digest(hashlib.sha256((site / name).read_bytes()).digest())
        rows.append(f"{name},sha256={digest},")
    written(site / "pip-1.dist-info/RECORD", "\n".join(rows))
    for library in (Path(sys.base_prefix) / "lib").glob("libpython3.*.so*"):
        shutil.copy(library, root / "lib")
    assert drifts_of_venv(root) == []
    written(site / "pip/__init__.cpython-312.pyc")
    name = f"{HERE}/site-packages/pip/__init__.cpython-312.pyc"
    assert drifts_of_venv(root) == [f"changed: {name}: RECORD has no hash for it"]


@pytest.mark.parametrize("place", ["lib", "lib64", "lib/x86_64-linux-gnu"])
def test_a_copy_of_the_library_of_the_base_is_right_wherever_the_base_has_it(
    tmp_path: Path, root: Path, place: str
) -> None:
    schemes = Environment.venv(str(root)).interpreter.schemes
    written(tmp_path / "base" / place / "libpython3.so.1.0", "code")
    (root / "pyvenv.cfg").write_text(f"home = {tmp_path}/base/bin\n")
    library = root / "lib/libpython3.so.1.0"

    def told() -> list[str]:
        return [str(one) for one in inspect_venv(schemes, []) if "libpython" in str(one)]

    written(library, "code")
    assert not told()
    written(library, "evil")
    assert told() == [f"extra: {library}: {UNOWNED}"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda r: written(r / HERE / "sitecustomize.py"),
            f"extra: {HERE}/sitecustomize.py: {UNOWNED}",
        ),
        (lambda r: written(r / HERE / "os.py"), f"extra: {HERE}/os.py: {UNOWNED}"),
        (lambda r: written(r / HERE / "more/x.py"), f"extra: {HERE}/more: {UNOWNED}"),
        (lambda r: written(r / "lib/libz.so.1"), f"extra: lib/libz.so.1: {UNOWNED}"),
        (lambda r: written(r / "lib/demo/libz.so"), f"extra: lib/demo/libz.so: {UNOWNED}"),
        (lambda r: written(r / "lib/libpython3.so"), f"extra: lib/libpython3.so: {UNOWNED}"),
        (lambda r: linked(r / "lib/more", r.parent), f"extra: lib/more: {UNOWNED}"),
        (
            lambda r: written(r / "lib/python3.5/site-packages/x.py"),
            f"extra: lib/python3.5: {UNOWNED}",
        ),
        (
            lambda r: (
                [(r / "lib64").unlink(missing_ok=True), (r / "lib64").mkdir()]
                and (r / "lib64/x.so").write_text("")
            ),
            f"extra: lib64/x.so: {UNOWNED}",
        ),
        (
            lambda r: linked(r / "lib64", r.parent),
            "changed: lib64: it is in fact {parent}, out of the environment",
        ),
        (
            lambda r: linked(r / "bin/activate", r.parent / "pylock.toml"),
            "extra: bin/activate: it is a link to {parent}/pylock.toml, which no RECORD speaks of",
        ),
    ],
)
def test_each_is_told(root: Path, change: Callable[[Path], object], expected: str) -> None:
    change(root)
    assert drifts_of_venv(root) == [expected.format(parent=root.parent)]


class TestInterpreter:
    """One that was exchanged, looked at with the folders that it had before."""

    @pytest.fixture(name="told")
    def _told(self, root: Path) -> Callable[[], list[str]]:
        schemes = Environment.venv(str(root)).interpreter.schemes
        return lambda: [str(drift).replace(f"{root}/", "") for drift in inspect_venv(schemes, [])]

    def test_a_copy_of_the_base_is_right(self, root: Path, told: Callable[[], list[str]]) -> None:
        program = os.path.realpath(root / "bin/python")
        (root / "bin/python").unlink()
        shutil.copy(program, root / "bin/python")
        assert not [line for line in told() if "bin/python" in line]

    def test_another_program_is_told(self, root: Path, told: Callable[[], list[str]]) -> None:
        program = Path(os.path.realpath(root / "bin/python"))
        (root / "bin/python").unlink()
        (root / "bin/python").write_bytes(program.read_bytes() + b"\0")
        assert f"changed: bin/python: {self.problem(root)}" in told()

    def test_another_program_of_the_home_is_told(
        self, root: Path, told: Callable[[], list[str]]
    ) -> None:
        """That its folder is right says nothing."""
        home = root.parent / "home"
        home.mkdir()
        for name in ("python3", "perl"):
            written(home / name, name)
        settings = root / "pyvenv.cfg"
        settings.write_text(f"home = {home}\n" + settings.read_text().partition("\n")[2])
        linked(root / "bin/python", home / "perl")
        assert f"changed: bin/python: {self.problem(root)}" in told()
        linked(root / "bin/python", home / "python3")
        assert not [line for line in told() if "bin/python" in line]

    @staticmethod
    def problem(root: Path) -> str:
        home = (root / "pyvenv.cfg").read_text().splitlines()[0].partition(" = ")[2]
        return f"it is no interpreter of {home!r}, nor a copy of one"


def test_a_folder_that_is_no_virtual_environment_is_passed_over(root: Path) -> None:
    schemes = Environment.venv(str(root)).interpreter.schemes
    (root / "pyvenv.cfg").unlink()
    written(root / "lib/more.so")
    assert not list(inspect_venv(schemes, []))


def test_modes_of_links_of_a_folder_and_of_files_are_told_apart() -> None:
    assert not problem_of_mode(stat.S_IFDIR | 0o2755)
    assert "owner or group" in problem_of_mode(stat.S_IFREG | 0o2755)
    assert "every user" in problem_of_mode(stat.S_IFDIR | 0o757)
