"""Commands that read a lock select of it what an execution with the same options does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lockstream
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

NAMES = ("plain", "extra", "group", "default")


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(write_lock(tmp_path, [build_wheel(name) for name in NAMES]))
    text = path.read_text()
    for name, marker in (
        ("extra", "'x' in extras"),
        ("group", "'docs' in dependency_groups"),
        ("default", "'dev' in dependency_groups"),
    ):
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\nmarker = "{marker}"\n')
    header = 'extras = ["x"]\ndependency-groups = ["dev", "docs"]\ndefault-groups = ["dev"]\n'
    path.write_text(text.replace("created-by", f"{header}created-by", 1))


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        ([], {"plain", "default"}),
        (["--no-default-groups"], {"plain"}),
        (["--extra", "x"], {"plain", "default", "extra"}),
        (["--group", "docs", "--no-default-groups"], {"plain", "group"}),
        (["--all-extras", "--all-groups"], set(NAMES)),
    ],
)
def test_what_is_shown_is_what_is_executed(
    options: list[str], selected: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["show", "--json", *options]) == ExitCode.DONE
    (cost,) = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in cost["packages"]} == selected
    assert lockstream.main(["export", "-q", *options]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert {one.partition("==")[0] for one in lines if "==" in one} == selected
    assert lockstream.main(["execute", "-q", "--target", "t", *options]) == ExitCode.DONE
    assert {one.name for one in Path("t").glob("[a-z]*") if "-" not in one.name} == selected


def test_a_name_that_the_lock_does_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["show", "--group", "tests"]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "error: the lock has no dependency group 'tests'; it has dev, docs\n" in error
