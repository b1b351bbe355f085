"""Byte code: made by the target's Python, in a child that cannot take more than it is given."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from executor.api import execute
from executor.environment import bytecode
from executor.environment.bytecode import compile_files
from helpers.environments import environment_below, read_record
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.errors import ExitCode


def cached(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(path)))


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    return path


def test_python_files_are_compiled_and_no_others(tmp_path: Path, source: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("x = 1\n")
    compile_files(sys.executable, map(str, [data, source]))
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == [cached(source).name]
    before = cached(source).stat().st_mtime_ns
    run = subprocess.run(
        [sys.executable, "-c", "import demo; print(demo.x)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == "1\n"
    assert cached(source).stat().st_mtime_ns == before, "Python made it again"


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("a\nb", id="line feed"),
        pytest.param(" blanks ", id="blanks"),
        pytest.param(os.fsdecode(b"caf\xe9"), id="not UTF-8"),
    ],
)
def test_the_path_of_a_file_may_have_any_bytes(tmp_path: Path, source: Path, folder: str) -> None:
    below = tmp_path / folder / "demo.py"
    below.parent.mkdir()
    below.write_text("x = 1\n")
    compile_files(sys.executable, map(str, [below, source]))
    assert cached(below).exists()
    assert cached(source).exists()


def test_what_cannot_be_compiled_is_left_as_it_is(tmp_path: Path, source: Path) -> None:
    template = tmp_path / "a.py"
    template.write_text("{{ name }} = ]\n")
    broken = tmp_path / "b.py"
    broken.write_bytes(b"\xff\xfe")
    compile_files(sys.executable, map(str, [template, tmp_path / "absent.py", broken, source]))
    assert cached(source).exists()
    assert not cached(template).exists()


def test_a_file_that_takes_more_memory_than_there_is_does_not_stop_the_others(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "MEMORY", 48 << 20)
    large = tmp_path / "a.py"
    large.write_text("x = [" + "[1, 'a'], " * 400_000 + "]\n")
    compile_files(sys.executable, map(str, [large, source]))
    assert cached(source).exists()
    assert not cached(large).exists()


def test_nothing_to_compile_is_no_fault(tmp_path: Path) -> None:
    compile_files(sys.executable, [])
    assert list(tmp_path.iterdir()) == []


def test_an_installation_compiles_what_it_installs_and_records_none_of_it(tmp_path: Path) -> None:
    """As uv does: what Python makes again at will is nothing to verify."""
    wheel = build_wheel("demo", files={"demo/__init__.py": "", "demo/a.py": "x = 1\n"})
    write_lock(tmp_path, [wheel])
    environment = environment_below(tmp_path / "env")
    packages = Path(environment.interpreter.schemes.purelib)
    (packages / "mine.py").write_text("")
    execute(str(tmp_path / "pylock.toml"), environment, compile_files=True)
    assert sorted(path.name for path in packages.rglob("*.pyc")) == sorted(
        cached(packages / "demo" / name).name for name in ("__init__.py", "a.py")
    )
    recorded = read_record(packages / wheel.dist_info)
    assert not [path for path in recorded if path.suffix == ".pyc"]


def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    wheel = build_wheel("demo")
    write_lock(tmp_path, [wheel])
    environment = environment_below(tmp_path / "env")
    execute(str(tmp_path / "pylock.toml"), environment)
    assert not list(Path(environment.path).rglob("*.pyc"))


def test_byte_code_for_another_machine_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = build_wheel("demo")
    write_lock(tmp_path, [wheel])
    arguments = ["--target", str(tmp_path / "t"), "--python-version", "3.9", "--compile"]
    assert lockstream.main(["execute", str(tmp_path / "pylock.toml"), *arguments]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "error: byte code is made by the target's Python, which is not on this machine\n"
        "hint: leave --compile out; Python makes byte code when it runs, if it may write\n"
    )
    assert not os.path.lexists(tmp_path / "t")


def test_a_filter_that_refuses_the_limit_does_not_stop_it(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("resource.prlimit", refuse)
    compile_files(sys.executable, [str(source)])
    assert cached(source).is_file()
