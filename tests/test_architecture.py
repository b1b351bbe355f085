"""What may import what, and how large a thing may be, read from the sources."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import executor
from executor import _HOMES as PUBLIC
from schemas.errors import LockstreamError

PROJECT = Path(__file__).parent.parent
PHASES = ("lockstream", "schemas", "planner", "executor")

SIBLINGS = {
    "lockstream": {"schemas", "executor"},
    "schemas": set(),
    "planner": {"schemas", "executor"},
    "executor": {"schemas"},
}

ORDER = {
    "executor": (
        "cli", "api", "builds", "install", "transaction", "report", "lanes", "sources", "wheels",
        "environment", "lock", "archive", "budget", "files",
    ),
    "planner": (
        "cli", "api", "plan_request", "engines", "runs", "builds", "planning", "advisories",
        "exports", "review", "lock", "resolver", "metadata", "inputs", "index", "model",
    ),
}  # fmt: skip
"""The rooms of each phase. An import goes down: to its own room, or to one that stands later."""

THIRD_PARTIES = {
    "lockstream": {"click"},
    "schemas": {"packaging"},
    "executor.cli": {"click", "packaging"},
    "executor.builds": {"packaging", "pyproject_hooks"},
    # isal is used if it is installed, zstandard if a wheel needs it.
    "executor.archive": {"isal", "zstandard"},
    # Launchers of scripts on Windows.
    "executor.wheels": {"installer", "packaging"},
    "executor.environment": {"packaging"},
    "executor.lock": {"packaging"},
    "executor.install": {"packaging"},
    "executor.transaction": {"packaging"},
    # The authorities of certifi, if it is installed and the system has none.
    "executor.sources": {"certifi", "packaging"},
    # What a plan shows on a terminal is drawn by rich.
    "planner.cli": {"click", "packaging", "rich"},
    "planner.api": {"packaging"},
    "planner.plan_request": {"packaging"},
    # distributed is an extra, for plan --on dask.
    "planner.engines": {"distributed", "packaging"},
    "planner.builds": {"packaging"},
    "planner.planning": {"packaging"},
    # A page is made of templates, and logs are held to their schema.
    "planner.runs": {"fastjsonschema", "jinja2", "packaging"},
    "planner.advisories": {"packaging"},
    # cyclonedx is an extra, for export --format cyclonedx.
    "planner.exports": {"cyclonedx", "packageurl", "packaging"},
    "planner.review": {"packaging"},
    "planner.lock": {"packaging", "tomli_w"},
    "planner.resolver": {"packaging"},
    # A directory is kept packed in the cache.
    "planner.metadata": {"packaging", "zstandard"},
    "planner.inputs": {"packaging"},
    "planner.index": {"msgspec", "packaging", "zstandard"},
    "planner.model": {"packaging"},
}
"""By room. Each is paid for in the container."""

READERS_OF_TOML = {"executor.lock", "executor.cli", "executor.builds"}
"""Rooms of the executor that may import tomllib, which stays in memory."""

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
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

WIDE = {
    "executor.api.execute": "the library's verb: its keywords are what callers type",
}
"""Functions with more parameters than the rest may have, and why."""

TWICE = {"Builder", "Interpreter", "Reporter"}
"""Class names that both phases have, for the same thing on either side."""

TESTED_ELSEWHERE = {
    "executor.cli.bundle": "tests/executor/install/test_bundle.py runs the command",
    "executor.cli.fetch": "tests/executor/install/test_fetch.py runs the command",
    "executor.cli.key": "tests/executor/install/test_installation_key.py runs the command",
    "executor.archive.errors": "tests/executor/archive/test_zstandard_data.py raises it",
    "executor.budget.errors": "tests/executor/budget/test_budget.py raises it",
    "executor.files.errors": "tests/executor/install/test_preflight.py raises each",
    "executor.install.file_source": "tests/executor/install: test_fetch.py and test_bundle.py",
    "executor.install.builder": "a protocol; tests/executor/builds/test_builder.py",
    "executor.lanes.errors": "tests/executor/lanes: test_lanes.py and test_forks.py raise each",
    "executor.transaction.permission_check": "tests/integration/test_commit_can_finish.py",
    "planner.advisories.errors": "tests/planner/advisories: test_service.py, test_database.py",
    "planner.builds.build_locks": "tests/planner/builds/test_builder.py: TestBuildRequirements",
    "planner.builds.lone_builder": "tests/planner/builds/test_unit_build.py builds with one",
    "planner.builds.opened": "tests/planner/builds/test_adoption.py plans with one",
    "planner.builds.projects": "tests/integration/test_projects.py, which builds whole projects",
    "planner.builds.source_build": "tests/planner/builds/test_builder.py: it is owned by a Builder",
    "planner.cli.build": "tests/planner/builds/test_unit_build.py runs the command",
    "planner.cli.check": "tests/planner/review/test_check.py runs the command",
    "planner.cli.enrich": "tests/integration/test_lock_commands.py runs the command",
    "planner.cli.page_file": "tests/planner/cli/test_report.py writes pages where none can be",
    "planner.cli.show": "tests/integration/test_lock_commands.py runs the commands",
    "planner.cli.tree": "tests/integration/test_lock_commands.py runs the commands",
    "planner.exports.errors": "tests/planner/exports/test_pip_requirements.py raises each",
    "planner.engines.errors": "tests/planner/engines/test_dask_engine.py raises each",
    "planner.engines.order": "fields alone; tests/planner/engines/test_order_runner.py uses them",
    "planner.index.access": "fields alone; tests/planner/planning/test_answer.py uses them",
    "planner.metadata.distribution": "fields alone; tests/planner/resolver/test_evaluator.py",
    "planner.review.ci_files": "tests/planner/cli/test_init.py writes each",
    "planner.resolver.builder": "an interface; tests/planner/builds/test_builder.py has its class",
}
"""Modules without a test file of their own, and where they are tested or why there is nothing to
test."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def parts(self) -> tuple[str, ...]:
        parts = self.path.relative_to(PROJECT).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def name(self) -> str:
        return ".".join(self.parts)

    @property
    def phase(self) -> str:
        return self.parts[0]

    @property
    def room(self) -> str:
        return ".".join(self.parts[:2]) if self.phase in ORDER else self.phase

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
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

    def imported_modules(self) -> Iterator[tuple[Module, str | None]]:
        """Our own modules that it imports, each with the name that it takes from it, if any."""
        for dotted in self.imports():
            parent, _, leaf = dotted.rpartition(".")
            if parent == "executor" and leaf in PUBLIC and self.phase != "executor":
                yield BY_NAME[f"executor.{PUBLIC[leaf]}"], leaf
            elif dotted in BY_NAME:
                yield BY_NAME[dotted], None
            elif parent in BY_NAME:
                yield BY_NAME[parent], leaf

    def exported(self) -> set[str]:
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return set(ast.literal_eval(node.value))
        return set()

    def functions(self) -> Iterator[tuple[str, Function]]:
        def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, Function):
                    yield f"{prefix}.{child.name}", child
                    yield from visit(child, f"{prefix}.{child.name}")
                elif isinstance(child, ast.ClassDef):
                    yield from visit(child, f"{prefix}.{child.name}")

        return visit(self.tree, self.name)


MODULES = [
    Module(path)
    for phase in PHASES
    for path in sorted([*PROJECT.glob(f"{phase}.py"), *PROJECT.glob(f"{phase}/**/*.py")])
]
BY_NAME = {module.name: module for module in MODULES}
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


SUBMODULES = {
    f"{package}.{module.name}"
    for package in ("concurrent", "email", "html", "http", "importlib", "json", "urllib", "xml")
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
}
"""Of packages of the standard library, whose other modules do not come with the one imported."""


def modules_of(phase: str) -> list[Module]:
    return [module for module in MODULES if module.phase == phase]


def rank(module: Module) -> int:
    return ORDER[module.phase].index(module.parts[1])


def test_each_phase_has_modules() -> None:
    assert {module.phase for module in MODULES} == set(PHASES)


@pytest.mark.parametrize("phase", ORDER)
def test_the_order_names_every_room_and_no_other(phase: str) -> None:
    rooms = {module.parts[1] for module in modules_of(phase) if len(module.parts) > 1}
    assert rooms == set(ORDER[phase])


@every_module
def test_a_module_imports_only_the_phases_open_to_its_own(module: Module) -> None:
    phases = {name.partition(".")[0] for name in module.imports()} & set(PHASES)
    assert phases - {module.phase} <= SIBLINGS[module.phase]


@every_module
def test_a_module_imports_only_its_own_room_and_those_below(module: Module) -> None:
    if len(module.parts) < 2:
        return  # the public names of a phase
    upward = [
        other.name
        for other, _ in module.imported_modules()
        if other.phase == module.phase and other.room != module.room and len(other.parts) > 1
        if rank(other) < rank(module)
    ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        if len(module.parts) > 1:
            graph[module.name] = {other.name for other, _ in module.imported_modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


@every_module
def test_a_module_uses_only_public_names_of_other_rooms(module: Module) -> None:
    private = [
        f"{other.name}.{name}"
        for other, name in module.imported_modules()
        if name is not None and other.room != module.room and not other.is_package
        if name not in other.exported()
    ]
    assert not private


@every_module
def test_a_module_needs_only_the_third_parties_of_its_room(module: Module) -> None:
    roots = {name.partition(".")[0] for name in module.imports()}
    foreign = roots - sys.stdlib_module_names - set(PHASES)
    assert foreign <= THIRD_PARTIES.get(module.room, set())


@every_module
def test_a_module_imports_each_submodule_that_it_uses(module: Module) -> None:
    """``email.parser`` is there after ``import email.policy`` if another module has imported it."""
    imported = set(module.imports())
    used = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if any(name.partition(".")[0] == node.value.id for name in imported)
    }
    submodules = {name for name in used if name in SUBMODULES}
    assert not {
        name for name in submodules if not any(f"{one}.".startswith(f"{name}.") for one in imported)
    }


@pytest.mark.parametrize("module", modules_of("executor"), ids=lambda module: module.name)
def test_few_rooms_of_the_executor_read_toml(module: Module) -> None:
    assert "tomllib" not in set(module.imports()) or module.room in READERS_OF_TOML


@pytest.mark.parametrize("phase", ORDER)
def test_no_class_of_a_phase_has_the_name_of_another(phase: str) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules_of(phase):
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_few_class_names_are_those_of_both_phases() -> None:
    names = [
        {
            node.name
            for module in modules_of(phase)
            for node in module.tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        }
        for phase in ORDER
    ]
    assert names[0] & names[1] <= TWICE


@every_module
def test_an_error_of_a_general_kind_is_raised_with_a_hint(module: Module) -> None:
    kinds = {"LockstreamError", *(one.__name__ for one in LockstreamError.__subclasses__())}
    raised = (node.exc for node in ast.walk(module.tree) if isinstance(node, ast.Raise))
    for call in raised:
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in kinds:
            has_hint = len(call.args) > 1 or any(one.arg == "hint" for one in call.keywords)
            assert has_hint, f"{module.name}:{call.lineno}"


@every_module
def test_the_entry_of_a_room_is_its_docstring(module: Module) -> None:
    if not module.is_package or module.name in {"executor", "planner"}:
        return
    assert len(module.tree.body) == 1
    docstring = ast.get_docstring(module.tree) or ""
    if module.phase in ORDER:
        assert "Doors:" in docstring
        assert "May import:" in docstring
        doors = docstring.partition("Doors:")[2].partition("May import:")[0]
        for name, public in re.findall(r"``([a-z_]+)(?:\.(\w+))?``", doors):
            found = importlib.import_module(f"{module.name}.{name}")
            assert not public or public in found.__all__, f"{module.name}.{name}: {public}"


@every_module
def test_a_module_is_short_enough_to_hold_one_noun(module: Module) -> None:
    assert len(module.path.read_text().splitlines()) <= MAX_LINES


@every_module
def test_a_function_is_short_and_takes_few_parameters(module: Module) -> None:
    long, wide = {}, {}
    for name, node in module.functions():
        assert node.end_lineno is not None
        lines = node.end_lineno - node.lineno + 1
        given = node.args
        count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
        if given.args and given.args[0].arg in {"self", "cls"}:
            count -= 1
        if lines > MAX_FUNCTION_LINES:
            long[name] = lines
        if count > MAX_PARAMETERS and name not in WIDE and not module.room.endswith(".cli"):
            wide[name] = count
    assert not long
    assert not wide


@every_module
def test_no_function_takes_keywords_and_drops_them(module: Module) -> None:
    tunnels = [
        name
        for name, node in module.functions()
        if node.args.kwarg is not None and node.args.kwarg.arg == "_"
    ]
    assert not tunnels


@every_module
def test_a_module_has_a_test_file_of_its_name_in_its_room(module: Module) -> None:
    if module.is_package or module.phase not in {"schemas", "planner", "executor"}:
        return
    *rooms, name = module.parts
    has_file = PROJECT.joinpath("tests", *rooms, f"test_{name}.py").exists()
    assert has_file != (module.name in TESTED_ELSEWHERE)


@pytest.mark.parametrize("module", modules_of("planner"), ids=lambda module: module.name)
def test_the_planner_knows_only_the_public_names_of_the_executor(module: Module) -> None:
    names = {name for name in module.imports() if name.partition(".")[0] == "executor"}
    assert all(name.count(".") <= 1 for name in names), names


def test_every_public_name_of_the_executor_is_exported_where_it_lives() -> None:
    assert sorted(executor.__all__) == sorted(PUBLIC)
    for name, home in PUBLIC.items():
        assert name in BY_NAME[f"executor.{home}"].exported()


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


PRINTERS = {
    "executor.cli.output": "the one way to print text",
    "executor.cli.completion": "what shells read: our own texts, in a format with tabs",
    "executor.cli.ending": "prints errors through the same function of schemas",
    "executor.cli.program": "prints the version",
    "planner.cli.plan": "writes the text of a lock",
    "planner.cli.enrich": "writes the text of a lock",
}
"""Modules that write to the standard streams themselves, and what."""


@every_module
def test_text_is_printed_through_one_function(module: Module) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
    assert not calls & {"click.echo", "click.secho", "print"} or module.name in PRINTERS


def test_the_program_loads_no_room_before_it_runs() -> None:
    (program,) = modules_of("lockstream")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    bodies = [program.tree.body]
    bodies += [node.body for node in program.tree.body if isinstance(node, ast.ClassDef)]
    at_import = [
        node for body in bodies for node in body if not isinstance(node, (*functions, ast.ClassDef))
    ]
    loaded = {name for node in at_import for name in program.imports(node)}
    assert not {name.partition(".")[0] for name in loaded} & set(PHASES)
