"""Pythons: each one on this machine gets the wheels that are built for it, and imports them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import lockstream
from executor.environment.interpreter import probe
from helpers.pythons import PYTHONS, minor
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ExitCode

TARGETS = {version: path for version, path in PYTHONS.items() if minor(version) >= (3, 8)}
every_python = pytest.mark.parametrize("version", TARGETS)

COMPILED = {
    (3, 8): "markupsafe==2.1.5",
    (3, 9): "markupsafe==3.0.2",
}
"""A small compiled project with wheels for every Python; the last versions for old ones."""
COMPILED_NOW = "markupsafe"


def tagged_for(version: str) -> str:
    return "cp{0}{1}-cp{0}{1}-linux_x86_64".format(*minor(version))


def demo(version: str, text: str, name: str = "demo") -> Wheel:
    tag = tagged_for(version).replace("x86_64", probe(TARGETS[version]).target.platform[-6:])
    return build_wheel(
        name, files={f"{name}.py": f"built_for = {text!r}\n"}, tag=tag, purelib=False
    )


@pytest.fixture(name="lock", scope="module")
def _lock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lock of a wheel for each Python, one for none of them, and one package for old ones."""
    folder = tmp_path_factory.mktemp("project")
    wheels = [
        *(demo(version, version) for version in TARGETS),
        build_wheel("demo", files={"demo.py": "built_for = 'any'\n"}),
        build_wheel("demo", files={"demo.py": ""}, tag="cp27-cp27mu-linux_x86_64"),
    ]
    pure = build_wheel(
        "pure", files={"pure.py": ""}, entry_points={"console_scripts": {"p": "pure:x"}}
    )
    old = build_wheel("old", files={"old.py": ""})
    by_name = {wheel.filename: wheel for wheel in [*wheels, pure, old]}
    for wheel in by_name.values():
        wheel.write(folder)
    marked = {"old": {"marker": "python_version < '3.10'"}}
    (folder / "pylock.toml").write_text(lock_of(by_name.values(), packages=marked))
    return str(folder / "pylock.toml")


def told_by(python: str | Path, program: str) -> str:
    run = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@every_python
def test_it_gets_its_own_wheel_and_what_its_markers_select(
    version: str, tmp_path: Path, lock: str
) -> None:
    venv = tmp_path / "venv"
    arguments = ["--venv", str(venv), "--python", TARGETS[version]]
    assert lockstream.main(["execute", lock, *arguments]) == ExitCode.DONE
    python = venv / "bin/python"
    # The last of two releases of a minor version wrote the wheel for both.
    assert minor(told_by(python, "import demo; print(demo.built_for)")) == minor(version)
    has_old = told_by(python, "import importlib.util as u; print(u.find_spec('old') is not None)")
    assert has_old == str(minor(version) < (3, 10))
    names = (
        "import importlib.metadata as m; "
        "print(*sorted(d.metadata['Name'] for d in m.distributions()))"
    )
    expected = ["demo", "old", "pure"] if minor(version) < (3, 10) else ["demo", "pure"]
    assert told_by(python, names).split() == expected
    assert lockstream.main(["verify", lock, *arguments]) == ExitCode.DONE


@every_python
def test_a_folder_for_it_can_be_filled_without_it(version: str, tmp_path: Path, lock: str) -> None:
    """Named by version and platform, as on a machine that does not have it."""
    there, here = tmp_path / "there", tmp_path / "here"
    platform = probe(TARGETS[version]).target.platform
    named = ["--python-version", version, "--platform", platform]
    assert lockstream.main(["execute", lock, "--target", str(there), *named]) == ExitCode.DONE
    assert (
        lockstream.main(["execute", lock, "--target", str(here), "--python", TARGETS[version]])
        == ExitCode.DONE
    )
    files = {
        path.relative_to(here): path.read_bytes() for path in here.rglob("*") if path.is_file()
    }
    for path, content in files.items():
        # The first line of programs, and with it their hash, names the interpreter.
        if path.parts[0] != "bin" and path.name != "RECORD":
            assert (there / path).read_bytes() == content
    assert {path.relative_to(there) for path in there.rglob("*") if path.is_file()} == files.keys()


@every_python
def test_byte_code_is_made_by_it(version: str, tmp_path: Path, lock: str) -> None:
    venv = tmp_path / "venv"
    arguments = ["--venv", str(venv), "--python", TARGETS[version], "--compile"]
    assert lockstream.main(["execute", lock, *arguments]) == ExitCode.DONE
    tag = "cpython-{}{}".format(*minor(version))
    caches = [path.name for path in venv.glob("lib/python*/site-packages/__pycache__/*.pyc")]
    assert f"demo.{tag}.pyc" in caches
    assert all(f".{tag}." in name for name in caches)


@pytest.mark.registry
@every_python
def test_something_compiled_is_planned_installed_and_imported(version: str, tmp_path: Path) -> None:
    requirement = COMPILED.get(minor(version), COMPILED_NOW)
    (tmp_path / "in.txt").write_text(f"{requirement}\n")
    lock, venv = str(tmp_path / "pylock.toml"), tmp_path / "venv"
    platform = probe(TARGETS[version]).target.platform
    planned = lockstream.main(
        ["plan", "-r", str(tmp_path / "in.txt"), "-o", lock, "--python-version", version,
         "--platform", platform]
    )  # fmt: skip
    assert planned == ExitCode.DONE
    arguments = ["--venv", str(venv), "--python", TARGETS[version]]
    assert lockstream.main(["execute", lock, *arguments]) == ExitCode.DONE
    program = "import json, markupsafe._speedups as s; print(json.dumps(s.__file__))"
    path = json.loads(told_by(venv / "bin/python", program))
    assert Path(path).suffix == ".so"
    assert Path(path).is_relative_to(venv)
