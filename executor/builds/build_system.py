"""What a source tree says of its build backend (PEP 518)."""

from __future__ import annotations

import os

from executor.builds.errors import BackendUnusable
from executor.files.regular import read_input
from schemas.data_class import frozen
from schemas.toml import parse_toml

__all__ = ["BuildSystem", "are_texts", "read_build_system"]


_DEFAULT = "setuptools.build_meta:__legacy__"
"""The backend of a tree that names none (PEP 517)."""


@frozen(kw_only=True)
class BuildSystem:
    """The ``[build-system]`` table of a source tree (PEP 518)."""

    backend: str
    requires: tuple[str, ...]
    path: tuple[str, ...] = ()
    """Folders of the tree that the backend itself is imported from."""

    @property
    def module(self) -> str:
        """The top-level module of the backend, or the full module name if it is of setuptools."""
        name = self.backend.partition(":")[0]
        return name if name.startswith("setuptools") else name.partition(".")[0]


def read_build_system(package: str, tree: str) -> BuildSystem:
    """Return ``[build-system]`` of the source tree at ``tree``. Raises BackendUnusable."""
    path = os.path.join(tree, "pyproject.toml")
    try:
        table = parse_toml(read_input(path).decode()).get("build-system", {})
    except FileNotFoundError:
        if not os.path.exists(os.path.join(tree, "setup.py")):
            raise BackendUnusable(package, "has neither pyproject.toml nor setup.py") from None
        table = {}
    except (OSError, ValueError) as error:
        raise BackendUnusable(package, f"pyproject.toml cannot be read: {error}") from None
    requires, backend, folders = (
        table.get("requires", ["setuptools>=40.8.0"]),
        table.get("build-backend", _DEFAULT),
        table.get("backend-path", []),
    )
    if not (are_texts(requires) and isinstance(backend, str) and are_texts(folders)):
        raise BackendUnusable(package, "[build-system] of its pyproject.toml is malformed")
    return BuildSystem(backend=backend, requires=tuple(requires), path=tuple(folders))


def are_texts(value: object) -> bool:
    """Return whether a value of a document is a list of strings."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
