"""A build that a lock defers is done once, within its memory; a plan then lists its wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from helpers.index import Index
from helpers.put_server import put_server
from helpers.sdists import Sdist, build_sdist
from helpers.wheels import build_wheel
from planner.builds.unit import target_label, units_of
from planner.lock.reader import read_lock

Run = Callable[..., int]

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(name="run")
def _run(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("demo\n")

    def run(*words: str) -> int:
        return lockstream.main([*words])

    def plan(sdist: Sdist, *words: str) -> None:
        index.add_file(sdist.filename, sdist.content)
        plan = ["plan", "-r", "requirements.in", "-i", index.url, "--build", "missing"]
        assert run(*plan, "--defer-builds", *words) == 0

    run.plan = plan  # type: ignore[attr-defined]  # one fixture for both
    return run


def demo() -> dict[str, Any]:
    lock = tomllib.loads(Path("pylock.toml").read_text())
    (package,) = [one for one in lock["packages"] if one["name"] == "demo"]
    assert isinstance(package, dict)
    return package


class TestDeferredPlan:
    def test_lists_the_source_and_builds_nothing(self, run: Any) -> None:
        sdist = build_sdist(before_wheel="raise SystemExit('it was built')")
        run.plan(sdist)
        assert demo()["sdist"]["hashes"] == {"sha256": sdist.sha256}
        assert "wheels" not in demo()
        assert not Path("wheelhouse").exists()
        assert run("check") == 0

    def test_is_for_any_target(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        run.plan(build_sdist(), "--platform", "windows", "--python-version", "3.12")
        assert "1 wheel still to be built" in capsys.readouterr().err
        (unit,) = units_of(read_lock("pylock.toml"))
        assert target_label(unit.target) == "cp312-win_amd64"

    def test_stays_current_and_stays_deferred(self, run: Any) -> None:
        run.plan(build_sdist())
        before = Path("pylock.toml").read_bytes()
        assert run("plan") == 0
        assert Path("pylock.toml").read_bytes() == before
        assert run("plan", "--upgrade") == 0
        assert Path("pylock.toml").read_bytes() == before

    def test_keeps_no_lock_of_build_requirements(self, run: Any, index: Index) -> None:
        index.add(build_wheel("helper"))
        run.plan(build_sdist(build_requires=["helper"], metadata_version="2.1"))
        assert [path.name for path in Path().glob("pylock*")] == ["pylock.toml"]


class TestBuild:
    def test_of_a_source_in_a_folder_is_listed_too(self, run: Any) -> None:
        Path("links").mkdir()
        build_sdist().write(Path("links"))
        words = ["plan", "-r", "requirements.in", "--no-index", "--find-links", "links"]
        assert run(*words, "--build", "missing", "--defer-builds") == 0
        assert run("build", "demo==1.0") == 0
        assert run("plan", "--fragments", "built") == 0
        assert len(demo()["wheels"]) == 1
        assert run("check") == 0

    def test_leaves_a_wheel_that_a_plan_then_lists(self, run: Any, index: Index) -> None:
        index.add(build_wheel("helper"))
        run.plan(build_sdist(build_requires=["helper"]))
        assert run("build", "demo==1.0", "--report", "report.json") == 0
        report = json.loads(Path("report.json").read_text())
        assert report["outcome"] == "built"
        assert run("plan", "--fragments", "built") == 0
        (wheel,) = demo()["wheels"]
        assert wheel["hashes"]["sha256"] == report["wheel"]["sha256"]
        (record,) = demo()["tool"]["lockstream"]["build"].values()
        assert Path(record["lock"]).exists()
        assert run("check") == 0
        assert run("execute", "--target", "env") == 0
        assert Path("env/demo/__init__.py").exists()

    def test_is_done_once(self, run: Any) -> None:
        run.plan(build_sdist())
        assert run("build", "demo") == 0
        (kept,) = Path("built").glob("*/*.whl")
        before = kept.stat()
        assert run("build", "demo", "--report", "report.json") == 0
        assert json.loads(Path("report.json").read_text())["outcome"] == "kept"
        after = kept.stat()  # with another time of access
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_of_a_pure_wheel_is_done_once_for_all_targets(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist(), "--platform", "linux", "--platform", "windows")
        one, other = (target_label(unit.target) for unit in units_of(read_lock("pylock.toml")))
        assert run("build", "demo", "--target", one, "--into", "built") == 0
        capsys.readouterr()
        assert run("build", "demo", "--target", other, "--into", "built") == 0
        assert "kept demo-1.0-py3-none-any.whl" in capsys.readouterr().out
        assert len(list(Path("built").iterdir())) == 1

    @pytest.mark.parametrize("is_one_target", [True, False])
    def test_of_two_at_once_one_waits_for_the_wheel_of_the_other(
        self, run: Any, tmp_path: Path, is_one_target: bool
    ) -> None:
        begun = tmp_path / "begun"
        slow = "import time; time.sleep(3)"
        targets = ("--platform", "linux", "--platform", "manylinux_2_17_x86_64")
        run.plan(build_sdist(before_wheel=slow), *targets)
        labels = [target_label(unit.target) for unit in units_of(read_lock("pylock.toml"))]
        words = [sys.executable, "-m", "lockstream", "build", "demo", "--into", str(begun)]
        both = [
            subprocess.Popen([*words, "--target", label], stdout=subprocess.PIPE, text=True)
            for label in ([labels[0]] * 2 if is_one_target else labels)
        ]
        said = [one.communicate()[0] for one in both]
        assert [one.returncode for one in both] == [0, 0]
        assert sorted(text.split()[0] for text in said) == ["built", "kept"]
        assert len(list(begun.iterdir())) == 1

    def test_into_an_address_leaves_a_wheel_that_a_plan_then_lists(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist())
        with put_server() as server:
            server.login = "user:secret"
            place = server.url.replace("://", "://user:secret@") + "/built"
            assert run("build", "demo", "--into", place) == 0
            assert run("build", "demo", "--into", place, "--report", "report.json") == 0
            assert json.loads(Path("report.json").read_text())["outcome"] == "kept"
            assert run("plan", "--fragments", place) == 0
        assert len(demo()["wheels"]) == 1
        captured = capsys.readouterr()
        assert "secret" not in captured.out + captured.err + Path("pylock.toml").read_text()

    def test_into_an_address_that_stores_nothing_is_not_begun(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist(before_wheel="open('/nowhere/it-was-built', 'w')"))
        with put_server() as server:
            server.answers = [405]
            assert run("build", "demo", "--into", f"{server.url}/built") == 9
        assert "name an address at which the server stores files" in capsys.readouterr().err

    def test_that_takes_too_much_ends_with_status_7(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist(before_wheel="x = b'x' * (300 << 20); import time; time.sleep(1)"))
        assert run("build", "demo", "--memory", "64MiB") == 7
        error = capsys.readouterr().err
        assert "run it again with at least 512.0 MiB" in error
        assert not Path("built").exists()

    def test_that_fails_ends_with_status_8_and_leaves_nothing(self, run: Any) -> None:
        run.plan(build_sdist(before_wheel="raise SystemExit('no compiler')"))
        assert run("build", "demo") == 8
        assert not Path("built").exists()

    def test_for_another_machine_is_an_error(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist(), "--platform", "windows")
        assert run("build", "demo") == 2
        assert "this machine cannot build for" in capsys.readouterr().err

    def test_has_to_be_one_build(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        run.plan(build_sdist(), "--platform", "windows", "--platform", "linux")
        assert run("build", "demo") == 2
        assert "demo has several builds" in capsys.readouterr().err
        assert run("build", "other") == 2
        assert "leaves no build of other to others" in capsys.readouterr().err
        assert run("build", "demo", "--target", "cp39-win32") == 2
        assert run("build", "not a name") == 2
        capsys.readouterr()
        for more in (
            "demo @ https://files.example.com/x.tar.gz",
            "demo[x]",
            "demo; os_name == 'x'",
        ):
            assert run("build", more) == 2
            assert "says more than which package" in capsys.readouterr().err

    def test_of_a_lock_without_targets_is_for_those_that_are_named(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist())
        lock = tomllib.loads(Path("pylock.toml").read_text())
        del lock["tool"]
        Path("pylock.toml").write_text(tomli_w.dumps(lock))
        named = ["--python-version", HERE, "--platform", "linux"]
        assert run("builds", *named, "--as", "slurm") == 0
        script = capsys.readouterr().out
        assert f"demo==1.0 pylock.toml --python-version {HERE} --platform manylinux" in script
        assert run("build", "demo", *named) == 0
        assert run("build", "demo") == 0, "without a name it is this machine"

    @pytest.mark.parametrize("path", [".", "nowhere/report.json", "requirements.in/report.json"])
    def test_with_a_report_that_cannot_be_written_is_not_begun(
        self, run: Any, path: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist())
        assert run("build", "demo", "--report", path) == 2
        assert f"--report {path}: cannot be written" in capsys.readouterr().err
        assert not Path("built").exists()

    def test_of_a_source_that_only_another_machine_has_says_so(
        self, run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist()
        source = tmp_path / "sources" / sdist.filename
        source.parent.mkdir()
        source.write_bytes(sdist.content)
        run.plan(sdist, "--no-index", "--find-links", "sources")
        source.unlink()
        assert run("build", "demo") == 3
        error = capsys.readouterr().err
        assert f"demo==1.0 is built from {source}, which is not on this machine" in error

    def test_with_the_flags_of_the_plan(self, run: Any) -> None:
        check = "assert os.environ['DEMO'] == 'x', os.environ"
        run.plan(build_sdist(before_wheel=check), "--build-env", "demo:DEMO=x")
        assert run("build", "demo") == 0


class TestFragments:
    def test_of_other_flags_are_not_taken(self, run: Any) -> None:
        run.plan(build_sdist())
        assert run("build", "demo") == 0
        assert run("plan", "--build-env", "demo:DEMO=x") == 0
        assert run("plan", "--fragments", "built") == 0
        assert "wheels" not in demo()

    def test_that_were_changed_are_refused(self, run: Any) -> None:
        run.plan(build_sdist())
        assert run("build", "demo") == 0
        (kept,) = Path("built").glob("*/*.whl")
        kept.write_bytes(b"other")
        before = Path("pylock.toml").read_bytes()
        assert run("plan", "--fragments", "built") == 3
        assert Path("pylock.toml").read_bytes() == before
        assert not list(Path("wheelhouse").glob("*")) if Path("wheelhouse").exists() else True

    def test_are_kept_by_the_plans_after(self, run: Any, index: Index) -> None:
        run.plan(build_sdist())
        assert run("build", "demo") == 0
        assert run("plan", "--fragments", "built") == 0
        listed = demo()["wheels"]
        index.add(build_wheel("other"))
        Path("requirements.in").write_text("demo\nother\n")
        assert run("plan") == 0
        assert demo()["wheels"] == listed

    def test_are_dropped_if_the_flags_change(self, run: Any) -> None:
        run.plan(build_sdist())
        assert run("build", "demo") == 0
        assert run("plan", "--fragments", "built") == 0
        assert run("plan", "--build-env", "demo:DEMO=x") == 0
        assert "wheels" not in demo()

    def test_in_a_folder_that_does_not_exist_are_missed_aloud(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.plan(build_sdist())
        assert run("plan", "--fragments", "nowhere") == 0
        assert "there is no folder nowhere with builds yet" in capsys.readouterr().err
        assert run("plan", "--fragments", "requirements.in") == 9
        assert "requirements.in is not a folder with builds" in capsys.readouterr().err
