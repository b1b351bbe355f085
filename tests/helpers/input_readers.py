"""Readers of inputs that a user wrote, or a stranger in a repository: files of requirements,
projects and scripts, with everything that is made of them before an index is asked.

Whatever the bytes are, they are read or refused by an error of lockstream, which shows no value of
the environment.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from planner.inputs.errors import UnreadableInput
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, index_table
from planner.inputs.project import read_projects
from planner.inputs.requirements_file import read_requirements
from planner.inputs.scope_choice import ScopeChoice
from planner.model.environments import group_targets
from planner.resolver.applicable import applicable, applicable_dependencies
from planner.resolver.direct import DirectProjects, direct_logins
from planner.resolver.overrides import Overrides
from planner.resolver.required_hashes import RequiredHashes
from schemas.errors import LockstreamError
from schemas.target import Target

__all__ = [
    "make_project",
    "make_requirements",
    "make_script",
    "read_project",
    "read_requirements_file",
    "read_script",
]

SECRET = "correct-horse-battery"

(ENVIRONMENT,) = group_targets([Target.named("3.12", "linux")])

NOW = datetime(2026, 3, 1, tzinfo=UTC)

_FOLDER = Path(tempfile.mkdtemp(prefix="readers-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _use(read: Callable[[], Inputs]) -> None:
    """Read inputs and make of them what a plan makes before it asks an index.

    An error of reading shows no secret.
    """
    refusal, inputs = "", None
    try:
        inputs = read()
    except UnreadableInput:
        return  # it names the file, wherever its name comes from
    except LockstreamError as error:
        refusal = f"{error} {error.hint}"
    # The place of a line is named, wherever the name of its file comes from.
    assert SECRET not in refusal.partition(": ")[2]
    if inputs is None:
        return
    with suppress(LockstreamError):
        indexes = IndexRequest().resolve(inputs, {"PIP_CONFIG_FILE": "/dev/null"})
        index_table(indexes, str(_FOLDER))
        indexes.logins()
        PolicyRequest().resolve(inputs, NOW)
        direct_logins(inputs)
        everything = [*inputs.requirements, *inputs.constraints, *inputs.overrides]
        RequiredHashes(applicable(everything, ENVIRONMENT))
        required = applicable_dependencies(inputs.requirements, ENVIRONMENT)
        list(Overrides(inputs, ENVIRONMENT).apply(required))
        DirectProjects(inputs, ENVIRONMENT, None)


def read_requirements_file(data: bytes) -> None:
    """A requirements file that includes itself at a URL."""
    path = _FOLDER / "requirements.txt"
    path.write_bytes(data)
    _use(
        lambda: read_requirements(
            [str(path)],
            environment={"TOKEN": SECRET},
            fetch=lambda url: data[: len(data) // 2] if len(url) < 100 else b"",
        )
    )


def read_project(data: bytes) -> None:
    """A ``pyproject.toml``, with all its extras and groups."""
    folder = _FOLDER / "project"
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_bytes(data)
    _use(lambda: read_projects([str(folder)]))
    none = ScopeChoice(everything=False)
    _use(lambda: read_projects([str(folder)], extras=none, groups=none))


def read_script(data: bytes) -> None:
    """A script."""
    path = _FOLDER / "script"
    path.write_bytes(data)
    _use(lambda: read_projects([str(path)]))


_LINES = (
    "demo", "demo==1.0", "demo[a,b] >= 1, < 2 ; os_name == 'nt'",
    "demo @ https://f.example/demo-1.0.zip",
    "demo @ git+https://git.example/a@b#egg=demo&subdirectory=x",
    "./a b/demo-1.0-py3-none-any.whl[x]", "file:./demo-1.0.tar.gz#sha256=ab",
    "https://u:${TOKEN}@f.example/demo-1.0-py3-none-any.whl", "-r requirements.txt",
    "-r https://f.example/r.txt", "-c file:c.txt", "-i https://i.example/simple",
    "--extra-index-url https://u:${TOKEN}@i.example", "-f wheels", "-f https://l.example/page",
    "--pre", "--no-index", "--no-binary :all:,:none:,x", "--only-binary=demo", "--require-hashes",
    "-e .", "--trusted-host [::1]:80", "--trusted-host=${TOKEN}", "--use-feature x",
    "--all-releases :all:", "demo --hash=sha256:" + "a" * 64, "demo --hash sha512:" + "b" * 128,
    "demo -C a=b --global-option x", "# -*- coding: utf-8 -*-", "# coding: utf-16", "\\",
    "demo \\", "# x \\", "'", '"', "${TOKEN}", "${X}", "demo @ http://[::1/x.whl",
    "demo @ https://f.example:99999/x.whl", "[", "]", "@", ";", "~", "../x",
    "demo ; python_version in '3'", "demo===a b", "demo==1.*", "demo!=~1", "\x00", "\ufeff",
    "\u2028", "https://f.example/a;b.whl ; extra == 'x'", "demo@file:", "file:", "git+ssh:x", "x:",
    "-", "--", "demo --", "demo -", "-r", "-r ''", "-f ''", "-i ''", "demo>1<2", "demo (>1)",
    "(demo)", "a/b", "/",
)  # fmt: skip


def make_requirements(rng: Random) -> bytes:
    """Lines of requirements files in no order, now and then in another encoding or damaged."""
    lines = [_mixed(rng, rng.choice(_LINES)) for _ in range(rng.randrange(6))]
    text = rng.choice(["\n", "\n", "\r\n", "\r"]).join(lines)
    encoding = rng.choice(["utf-8"] * 6 + ["utf-16", "utf-32", "utf-8-sig"])
    return _noisy(rng, text.encode(encoding, "replace"))


_TOML = (
    "[project]", 'name = "demo"', 'name = "lib"', "name = 1", 'version = "1"',
    'dependencies = ["demo", "a>1"]', "dependencies = 1", 'dependencies = ["lib @ ./x y"]',
    'dynamic = ["dependencies"]', "dynamic = 1", 'requires-python = ">=3.9"',
    'requires-python = "^3"', "[project.optional-dependencies]",
    'all = ["demo[all]", "demo[x]; os_name == \'nt\'"]', 'x = ["b"]', "x = 1",
    "[dependency-groups]", 'test = ["t", {include-group = "test"}]', "test = 1", "[build-system]",
    "[tool.poetry]", "[tool.poetry.dependencies]", 'python = "^3.9 || ^2"', 'a = "^1.0"',
    'b = {version = "~1", extras = ["x"], python = ">=3"}', "c = [1]",
    'd = [{url = "https://f.example/d.zip"}, {path = "../d"}]', 'e = {git = "git@h:a/b"}',
    "[tool.poetry.extras]", 'x = ["b", "none"]', "[tool.poetry.group.dev.dependencies]",
    "[[tool.poetry.source]]", 'url = "https://i.example"', 'priority = "explicit"', "[tool.uv]",
    "[tool.uv.sources]", 'a = {index = "i"}', "a = {workspace = true}",
    'a = {path = "x y", marker = "z"}', "a = []", "[[tool.uv.index]]", "explicit = true",
    "default = true", 'constraint-dependencies = ["a<2"]',
    'override-dependencies = ["a @ http://[::1/x"]', "[tool.uv.workspace]",
    'members = ["*", "**/*"]', "members = 1", 'exclude = ["["]', "[[tool.pdm.source]]",
    'include_packages = ["a"]', "verify_ssl = false", "[tool.pdm.resolution.overrides]", 'a = "1"',
    "[tool.setuptools.dynamic]", 'dependencies = {file = ["pyproject.toml"]}',
    'dependencies = {file = "/"}', "[tool.lockstream]",
    'targets = [{python = "3.12", platform = "linux"}]',
    'targets = [{python = "x", platform = "y"}]', 'default-index = "https://i.example:99999"',
    'sources = {a = "i"}', 'indexes = {i = "x"}', 'find-links = ["\\u0000"]',
    'exclude-newer = "P"', 'exclude-newer = "9999999999 weeks"', 'overrides = ["a[x] @ file:"]',
    "excludes = ['']", "[tool.lockstream.build.a]", "jobs = 1", "[tool]", "tool = 1", "[[tool]]",
    "[tool.lockstream.indexes]", 'constraints = ["a; extra == 1"]', "no-binary = [':all:']",
    "index-strategy = 'x'",
)  # fmt: skip


def make_project(rng: Random) -> bytes:
    """Lines of ``pyproject.toml`` in no order, under a table more often than not."""
    lines = ["[project]", 'name = "demo"'] if rng.random() < 0.6 else []
    lines += (_mixed(rng, rng.choice(_TOML)) for _ in range(rng.randrange(9)))
    return _noisy(rng, "\n".join(lines).encode("utf-8", "replace"))


def make_script(rng: Random) -> bytes:
    """A script with a block of metadata that is nearly right."""
    lines = make_project(rng).decode("utf-8", "replace").splitlines()
    block = "".join(f"# {line}\n" if line else "#\n" for line in lines if line != "[project]")
    start = rng.choice(["# /// script\n"] * 5 + ["# /// scripts\n", "# ///script\n", ""])
    return _noisy(rng, f"#!/bin/python\n{start}{block}# ///\nimport x\n".encode("utf-8", "replace"))


def _mixed(rng: Random, line: str) -> str:
    """The line, or two halves of lines."""
    if rng.random() < 0.8:
        return line
    other = rng.choice(_LINES)
    return line[: rng.randrange(len(line) + 1)] + other[rng.randrange(len(other) + 1) :]


def _noisy(rng: Random, data: bytes) -> bytes:
    """The bytes, one time in four with one that is another, missing or twice."""
    if not data or rng.random() < 0.75:
        return data
    at = rng.randrange(len(data))
    return (
        data[:at]
        + rng.choice([b"", bytes([rng.randrange(256)]), data[at : at + 9] * 2])
        + data[at + 1 :]
    )
