"""The modules that lockstream.pyz holds: what its commands import, now or later."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution, version
from importlib.util import find_spec
from pathlib import Path

import lockstream

__all__ = ["BUNDLED", "PROGRAMS", "bundled_modules", "bundled_versions", "licences"]

PROJECT = Path(__file__).parents[2]

COMMANDS = (
    "execute", "verify", "fetch", "bundle", "show", "diff", "why", "tree", "key", "completion",
)  # fmt: skip
"""Those that need nothing but ``BUNDLED``."""

BUNDLED = ("click", "packaging", "pyproject-hooks")
"""The distributions inside. isal and zstandard are compiled, and used if they are installed."""

PROGRAMS = {
    "executor/builds/launcher.py",
    "executor/environment/probe.py",
    "pyproject_hooks/_in_process/_in_process.py",
}
"""What runs in the interpreter of a target, from its source."""


def bundled_modules() -> dict[str, bytes]:
    """Return the source of each module, by its path in the import path."""
    ours = _sources("lockstream.py", "schemas/**/*.py", "executor/**/*.py", "planner/**/*.py")
    theirs: dict[str, Path] = {}
    for name in BUNDLED:
        package = name.replace("-", "_")
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        folder = Path(spec.submodule_search_locations[0])
        theirs |= {_module(path, folder.parent): path for path in folder.glob("**/*.py")}
    # The public names of the executor are looked up by their text, so all of it comes along.
    roots = [
        name for name in ours if name.partition(".")[0] in {"lockstream", "schemas", "executor"}
    ]
    roots += [entry.module for name, entry in lockstream.COMMANDS.items() if name in COMMANDS]
    roots += ["pyproject_hooks._in_process._in_process"]
    known = ours | theirs
    return {
        known[name].relative_to(_root(known[name], name)).as_posix(): known[name].read_bytes()
        for name in sorted(_closure(roots, known))
    }


def bundled_versions() -> dict[str, str]:
    """Return the version of each distribution inside. Raises SystemExit if one is not the pinned.

    Another version would give other bytes for the same commit.
    """
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]
    pinned = dict(line.split("==") for line in groups["pyz"])
    assert pinned.keys() == set(BUNDLED)
    found = {name: version(name) for name in BUNDLED}
    if wrong := [f"{name} {found[name]}" for name in BUNDLED if found[name] != pinned[name]]:
        raise SystemExit(
            f"release.pyz: {', '.join(wrong)} is installed, and pyproject.toml pins another version"
            " (dependency group pyz); install that group"
        )
    return found


def licences() -> dict[str, bytes]:
    """Return the licences of all that is inside, by path."""
    found = {"lockstream/LICENSE": (PROJECT / "LICENSE").read_bytes()}
    for name in BUNDLED:
        for file in distribution(name).files or ():
            if ".dist-info" in file.parts[0] and file.name.upper().startswith(("LICEN", "COPYING")):
                found[f"{name}/{file.name}"] = Path(str(file.locate())).read_bytes()
    assert {path.partition("/")[0] for path in found} == {"lockstream", *BUNDLED}
    return found


def _sources(*patterns: str) -> dict[str, Path]:
    return {_module(path, PROJECT): path for one in patterns for path in PROJECT.glob(one)}


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _root(path: Path, name: str) -> Path:
    """Return the folder of the import path in which ``path`` is the module ``name``."""
    depth = name.count(".") + (path.name == "__init__.py")
    return path.parents[depth]


def _closure(roots: list[str], known: Mapping[str, Path]) -> set[str]:
    """Return the names of ``roots`` and of all that they import, in functions too."""
    found: set[str] = set()
    queue = list(roots)
    while queue:
        name = queue.pop()
        if name in known and name not in found:
            found.add(name)
            queue.append(name.rpartition(".")[0])
            queue += _imports(name, known[name])
    return found


def _imports(name: str, path: Path) -> Iterator[str]:
    """Yield what the module imports at run time: modules, and names that may be modules."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    queue: list[ast.AST] = [ast.parse(path.read_bytes())]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            queue += node.orelse
            continue
        queue += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
