"""Errors of builds name the package, the figures, and what to do."""

from __future__ import annotations

import pickle

import pytest

from executor.builds.errors import (
    BackendFailed,
    BackendUnusable,
    BuildKilled,
    BuildsTooBig,
    BuildsUnmeasured,
    BuildTooBig,
    RepositoryUnusable,
    SourceRefused,
    WheelDiffersFromPlan,
)
from schemas.errors import LockstreamError

MIB = 1 << 20


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (SourceRefused("a.zip", "it has a link"), "a.zip: it has a link", 6),
        (
            RepositoryUnusable("demo", "https://git.example/demo", "not found"),
            "demo: the repository https://git.example/demo cannot be used: not found",
            5,
        ),
        (BackendUnusable("demo", "it has none"), "demo: it has none", 8),
        (
            BackendFailed("demo", "build_wheel", 1, "one\ntwo"),
            "demo: the build failed in build_wheel (status 1)\n  | one\n  | two",
            8,
        ),
        (
            BackendFailed("demo", "build_wheel", -11, ""),
            "demo: the build failed in build_wheel (ended by signal 11)",
            8,
        ),
        (WheelDiffersFromPlan("demo", "it is odd"), "demo: it is odd", 8),
        (
            BuildsTooBig((BuildTooBig("demo", 80 * MIB, 50 * MIB),), 64 * MIB, "the cgroup"),
            (
                "demo: its build needs 80.0 MiB of memory (measured: 50.0 MiB), "
                "the cgroup leaves 64.0 MiB"
            ),
            7,
        ),
        (
            BuildsUnmeasured(("a", "b")),
            "the lock does not record what these builds take: a, b",
            2,
        ),
    ],
)
def test_each_says_what_is_wrong_and_what_to_do(
    error: LockstreamError, text: str, code: int
) -> None:
    assert str(error) == text
    assert error.exit_code == code
    assert error.hint


@pytest.mark.parametrize(
    ("reason", "text", "hint"),
    [
        ("memory", "the build was ended before it exceeded the memory limit", "--memory"),
        ("oom", "the kernel killed a process of the build because memory ran out", "fewer jobs"),
        ("time", "the build did not end in time", "--build-timeout"),
        ("stall", "the build made no progress against its memory limit", "plan --build"),
    ],
)
def test_a_killed_build_says_why(reason: str, text: str, hint: str) -> None:
    error = BuildKilled("demo", "build_wheel", reason, 90 * MIB, 96 * MIB, 7.0, "watched")
    assert str(error).startswith(f"demo: {text}")
    assert str(error).endswith("in build_wheel: it held 90.0 MiB of 96.0 MiB after 7 s (watched)")
    assert hint in error.hint
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("line", "added"),
    [
        ("ModuleNotFoundError: No module named 'torch'", "demo:torch"),
        ("ModuleNotFoundError: No module named 'numpy.distutils'", "demo:numpy"),
        ("ImportError: No module named Cython", "demo:Cython"),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "demo:setuptools<82"),
        ("ModuleNotFoundError: No module named 'distutils'", "demo:setuptools"),
    ],
)
def test_a_module_that_a_build_does_not_declare_is_added(line: str, added: str) -> None:
    hint = BackendFailed("demo", "build_wheel", 1, f'  File "setup.py"\n{line}').hint
    assert hint.endswith(f"add what has it with plan --build-requires '{added}'")
    within = BackendFailed("demo", "build_wheel", 1, f"warning: {line}\ncc: no x.h").hint
    assert "--build-requires" not in within


def test_a_source_for_python_2_is_built_with_a_setuptools_that_translates_it() -> None:
    log = "error in demo setup command: use_2to3 is invalid."
    hint = BackendFailed("demo", "get_requires_for_build_wheel", 1, log).hint
    assert hint.endswith("plan --build-requires 'demo:setuptools<58'")


def test_a_variable_that_a_backend_names_is_set_for_the_build() -> None:
    log = "as a last resort, set the environment variable\n  LET_ME_BUILD=True to avoid this error"
    hint = BackendFailed("demo", "build_wheel", 1, log).hint
    assert "plan --build-env demo:LET_ME_BUILD=True" in hint
    assert "plan --exclude demo" in hint
    compiler = BackendFailed("demo", "build_wheel", 1, "cc -D WITH_X=1\ncc: no x.h").hint
    assert "--build-env" not in compiler
    assert "the headers of a library are missing" in compiler
