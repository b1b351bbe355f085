"""The interpreters of this machine that can build wheels for a target."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from executor import Environment
from planner.model.environments import VARIABLES
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["Interpreter", "Interpreters"]


@frozen
class Interpreter:
    """An interpreter of this machine, and the target that it is."""

    python: str
    target: Target

    def builds_for(self, target: Target) -> bool:
        """Return if its wheels suit ``target``: the same Python on the same machine with the same
        C library, whose version may differ.
        """
        return (
            all(self.target.environment[name] == target.environment[name] for name in VARIABLES)
            and self.target.tags[0].abi == target.tags[0].abi
            and _libc(self.target.platform) == _libc(target.platform)
        )


class Interpreters:
    """The interpreters on the PATH, each probed once."""

    def __init__(self) -> None:
        self._found: dict[str, Interpreter | None] = {}

    def find(self, target: Target) -> Interpreter | None:
        """Return an interpreter that builds for ``target``; None if this machine has none."""
        known = (self._probe(python) for python in _candidates(target))
        return next((one for one in known if one and one.builds_for(target)), None)

    @property
    def own(self) -> Interpreter:
        """The interpreter that runs this program."""
        found = self._probe(sys.executable)
        assert found is not None, "it runs"
        return found

    def _probe(self, python: str) -> Interpreter | None:
        if python not in self._found:
            try:
                # Creates nothing: only the schemes of such a folder are probed.
                prefix = Environment.prefix(os.path.join(os.sep, "nonexistent"), python)
                self._found[python] = Interpreter(python, prefix.interpreter.target)
            except UsageError:
                self._found[python] = None
        return self._found[python]


def _candidates(target: Target) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(target.command):
        yield found


def _libc(platform: str) -> str:
    """Return the C library of a platform: ``manylinux`` of ``manylinux_2_28_x86_64``."""
    name = platform.partition("_")[0]
    return "manylinux" if name.startswith("manylinux") else name
