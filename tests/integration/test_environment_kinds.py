"""Kinds of environments: the same wheel is in its place in each, and works there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from helpers.locks import write_lock
from helpers.pythons import PYTHONS, minor
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

WHEEL = build_wheel(
    "demo",
    files={"demo/__init__.py": "import sys\ndef main():\n    print('ran', sys.prefix)\n"},
    data_files={
        "scripts/shipped": "#!python\nimport demo\nprint('shipped')\n",
        "scripts/windowed": "#!pythonw\nimport demo\nprint('windowed')\n",
        "headers/demo.h": "int demo;\n",
        "data/share/demo.txt": "data",
        "platlib/demo_platlib.py": "",
        "purelib/demo_purelib.py": "",
    },
    entry_points={
        "console_scripts": {"demo": "demo:main"},
        "gui_scripts": {"demo-gui": "demo:main"},
    },
    dist_info={
        "licenses/LICENSE": "as you like",
        "sboms/demo.cdx.json": "{}",
    },
)
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = {minor(version): path for version, path in PYTHONS.items() if minor(version) >= (3, 8)}
SCRIPTS = ["demo", "demo-gui", "shipped", "windowed"]


@pytest.fixture(name="lock")
def _lock(tmp_path: Path) -> str:
    return write_lock(tmp_path, [WHEEL])


def execute(lock: str, *options: str | Path) -> None:
    arguments = ["execute", lock, "--progress", "none", *map(str, options)]
    assert lockstream.main(arguments) == ExitCode.DONE


def check_tree(root: Path, packages: str, headers: str, scripts: str = "bin") -> None:
    for path in (
        f"{packages}/demo/__init__.py",
        f"{packages}/demo_platlib.py",
        f"{packages}/demo_purelib.py",
        f"{packages}/demo-1.0.dist-info/licenses/LICENSE",
        f"{packages}/demo-1.0.dist-info/sboms/demo.cdx.json",
        f"{packages}/demo-1.0.dist-info/REQUESTED",
        f"{headers}/demo/demo.h",
        "share/demo.txt",
        *(f"{scripts}/{name}" for name in SCRIPTS),
    ):
        assert (root / path).is_file(), path
    assert (root / packages / "demo-1.0.dist-info/INSTALLER").read_text() == "lockstream\n"
    assert not (root / packages / "demo-1.0.dist-info/direct_url.json").exists()


def output(*command: str | Path, **environment: str) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_virtual_environment(tmp_path: Path, lock: str) -> None:
    venv = tmp_path / "a folder" / ("long" * 30) / "venv"
    execute(lock, "--venv", venv)
    check_tree(venv, f"lib/python{VERSION}/site-packages", f"include/site/python{VERSION}")
    assert output(venv / "bin/demo") == f"ran {venv}\n"
    assert output(venv / "bin/demo-gui") == f"ran {venv}\n"
    assert output(venv / "bin/shipped") == "shipped\n"
    assert output(venv / "bin/windowed") == "windowed\n"


@pytest.mark.parametrize("version", OTHERS, ids=lambda version: "{}.{}".format(*version))
def test_a_virtual_environment_of_another_python(
    version: tuple[int, int], tmp_path: Path, lock: str
) -> None:
    venv = tmp_path / "venv"
    named = "python{}.{}".format(*version)
    execute(lock, "--venv", venv, "--python", OTHERS[version])
    check_tree(venv, f"lib/{named}/site-packages", f"include/site/{named}")
    assert output(venv / "bin/demo") == f"ran {venv}\n"
    execute(lock, "--venv", venv, "--python", OTHERS[version])


@pytest.mark.skipif(len(OTHERS) < 2, reason="there is one Python on this machine")
def test_a_virtual_environment_is_not_taken_for_that_of_another_python(
    tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = list(OTHERS.items())[:2]
    venv = str(tmp_path / "venv")
    execute(lock, "--venv", venv, "--python", one[1])
    assert (
        lockstream.main(["execute", lock, "--venv", venv, "--python", other[1]]) == ExitCode.USAGE
    )
    assert capsys.readouterr().err.startswith(
        "error: {} is an environment of Python {}.{}, --python names Python {}.{}\n".format(
            venv, *one[0], *other[0]
        )
    )


def test_the_environment_of_an_interpreter(tmp_path: Path, lock: str) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    execute(lock, "--python", venv / "bin/python")
    check_tree(venv, f"lib/python{VERSION}/site-packages", f"include/site/python{VERSION}")


def test_a_folder_of_packages(tmp_path: Path, lock: str) -> None:
    target = tmp_path / "target"
    execute(lock, "--target", target)
    check_tree(target, ".", "include")
    printed = output(sys.executable, "-c", "import demo; demo.main()", PYTHONPATH=str(target))
    assert printed == f"ran {sys.prefix}\n"


def test_a_prefix(tmp_path: Path, lock: str) -> None:
    prefix = tmp_path / "prefix"
    execute(lock, "--prefix", prefix)
    packages = f"lib/python{VERSION}/site-packages"
    check_tree(prefix, packages, f"include/python{VERSION}")
    printed = output(prefix / "bin/demo", PYTHONPATH=str(prefix / packages))
    assert printed == f"ran {sys.prefix}\n"


def test_a_folder_for_another_machine_has_its_wheels_and_its_programs(
    tmp_path: Path,
) -> None:
    """Windows finds no interpreter by a script's first line, so programs are launchers there."""
    native = build_wheel(
        "demo",
        tag="cp39-abi3-win_amd64",
        purelib=False,
        entry_points={
            "console_scripts": {"demo": "demo:main"},
            "gui_scripts": {"demo-gui": "demo:main"},
        },
    )
    target = tmp_path / "target"
    options: list[str | Path] = [
        "--target",
        target,
        "--platform",
        "win_amd64",
        "--python-version",
        "3.12",
    ]
    execute(write_lock(tmp_path, [native]), *options)
    for name in ("demo", "demo-gui"):
        content = (target / "bin" / f"{name}.exe").read_bytes()
        assert content.startswith(b"MZ")
        assert b"from demo import main" in content
        assert not (target / "bin" / name).exists()
    assert (
        lockstream.main(["verify", str(tmp_path / "pylock.toml"), *map(str, options)])
        == ExitCode.DONE
    )
