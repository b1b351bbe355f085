"""Hosts: the interpreters of this machine that wheels for a target can be built with."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from executor import Environment
from planner.model.environments import VARIABLES
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["Interpreter", "Interpreters"]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter, and the target that it is."""

    python: str
    target: Target

    def builds_for(self, target: Target) -> bool:
        """Whether what is built with it suits ``target``: the same Python on the same machine
        with the same C library, whose version may be another one.
        """
        return (
            all(self.target.environment[name] == target.environment[name] for name in VARIABLES)
            and self.target.tags[0].abi == target.tags[0].abi
            and _libc(self.target.platform) == _libc(target.platform)
        )


class Interpreters:
    """Those that are on the PATH, asked once each."""

    def __init__(self) -> None:
        self._found: dict[str, Interpreter | None] = {}

    def find(self, target: Target) -> Interpreter | None:
        """One that builds for ``target``, if there is any."""
        hosts = (self._ask(python) for python in _candidates(target))
        return next((host for host in hosts if host and host.builds_for(target)), None)

    def _ask(self, python: str) -> Interpreter | None:
        if python not in self._found:
            try:
                # Nothing is made: it is asked what such a folder would hold.
                place = Environment.prefix(os.path.join(os.sep, "nonexistent"), python)
                self._found[python] = Interpreter(python, place.interpreter.target)
            except UsageError:
                self._found[python] = None
        return self._found[python]


def _candidates(target: Target) -> Iterator[str]:
    yield sys.executable
    free_threaded = "t" if target.python_name.endswith("t") else ""
    implementation = "pypy" if target.environment["implementation_name"] == "pypy" else "python"
    name = f"{implementation}{target.environment['python_version']}{free_threaded}"
    if found := shutil.which(name):
        yield found


def _libc(platform: str) -> str:
    """``manylinux`` of ``manylinux_2_28_x86_64``."""
    name = platform.partition("_")[0]
    return "manylinux" if name.startswith("manylinux") else name
