"""The library: its examples run as they are printed, and a single module of it stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import executor
from helpers.wheels import build_wheel, lock_of

PROJECT = Path(__file__).parent.parent
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", (PROJECT / "docs/library.md").read_text(), re.MULTILINE | re.DOTALL
)
EXPECTED = [
    "demo 1.0 is verified\nother 2.0 is verified\n2 installed, 0 unchanged\n",
    "+ demo 1.0\n+ other 2.0\n0 unchanged\n",
]


def run(folder: Path, program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("example", "expected"), list(zip(EXAMPLES, EXPECTED, strict=True)))
def test_an_example_runs_as_it_is_printed(tmp_path: Path, example: str, expected: str) -> None:
    wheels = [
        build_wheel("demo", files={"demo.bin": bytes(range(256))}),
        build_wheel("other", "2.0"),
    ]
    (tmp_path / "wheels").mkdir()
    for wheel in wheels:
        wheel.write(tmp_path / "wheels")
    (tmp_path / "pylock.toml").write_text(lock_of(wheels, folder="wheels/"))
    assert run(tmp_path, example) == expected


def test_a_program_may_name_its_files_by_paths(tmp_path: Path) -> None:
    wheel = build_wheel("demo")
    wheel.write(tmp_path)
    lock, vendor = tmp_path / "pylock.toml", tmp_path / "vendor"
    lock.write_text(lock_of([wheel]))
    environment = executor.Environment.target(vendor, Path(sys.executable))
    assert list(executor.decide(lock, environment).lines()) == ["+ demo 1.0", "0 unchanged"]
    assert executor.execute(lock, environment).installed == 1
    assert executor.verify_environment(lock, environment)[0] == 1
    assert executor.Environment.venv(tmp_path / "venv", Path(sys.executable)).exists is False


def test_examples_and_what_they_override_pass_a_strict_type_checker(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"example{number}.py") for number in range(len(EXAMPLES))]
    for path, example in zip(paths, EXAMPLES, strict=True):
        Path(path).write_text(example)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *paths]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_type_checker_refuses_a_name_that_is_none(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from executor import Exceute\nfrom planner import plan_lok\n")
    command = [sys.executable, "-m", "mypy", "--strict", str(program)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.count("has no attribute") == 2, done.stdout


def test_every_public_name_is_there_and_documented() -> None:
    text = (PROJECT / "docs/library.md").read_text()
    for name in executor.__all__:
        assert getattr(executor, name).__doc__
        assert f"`{name}" in text or f" {name}" in text, name


def test_a_name_that_is_none_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'executor' has no attribute 'exceute'"):
        _ = getattr(executor, "exceute")  # noqa: B009  # a type checker refuses the attribute


def test_a_single_module_does_not_load_the_others(tmp_path: Path) -> None:
    program = (
        "import sys, executor.wheels.records; "
        "print(*sorted(name for name in sys.modules if name.startswith('executor')))"
    )
    loaded = run(tmp_path, program).split()
    assert "executor.wheels.records" in loaded
    assert not {
        "executor.install.install",
        "executor.sources.client",
        "executor.lanes.lanes",
    } & set(loaded)
    assert run(tmp_path, "import sys, executor; print('packaging' in sys.modules)") == "False\n"


def test_type_checkers_see_each_public_name_in_the_module_that_it_is_looked_up_in() -> None:
    tree = ast.parse(Path(executor.__file__).read_bytes())
    block, lookup = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    assert ast.unparse(lookup.test) == "not TYPE_CHECKING"
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    looked_up = {name: f"executor.{home}" for name, home in executor._HOMES.items()}
    assert seen == looked_up
