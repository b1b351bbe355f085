"""Flags limit the memory of a build in the language of each build tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.builds.toolchain import default_flags, describe, with_jobs
from schemas.builds import BuildFlags, ConfigSettings
from schemas.target import Target

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")


def compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    (folder / "cc").write_text(f"#!/bin/sh\necho '{version}'\n")
    (folder / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_jobs_are_set_for_every_tool() -> None:
    flags = with_jobs(BuildFlags(), "setuptools.build_meta", 3)
    assert flags.jobs == 3
    assert flags.environment["MAX_JOBS"] == flags.environment["CARGO_BUILD_JOBS"] == "3"
    assert flags.environment["MAKEFLAGS"] == "-j3"


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["-v", "-j8"], ["-v", "-j1"]), ("-v", ["-v", "-j1"]), ([], ["-j1"])],
)
def test_meson_reads_settings_alone(given: str | list[str], expected: list[str]) -> None:
    settings: ConfigSettings = {"compile-args": given, "setup-args": "-Dx=1"}
    flags = with_jobs(BuildFlags(config_settings=settings), "mesonpy", 1)
    assert flags.config_settings == {"compile-args": expected, "setup-args": "-Dx=1"}


def test_defaults_are_for_one_job_and_a_fixed_date() -> None:
    flags = default_flags("flit_core.buildapi")
    assert flags.jobs == 1
    assert flags.environment["SOURCE_DATE_EPOCH"] == "315532800"


def test_rust_gives_memory_back_at_once() -> None:
    # The backend of setuptools builds Rust too, so every backend gets the variable.
    for backend in ("maturin", "setuptools.build_meta"):
        settings = default_flags(backend).environment["MALLOC_CONF"].split(",")
        assert {"dirty_decay_ms:0", "muzzy_decay_ms:0"} == set(settings)


@pytest.mark.parametrize(
    ("version", "name", "is_bounded"),
    [
        ("gcc (Debian 12.2.0-14) 12.2.0", "gcc 12", True),
        ("cc (Ubuntu 13.3.0-6ubuntu2) 13.3.0", "gcc 13", True),
        ("Debian clang version 18.1.8", "clang 18", False),
    ],
)
def test_only_gcc_gets_the_flags_of_gcc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, name: str, is_bounded: bool
) -> None:
    compiler(tmp_path, monkeypatch, version)
    assert describe(TARGET, "a")["compiler"] == name
    assert ("CFLAGS" in default_flags("a").environment) == is_bounded


def test_a_compiler_that_prints_more_than_a_version_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(tmp_path, monkeypatch, "gcc 12.2'; head -c 2000000 /dev/zero; '")
    assert "compiler" not in describe(TARGET, "a")


def test_a_machine_without_a_compiler_is_described_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe(TARGET, "maturin") == {
        "machine": "x86_64",
        "python": "3.11",
        "platform": "manylinux_2_28_x86_64",
    }


def test_rust_counts_for_the_backends_that_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rustc").write_text("#!/bin/sh\necho 'rustc 1.80.1 (3f5fd8dd4 2024-08-06)'\n")
    (tmp_path / "rustc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe(TARGET, "maturin")["rust"] == "1.80"
    assert "rust" not in describe(TARGET, "setuptools.build_meta")
