"""The verbs of the library take their options as keywords, and open a builder only for builds."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from executor.api import Building, execute
from executor.environment.environment import Environment
from executor.install.options import ExecuteOptions
from executor.lock.options import SelectOptions
from executor.sources.origins import Origins
from helpers.wheels import build_wheel, lock_of


@pytest.fixture(name="seen")
def _seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def install(lock: str, environment: Any, options: ExecuteOptions, **given: Any) -> str:
        seen.update(given, lock=lock, environment=environment, options=options)
        return "report"

    monkeypatch.setattr("executor.install.install.install", install)
    return seen


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return Environment.target(str(tmp_path))


def test_nothing_named_is_the_default(seen: dict[str, Any], environment: Environment) -> None:
    assert execute("pylock.toml", environment) == "report"  # type: ignore[comparison-overlap]
    assert (seen["lock"], seen["environment"]) == ("pylock.toml", environment)
    assert seen["options"] == ExecuteOptions(origins=seen["options"].origins)


def test_keywords_reach_the_installation(seen: dict[str, Any], environment: Environment) -> None:
    select = SelectOptions(build=True)
    execute("x", environment, memory=5, lanes=2, select=select, last_wins=True)
    options = seen["options"]
    assert (options.memory, options.lanes, options.select, options.last_wins) == (
        5, 2, select, True,
    )  # fmt: skip


def test_a_builder_is_opened_with_what_the_caller_allows(
    seen: dict[str, Any], environment: Environment
) -> None:
    building = Building(network=True, seconds=7.0, unmeasured=True)
    execute("x", environment, building=building)
    builder = seen["open_builder"](environment, Origins(), "/locks", None)
    assert (builder.network, builder.seconds, builder.unmeasured) == (True, 7.0, True)
    assert (builder.environment, builder.folder) == (environment, "/locks")


@pytest.mark.parametrize("is_frozen", [True, False])
def test_what_the_process_has_frozen_stays_so_and_nothing_else(
    environment: Environment, tmp_path: Path, *, is_frozen: bool
) -> None:
    wheels = [build_wheel(name) for name in ("one", "two")]
    for wheel in wheels:
        (tmp_path / wheel.filename).write_bytes(wheel.content)
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of(wheels))
    gc.unfreeze()
    if is_frozen:
        gc.freeze()
    frozen = gc.get_freeze_count()
    report = execute(str(lock), environment, lanes=2)
    assert report.lanes == 2
    assert (gc.get_freeze_count() > 0) == (frozen > 0) == is_frozen
    gc.unfreeze()
