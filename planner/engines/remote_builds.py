"""Do the builds that a lock leaves to others on an engine, and keep their wheels in a store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence

from packaging.pylock import Pylock

from executor import cache_folder
from planner.builds.fragment import Fragment
from planner.builds.unit import BuildUnit, units_of
from planner.builds.wheel_store import StoreFolder
from planner.engines.dask_engine import DaskEngine
from planner.engines.errors import BuildsUnfinished, FailedBuild, MemoryMissing
from planner.engines.order import BuildResult
from planner.planning.reporter import Reporter
from schemas.errors import ExitCode, UsageError

__all__ = ["do_builds", "store_of"]


def store_of(path: str | None, environ: Mapping[str, str]) -> StoreFolder:
    """Return the store at ``path``; without one, that of the user's cache. Raises UsageError."""
    if path is None:
        cache = cache_folder(environ)
        if cache is None:
            raise UsageError(
                "there is no cache folder to keep the built wheels in", hint="name one with --into"
            )
        path = os.path.join(cache, "built-elsewhere")
    return StoreFolder(path)


def do_builds(
    lock: Pylock, text: str, *, engine: str, store: StoreFolder, reporter: Reporter
) -> bool:
    """Do the builds of ``lock``, whose text is ``text``, that ``store`` does not have yet; return
    whether the lock has any.

    Raises BuildsUnfinished, EngineUnusable, UsageError and FragmentUnusable.
    """
    units = units_of(lock)
    missing = [unit for unit in units if store.find(unit) is None]
    if not missing:
        return bool(units)

    def keep(unit: BuildUnit, result: BuildResult) -> None:
        fragment = Fragment.parse(result.fragment, unit, f"the result of {unit.requirement}")
        with tempfile.TemporaryDirectory(prefix="lockstream-") as folder:
            path = os.path.join(folder, fragment.wheel)
            with open(path, "wb") as file:
                file.write(result.wheel)
            store.publish(fragment, path)
        reporter.built(unit.requirement, fragment.record)

    failed = DaskEngine(address=engine, reporter=reporter).run(missing, text.encode(), keep)
    if failed:
        raise _error(failed, len(missing) - len(failed))
    return True


def _error(failed: Sequence[FailedBuild], finished: int) -> BuildsUnfinished:
    is_memory = all(one.status == ExitCode.NOT_ENOUGH for one in failed)
    return (MemoryMissing if is_memory else BuildsUnfinished)(failed, finished)
