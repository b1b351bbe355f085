"""What may import what, read from the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
ROOMS = ("lockstream", "schemas", "planner", "executor")

SIBLINGS = {
    "lockstream": {"schemas"},
    "schemas": set(),
    "planner": {"schemas", "executor"},
    "executor": {"schemas"},
}
THIRD_PARTY = {
    "lockstream": {"click"},
    "schemas": {"packaging"},
    "planner": {"click", "httpx", "msgspec", "packaging", "resolvelib", "tomli_w", "zstandard"},
    # Each is paid for in the container; httpx alone would take a quarter of the smallest budget.
    # isal is used where it is installed, installer for Windows targets only, pyproject_hooks where
    # something is built.
    "executor": {"click", "installer", "isal", "packaging", "pyproject_hooks", "zstandard"},
}

IMPURE_MODULES = {
    # files, processes, network
    "asyncio", "fcntl", "glob", "http", "io", "mmap", "os", "selectors", "shutil", "signal",
    "socket", "ssl", "subprocess", "tempfile", "threading", "urllib.request", "zipfile",
    # the interpreter that happens to run, the machine, the moment
    "datetime", "locale", "platform", "random", "site", "sys", "sysconfig", "time",
    # effects on the side
    "logging", "warnings",
}  # fmt: skip
IMPURE_NAMES = {
    "Path", "PosixPath", "WindowsPath", "open", "print", "input", "exec", "eval",
    # packaging's ways to ask the running interpreter
    "sys_tags", "default_environment",
}  # fmt: skip

MAX_LINES = 400


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PROJECT).with_suffix("").as_posix()

    @property
    def room(self) -> str:
        return self.path.relative_to(PROJECT).with_suffix("").parts[0]

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_bytes(), self.name)

    def imports(self, tree: ast.AST | None = None) -> Iterator[str]:
        """The dotted names of all modules and objects that are imported anywhere in it."""
        for node in ast.walk(tree or self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports relatively"
                assert node.module is not None
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def imported_rooms(self) -> set[str]:
        return {name.partition(".")[0] for name in self.imports()} & set(ROOMS)


MODULES = [
    Module(path)
    for room in ROOMS
    for path in sorted([*PROJECT.glob(f"{room}.py"), *PROJECT.glob(f"{room}/**/*.py")])
]
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def modules_of(room: str) -> list[Module]:
    return [module for module in MODULES if module.room == room]


def test_each_room_has_modules() -> None:
    assert {module.room for module in MODULES} == set(ROOMS)


@every_module
def test_a_module_imports_only_the_rooms_open_to_its_own(module: Module) -> None:
    assert module.imported_rooms() - {module.room} <= SIBLINGS[module.room]


@every_module
def test_a_module_needs_only_the_third_parties_of_its_room(module: Module) -> None:
    roots = {name.partition(".")[0] for name in module.imports()}
    assert roots - sys.stdlib_module_names - set(ROOMS) <= THIRD_PARTY[module.room]


@every_module
def test_a_module_is_short_enough_to_hold_one_noun(module: Module) -> None:
    assert len(module.path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", modules_of("planner"), ids=lambda module: module.name)
def test_the_planner_knows_only_the_public_names_of_the_executor(module: Module) -> None:
    names = {name for name in module.imports() if name.partition(".")[0] == "executor"}
    assert all(name.count(".") <= 1 for name in names), names


@pytest.mark.parametrize("module", modules_of("schemas"), ids=lambda module: module.name)
def test_the_contract_does_no_input_or_output(module: Module) -> None:
    imported = set(module.imports())
    impure = {
        name for name in imported for root in IMPURE_MODULES if f"{name}.".startswith(f"{root}.")
    }
    assert not impure
    names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    objects = {name.rpartition(".")[2] for name in imported}
    assert not (names | attributes | objects) & IMPURE_NAMES


def test_the_program_loads_no_room_before_it_runs() -> None:
    (program,) = modules_of("lockstream")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    at_import = [node for node in program.tree.body if not isinstance(node, functions)]
    loaded = {name for node in at_import for name in program.imports(node)}
    assert not {name.partition(".")[0] for name in loaded} & set(ROOMS)
