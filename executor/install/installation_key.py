"""The digest of what an execution would install: a key for caches of whole environments."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from executor.environment.environment import Environment
from executor.install.decide import selected_steps
from executor.lock.options import SelectOptions
from executor.lock.step import Step
from schemas.data_class import frozen
from schemas.errors import Refused
from schemas.text import enumerate_some

__all__ = ["InstallationKey", "UnknownContents", "installation_key"]

_FORMAT = 1
"""To be raised when the same wheels give another tree than before."""

_OF_TARGET = (
    "implementation_name", "python_version", "sys_platform", "platform_machine",
)  # fmt: skip
"""The markers that are part of the key. Others, such as the release of the kernel, change without a
change of the tree; if they select other packages, those change the key."""


class UnknownContents(Refused):
    """A folder would be installed, and no digest says what it holds."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"{enumerate_some(names)} {'is' if len(names) == 1 else 'are'} installed from a "
            "folder, and the lock does not record what that holds"
        )
        self.hint = (
            "leave folders out of the cache: install them afterwards, with execute --no-deps"
        )


@frozen
class InstallationKey:
    """What a tree depends on. Checks that may be waived are not part of it: they decide whether
    there is a tree, not which.
    """

    place: dict[str, Any]
    """Python, platform and, unless the environment may be moved, its path."""
    options: dict[str, Any]
    packages: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        """Return 64 hexadecimal digits."""
        content = json.dumps([_FORMAT, self.place, self.options, self.packages], sort_keys=True)
        return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()

    def lines(self) -> Iterator[str]:
        """Yield what the digest is made of, as lines of text."""
        for name, value in {**self.place, **self.options}.items():
            yield f"{name}: {value}"
        for package in self.packages:
            yield f"{package['file']} {' '.join(package['hashes'])}".rstrip()


def installation_key(
    lock: str,
    environment: Environment,
    *,
    select: SelectOptions | None = None,
    last_wins: bool = False,
    compile_files: bool = False,
    warn: Callable[[str], None] = lambda _: None,
) -> InstallationKey:
    """Return what the tree depends on that an execution with the same arguments would make in an
    environment that has nothing else. ``warn`` is called with what is odd about the lock.

    Nothing is written or fetched. Raises UnknownContents, and what ``decide`` raises.
    """
    steps, _ = selected_steps(lock, environment, select, warn)
    if folders := [step.name for step in steps if step.source and step.source.folder]:
        raise UnknownContents(folders)
    return InstallationKey(
        place=_place(environment),
        options={"last-wins": last_wins, "compiled": compile_files},
        packages=tuple(sorted(map(_package, steps), key=lambda one: str(one["name"]))),
    )


def _place(environment: Environment) -> dict[str, Any]:
    interpreter = environment.interpreter
    markers = interpreter.target.environment
    place = {name: markers[name] for name in _OF_TARGET}
    schemes = asdict(interpreter.schemes)
    # The same before and after the environment is made, whose interpreter is a link.
    base = environment.base or schemes.pop("executable")
    schemes.pop("executable", None)
    place["python"] = os.path.realpath(base) if os.path.isabs(base) else base
    if interpreter.schemes.script_python:
        start = environment.path
        schemes = {
            name: os.path.relpath(value, start) if value and os.path.isabs(value) else value
            for name, value in schemes.items()
        }
    return {**place, **schemes}


def _package(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": step.name,
        "version": step.version,
        "file": step.filename,
        "hashes": sorted(f"{algorithm}={digest}" for algorithm, digest in step.hashes),
    }
    if step.is_direct:  # direct_url.json has the address
        found["address"] = step.url or step.path
    if source := step.source:
        found["source"] = [source.commit, source.revision, source.subdirectory, source.editable]
        if source.record:
            found["flags"] = source.record.to_table()
    return found
