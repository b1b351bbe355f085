"""Installed: what an environment holds, from the names of its folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from executor.environment.installed import Installed, installed_distributions


def names(folder: Path) -> list[tuple[str, str]]:
    return [(found.name, found.version) for found in installed_distributions(str(folder))]


def distribution(folder: Path, name: str = "demo-1.0.dist-info", among: int = 1) -> Installed:
    (folder / name).mkdir()
    found = {Path(one.path).name: one for one in installed_distributions(str(folder))}
    assert len(found) == among
    return found[name]


def test_distributions_are_known_by_their_metadata_folders(tmp_path: Path) -> None:
    for name in (
        "Zope.Interface-7.0.dist-info",
        "demo_pkg-1.0+cu118.dist-info",
        "old-0.1-py3.11.egg-info",
        "older-0.2.egg-info",
        "unversioned.egg-info",
        "whole-0.3-py3.11.egg",
        "pytz-2004d.dist-info",
    ):
        (tmp_path / name).mkdir()
    for name in ("developed", "My.Dashed-name"):
        (tmp_path / f"{name}.egg-link").touch()
    assert sorted(names(tmp_path)) == [
        ("demo-pkg", "1.0+cu118"),
        ("developed", ""),
        ("my-dashed-name", ""),
        ("old", "0.1"),
        ("older", "0.2"),
        ("pytz", "2004d"),
        ("unversioned", ""),
        ("whole", "0.3"),
        ("zope-interface", "7.0"),
    ]


def test_what_is_no_distribution_is_passed_over(tmp_path: Path) -> None:
    for name in ("demo", "demo-1.0", "demo.dist-info", "x-1.0.data", "dist-info", "__pycache__"):
        (tmp_path / name).mkdir()
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
def test_what_a_stopped_pip_has_set_aside_is_no_distribution(tmp_path: Path, kind: str) -> None:
    """An upgrade of the package itself was refused, as if another package had its files."""
    for first in "~-=%.":
        (tmp_path / f"{first}emo-1.0.{kind}").mkdir()
    (tmp_path / f"demo-1.0.{kind}").mkdir()
    assert names(tmp_path) == [("demo", "1.0")]


@pytest.mark.parametrize("egg", ["demo.egg-info", "Demo-1.0-py3.11.egg-info", "demo.egg-link"])
@pytest.mark.parametrize("record", ["listed", "not listed", "damaged"])
def test_an_egg_that_the_record_of_its_distribution_lists_is_a_part_of_it(
    tmp_path: Path, egg: str, record: str
) -> None:
    """Old wheels bring one."""
    path = egg if egg.endswith("link") else f"{egg}/PKG-INFO"
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).touch()
    found = distribution(tmp_path, "demo-1.0.dist-info", among=2)
    rows = {"listed": f"demo.py,,\n{path},,\n", "not listed": "demo.py,,\n", "damaged": "\0,,\n"}
    Path(found.record).write_text(rows[record])
    (tmp_path / "other-1.0.dist-info").mkdir()
    expected = {"demo-1.0.dist-info", "other-1.0.dist-info", *([egg] if record != "listed" else [])}
    there = [Path(found.path).name for found in installed_distributions(str(tmp_path))]
    assert there == sorted(expected)


@pytest.mark.parametrize("kind", ["absent", "below a file"])
def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    assert names(tmp_path / ("file/lib" if kind == "below a file" else "absent")) == []


@pytest.mark.parametrize(
    ("folder", "version", "same"),
    [
        ("demo-1.0.dist-info", "1.0", True),
        ("demo-1.0.dist-info", "1.0.0", True),
        ("demo-1.0_cu118.dist-info", "1.0+cu118", True),
        ("demo-1.0+cu118_x.dist-info", "1.0+cu118.x", True),
        ("demo-1.0.dist-info", "1.1", False),
        ("demo-2004d.dist-info", "1.0", False),
    ],
)
def test_versions_are_compared_however_they_are_spelled(
    tmp_path: Path, folder: str, version: str, same: bool
) -> None:
    assert distribution(tmp_path, folder).has_version(version) is same


def test_its_record_says_what_it_owns(tmp_path: Path) -> None:
    found = distribution(tmp_path)
    assert not found.is_complete
    with pytest.raises(FileNotFoundError):
        list(found.files())
    Path(found.record).write_text(
        'demo/__init__.py,sha256=x,1\n"with,comma.py",,\n\n../../../bin/demo,,\n/absolute,,\n',
    )
    assert found.is_complete
    assert list(found.files()) == [
        str(tmp_path / "demo" / "__init__.py"),
        str(tmp_path / "with,comma.py"),
        os.path.normpath(tmp_path / "../../../bin/demo"),
        "/absolute",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json.dumps({"url": "https://example.com/x"}), {"url": "https://example.com/x"}),
        ("[]", None),
        ("{", None),
        ("", None),
        (None, None),
    ],
)
def test_it_tells_where_it_came_from_if_it_knows(
    tmp_path: Path, content: str | None, expected: object
) -> None:
    found = distribution(tmp_path)
    if content is not None:
        (Path(found.path) / "direct_url.json").write_text(content)
    assert found.direct_url() == expected
