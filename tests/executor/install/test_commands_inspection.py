"""Commands: what runs them, what they call, whose they are, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.installed import installed_in
from executor.install.commands_inspection import files_of, inspect_commands
from executor.install.inspection import inspect
from helpers.environments import drifts_of_venv, packages_of_venv
from helpers.locks import write_lock
from helpers.wheels import build_wheel

DEMO = build_wheel(
    "demo",
    files={"demo/__init__.py": "def main(): pass\n"},
    data_files={"data/bin/parts/part": "x"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """A virtual environment with a package."""
    execute(write_lock(tmp_path, [DEMO]), Environment.venv(str(tmp_path / "env")))
    return tmp_path / "env"


def said(root: Path, change: Callable[[Path], object]) -> list[str]:
    """What is said of the commands of an environment after a change, however its Python answers."""
    schemes = Environment.venv(str(root)).interpreter.schemes
    change(root)
    drifts = inspect_commands(schemes, {"demo"}, list(installed_in(schemes.packages)))
    return [str(drift).replace(f"{root}/", "") for drift in drifts]


def test_metadata_that_is_a_file_has_no_commands(root: Path) -> None:
    """So distutils installed for Debian."""
    site = packages_of_venv(root)
    shutil.rmtree(site / "demo-1.0.dist-info")
    egg_info = site / "demo-1.0.egg-info"
    assert not [line for line in said(root, lambda _: egg_info.touch()) if egg_info.name in line]


def test_what_was_installed_is_right(root: Path) -> None:
    assert said(root, lambda _: None) == []
    assert drifts_of_venv(root) == []


def test_copies_of_the_interpreter_are_right(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path / "env"], check=True
    )
    assert said(tmp_path / "env", lambda _: None) == []


def test_the_files_of_a_distribution_are_listed_as_far_as_they_can_be_read(root: Path) -> None:
    (one,) = installed_in([str(packages_of_venv(root))])
    assert str(root / "bin/demo") in list(files_of(one))
    Path(one.record).write_bytes(b"\xff")
    assert list(files_of(one)) == []


def written(path: Path, content: str = "#!/bin/sh\n") -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)


OTHER = "it is another program than bin/python"
EXTRA = "no installed package owns it"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: written(r / "bin/git"), f"extra: bin/git: {EXTRA}"),
        (lambda r: (r / "bin/git").symlink_to("/bin/sh"), f"extra: bin/git: {EXTRA}"),
        (lambda r: written(r / "bin/python3.99"), f"changed: bin/python3.99: {OTHER}"),
        (lambda r: (r / "bin/pypy").symlink_to("/bin/sh"), f"changed: bin/pypy: {OTHER}"),
        (lambda r: (r / "bin/python9").symlink_to("gone"), f"changed: bin/python9: {OTHER}"),
        # Files that an interpreter obeys beside it are no parts of an environment.
        (lambda r: written(r / "bin/python._pth"), f"extra: bin/python._pth: {EXTRA}"),
        (lambda r: written(r / "bin/pyvenv.cfg"), f"extra: bin/pyvenv.cfg: {EXTRA}"),
        (lambda r: written(r / "bin/pybuilddir.txt"), f"extra: bin/pybuilddir.txt: {EXTRA}"),
        (lambda r: written(r / "bin/activate.more"), f"extra: bin/activate.more: {EXTRA}"),
        (lambda r: written(r / "bin/Modules/Setup.local"),
         f"extra: bin/Modules/Setup.local: {EXTRA}"),
        (lambda r: (r / "bin/more").symlink_to("/etc"), f"extra: bin/more: {EXTRA}"),
        (lambda r: (r / "bin/demo").chmod(0o644),
         "changed: bin/demo: it cannot be run: no one has the right to"),
    ],
)  # fmt: skip
def test_each_is_told(root: Path, change: Callable[[Path], object], expected: str) -> None:
    assert said(root, change) == [expected]


def test_a_command_that_was_replaced_by_a_link_is_told(root: Path) -> None:
    def change(root: Path) -> None:
        (root / "bin/demo").rename(root.parent / "moved")
        (root / "bin/demo").symlink_to(root.parent / "moved")

    expected = f"it is a link to {root.parent}/moved, which no RECORD speaks of"
    assert said(root, change) == [f"extra: bin/demo: {expected}"]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_launchers_of_other_installers_are_right(root: Path, installer: str) -> None:
    wheel = DEMO.write(root.parent)
    shutil.rmtree(packages_of_venv(root) / "demo-1.0.dist-info")
    shutil.rmtree(packages_of_venv(root) / "demo")
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
    assert drifts_of_venv(root) == []


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


def test_a_folder_of_packages_has_commands_of_its_own_too(tmp_path: Path) -> None:
    environment = Environment.target(str(tmp_path / "t"))
    execute(write_lock(tmp_path, [DEMO]), environment)
    schemes = environment.interpreter.schemes
    assert not list(inspect(schemes, {"demo"}))
    (tmp_path / "t/bin/more").write_text("")
    assert [drift.path for drift in inspect(schemes, {"demo"})] == [f"{tmp_path}/t/bin/more"]
    other = replace(schemes, data="/elsewhere")
    assert not list(inspect(other, {"demo"}))


def test_a_command_of_two_groups_runs_the_later_one(tmp_path: Path) -> None:
    groups = {"console_scripts": {"twice": "demo:one"}, "gui_scripts": {"twice": "demo:two"}}
    wheel = build_wheel("demo", files={"demo.py": ""}, entry_points=groups)
    execute(write_lock(tmp_path, [wheel]), Environment.venv(str(tmp_path / "env")))
    assert "demo import two" in (tmp_path / "env/bin/twice").read_text()
    assert drifts_of_venv(tmp_path / "env") == []
