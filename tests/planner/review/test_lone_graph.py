"""``tree`` and ``why`` answer from the lock alone if its inputs are not there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.planning import plan_here
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")

WHEELS = (
    build_wheel("app", requires=["base", "dropped"], extras={"x": ["extra-part"], "y": ["unused"]}),
    build_wheel("base"), build_wheel("extra-part"), build_wheel("unused"), build_wheel("dropped"),
    build_wheel("here", requires=["there"]), build_wheel("there", requires=["here", "app"]),
    build_wheel("win", requires=["base"]), build_wheel("torch", "1.0"), build_wheel("torch", "2.0"),
)  # fmt: skip

PROJECT = """
[project]
name = "top"
version = "1"
dependencies = ["app[x]", "win; sys_platform == 'win32'"]
[project.optional-dependencies]
old = ["torch<2"]
new = ["torch>=2"]
[dependency-groups]
dev = ["here"]
[tool.lockstream]
excludes = ["dropped"]
conflicts = [[{ extra = "old" }, { extra = "new" }]]
"""

TREE = """\
app[x] 1.0  (an input)
├── base 1.0
└── extra-part 1.0
here 1.0  (an input)
└── there 1.0
    ├── app 1.0
    │   └── base 1.0
    └── here 1.0 (*)
"""

MISSING = "there is no pyproject.toml in '.'"
ALONE = "shown from {} alone, beginning with what no package of it requires\n"


@pytest.fixture
def alone(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a lock, and nothing else."""
    (tmp_path / "project").mkdir()
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    index.add(*WHEELS)
    Path("pyproject.toml").write_text(PROJECT)
    words = ("--python-version", "3.12", "--platform", "linux", "--platform", "windows")
    assert lockstream.main(["plan", "-q", "-i", index.url, *words]) == 0
    shutil.copy("pylock.toml", tmp_path / "alone")
    monkeypatch.chdir(tmp_path / "alone")
    return tmp_path / "alone"


def said(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> tuple[str, str]:
    capsys.readouterr()
    assert lockstream.main(list(words)) == 0
    told = capsys.readouterr()
    return told.out, told.err


@pytest.mark.usefixtures("alone")
def test_a_tree_begins_with_what_nothing_requires(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, ["tree", "--python-version", "3.12", "--platform", "linux"])
    assert err == f"warning: {MISSING}; {ALONE.format('pylock.toml')}"
    without, old, new = sorted(out.split("\n\n"), key=len)
    head, _, body = without.partition("\n")
    assert head.endswith("without extra new, extra old")
    assert body == TREE.rstrip("\n")
    versions = {line for one in (old, new) for line in one.splitlines() if "torch" in line}
    assert versions == {"torch 1.0  (an input)", "torch 2.0  (an input)"}


def test_it_has_what_the_tree_with_the_inputs_has(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = said(capsys, ["tree"])
    wanted, _ = said(capsys, ["tree", str(alone.parent / "project" / "pylock.toml")])

    def edges(text: str) -> set[str]:
        return set(re.sub(r"  \(.*\)$", "", text, flags=re.MULTILINE).splitlines())

    assert edges(found) == edges(wanted)


@pytest.mark.usefixtures("alone")
def test_why_begins_with_an_input(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, ["why", "extra-part"])
    assert out == (
        'extra-part 1.0\n  an input requires app[x]; app[x] 1.0 requires extra-part; extra == "x"\n'
    )
    assert err == f"warning: {MISSING}; {ALONE.format('pylock.toml')}"


def test_files_of_requirements_may_be_missing_too(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(*WHEELS)
    assert plan_here(index, lines=("app[x]",)) == 0
    Path("requirements.in").unlink()
    out, err = said(capsys, ["tree"])
    assert out.splitlines()[0] == "app[x] 1.0  (an input)"
    assert err == (
        f"warning: requirements.in: No such file or directory; {ALONE.format('pylock.toml')}"
    )


def test_a_subset_leads_to_its_lock_only_if_that_is_there(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["subset", "--package", "app[x]", "--platform", "linux", "-o", "pylock.app.toml", "-q"]
    assert lockstream.main(words) == 0
    assert lockstream.main(["tree", "pylock.app.toml"]) == 2
    (alone / "pylock.toml").unlink()
    out, err = said(capsys, ["tree", "pylock.app.toml"])
    assert out == "app[x] 1.0  (an input)\n├── base 1.0\n└── extra-part 1.0\n"
    assert err == (
        "warning: pylock.app.toml is a subset of pylock.toml, which records where the requirements "
        f"are; {ALONE.format('pylock.app.toml')}"
    )


@pytest.mark.usefixtures("alone")
def test_a_mistake_in_the_inputs_is_not_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'top'\ndependencies = ['?']\n")
    assert lockstream.main(["tree"]) == 3
    assert capsys.readouterr().out == ""
