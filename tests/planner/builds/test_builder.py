"""``plan --build``: what has no wheel is built once, measured, and listed as a wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lockstream
from executor import Environment
from helpers.index import Index
from helpers.sdists import Sdist, build_sdist
from helpers.wheels import build_wheel
from planner.builds import source_build as site
from planner.cli.plan_progress import PlanProgress
from schemas.builds import build_records

Plan = Callable[..., int]

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(name="plan")
def _plan(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)

    def plan(*arguments: str, lines: tuple[str, ...] = ("demo",)) -> int:
        Path("requirements.in").write_text("".join(f"{line}\n" for line in lines))
        return lockstream.main(["plan", "-r", "requirements.in", "-i", index.url, *arguments])

    return plan


def serve(index: Index, sdist: Sdist, **told: Any) -> None:
    index.add_file(sdist.filename, sdist.content, **told)


def packages() -> dict[str, dict[str, Any]]:
    lock = tomllib.loads(Path("pylock.toml").read_text())
    return {package["name"]: package for package in lock["packages"]}


class TestAWheelIsBuilt:
    def test_and_listed_beside_what_it_was_built_of(self, plan: Plan, index: Index) -> None:
        sdist = build_sdist()
        serve(index, sdist)
        assert plan("--build", "missing") == 0
        demo = packages()["demo"]
        wheel = demo["wheels"][0]
        assert wheel["path"] == "wheelhouse/demo-1.0-py3-none-any.whl"
        assert wheel["size"] == Path(wheel["path"]).stat().st_size
        assert demo["sdist"]["hashes"] == {"sha256": sdist.sha256}
        assert demo["sdist"]["url"] == index.url_of(sdist.filename)
        (record,) = build_records(demo["tool"])
        assert record.demand[1] > 0
        assert record.backend == "backend"

    def test_and_installs_like_any_other(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist(requires=["other"]))
        index.add(build_wheel("other"))
        assert plan("--build", "demo") == 0
        assert lockstream.main(["execute", "--target", "env", "--offline", "--mirror",
                                f"{index.origin}=file:///nowhere"]) != 0  # fmt: skip
        assert lockstream.main(["execute", "--target", "env"]) == 0
        assert Path("env/demo/__init__.py").exists()
        assert Path("env/other/__init__.py").exists()

    def test_only_of_the_packages_that_are_named(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist("demo"))
        serve(index, build_sdist("other"))
        assert plan("--build", "demo", lines=("demo", "other")) == 4
        assert plan("--build", "demo,other", lines=("demo", "other")) == 0

    def test_not_without_being_asked(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve(index, build_sdist())
        assert plan() == 4
        assert "it is a source distribution" in capsys.readouterr().err
        assert plan("--build", "missing", "--build", "never") == 4

    def test_only_where_no_wheel_suits(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist(before_wheel="raise SystemExit('built')"))
        index.add(build_wheel())
        assert plan("--build", "missing") == 0
        assert "sdist" not in packages()["demo"]

    def test_of_a_wheel_that_shall_not_be_used(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        index.add(build_wheel())
        assert plan("--build", "demo", "--no-binary", "demo") == 0
        assert packages()["demo"]["wheels"][0]["path"]

    @pytest.mark.parametrize(
        "option", ["--only-binary=demo", "--no-build-package=demo", "--no-build"]
    )
    def test_of_nothing_that_shall_not_be_built(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str], option: str
    ) -> None:
        serve(index, build_sdist(before_wheel="raise SystemExit('built')"))
        assert plan("--build", "missing", option) == 4
        assert "--only-binary forbids building the project" in capsys.readouterr().err
        index.add(build_wheel("demo", "0.9"))
        assert plan("--build", "missing", option) == 0
        assert packages()["demo"]["version"] == "0.9"

    def test_under_the_address_where_it_will_be(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing", "--wheelhouse-url", "https://wheels.example/x/") == 0
        url = "https://wheels.example/x/demo-1.0-py3-none-any.whl"
        assert packages()["demo"]["wheels"][0]["url"] == url

    def test_of_a_source_that_is_asked_for_by_its_address(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist()
        serve(index, sdist)
        line = f"demo @ {index.url_of(sdist.filename)}"
        assert plan(lines=(line,)) == 4
        assert "it is a source distribution" in capsys.readouterr().err
        assert plan("--build", "missing", lines=(line,)) == 0
        demo = packages()["demo"]
        assert demo["sdist"]["url"] == index.url_of(sdist.filename)
        assert demo["wheels"]
        assert "/simple/demo/" not in index.paths()
        assert lockstream.main(["check"]) == 0

    def test_of_a_source_on_this_machine(self, plan: Plan) -> None:
        sdist = build_sdist()
        path = sdist.write(Path.cwd())
        assert plan("--build", "missing", lines=(f"demo @ {path.as_uri()}",)) == 0
        assert packages()["demo"]["sdist"]["path"] == sdist.filename
        assert lockstream.main(["check"]) == 0

    def test_and_what_it_holds_is_heard_by_the_view(
        self, plan: Plan, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard: list[dict[str, Any]] = []
        monkeypatch.setattr(PlanProgress, "_on_held", lambda _, facts: heard.append(facts))
        serve(index, build_sdist())
        assert plan("--build", "missing") == 0
        assert {one["package"] for one in heard} == {"demo-1.0.tar.gz"}
        assert {one["limit"] for one in heard} == {None}

    def test_or_only_measured(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing", "--no-wheelhouse") == 0
        demo = packages()["demo"]
        assert "wheels" not in demo
        assert build_records(demo["tool"])
        assert not Path("wheelhouse").exists()

    def test_and_what_it_takes_is_shown(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing", "--no-wheelhouse") == 0
        assert lockstream.main(["show"]) == 0
        shown = capsys.readouterr()
        assert "to be built" in shown.out
        assert "execute --build builds it" in shown.err
        assert lockstream.main(["show", "--fit", "32MiB"]) == 1
        assert "demo 1.0 has to be built" in capsys.readouterr().err

    def test_twice_and_the_larger_figure_counts(
        self,
        plan: Plan,
        index: Index,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(site, "SHORT_RUNS", 2)
        code = (
            "mark = os.path.join(os.environ['HOME'], 'built')\n"
            "if os.path.exists(mark):\n    import time; x = bytearray(96 << 20); time.sleep(0.3)\n"
            "open(mark, 'w').close()"
        )
        serve(index, build_sdist(before_wheel=code))
        assert plan("--build", "missing") == 0
        told = capsys.readouterr().err
        assert [f"(measuring, jobs 1, run {number})" in told for number in (1, 2, 3)] == [
            True, True, False,
        ]  # fmt: skip
        (record,) = build_records(packages()["demo"]["tool"])
        assert record.demand[1] > 96 << 20
        assert record.files > 1 << 20, "Python itself"

    def test_at_more_jobs_too(
        self, plan: Plan, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site, "SHORT_RUNS", 2)
        code = (
            "mark = os.path.join(os.environ['HOME'], 'built at ' + os.environ['MAX_JOBS'])\n"
            "if os.environ['MAX_JOBS'] == '2' and os.path.exists(mark):\n"
            "    import time; x = bytearray(96 << 20); time.sleep(0.3)\n"
            "open(mark, 'w').close()"
        )
        serve(index, build_sdist(before_wheel=code))
        assert plan("--build", "missing", "--measure-jobs", "2") == 0
        (record,) = build_records(packages()["demo"]["tool"])
        assert record.demand[1] < 96 << 20 < record.demand[2]


class TestMetadata:
    def test_what_is_static_is_read_without_running_anything(
        self, plan: Plan, index: Index
    ) -> None:
        serve(index, build_sdist(requires=["nowhere"], before_wheel="raise SystemExit(1)"))
        assert plan("--build", "missing") == 4

    @pytest.mark.parametrize("told", [{"metadata_version": "2.1"}, {"dynamic": ["Requires-Dist"]}])
    def test_what_is_not_is_asked_of_the_backend(
        self, plan: Plan, index: Index, told: dict[str, Any]
    ) -> None:
        serve(index, build_sdist(requires=["other"], **told))
        index.add(build_wheel("other"))
        assert plan("--build", "missing") == 0
        assert set(packages()) == {"demo", "other"}


class TestBuildRequirements:
    def test_have_a_lock_of_their_own(self, plan: Plan, index: Index) -> None:
        tool, more = build_wheel("tool", "2.0"), build_wheel("more")
        index.add(tool, more)
        code = "import tool, more"
        serve(index, build_sdist(build_requires=["tool<3"], dynamic_requires=["more"],
                                 before_wheel=code))  # fmt: skip
        assert plan("--build", "missing") == 0
        lock = tomllib.loads(Path("pylock.build-demo.toml").read_text())
        hashes = {one["name"]: one["wheels"][0]["hashes"]["sha256"] for one in lock["packages"]}
        assert hashes == {"tool": tool.sha256, "more": more.sha256}
        (record,) = build_records(packages()["demo"]["tool"])
        assert record.lock == "pylock.build-demo.toml"

    def test_keep_their_versions(self, plan: Plan, index: Index) -> None:
        index.add(build_wheel("tool", "1.0"))
        serve(index, build_sdist(build_requires=["tool"]))
        assert plan("--build", "missing") == 0
        before = Path("pylock.build-demo.toml").read_text()
        index.add(build_wheel("tool", "2.0"))
        serve(index, build_sdist("other"))
        assert plan("--build", "missing", "--refresh", lines=("demo", "other")) == 0
        assert Path("pylock.build-demo.toml").read_text() == before

    def test_are_limited_by_constraints_of_their_own(self, plan: Plan, index: Index) -> None:
        index.add(build_wheel("tool", "1.0"), build_wheel("tool", "2.0"))
        serve(index, build_sdist(build_requires=["tool"]))
        Path("build.txt").write_text("tool < 2\nunused == 9\n")
        assert plan("--build", "missing", "--build-constraint", "build.txt") == 0
        lock = tomllib.loads(Path("pylock.build-demo.toml").read_text())
        assert [(one["name"], one["version"]) for one in lock["packages"]] == [("tool", "1.0")]

    def test_their_constraints_count_for_a_check_and_are_kept(
        self,
        plan: Plan,
        index: Index,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        index.add(build_wheel("tool", "1.0"), build_wheel("tool", "2.0"))
        serve(index, build_sdist(build_requires=["tool"]))
        (tmp_path / "limits").mkdir()
        limits = tmp_path / "limits" / "build.txt"
        limits.write_text("tool < 2\n")
        monkeypatch.chdir(tmp_path / "limits")
        assert plan("--build", "missing", "--build-constraint", "build.txt", "-o",
                    "../pylock.toml") == 0  # fmt: skip
        monkeypatch.chdir(tmp_path)
        assert lockstream.main(["check"]) == 0
        limits.write_text("# as before\ntool<2\n")
        assert lockstream.main(["check"]) == 0
        limits.write_text("tool >= 2\n")
        capsys.readouterr()
        assert lockstream.main(["check"]) == 1
        assert "tool<2" in capsys.readouterr().err
        assert lockstream.main(["plan"]) == 0
        lock = tomllib.loads(Path("pylock.build-demo.toml").read_text())
        assert [(one["name"], one["version"]) for one in lock["packages"]] == [("tool", "2.0")]
        assert lockstream.main(["check"]) == 0
        limits.unlink()
        capsys.readouterr()
        assert lockstream.main(["check"]) == 3
        assert "limits/build.txt: No such file" in capsys.readouterr().err

    def test_what_the_source_does_not_declare_is_added_and_counts_for_a_check(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        index.add(build_wheel("tool", "1.0"), build_wheel("tool", "2.0"))
        serve(index, build_sdist(before_wheel="import tool"))
        assert plan("--build", "missing") == 8
        assert "add what has it with plan --build-requires 'demo:tool'" in capsys.readouterr().err
        for text, version in (("demo:tool", "2.0"), ("demo:tool<2", "1.0")):
            assert plan("--build", "missing", "--build-requires", text) == 0
            lock = tomllib.loads(Path("pylock.build-demo.toml").read_text())
            assert [(one["name"], one["version"]) for one in lock["packages"]] == [
                ("tool", version)
            ]
            assert lockstream.main(["check"]) == 0
        before = Path("pylock.toml").read_text()
        assert lockstream.main(["plan"]) == 0
        assert Path("pylock.toml").read_text() == before
        assert plan("--build", "missing", "--build-requires", "demo:none-such") == 4
        assert "demo (--build-requires, or its settings) says none-such" in capsys.readouterr().err
        assert Path("pylock.toml").read_text() == before

    def test_are_not_built_themselves(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist("tool"))
        serve(index, build_sdist(build_requires=["tool"], metadata_version="2.1"))
        assert plan("--build", "missing") == 4

    def test_are_fetched_with_the_credentials_of_their_index(
        self, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        index.add(build_wheel("tool", "2.0"))
        serve(index, build_sdist(build_requires=["tool"], before_wheel="import tool"))
        index.login = ("ann", "secret")
        monkeypatch.setenv("LOCKSTREAM_INDEX_OURS_USERNAME", "ann")
        monkeypatch.setenv("LOCKSTREAM_INDEX_OURS_PASSWORD", "secret")
        Path("requirements.in").write_text("demo\n")
        ours = ("--index", f"ours={index.url}", "--default-index", f"{index.url}/none")
        assert lockstream.main(["plan", "-r", "requirements.in", *ours, "--build", "missing"]) == 0
        assert "secret" not in Path("pylock.build-demo.toml").read_text()


class TestFlags:
    def test_are_recorded_as_what_they_were(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist(before_wheel="import os; assert os.environ['LEVEL'] == '3'"))
        told = ("--build-env", "demo:LEVEL=3", "-C", "a=1", "-C", "a=2", "--no-build-defaults")
        assert plan("--build", "missing", *told) == 0
        (record,) = build_records(packages()["demo"]["tool"])
        assert record.flags.environment == {"LEVEL": "3"}
        assert record.flags.config_settings == {"a": ["1", "2"]}

    def test_of_the_project_count_too_and_a_change_of_them_makes_the_lock_stale(
        self, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        serve(index, build_sdist())
        project = '[project]\nname = "p"\nversion = "1"\ndependencies = ["demo"]\n'
        setting = '[tool.lockstream.build.demo]\nenvironment = {{ LEVEL = "{}" }}\n'
        Path("pyproject.toml").write_text(project + setting.format(1))
        assert lockstream.main(["plan", "-i", index.url, "--build", "missing"]) == 0
        (record,) = build_records(packages()["demo"]["tool"])
        assert record.flags.environment["LEVEL"] == "1"
        assert lockstream.main(["check"]) == 0
        Path("pyproject.toml").write_text(project + setting.format(2))
        assert lockstream.main(["check"]) == 1

    @pytest.mark.parametrize(
        "flag", ["API_TOKEN=x", "demo:PASSWORD=x", "INDEX=https://user:pass@index.example/"]
    )
    def test_that_are_secret_are_refused(
        self, plan: Plan, flag: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert plan("--build", "missing", "--build-env", flag) == 2
        assert "looks like a secret" in capsys.readouterr().err


class TestAgain:
    def test_nothing_is_built_that_is_known(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing") == 0
        before = packages()["demo"]
        index.add(build_wheel("other"))
        assert plan("--build", "missing", lines=("demo", "other")) == 0
        assert packages()["demo"] == before

    def test_other_flags_build_anew(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing") == 0
        before = build_records(packages()["demo"]["tool"])
        assert plan("--build", "missing", "--build-env", "LEVEL=1") == 0
        assert build_records(packages()["demo"]["tool"])[0].key != before[0].key

    def test_a_wheel_that_was_lost_is_built_anew(self, plan: Plan, index: Index) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing") == 0
        shutil.rmtree("wheelhouse")
        index.add(build_wheel("other"))
        assert plan("--build", "missing", lines=("demo", "other")) == 0
        assert list(Path("wheelhouse").iterdir())


class TestRefusals:
    def test_another_platform_is_built_for_elsewhere(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve(index, build_sdist())
        assert plan("--build", "missing", "--platform", "win_amd64") == 4
        assert "can only be built on such a machine" in capsys.readouterr().err

    def test_a_named_target_that_is_this_machine_is_built_for(
        self, plan: Plan, index: Index
    ) -> None:
        serve(index, build_sdist())
        here = Environment.prefix("/nowhere").interpreter.target.platform
        arguments = ("--python-version", HERE, "--platform", here)
        assert plan("--build", "missing", *arguments) == 0

    def test_a_source_that_is_not_what_the_index_says_is_not_unpacked(
        self, plan: Plan, index: Index
    ) -> None:
        serve(index, build_sdist(), hashes={"sha256": "0" * 64})
        assert plan("--build", "missing") == 6

    def test_a_signal_to_stop_leaves_nothing_behind(self, index: Index, tmp_path: Path) -> None:
        code = (
            "open(os.path.join(os.environ['TMPDIR'], 'begun'), 'w').close()\n"
            "import time; time.sleep(600)"
        )
        serve(index, build_sdist(before_wheel=code))
        (tmp_path / "requirements.in").write_text("demo\n")
        place = tmp_path / "place"
        place.mkdir()
        told = ("plan", "-q", "-r", "requirements.in", "-i", index.url, "--build", "missing")
        with subprocess.Popen(
            [sys.executable, "-m", "lockstream", *told],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(place)},
        ) as plan:
            while not list(place.glob("*/build/tmp/begun")):
                assert plan.poll() is None
                time.sleep(0.01)
            plan.terminate()
        assert plan.returncode == 128 + signal.SIGTERM
        assert not list(place.iterdir())

    def test_a_source_whose_address_is_signed_is_refused_before_its_build(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist()
        serve(index, sdist, url=f"../../files/{sdist.filename}?X-Amz-Signature=0f")
        assert plan("--build", "missing") == 3
        errors = capsys.readouterr().err
        assert f"{sdist.filename}: the index gives it an address that is signed" in errors
        assert "measuring" not in errors
        assert not Path("wheelhouse").exists()

    def test_a_build_that_fails_writes_no_lock(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve(index, build_sdist(before_wheel="raise SystemExit('no compiler')"))
        assert plan("--build", "missing") == 8
        assert "no compiler" in capsys.readouterr().err
        assert not Path("pylock.toml").exists()

    def test_a_build_that_fails_leaves_the_locks_of_its_requirements_as_they_were(
        self, plan: Plan, index: Index
    ) -> None:
        index.add(build_wheel("tool", "1.0"))
        serve(index, build_sdist(build_requires=["tool"]))
        assert plan("--build", "missing") == 0
        before = Path("pylock.build-demo.toml").read_text()
        for name in ("demo", "other"):
            serve(
                index,
                build_sdist(
                    name, "2.0", build_requires=["tool"], before_wheel="raise SystemExit(1)"
                ),
            )
        index.add(build_wheel("tool", "2.0"))
        for name in ("demo", "other"):
            assert plan("--build", "missing", "--refresh", "--upgrade", lines=(name,)) == 8
        assert Path("pylock.build-demo.toml").read_text() == before
        assert not Path("pylock.build-other.toml").exists()
