"""A lack of space for a build names the folder, whoever met it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.builds import workspace as workspaces
from executor.builds.build_system import read_build_system
from executor.builds.errors import BackendFailed, WorkspaceFull
from executor.builds.free_space import space_for
from executor.builds.sandbox import SandboxLimits
from executor.builds.workspace import Workspace
from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.transaction.errors import WriteFailed
from helpers.sdists import build_sdist
from schemas.builds import BuildFlags
from schemas.errors import ExitCode

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        WriteFailed("/tmp/x", FULL),
        NotEnoughDisk("/tmp/x", "/tmp", 2, 1, "h"),
        NotEnoughInodes("/tmp/x", "/tmp", 2, 1, "h"),
        BackendFailed("demo", "build_wheel", 1, "cc: No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lack_of_space_is_told_with_the_folder(error: Exception) -> None:
    with pytest.raises(WorkspaceFull) as caught, space_for("demo", "/var/tmp"):
        raise error
    assert str(caught.value).startswith("demo: no space is left for its build in /var/tmp")
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "denied"),
        WriteFailed("/tmp/x", OSError(errno.EIO, "fault")),
        BackendFailed("demo", "build_wheel", 1, "cc: syntax error"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_other_error_is_what_it_was(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, space_for("demo", "/var/tmp"):
        raise error
    assert caught.value is error


@pytest.fixture(name="workspace")
def _workspace() -> Iterator[Workspace]:
    with Workspace.opened("demo") as workspace:
        yield workspace


def test_a_source_that_does_not_fit_is_not_damaged(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpack(_archive: str, _folder: str) -> str:
        raise FULL

    monkeypatch.setattr(workspaces, "unpack_source", unpack)
    with pytest.raises(WorkspaceFull) as caught:
        workspace.tree(str(build_sdist().write(tmp_path)))
    assert caught.value.folder == os.path.dirname(workspace.folder)


def test_a_compiler_that_finds_no_space_is_believed(workspace: Workspace, tmp_path: Path) -> None:
    sdist = build_sdist(before_wheel="raise OSError(28, 'No space left on device')")
    tree = workspace.tree(str(sdist.write(tmp_path)))
    system = read_build_system("demo", tree)
    with pytest.raises(WorkspaceFull, match="No space left on device"):
        workspace.wheel(tree, system, BuildFlags(), SandboxLimits(), version="1.0")
