"""Import what the distributions named on the command line provide; say what fails.

Runs in the environment under test, so it needs nothing but the standard library.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import PurePosixPath


def modules_of(name: str) -> Iterator[str]:
    """The outermost packages and modules of a distribution; those inside of a namespace
    package count as outermost.
    """
    paths = [PurePosixPath(str(file)) for file in distribution(name).files or ()]
    packages = {path.parent for path in paths if path.name == "__init__.py"}
    for package in packages:
        if not packages & set(package.parents):
            yield ".".join(package.parts)
    for path in paths:
        if len(path.parts) == 1 and path.suffix == ".py":
            yield path.stem


def main() -> int:
    modules = [
        (name, module)
        for name in sys.argv[1:]
        for module in sorted(set(modules_of(name)))
        if module.replace(".", "").isidentifier() and not module.startswith(("_", "tests"))
    ]
    failures = 0
    for name, module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001  # whatever a module raises is a finding
            failures += 1
            print(f"{name}: import {module}: {type(error).__name__}: {error}")
    print(f"{len(modules)} modules of {len(sys.argv) - 1} distributions, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
