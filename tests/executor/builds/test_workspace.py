"""A source becomes a wheel, or an error says why not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.builds.build_system import read_build_system
from executor.builds.built_wheel import BuiltWheel
from executor.builds.errors import BackendFailed, BackendUnusable, BuildKilled
from executor.builds.sandbox import SandboxLimits, SandboxResult
from executor.builds.workspace import Workspace
from helpers.sdists import Sdist, build_sdist
from helpers.wheels import build_wheel, lock_of
from schemas.builds import BuildFlags
from schemas.errors import ExitCode

Build = Callable[..., tuple[BuiltWheel, SandboxResult]]

MIB = 1 << 20


@pytest.fixture(name="place")
def _place() -> Iterator[Workspace]:
    with Workspace.opened("demo") as place:
        yield place


@pytest.fixture(name="build")
def _build(place: Workspace, tmp_path: Path) -> Build:
    def build(
        sdist: Sdist, flags: BuildFlags | None = None, **limits: object
    ) -> tuple[BuiltWheel, SandboxResult]:
        tree = place.tree(str(sdist.write(tmp_path)))
        system = read_build_system("demo", tree)
        told = SandboxLimits(**limits)  # type: ignore[arg-type]
        return place.wheel(tree, system, flags or BuildFlags(), told, version="1.0")

    return build


def test_a_source_distribution_becomes_a_wheel_and_leaves_nothing(tmp_path: Path) -> None:
    with Workspace.opened("demo") as place:
        tree = place.tree(str(build_sdist().write(tmp_path)))
        system = read_build_system("demo", tree)
        wheel, result = place.wheel(tree, system, BuildFlags(), SandboxLimits(), version="1.0")
        assert wheel.filename == "demo-1.0-py3-none-any.whl"
        assert result.demand > 0
    assert not os.path.exists(place.folder)


@pytest.mark.parametrize("is_sdist", [False, True])
def test_metadata_that_an_editable_installation_left_is_no_part_of_a_project(
    place: Workspace, tmp_path: Path, is_sdist: bool
) -> None:
    (tmp_path / "src/demo.egg-info").mkdir(parents=True)
    (tmp_path / "src/demo.py").touch()
    (tmp_path / ".venv").mkdir()
    if is_sdist:
        (tmp_path / "PKG-INFO").touch()
    tree = place.tree(str(tmp_path))
    assert os.path.exists(f"{tree}/src/demo.egg-info") is is_sdist
    assert os.path.exists(f"{tree}/src/demo.py")
    assert not os.path.exists(f"{tree}/.venv")


def test_what_is_built_with_is_installed_from_its_lock(place: Workspace, tmp_path: Path) -> None:
    build_wheel("tool", "2.0").write(tmp_path)
    lock = tmp_path / "pylock.build-demo.toml"
    lock.write_text(lock_of([build_wheel("tool", "2.0")]))
    sdist = build_sdist(before_wheel="import tool; assert tool.__version__ == '2.0'")
    tree = place.tree(str(sdist.write(tmp_path)))
    place.install(str(lock))
    system = read_build_system("demo", tree)
    assert place.wheel(tree, system, BuildFlags(), SandboxLimits(), version="1.0")


def test_metadata_is_that_of_the_hook(place: Workspace, tmp_path: Path) -> None:
    tree = place.tree(str(build_sdist(requires=["other"]).write(tmp_path)))
    system = read_build_system("demo", tree)
    found = place.metadata(tree, system, BuildFlags(), SandboxLimits())
    assert b"Requires-Dist: other" in found


def test_a_backend_tells_what_else_it_needs(place: Workspace, tmp_path: Path) -> None:
    tree = place.tree(str(build_sdist(dynamic_requires=["wheel"]).write(tmp_path)))
    backend = place.backend(tree, read_build_system("demo", tree), BuildFlags(), SandboxLimits())
    assert backend.requires() == ["wheel"]


def test_flags_reach_the_build_and_the_ambient_ones_do_not(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFLAGS", "-Ofast")
    monkeypatch.setenv("AMBIENT", "yes")
    check = "assert 'AMBIENT' not in os.environ; assert os.environ['CFLAGS'] == '-g0'"
    flags = BuildFlags(environment={"CFLAGS": "-g0"})
    assert build(build_sdist(before_wheel=check), flags)


def test_a_build_cannot_change_its_environment_or_its_log(build: Build, place: Workspace) -> None:
    code = (
        "import os\n"
        f"for path in ('{place.environment.path}/bin/python', '{place.folder}/build_wheel.log'):\n"
        "    try:\n"
        "        os.unlink(path)\n"
        "    except OSError:\n"
        "        continue\n"
        "    raise SystemExit(f'{path} could be removed')\n"
    )
    _, result = build(build_sdist(before_wheel=code))
    assert result.writes == "held to its folders"


class TestAnswers:
    """What a hook leaves as its answer is read without waiting, without end, and checked."""

    @pytest.mark.parametrize(
        ("leave", "problem"),
        [
            ("os.mkfifo(path)", "left no readable answer"),
            ("os.symlink('/dev/zero', path)", "left no readable answer"),
            ("open(path, 'w').write('[]')", "is not an object"),
            ("open(path, 'w').write('[' * 100000)", "left no readable answer"),
            ("open(path, 'w').write(' ' * 2000000)", "left no readable answer"),
        ],
    )
    def test_an_answer_that_is_not_one_is_refused(
        self, build: Build, leave: str, problem: str
    ) -> None:
        # At its exit, when the helper of pyproject-hooks has written the right one.
        code = (
            "import atexit, os, sys; path = os.path.join(sys.argv[-1], 'output.json')\n"
            f"atexit.register(lambda os=os, path=path: (os.unlink(path), {leave}))\n"
        )
        with pytest.raises(BackendUnusable, match=problem):
            build(build_sdist(before_wheel=code))

    def test_a_wheel_that_is_a_link_is_refused(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "other.whl").write_bytes(b"secret")
        code = (
            "import atexit, glob, os, sys\n"
            "def exchange(glob=glob, os=os):\n"
            "    [path] = glob.glob(f'{os.path.dirname(os.environ[\"HOME\"])}/wheel-*/*.whl')\n"
            f"    os.unlink(path); os.symlink('{tmp_path}/other.whl', path)\n"
            "atexit.register(exchange)\n"
        )
        with pytest.raises(BackendUnusable, match="is not a wheel"):
            build(build_sdist(before_wheel=code))


class TestFailures:
    def test_a_failed_hook_shows_what_the_backend_said(self, build: Build) -> None:
        sdist = build_sdist(before_wheel="print('no compiler'); raise SystemExit(3)")
        with pytest.raises(BackendFailed) as caught:
            build(sdist)
        assert "demo: the build failed in build_wheel (status 3)\n  | no compiler" in str(
            caught.value
        )
        assert caught.value.exit_code == ExitCode.BUILD_FAILED

    def test_a_build_that_takes_too_much_tells_the_limit(self, build: Build) -> None:
        sdist = build_sdist(before_wheel="x = []\nwhile True: x.append(bytearray(1 << 20))")
        with pytest.raises((BuildKilled, BackendFailed)) as caught:
            build(sdist, limit=96 * MIB)
        if isinstance(caught.value, BuildKilled):
            assert "of 96.0 MiB" in str(caught.value)

    def test_a_build_that_hangs_ends(self, build: Build) -> None:
        sdist = build_sdist(before_wheel="import time; time.sleep(600)")
        with pytest.raises(BuildKilled, match="did not end in time in build_wheel"):
            build(sdist, seconds=1.0)

    @pytest.mark.parametrize(
        ("line", "cause"),
        [
            ("", "ModuleNotFoundError: No module named 'nowhere'"),
            ("backend-path = ['.']", r"Cannot find module 'nowhere' in \["),
        ],
    )
    def test_a_backend_that_is_not_there_is_named(
        self, place: Workspace, tmp_path: Path, line: str, cause: str
    ) -> None:
        text = f'[build-system]\nrequires = []\nbuild-backend = "nowhere"\n{line}\n'
        (tmp_path / "pyproject.toml").write_text(text)
        tree = place.tree(str(tmp_path))
        backend = place.backend(
            tree, read_build_system("demo", tree), BuildFlags(), SandboxLimits()
        )
        with pytest.raises(BackendUnusable, match=f"nowhere cannot be loaded: {cause}"):
            backend.requires()


class TestWhatAKilledProgramLeft:
    KILLED = (
        "import os, sys\n"
        "from executor.builds.sandbox import SandboxLimits\n"
        "from executor.builds.build_system import read_build_system\n"
        "from executor.builds.workspace import Workspace\n"
        "from schemas.builds import BuildFlags\n"
        "with Workspace.opened('demo') as place:\n"
        "    tree = place.tree(sys.argv[1])\n"
        "    system = read_build_system('demo', tree)\n"
        "    place.wheel(tree, system, BuildFlags(), SandboxLimits(group=False), version='1.0')\n"
    )
    HANGS = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(os.path.join(os.environ['TMPDIR'], 'told'), 'w').write(str(child.pid))\n"
        "child.wait()"
    )

    def test_goes_when_the_next_begins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = tmp_path / "place"
        place.mkdir()
        sdist = build_sdist(before_wheel=self.HANGS).write(tmp_path)
        command = [sys.executable, "-c", self.KILLED, str(sdist)]
        with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(place)}) as killed:
            pid = _told(place, killed)
            killed.kill()
        (folder,) = place.glob("lockstream-build-*")
        assert Path(f"/proc/{pid}").exists()
        monkeypatch.setenv("TMPDIR", str(place))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with Workspace.opened("other"):
            assert folder.exists(), "it may be one that was made just now"
        os.utime(folder, (0, 0))
        with Workspace.opened("other"):
            assert not folder.exists()
        assert not Path(f"/proc/{pid}").exists() or _is_dead(pid)

    def test_is_not_what_is_at_work(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with Workspace.opened("demo") as place:
            os.utime(place.folder, (0, 0))
            with Workspace.opened("other"):
                assert os.path.exists(place.folder)


def _told(place: Path, process: subprocess.Popen[bytes]) -> int:
    """What the build tells when it hangs."""
    while process.poll() is None:
        for path in place.glob("*/build/tmp/told"):
            if text := path.read_text():
                return int(text)
        time.sleep(0.01)
    raise AssertionError("it has ended")


def _is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
