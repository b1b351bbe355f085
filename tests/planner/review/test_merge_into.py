"""``plan --merge-into``: each machine adds what only it can build to the lock of all."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist
from helpers.wheels import Wheel, build_wheel
from schemas.builds import build_records

pytestmark = pytest.mark.usefixtures("single_runs")

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
NODOT = HERE.replace(".", "")

Plan = Callable[..., int]


@pytest.fixture(name="plan")
def _plan(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("demo\n")

    def plan(*arguments: str) -> int:
        return lockstream.main(["plan", "-q", "-i", index.url, "--build", "missing", *arguments])

    return plan


def document() -> dict[str, Any]:
    return tomllib.loads(Path("pylock.toml").read_text())


def demo() -> dict[str, Any]:
    found: dict[str, Any] = {one["name"]: one for one in document()["packages"]}["demo"]
    return found


def made_on_windows(plan: Plan, *, url: str = "", **source: Any) -> Wheel:
    """The lock of this machine, changed to what a machine with Windows would have written, and the
    wheel in its wheelhouse.
    """
    assert plan("-r", "requirements.in") == 0
    lock = document()
    table = lock["tool"]["lockstream"]
    table["targets"] = [{"python": HERE, "platform": "win_amd64"}]
    marker = f"implementation_name == 'cpython' and python_version == '{HERE}' and "
    lock["environments"] = [marker + "platform_machine == 'AMD64' and sys_platform == 'win32'"]
    wheel = build_wheel(tag=f"cp{NODOT}-cp{NODOT}-win_amd64")
    (package,) = (one for one in lock["packages"] if one["name"] == "demo")
    told = package["tool"]["lockstream"]
    (built,) = told["build"]
    place = {"url": f"{url}/{wheel.filename}"} if url else {"path": f"wheelhouse/{wheel.filename}"}
    package["wheels"] = [{**place, "size": wheel.size, "hashes": {"sha256": wheel.sha256}}]
    told["build"] = {wheel.filename: told["build"][built]}
    told["wheels"] = {wheel.filename: wheel.hints.to_table()}
    Path("wheelhouse", built).unlink()
    wheel.write(Path("wheelhouse"))
    Path("pylock.toml").write_text(tomli_w.dumps(lock))
    return wheel


class TestAMachineAddsItsTarget:
    def test_and_its_wheels_to_what_there_is(self, plan: Plan, index: Index) -> None:
        sdist = build_sdist()
        index.add_file(sdist.filename, sdist.content)
        theirs = made_on_windows(plan)
        before = demo()
        assert plan("--merge-into", "pylock.toml") == 0
        after = demo()
        assert [wheel["path"] for wheel in after["wheels"]] == [
            f"wheelhouse/{theirs.filename}", "wheelhouse/demo-1.0-py3-none-any.whl",
        ]  # fmt: skip
        assert after["wheels"][0] == before["wheels"][0]
        assert after["sdist"] == before["sdist"]
        assert build_records(after["tool"])[0] == build_records(before["tool"])[0]
        assert len(document()["environments"]) == 2
        assert lockstream.main(["check", "-q"]) == 0
        assert lockstream.main(["execute", "--target", "env"]) == 0

    def test_once(self, plan: Plan, index: Index) -> None:
        sdist = build_sdist()
        index.add_file(sdist.filename, sdist.content)
        made_on_windows(plan)
        assert plan("--merge-into", "pylock.toml") == 0
        before = Path("pylock.toml").read_bytes()
        for words in ((), ("--refresh",)):
            assert plan("--merge-into", "pylock.toml", *words) == 0
            assert Path("pylock.toml").read_bytes() == before

    def test_and_the_versions_stay(self, plan: Plan, index: Index) -> None:
        for version in ("1.0", "2.0"):
            sdist = build_sdist("demo", version)
            index.add_file(sdist.filename, sdist.content)
            if version == "1.0":
                made_on_windows(plan)
        assert plan("--merge-into", "pylock.toml") == 0
        assert demo()["version"] == "1.0"

    def test_and_wheels_that_are_served_stay_where_they_are(self, plan: Plan, index: Index) -> None:
        sdist = build_sdist()
        index.add_file(sdist.filename, sdist.content)
        url = index.url_of("x").removesuffix("/x")
        theirs = made_on_windows(plan, url=url)
        Path("wheelhouse", theirs.filename).unlink()
        index.add_file(theirs.filename, theirs.content)
        before = demo()["wheels"]
        assert plan("--merge-into", "pylock.toml") == 0
        assert before[0] in demo()["wheels"]

    def test_what_an_address_leads_to_too(self, plan: Plan, tmp_path: Path) -> None:
        folder = build_sdist().spread(tmp_path / "src")
        Path("requirements.in").write_text(f"demo @ {folder.as_uri()}\n")
        theirs = made_on_windows(plan)
        assert plan("--merge-into", "pylock.toml") == 0
        assert theirs.filename in {Path(one["path"]).name for one in demo()["wheels"]}
        assert len(demo()["wheels"]) == 2


class TestRefusals:
    def test_a_wheel_that_is_lost_cannot_be_built_here(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist()
        index.add_file(sdist.filename, sdist.content)
        theirs = made_on_windows(plan)
        Path("wheelhouse", theirs.filename).unlink()
        assert plan("--merge-into", "pylock.toml") == 4
        assert "add it to the lock with --merge-into" in capsys.readouterr().err

    def test_a_source_that_was_exchanged_is_not_that_of_the_wheel(
        self, plan: Plan, index: Index
    ) -> None:
        sdist = build_sdist()
        index.add_file(sdist.filename, sdist.content)
        made_on_windows(plan)
        other = build_sdist(module="other = 1\n")
        index.add_file(other.filename, other.content)
        assert plan("--merge-into", "pylock.toml") == 4

    def test_what_cannot_be_meant(
        self, plan: Plan, index: Index, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert plan("--merge-into", "pylock.toml") == 2
        assert "the file does not exist" in capsys.readouterr().err
        Path("pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
        assert plan("--merge-into", "pylock.toml") == 2
        assert "does not record its targets" in capsys.readouterr().err
        assert plan("--merge-into", "pylock.toml", "--upgrade") == 2
        assert plan("--merge-into", "pylock.toml", "-o", "pylock.other.toml") == 2


def test_wheels_that_are_served_are_not_built_again(plan: Plan, index: Index) -> None:
    sdist = build_sdist()
    index.add_file(sdist.filename, sdist.content)
    served = ("-r", "requirements.in", "--wheelhouse-url", "https://wheels.example/")
    assert plan(*served) == 0
    before = Path("pylock.toml").read_bytes()
    wheel = Path("wheelhouse/demo-1.0-py3-none-any.whl")
    made = wheel.stat().st_mtime_ns
    assert plan(*served, "--refresh") == 0
    assert Path("pylock.toml").read_bytes() == before
    assert wheel.stat().st_mtime_ns == made
