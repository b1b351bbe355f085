"""What each entry point loads: modules cost memory and start-up time, and stay until the end.

An import that a refactoring moves into the wrong module shows up here, as a name.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

HEAVY = frozenset({
    "asyncio", "concurrent.futures", "ctypes", "decimal", "email", "html", "http",
    "importlib.metadata", "json", "logging", "lzma", "multiprocessing", "ssl", "stringprep",
    "subprocess", "tempfile", "tomllib", "unittest", "uuid", "zipfile",
})  # fmt: skip
"""Modules of the standard library that take 100 KiB or more, or a millisecond."""

HEAVY_THIRD_PARTIES = frozenset({"packaging.markers", "packaging.pylock", "packaging.requirements"})
"""Parts of packaging that bring the grammar of markers, 1.3 MiB."""

READS_A_LOCK = frozenset({
    "click", "packaging", "packaging.markers", "packaging.pylock", "packaging.requirements",
    "json", "logging", "subprocess", "tomllib", "uuid",
})  # fmt: skip
"""What every command loads that reads a whole lock."""

LOADED = {
    "lockstream": set(),
    "executor.cli.program": {"click", "uuid"},
    "executor.cli.execute": {"click", "json", "uuid"},
    "executor.cli.execute, executor.install.install, executor.sources.client": {
        "click", "isal", "json", "uuid",
    },
    "executor.sources.client, executor.sources.tls": {"isal", "ssl"},
    "planner.cli.plan": READS_A_LOCK | {"zstandard"},
    "planner.cli.plan, planner.planning.answer, planner.planning.plan, planner.lock.writer":
        READS_A_LOCK | {
            "concurrent.futures", "decimal", "isal", "msgspec", "tomli_w", "typing_extensions",
            "zstandard",
        },
    "planner.cli.check": READS_A_LOCK,
    "planner.cli.show": READS_A_LOCK,
    "planner.cli.tree": READS_A_LOCK,
    "planner.cli.export": READS_A_LOCK,
    "planner.cli.export, planner.exports.pip_requirements": READS_A_LOCK,
    "planner.cli.export, planner.exports.sbom, planner.exports.snapshot": READS_A_LOCK,
    "planner.cli.audit": READS_A_LOCK,
    "planner.cli.audit, planner.advisories.service": READS_A_LOCK | {
        "concurrent.futures", "decimal", "isal", "msgspec", "typing_extensions", "zstandard",
    },
    "planner.cli.cache": READS_A_LOCK | {"zstandard"},
}  # fmt: skip


def loaded_by(entry: str) -> set[str]:
    program = f"import sys; old = set(sys.modules); import {entry}; print(*set(sys.modules) - old)"
    return printed_by(program)


def printed_by(program: str) -> set[str]:
    """The words that a program prints that may import ours."""
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.append({str(PROJECT)!r}); {program}",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("entry", LOADED)
def test_an_entry_point_loads_nothing_else_that_is_heavy(entry: str) -> None:
    loaded = loaded_by(entry)
    ours = {"lockstream", "schemas", "planner", "executor"}
    third = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - ours
    third = {name for name in third if not name.startswith("_")}
    unexpected = (third | (loaded & (HEAVY | HEAVY_THIRD_PARTIES))) - LOADED[entry]
    assert not unexpected


def test_the_executor_loads_nothing_of_the_planner() -> None:
    assert not {name for name in loaded_by("executor.cli.execute") if name.startswith("planner")}


COMPILED = """import executor.cli.execute, executor.install.install, executor.install.decide
for module in list(sys.modules.values()):
    for cls in vars(module).values():
        params = getattr(cls, "__dataclass_params__", None)
        ours = isinstance(cls, type) and cls.__module__.startswith(("executor.", "schemas."))
        if params is not None and params.init and ours and cls.__module__ == module.__name__:
            print(cls.__qualname__)
"""


def test_an_execution_compiles_no_methods_of_dataclasses() -> None:
    """Each takes half a millisecond: ``schemas.data_class`` has what need not be compiled."""
    assert printed_by(COMPILED) == set()
