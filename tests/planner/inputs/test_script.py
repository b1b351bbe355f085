"""Scripts that say what they need are planned as projects are."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.wheels import build_wheel
from planner.inputs.script import parse_script

SCRIPT = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "app>1",  # why
# ]
#
# [tool.lockstream]
# excludes = ["base"]
# ///
import app
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_script_says_what_it_needs(ends: str) -> None:
    assert parse_script(SCRIPT.replace("\n", ends)) == {
        "project": {"requires-python": ">=3.11", "dependencies": ["app>1"]},
        "tool": {"lockstream": {"excludes": ["base"]}},
    }


def test_blocks_of_other_kinds_are_passed_over() -> None:
    other = SCRIPT.replace("/// script", "/// other")
    assert parse_script(SCRIPT + other) == parse_script(SCRIPT)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import app\n", "it has no '# /// script' blocks"),
        (
            "# /// script\n# dependencies = ['app']\nimport app\n",
            "its '# /// script' block has no end: '# ///' is missing, or a line in it",
        ),
        ("# /// script\n#dependencies = ['app']\n# ///\n", "its '# /// script' block has no end"),
        (SCRIPT * 2, "it has several '# /// script' blocks"),
        (SCRIPT.replace("]\n#\n", "\n#\n", 1), "not valid TOML"),
    ],
)
def test_a_script_that_cannot_be_meant_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    path = tmp_path / "script.py"
    path.write_text(text)
    assert lockstream.main(["plan", str(path)]) == 3
    assert capsys.readouterr().err.startswith(f"error: {path}: {problem}")


def test_a_script_is_planned_and_checked(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", "2.0", requires=["base"]))
    Path("script.py").write_text(SCRIPT)
    assert lockstream.main(["plan", "-q", "script.py", "-i", index.url, *LINUX]) == 0
    document = tomllib.loads(Path("pylock.script.toml").read_text())
    assert [one["name"] for one in document["packages"]] == ["app"]
    assert document["tool"]["lockstream"]["inputs"] == {"projects": ["script.py"]}
    assert lockstream.main(["check", "pylock.script.toml"]) == 0
    Path("script.py").write_text(SCRIPT.replace("app>1", "app>2"))
    assert lockstream.main(["check", "pylock.script.toml"]) == 1
