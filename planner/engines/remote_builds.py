"""Do the builds that a lock leaves to others on an engine, and keep their wheels in a store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence

from packaging.pylock import Pylock

from executor import cache_folder
from planner.builds.fragment import Fragment
from planner.builds.unit import BuildUnit, units_of
from planner.builds.wheel_store import WheelStore, find_relative, opened_store
from planner.engines.dask_engine import DaskEngine
from planner.engines.errors import BuildsUnfinished, FailedBuild, MemoryMissing
from planner.engines.order import BuildResult
from planner.index.access import Access
from planner.planning.reporter import Reporter
from schemas.errors import ExitCode, UsageError

__all__ = ["do_builds", "store_place"]


def store_place(environ: Mapping[str, str]) -> str:
    """Return the folder in the user's cache for wheels that are built elsewhere. Raises
    UsageError.
    """
    cache = cache_folder(environ)
    if cache is None:
        raise UsageError(
            "there is no cache folder to keep the built wheels in", hint="name one with --into"
        )
    return os.path.join(cache, "built-elsewhere")


def do_builds(
    lock: Pylock, text: str, engine: str, place: str, access: Access | None, reporter: Reporter
) -> bool:
    """Do the builds of ``lock``, whose text is ``text``, that the store at ``place`` does not have
    yet; return whether the lock has any.

    Raises BuildsUnfinished, EngineUnusable, UsageError, FragmentUnusable, NotPermitted and
    NetworkError.
    """
    units = units_of(lock)
    with opened_store(place, access or Access()) as store:
        missing = [unit for unit in units if find_relative(store, unit, units) is None]
        if missing:
            store.prepare()
            _do(missing, text, DaskEngine(address=engine, reporter=reporter), store)
    return bool(units)


def _do(units: Sequence[BuildUnit], text: str, engine: DaskEngine, store: WheelStore) -> None:
    def keep(unit: BuildUnit, result: BuildResult) -> None:
        fragment = Fragment.parse(result.fragment, unit, f"the result of {unit.requirement}")
        with tempfile.TemporaryDirectory(prefix="lockstream-") as folder:
            path = os.path.join(folder, fragment.wheel)
            with open(path, "wb") as file:
                file.write(result.wheel)
            store.publish(fragment, path)
        engine.reporter.built(unit.requirement, fragment.record)

    failed = engine.run(units, text.encode(), keep)
    if failed:
        raise _error(failed, len(units) - len(failed))


def _error(failed: Sequence[FailedBuild], finished: int) -> BuildsUnfinished:
    is_memory = all(one.status == ExitCode.NOT_ENOUGH for one in failed)
    return (MemoryMissing if is_memory else BuildsUnfinished)(failed, finished)
