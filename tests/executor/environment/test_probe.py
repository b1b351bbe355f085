"""Probe: the facts that an interpreter prints, whatever its age and its environment."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from executor.environment import probe
from helpers.pythons import PYTHONS, minor

OTHERS = {version: path for version, path in PYTHONS.items() if minor(version) >= (3, 8)}


@pytest.mark.parametrize("version", OTHERS)
def test_every_python_since_3_8_prints_its_facts(version: str) -> None:
    run = subprocess.run(
        [OTHERS[version], "-I", probe.__file__, "", ""], capture_output=True, check=True
    )
    facts = json.loads(run.stdout)
    assert facts["environment"]["python_full_version"] == version
    assert set(facts["paths"]) == {
        "purelib", "platlib", "scripts", "data", "headers", "executable"
    }  # fmt: skip


def test_the_paths_of_an_environment_that_is_absent_are_those_it_will_have(tmp_path: Path) -> None:
    folder = str(tmp_path / "venv")
    expected = probe.facts("venv", folder)["paths"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = os.path.join(folder, "bin", "python")
    run = subprocess.run([python, "-I", probe.__file__, "", ""], capture_output=True, check=True)
    assert json.loads(run.stdout)["paths"] == expected


def test_a_target_has_its_packages_at_its_top(tmp_path: Path) -> None:
    paths = probe.facts("target", str(tmp_path))["paths"]
    assert isinstance(paths, dict)
    assert paths["purelib"] == paths["platlib"] == paths["data"] == str(tmp_path)
    assert paths["scripts"] == str(tmp_path / "bin")


def test_a_python_for_lib64_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fedora configures Python with ``--with-platlibdir=lib64``."""
    monkeypatch.setitem(sysconfig._CONFIG_VARS, "platlibdir", "lib64")  # type: ignore[attr-defined]
    paths = probe.facts("prefix", str(tmp_path))["paths"]
    assert isinstance(paths, dict)
    assert paths["platlib"].startswith(f"{tmp_path}/lib64/")
    assert paths["purelib"].startswith(f"{tmp_path}/lib/")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("glibc 2.36", "manylinux_2_36"), ("", ""), ("other 1.0", "")],
)
def test_the_libc_is_that_of_the_system(
    monkeypatch: pytest.MonkeyPatch, answer: str, expected: str
) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: answer)
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    assert probe.libc_version() == expected


def test_a_32_bit_python_on_a_64_bit_system_is_of_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "linux-x86_64")
    monkeypatch.setattr(probe, "libc_version", lambda: "manylinux_2_36")
    assert probe.newest_platform() == "manylinux_2_36_x86_64"
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert probe.newest_platform() == "manylinux_2_36_i686"


def test_the_markers_are_those_of_the_running_python() -> None:
    markers = probe.marker_environment("3.99")
    assert markers["python_version"] == "3.99"
    assert markers["sys_platform"] == sys.platform
    assert markers["platform_machine"] == platform.machine()
