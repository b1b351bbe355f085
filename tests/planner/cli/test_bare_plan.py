"""A check decides for the plan that would run in its place: variables of plan count."""

from __future__ import annotations

from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel
from planner.cli.bare_plan import request_of_variables

PROJECT = """
[project]
name = "app"
version = "1"
dependencies = ["demo"]
[dependency-groups]
dev = ["other"]
"""


@pytest.fixture(autouse=True)
def _locked(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is current, in the working folder."""
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"), build_wheel("other"))
    Path("pyproject.toml").write_text(PROJECT)
    Path("limits.txt").write_text("demo<2\n")
    assert lockstream.main([
        "plan", "-q", "-i", index.url, "--python-version", "3.12", "--platform", "linux",
    ]) == 0  # fmt: skip
    assert lockstream.main(["check", "-q"]) == 0


@pytest.mark.parametrize(
    ("variable", "value", "option"),
    [
        ("LOCKSTREAM_CONSTRAINT", "limits.txt", "--constraint"),
        ("LOCKSTREAM_PLAN_PRERELEASE", "allow", "--prerelease"),
        ("LOCKSTREAM_GROUP", "dev", "--group"),
        ("LOCKSTREAM_PYTHON_VERSION", "3.13", "--python-version"),
        ("LOCKSTREAM_PLAN_BUILD", "missing", "--build"),
        ("LOCKSTREAM_INDEX", "https://index.example/simple/", "--index"),
        ("LOCKSTREAM_FORGET", "1", "--forget"),
    ],
)
def test_a_variable_with_which_plan_would_write_another_lock_is_named(
    variable: str,
    value: str,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert lockstream.main(["check"]) == 1
    assert f"\n  {option} is set by {variable}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOCKSTREAM_CHECK_QUIET", "1"),
        ("LOCKSTREAM_EXECUTE_GROUP", "dev"),
        ("LOCKSTREAM_MEMORY", "64MiB"),
        ("LOCKSTREAM_PYTHON_VERSION", "3.12"),
    ],
)
def test_other_variables_say_nothing_of_a_lock(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert lockstream.main(["check"]) == 0


@pytest.mark.parametrize(
    ("variable", "value", "versions"),
    [
        ("LOCKSTREAM_UPGRADE", "1", "newer versions"),
        ("LOCKSTREAM_UPGRADE_PACKAGE", "demo other", "newer versions of demo, other"),
    ],
)
def test_that_plan_looks_for_newer_versions_is_what_a_check_cannot_decide(
    variable: str,
    value: str,
    versions: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert lockstream.main(["check"]) == 0
    assert capsys.readouterr().err == f"not checked: plan is told to look for {versions}\n"


def test_a_value_that_plan_refuses_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKSTREAM_PRERELEASE", "maybe")
    assert lockstream.main(["check"]) == 2
    assert "LOCKSTREAM_PRERELEASE" in capsys.readouterr().err


def test_without_variables_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"PATH": "/bin"})
    request, reasons = request_of_variables()
    assert reasons == ()
    assert request.sources.projects == request.sources.requirements == ()
