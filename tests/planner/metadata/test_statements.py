"""What the user states of a project counts in place of what its files say."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

import lockstream
from helpers.index import Index
from helpers.planning import planned_packages
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from planner.inputs.stated_metadata import read_stated_metadata
from planner.metadata.statements import Statements

DEMO = canonicalize_name("demo")


def test_an_entry_for_the_version_counts_before_one_for_all() -> None:
    stated = Statements(
        read_stated_metadata(
            [
                {"name": "demo", "requires-dist": ["a"]},
                {"name": "demo", "version": "2.0", "requires-dist": ["b"], "provides-extra": ["x"]},
            ]
        )
    )
    two, one = stated.of(DEMO, Version("2")), stated.of(DEMO, Version("1"))
    assert two is not None
    assert one is not None
    assert ([str(each) for each in two.requires], {*two.extras}) == (["b"], {"x"})
    assert [str(each) for each in one.requires] == ["a"]
    assert stated.of(DEMO, Version("2")) is two
    assert stated.of(canonicalize_name("other"), Version("1")) is None


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    index.add(build_wheel("demo", requires=["gone"]), build_wheel("a"), build_wheel("b"))
    return tmp_path / "pyproject.toml"


def write(project: Path, index: Index, requires: str, name: str = "demo") -> None:
    project.write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = ["{name}"]\n'
        f'[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
        f'[[tool.uv.dependency-metadata]]\nname = "{name}"\nrequires-dist = ["{requires}"]\n'
    )


def test_a_plan_goes_by_it_and_a_check_sees_its_changes(
    project: Path, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, index, "a")
    assert lockstream.main(["plan", "-q"]) == 0
    assert list(planned_packages()) == ["a", "demo"]
    assert lockstream.main(["check", "-q"]) == 0
    write(project, index, "b")
    assert lockstream.main(["check"]) == 1
    assert (
        "\n  dependency-metadata: the lock has demo = (requires-dist = a), a plan now has demo = "
        "(requires-dist = b)\n"
    ) in capsys.readouterr().err
    assert lockstream.main(["plan", "-q"]) == 0
    assert list(planned_packages()) == ["b", "demo"]


def test_a_source_that_cannot_be_built_here_is_listed_with_it(project: Path, index: Index) -> None:
    sdist = build_sdist("raw", build_requires=["gone"], metadata_version="2.1")
    index.add_file(sdist.filename, sdist.content)
    write(project, index, "a", "raw")
    assert lockstream.main(["plan", "-q", "--defer-builds", "--build", "raw"]) == 0
    assert list(planned_packages()) == ["a", "raw"]
