"""What the launcher gives up before it becomes the build, as far as the kernel allows it here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from executor.builds.sandbox import SandboxLimits, SandboxResult, contained

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices at all")


def run(folder: Path, code: str, environment: dict[str, str] | None = None) -> SandboxResult:
    inside = folder / "build"
    inside.mkdir(exist_ok=True)
    return contained(
        [sys.executable, "-c", code],
        folder=str(inside),
        environment=environment or {},
        writable=[str(inside)],
        log=str(folder / "log"),
        limits=SandboxLimits(),
    )


@needs_root
@pytest.mark.parametrize("kind", ["S_IFCHR", "S_IFBLK"])
def test_a_build_of_root_makes_no_device(tmp_path: Path, kind: str) -> None:
    code = f"import os, stat; os.mknod('device', 0o600 | stat.{kind}, os.makedev(1, 3))"
    assert run(tmp_path, code).status == 1
    assert not (tmp_path / "build/device").exists()


@needs_root
def test_a_build_of_root_changes_no_mode_outside(tmp_path: Path) -> None:
    (tmp_path / "outside").touch(0o600)
    assert run(tmp_path, f"import os; os.chmod({str(tmp_path / 'outside')!r}, 0o666)").status == 1
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o600


@needs_root
def test_a_build_of_root_gives_files_away_inside_as_tar_does(tmp_path: Path) -> None:
    code = "import os; open('file', 'w').close(); os.chown('file', 1234, 1234)"
    assert run(tmp_path, code).status == 0
    assert (tmp_path / "build/file").stat().st_uid == 1234


def test_a_build_reads_no_other_environment(tmp_path: Path) -> None:
    result = run(tmp_path, f"open('/proc/{os.getpid()}/environ', 'rb').read()")
    assert (result.status == 1) or os.geteuid() != 0


def test_the_environment_of_a_build_is_in_no_argument(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "arguments = [pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()\n"
        "             for pid in (os.getpid(), os.getppid())]\n"
        "assert not any(b'planted-' + b'secret' in one for one in arguments), arguments\n"
        "assert os.environ['TOKEN'] == 'planted-' + 'secret'\n"
    )
    assert run(tmp_path, code, {"TOKEN": "planted-secret"}).status == 0


def test_a_large_environment_reaches_the_build(tmp_path: Path) -> None:
    code = "import os; assert len(os.environ['LARGE']) == 100_000"
    assert run(tmp_path, code, {"LARGE": "x" * 100_000}).status == 0


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys; assert sys.stdin.read() == ''").status == 0
