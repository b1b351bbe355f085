"""Builds on a cluster of Dask: each gets the memory that it needs, or it is said which cannot."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lockstream
from helpers.build_units import build_unit
from helpers.index import Index
from helpers.put_server import put_server
from helpers.sdists import build_sdist
from planner.engines import dask_engine
from planner.engines.attempt import LOSSES
from planner.engines.dask_cluster import RESOURCE
from planner.planning.reporter import Reporter
from schemas.errors import ExitCode

pytestmark = pytest.mark.filterwarnings("default")


@contextmanager
def cluster(*sizes: int) -> Iterator[str]:
    """Yield the address of a cluster with a worker of each of these sizes."""
    from distributed import SpecCluster, Worker  # 1.5 s
    from distributed.scheduler import Scheduler

    workers = {
        number: {"cls": Worker, "options": {"nthreads": 1, "resources": {RESOURCE: size}}}
        for number, size in enumerate(sizes)
    }
    scheduler = {"cls": Scheduler, "options": {"dashboard": False, "host": "127.0.0.1"}}
    with SpecCluster(scheduler=scheduler, workers=workers) as made:
        yield made.scheduler_address


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan(index: Index, address: str, *words: str, **sdists: str) -> int:
    """Plan these packages, with the Python that their backends run before they build."""
    for name, before in sdists.items():
        sdist = build_sdist(name, before_wheel=before)
        index.add_file(sdist.filename, sdist.content)
    Path("requirements.in").write_text("".join(f"{name}\n" for name in sdists))
    first = ["plan", "-r", "requirements.in", "-i", index.url, "--build", "missing"]
    return lockstream.main([*first, "--on", address, "--into", "store", *words])


def wheels() -> list[str]:
    lock = tomllib.loads(Path("pylock.toml").read_text())
    return [wheel["path"] for package in lock["packages"] for wheel in package.get("wheels", ())]


def test_a_cluster_on_this_machine_builds_and_the_lock_lists_the_wheels(index: Index) -> None:
    assert plan(index, "dask", alpha="pass", beta="pass") == 0
    assert wheels() == [
        "wheelhouse/alpha-1.0-py3-none-any.whl",
        "wheelhouse/beta-1.0-py3-none-any.whl",
    ]
    assert lockstream.main(["check"]) == 0
    assert plan(index, "dask://nowhere.example:1", alpha="pass", beta="pass") == 0, (
        "all wheels are in the store, so no cluster is needed"
    )


def test_a_build_that_needs_more_gets_the_next_class(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.builds.unit.MEMORY_CLASSES", (64 << 20, 512 << 20))
    hungry = "x = b'x' * (200 << 20); import time; time.sleep(1)"
    with cluster(64 << 20, 512 << 20) as address:
        assert plan(index, address, alpha="pass", beta=hungry) == 0
    assert len(wheels()) == 2


def test_a_pure_wheel_is_built_once_for_all_targets(index: Index) -> None:
    targets = ("--platform", "linux", "--platform", "manylinux_2_17_x86_64")
    with cluster(1 << 30, 1 << 30) as address:
        assert plan(index, address, *targets, alpha="pass") == 0
    assert wheels() == ["wheelhouse/alpha-1.0-py3-none-any.whl"]
    assert len(list(Path("store").iterdir())) == 1


def test_wheels_go_to_a_server(index: Index) -> None:
    with put_server() as server:
        place = f"{server.url}/built"
        assert plan(index, "dask", "--into", place, alpha="pass") == 0
        assert wheels() == ["wheelhouse/alpha-1.0-py3-none-any.whl"]
        assert len(server.files) == 3, "the mark, the wheel and the fragment"
        assert plan(index, "dask://nowhere.example:1", "--into", place, alpha="pass") == 0


def test_what_no_worker_can_do_is_said_and_the_rest_is_kept(
    index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("planner.builds.unit.MEMORY_CLASSES", (64 << 20, 8 << 40))
    hungry = "x = b'x' * (200 << 20); import time; time.sleep(1)"
    with cluster(64 << 20) as address:
        assert plan(index, address, alpha="pass", beta=hungry) == 7
        error = capsys.readouterr().err
        assert "beta==1.0 for cp" in error
        assert "and the largest worker for this target has 64.0 MiB" in error
        assert "what was built is kept" in error
        assert not Path("pylock.toml").exists()
        assert plan(index, address, alpha="pass", beta="raise SystemExit('broken')") == 8
        assert "the build ended with status 8" in capsys.readouterr().err


def test_workers_without_the_resource_are_an_error(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster(0) as address:
        assert plan(index, address, alpha="pass") == 5
    assert "start workers with --resources MEMORY=BYTES" in capsys.readouterr().err


def test_workers_without_lockstream_are_an_error(
    index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> None:
        raise ModuleNotFoundError("No module named 'planner'")

    monkeypatch.setattr(dask_engine, "buildable", missing)
    with cluster(1 << 30, 1 << 30) as address:
        assert plan(index, address, alpha="pass") == 5
    error = capsys.readouterr().err
    assert "none of its 2 workers can run lockstream: No module named 'planner'" in error
    assert "install the same version of lockstream" in error


def test_a_target_that_no_worker_builds_for_is_said(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster(1 << 30) as address:
        assert plan(index, address, "--platform", "windows", alpha="pass") == 8
    assert "no worker of the cluster builds for this target" in capsys.readouterr().err


class Forgotten:
    """The future of a task that nobody does any more."""

    def cancel(self) -> None:
        pass


class Unsteady:
    """A client of a cluster whose only worker dies, and comes back with another address, whenever
    it gets a build.
    """

    def __init__(self) -> None:
        self.given: list[int] = []
        self.scheduler = SimpleNamespace(address="tcp://192.0.2.1:8786")

    def scheduler_info(self, **_: object) -> dict[str, Any]:
        address = f"tcp://192.0.2.2:{len(self.given)}"
        return {"workers": {address: {"resources": {RESOURCE: 1 << 30}}}}

    def run(self, _: object, wanted: object, workers: list[str], **__: object) -> dict[str, Any]:
        return dict.fromkeys(workers, wanted)

    def submit(self, *_: object, resources: dict[str, int], **__: object) -> Any:
        self.given.append(resources[RESOURCE])
        return Forgotten()


def test_a_build_that_kills_its_workers_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(done=set())
    monkeypatch.setattr("distributed.wait", lambda *_, **__: nothing)
    client: Any = Unsteady()
    run = dask_engine._Run(client, b"", Reporter())
    (failed,) = run.all([build_unit()], lambda *_: None)
    assert client.given == [512 << 20] * LOSSES + [1 << 30] * LOSSES
    assert failed.status == ExitCode.NOT_ENOUGH
    assert "it needs 2,048.0 MiB of memory, and the largest worker" in failed.reason
    assert failed.text == "its workers were lost 3 times, perhaps for lack of memory"
