"""Somebody who may rename a folder of ours exchanges it for a link, between any two steps of a run:
nothing outside of the environment is written, changed or removed.

The link leads to a copy of what it takes the place of, so that every name is found there too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import build_wheel
from schemas.errors import LockstreamError

OLD = build_wheel(files={"demo/a.py": "1", "demo/sub/b.py": "1", "top.py": "1"})
NEW = build_wheel(
    version="2.0",
    files={"demo/a.py": "2", "demo/sub/c.py": "2", "demo/__pycache__/a.cpython-311.pyc": "x"},
    data_files={"scripts/run": "#!python\n", "data/share/demo/x": "x"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)

CHANGING = ("open", "mkdir", "rename", "replace", "unlink", "rmdir", "link", "symlink", "chmod")
"""What a run looks up paths with, or changes something with."""

VICTIMS = {
    "staging": STAGING,
    "a staged wheel": f"{STAGING}/[0-9a-f]*",
    "its tree": f"{STAGING}/[0-9a-f]*/tree",
    "its data": f"{STAGING}/[0-9a-f]*/data",
    "a package of it": f"{STAGING}/[0-9a-f]*/tree/demo",
    "what is set aside": f"{STAGING}/aside",
    "the old package": "demo",
    "a folder of the old package": "demo/sub",
}

EVERY = 20
"""Of so many calls one is tried."""


class Attacker:
    """Exchanges a folder for a link at the first call after ``first`` calls at which it exists."""

    def __init__(self, packages: Path, victim: str, outside: Path, first: int) -> None:
        self.calls = 0
        self.before: dict[str, Any] | None = None
        self.outside = outside
        self._packages, self._victim, self._first = packages, victim, first
        self._process = os.getpid()

    def look(self) -> None:
        self.calls += 1
        # A fork of the run has a copy of the attacker, which must not do it a second time.
        if self.before is not None or self.calls <= self._first or os.getpid() != self._process:
            return
        for place in self._packages.glob(self._victim):
            if place.is_dir() and not place.is_symlink():
                try:
                    shutil.copytree(place, self.outside, symlinks=True)
                    place.rename(self.outside.with_name("away"))
                except OSError:  # a fork is at work in it
                    shutil.rmtree(self.outside, ignore_errors=True)
                    return
                place.symlink_to(self.outside)
                self.before = snapshot(self.outside)
                return

    @contextmanager
    def at_work(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        busy = False

        def watched(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **keywords: Any) -> Any:
                nonlocal busy
                if not busy:
                    busy = True
                    try:
                        self.look()
                    finally:
                        busy = False
                return real(*arguments, **keywords)

            return call

        with monkeypatch.context() as patched:
            for name in CHANGING:
                patched.setattr(os, name, watched(getattr(os, name)))
            yield


def attacked(
    tmp_path: Path, lock: str, old: str, victim: str, first: int, patch: pytest.MonkeyPatch
) -> bool:
    """Make one run, and return whether the victim was there to be exchanged."""
    environment: Environment = environment_below(tmp_path / "env")
    packages = Path(environment.interpreter.schemes.purelib)
    execute(old, environment)
    attacker = Attacker(packages, victim, tmp_path / "outside", first)
    with suppress(LockstreamError), attacker.at_work(patch):
        execute(lock, environment, lanes=1)
    if attacker.before is None:
        return False
    assert snapshot(tmp_path / "outside") == attacker.before
    return True


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_folder_that_is_exchanged_for_a_link_is_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    old, new = write_lock(tmp_path / "old", [OLD]), write_lock(tmp_path / "new", [NEW])
    tried = 0
    while True:
        folder = tmp_path / str(tried)
        folder.mkdir()
        if not attacked(folder, new, old, VICTIMS[victim], tried * EVERY, monkeypatch):
            break
        shutil.rmtree(folder)
        tried += 1
    assert tried > 1
