"""What a source tree says about its backend is read, or refused with the reason."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from executor.builds.backend import Backend
from executor.builds.build_system import BuildSystem
from executor.builds.errors import BackendUnusable
from executor.builds.sandbox import SandboxResult

SECRET = "root's own"


class Hooks:
    """A backend whose hooks leave what a test says; no process runs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.result = folder / "build/result"
        self.leave: Callable[[Path], object] = lambda _: None
        (folder / "build/tree").mkdir(parents=True)
        self.result.mkdir()
        secret = folder / "outside"
        (secret / "demo-1.0.dist-info").mkdir(parents=True)
        (secret / "demo-1.0.dist-info/METADATA").write_text(SECRET)
        (secret / "demo-1.0-py3-none-any.whl").write_text(SECRET)
        (secret / "output.json").write_text(json.dumps({"return_val": [SECRET]}))
        self.outside = secret
        monkeypatch.setattr("executor.builds.backend.contained", self._contained)
        self.backend = Backend(
            package="demo", tree=str(folder / "build/tree"),
            system=BuildSystem(backend="b", requires=()), python="/usr/bin/python3",
            folder=str(folder / "build"), logs=str(folder),
        )  # fmt: skip

    def _contained(self, command: Sequence[str], **_: object) -> SandboxResult:
        self.leave(Path(command[-1]))
        return SandboxResult(
            status=0, seconds=0.0, demand=0, files=0, charged_peak=None, kills=0, stopped="",
            tier="", network="", writes="",
        )  # fmt: skip

    def answers(self, value: object, then: Callable[[], object] = lambda: None) -> None:
        def leave(place: Path) -> None:
            (place / "output.json").write_text(json.dumps({"return_val": value}))
            then()

        self.leave = leave

    def exchange(self, path: Path) -> None:
        shutil.rmtree(path)
        path.symlink_to(self.outside)


@pytest.fixture(name="hooks")
def _hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    return Hooks(tmp_path, monkeypatch)


def sparse(place: Path) -> None:
    """An answer without an end in sight."""
    (place / "output.json").touch()
    os.truncate(place / "output.json", 9**12)


class TestAnswers:
    """What a hook leaves is of the build's making, and is held to what it may be."""

    @pytest.mark.parametrize(
        "value",
        [
            None, 1, {}, "text", [1], [None], [["a"]], ["a"] * 1001, ["a" * 4097], [{"a": 1}],
            {"return_val": ["a"]},
        ],
    )  # fmt: skip
    def test_requirements_are_a_short_list_of_texts(self, hooks: Hooks, value: object) -> None:
        hooks.answers(value)
        with pytest.raises(BackendUnusable, match=r"returned .*requirements"):
            hooks.backend.requires()

    @pytest.mark.parametrize(
        "leave",
        [
            lambda place: os.mkfifo(place / "output.json"),
            lambda place: (place / "output.json").mkdir(),
            lambda place: (place / "output.json").symlink_to("/dev/zero"),
            lambda place: (place / "output.json").symlink_to(place.parents[1] / "outside"),
            lambda place: (place / "output.json").write_bytes(b" " * (1 << 20) + b"{}"),
            lambda place: (place / "output.json").write_text("[" * 100_000),
            lambda place: (place / "output.json").write_text("[]"),
            lambda _: None,
            lambda place: os.truncate(
                os.open(place / "output.json", os.O_CREAT | os.O_RDWR), 9**12
            ),
        ],
    )
    def test_an_answer_is_a_regular_file_of_bounded_size(
        self, hooks: Hooks, leave: Callable[[Path], object]
    ) -> None:
        hooks.leave = leave
        with pytest.raises(BackendUnusable, match="answer"):
            hooks.backend.requires()

    def test_an_answer_is_read_in_the_folder_that_the_call_got(self, hooks: Hooks) -> None:
        hooks.leave = hooks.exchange
        with pytest.raises(BackendUnusable, match="no readable answer"):
            hooks.backend.requires()

    @pytest.mark.parametrize(
        "name",
        ["demo.whl", "../../outside/demo-1.0-py3-none-any.whl", "\0.whl", "\ud800.whl", "", "..",
         "\x1b]0;x\x07.whl", "/demo-1.0-py3-none-any.whl", ["demo.whl"], 7],
    )  # fmt: skip
    @pytest.mark.parametrize("what", ["build", "metadata"])
    def test_a_name_that_leads_elsewhere_is_no_result(
        self, hooks: Hooks, name: object, what: str
    ) -> None:
        hooks.answers(name)
        with pytest.raises(BackendUnusable) as caught:
            getattr(hooks.backend, what)(str(hooks.result))
        assert SECRET not in str(caught.value)
        assert "\x1b" not in str(caught.value)

    @pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
    def test_a_wheel_is_a_regular_file(self, hooks: Hooks, kind: str) -> None:
        wheel = hooks.result / "demo-1.0-py3-none-any.whl"
        match kind:
            case "link":
                wheel.symlink_to(hooks.outside / wheel.name)
            case "pipe":
                os.mkfifo(wheel)
            case _:
                wheel.mkdir()
        hooks.answers(wheel.name)
        with pytest.raises(BackendUnusable, match="is not a wheel"):
            hooks.backend.build(str(hooks.result))

    def test_a_folder_of_results_that_became_a_link_has_no_wheel(self, hooks: Hooks) -> None:
        hooks.answers("demo-1.0-py3-none-any.whl", lambda: hooks.exchange(hooks.result))
        with pytest.raises(BackendUnusable, match="is not a wheel"):
            hooks.backend.build(str(hooks.result))

    @pytest.mark.parametrize("place", ["", "demo-1.0.dist-info", "demo-1.0.dist-info/METADATA"])
    def test_metadata_is_read_through_no_link(self, hooks: Hooks, place: str) -> None:
        dist_info = hooks.result / "demo-1.0.dist-info"
        dist_info.mkdir()
        (dist_info / "METADATA").write_text("mine")

        def exchange() -> None:
            path = hooks.result / place
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            path.symlink_to(hooks.outside / place)

        hooks.answers("demo-1.0.dist-info", exchange)
        with pytest.raises(BackendUnusable, match="wrote no METADATA"):
            hooks.backend.metadata(str(hooks.result))

    def test_metadata_is_no_pipe_and_not_without_end(self, hooks: Hooks) -> None:
        dist_info = hooks.result / "demo-1.0.dist-info"
        dist_info.mkdir()
        hooks.answers("demo-1.0.dist-info")
        os.mkfifo(dist_info / "METADATA")
        with pytest.raises(BackendUnusable, match="wrote no METADATA"):
            hooks.backend.metadata(str(hooks.result))
        (dist_info / "METADATA").unlink()
        (dist_info / "METADATA").write_bytes(b"")
        os.truncate(dist_info / "METADATA", 1 << 40)
        with pytest.raises(BackendUnusable, match="wrote no METADATA"):
            hooks.backend.metadata(str(hooks.result))

    def test_a_right_answer_is_taken(self, hooks: Hooks) -> None:
        hooks.answers(["a>=1", "b"])
        assert hooks.backend.requires() == ["a>=1", "b"]
        (hooks.result / "demo-1.0-py3-none-any.whl").write_text("wheel")
        hooks.answers("demo-1.0-py3-none-any.whl")
        path = hooks.backend.build(str(hooks.result))
        assert path == str(hooks.result / "demo-1.0-py3-none-any.whl")
