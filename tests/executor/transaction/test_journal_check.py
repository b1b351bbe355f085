"""Journal check: what a checkout, an archive or another user may have brought is not obeyed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from executor.transaction.errors import JournalRefused, StagingRefused
from executor.transaction.journal import Journal
from executor.transaction.journal_check import check_journal
from helpers.environments import schemes_below
from schemas.errors import ExitCode

HEAD = '{"Journal": {"version": 2}}\n'


def move(source: object = "0/tree", destination: object = ".", last: object = None) -> str:
    fields = {"source": source, "destination": destination, "last": last}
    return json.dumps({"Move": fields}) + "\n"


def removal(**changes: object) -> str:
    fields: Mapping[str, Any] = {
        "dist_info": "old-1.dist-info",
        "aside": "aside/0",
        "roots": ["."],
        "keep": [],
    }
    return json.dumps({"Removal": {**fields, **changes}}) + "\n"


@pytest.fixture(name="packages")
def _packages(tmp_path: Path) -> Path:
    """The packages of an environment whose staging folder is not ours."""
    packages = Path(schemes_below(tmp_path / "env").purelib)
    (packages / ".lockstream").mkdir(parents=True)
    packages.chmod(0o755)
    return packages


def check(packages: Path, text: str | None = None) -> None:
    if text is not None:
        (packages / ".lockstream/journal").write_text(text)
    check_journal(Journal(str(packages)), schemes_below(packages.parents[1]))


def problem(packages: Path, text: str | None = None) -> str:
    with pytest.raises(JournalRefused) as caught:
        check(packages, text)
    assert f"remove {packages}/.lockstream" in caught.value.hint
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    return caught.value.problem


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        (move(destination="../../../home"), "{root}/home"),
        (move(destination="../../bin/inner"), "{root}/env/bin/inner"),
        (move(destination="demo"), "{packages}/demo"),
        (move(destination="../../include/a/b"), "{root}/env/include/a/b"),
        (move(destination=".lockstream"), "{packages}/.lockstream"),
        (removal(roots=["/"]), "/"),
        (removal(roots=[".", "demo"]), "{packages}/demo"),
        (removal(dist_info="demo/old-1.dist-info"), "{packages}/demo/old-1.dist-info"),
        (removal(dist_info="../../../old-1.dist-info"), "{root}/old-1.dist-info"),
    ],
)
def test_an_entry_names_folders_of_this_environment_alone(
    packages: Path, tmp_path: Path, entry: str, place: str
) -> None:
    named = place.format(root=tmp_path, packages=packages)
    assert problem(packages, HEAD + entry) == f"it names {named}, which is outside of its folders"


@pytest.mark.parametrize("path", ["../../../home", "/", "", ".", "0//tree", "0/./tree", "0/../1"])
def test_a_source_is_a_staged_folder(packages: Path, path: str) -> None:
    expected = f"it names {path!r}, which is not a staged folder"
    assert problem(packages, HEAD + move(path)) == expected
    assert problem(packages, HEAD + removal(aside=path)) == expected


def test_what_is_removed_is_a_distribution(packages: Path) -> None:
    assert problem(packages, HEAD + removal(dist_info="demo")) == (
        f"it names {packages}/demo, which is not a dist-info folder"
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("garbage\n", 1),
        (move(), 1),
        (HEAD + "[" * 100_000, 2),
        (HEAD + '{"Move": {"source": "0"}}\n', 2),
        (HEAD + '{"Other": {}}\n', 2),
        (HEAD + move(1), 2),
        (HEAD + move(float("nan")), 2),
        (HEAD + move(destination=["."]), 2),
        (HEAD + move(last=5), 2),
        (HEAD + move("a\0"), 2),
        (HEAD + move(destination="\0"), 2),
        (HEAD + move("\ud800"), 2),
        (HEAD + removal(aside=5), 2),
        (HEAD + removal(roots="."), 2),
        (HEAD + removal(roots=[1]), 2),
        (HEAD + removal(keep=["\0"]), 2),
        (HEAD + removal(keep=None), 2),
        (HEAD + removal(dist_info=["."]), 2),
    ],
)
def test_a_line_that_is_no_entry_is_named(packages: Path, text: str, number: int) -> None:
    assert problem(packages, text) == f"line {number} is not an entry of a journal"


def test_another_version_is_refused(packages: Path) -> None:
    other = '{"Journal": {"version": 1}}\n'
    assert problem(packages, other) == "another version has written it"


def test_a_journal_without_an_end_is_not_read_to_it(packages: Path) -> None:
    (packages / ".lockstream/journal").write_text(HEAD)
    os.truncate(packages / ".lockstream/journal", 1 << 40)
    assert problem(packages) == "line 2 is not an entry of a journal"


@pytest.mark.parametrize("name", ["journal", "removed"])
def test_a_pipe_or_a_link_is_not_read(packages: Path, name: str) -> None:
    (packages / ".lockstream/journal").write_text(HEAD)
    path = packages / ".lockstream" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert problem(packages) == "it is not a file"
    path.unlink()
    path.symlink_to("/dev/zero")
    assert problem(packages) == "it is not a file"


def test_a_journal_that_others_may_write_is_not_obeyed(packages: Path) -> None:
    (packages / ".lockstream/journal").write_text(HEAD)
    (packages / ".lockstream/journal").chmod(0o666)
    with pytest.raises(StagingRefused, match="other users may write to it"):
        check(packages)


@pytest.mark.parametrize("place", ["0", "0/tree", "0/tree/demo", "0/tree/demo/inner"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_staged_link_does_not_become_a_way_out(packages: Path, place: str, kind: str) -> None:
    """A move of it would make the next move end behind it."""
    path = packages / ".lockstream" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/home") if kind == "link" else os.mkfifo(path)
    found = problem(packages, HEAD + move())
    assert found in {f"{path} is not a folder", f"{path} is neither a file nor a folder"}


@pytest.mark.parametrize("name", ["aside", "aside/0", "aside/0/RECORD", "aside/0-copied"])
def test_nothing_that_was_set_aside_is_a_link(packages: Path, name: str) -> None:
    path = packages / ".lockstream" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/home")
    assert f"{path} is " in problem(packages, HEAD + removal())


def test_folders_without_an_end_are_refused(packages: Path) -> None:
    (packages / ".lockstream/0/tree" / "/".join("d" * 100)).mkdir(parents=True)
    assert problem(packages, HEAD + move()) == ("0/tree has more than 80 folders below each other")


@pytest.mark.parametrize("place", [".", "../../bin", "../..", "../../include/demo"])
def test_a_journal_of_this_environment_is_obeyed(packages: Path, place: str) -> None:
    (packages / ".lockstream/0/tree/demo").mkdir(parents=True)
    (packages / ".lockstream/0/tree/demo/__init__.py").write_text("")
    (packages / ".lockstream/aside/0").mkdir(parents=True)
    check(packages, HEAD + removal(roots=[".", "../../bin"]) + move(destination=place))


def test_none_is_right(packages: Path) -> None:
    check(packages)
