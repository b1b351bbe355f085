"""``lockstream export`` writes a lock in the forms that other tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w

import lockstream
from helpers.exports import digest, wheel

JOB = {
    "GITHUB_SHA": "a" * 40,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "7",
    "GITHUB_WORKFLOW": "CI",
    "GITHUB_JOB": "test",
    "GITHUB_EVENT_NAME": "push",
}


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*JOB, "GITHUB_WORKSPACE", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    write_lock()


def write_lock(**tool: object) -> None:
    packages = [
        wheel("app"),
        wheel("cli", marker='"cli" in extras'),
        wheel("win", marker='sys_platform == "win32"'),
    ]
    document = {"lock-version": "1.0", "created-by": "tests", "extras": ["cli"]}
    Path("pylock.toml").write_text(
        tomli_w.dumps({**document, "packages": packages, "tool": {"lockstream": tool}})
    )


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = lockstream.main(["export", *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_a_requirements_file_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert out.splitlines()[2:] == [
        "app==1.0 \\",
        f"    --hash=sha256:{digest('app')}",
        'win==1.0 ; sys_platform == "win32" \\',
        f"    --hash=sha256:{digest('win')}",
    ]


def test_a_file_is_written_and_its_packages_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = run(capsys)[1]
    status, out, err = run(capsys, "-o", "requirements.txt")
    assert (status, out, err) == (0, "", "wrote requirements.txt: 2 packages\n")
    assert Path("requirements.txt").read_text() == printed
    assert run(capsys, "-o", "-")[1] == printed


def test_the_lock_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("pylock.toml").read_bytes()
    status, _, err = run(capsys, "-o", "./pylock.toml")
    assert status == 2
    assert "is read, and would be replaced" in err
    assert Path("pylock.toml").read_bytes() == before


@pytest.mark.parametrize("name", ["requirements.txt", "limits.txt", "app/pyproject.toml"])
def test_an_input_of_the_lock_is_not_replaced(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """``plan -r requirements.txt`` and ``export -o requirements.txt`` are one slip apart."""
    write_lock(
        inputs={
            "projects": ["app"],
            "requirements": ["requirements.txt", "https://host.example/more.txt"],
            "constraints": ["limits.txt"],
        }
    )
    Path("app").mkdir()
    Path(name).write_text("mine")
    assert run(capsys, "-o", name) == (
        2,
        "",
        f"error: -o {name}: this file is read, and would be replaced\nhint: name another file\n",
    )
    assert Path(name).read_text() == "mine"


def test_extras_and_targets_select(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "--extra", "cli", "--platform", "linux", "--no-hashes")[1]
    assert [line for line in out.splitlines() if "==" in line] == ["app==1.0", "cli==1.0"]
    status, _, err = run(capsys, "--extra", "web")
    assert status == 2
    assert "no extra 'web'" in err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--format", "cyclonedx", "--no-hashes"], "--no-hashes is for --format requirements"),
        (["--no-hashes", "--skip-unhashed"], "exclude each other"),
        (["--format", "github"], "GITHUB_SHA"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert problem in err
    assert "hint:" in err


def test_a_bill_of_materials_has_the_time_that_the_user_wants(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run(capsys, "--format", "cyclonedx")
    assert status == 0
    assert "timestamp" not in json.loads(out)["metadata"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    out = run(capsys, "--format", "cyclonedx")[1]
    assert json.loads(out)["metadata"]["timestamp"].startswith("2023-11-14")


def test_a_snapshot_names_the_lock_by_its_path_in_the_repository(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    Path("requirements.in").write_text("app\n")
    write_lock(inputs={"requirements": ["requirements.in"]})
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd().parent))
    status, out, err = run(capsys, "--format", "github")
    assert (status, err) == (0, "")
    ((place, manifest),) = json.loads(out)["manifests"].items()
    assert place == f"{Path.cwd().name}/pylock.toml"
    assert manifest["resolved"]["pkg:pypi/app@1.0"]["relationship"] == "direct"
    Path(".git").mkdir()
    assert list(json.loads(run(capsys, "--format", "github")[1])["manifests"]) == ["pylock.toml"]


def test_inputs_that_are_gone_leave_out_what_is_direct(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    write_lock(inputs={"requirements": ["gone.in"]})
    status, out, err = run(capsys, "--format", "github")
    assert status == 0
    assert "relationship" not in out
    assert "warning:" in err
    assert "gone.in" in err
