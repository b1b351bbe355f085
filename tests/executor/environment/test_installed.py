"""Installed: what an environment holds, from the names of its folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from executor.environment.installed import Installed, installed_distributions


def names(folder: Path) -> list[tuple[str, str]]:
    return [(found.name, found.version) for found in installed_distributions(str(folder))]


def distribution(folder: Path, name: str = "demo-1.0.dist-info") -> Installed:
    (folder / name).mkdir()
    (found,) = installed_distributions(str(folder))
    return found


def test_distributions_are_known_by_their_metadata_folders(tmp_path: Path) -> None:
    for name in (
        "Zope.Interface-7.0.dist-info",
        "demo_pkg-1.0+cu118.dist-info",
        "old-0.1-py3.11.egg-info",
        "older-0.2.egg-info",
        "pytz-2004d.dist-info",
    ):
        (tmp_path / name).mkdir()
    assert sorted(names(tmp_path)) == [
        ("demo-pkg", "1.0+cu118"),
        ("old", "0.1"),
        ("older", "0.2"),
        ("pytz", "2004d"),
        ("zope-interface", "7.0"),
    ]


def test_what_is_no_distribution_is_passed_over(tmp_path: Path) -> None:
    for name in ("demo", "demo-1.0", "demo.dist-info", "x-1.0.data", "dist-info", "__pycache__"):
        (tmp_path / name).mkdir()
    assert names(tmp_path) == []


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
