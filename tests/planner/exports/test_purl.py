"""Package URLs, by which scanners know the packages of a lock."""

from __future__ import annotations

from typing import Any

import pytest
from packageurl import PackageURL

from executor import SelectOptions
from helpers.exports import PYPI, lock_with, sdist, wheel
from planner.exports.purl import package_url, plain_package_url
from planner.exports.selection import select_packages

SHA = {"sha256": "a" * 64}
COMMIT = "c" * 40


def url_of(table: dict[str, Any]) -> str | None:
    (package,) = select_packages(lock_with(table), SelectOptions())
    return package_url(package)


@pytest.mark.parametrize(
    ("table", "url"),
    [
        pytest.param(wheel("app", index=PYPI), "pkg:pypi/app@1.0", id="PyPI"),
        pytest.param(sdist("app"), "pkg:pypi/app@1.0", id="an index not named"),
        pytest.param(
            wheel("app", "1!2.0+cpu", index="https://user:secret@ours.example/whl"),
            "pkg:pypi/app@1%212.0%2Bcpu?repository_url=https://ours.example/whl",
            id="another index",
        ),
        pytest.param(
            wheel("app", at="files", index="file:///opt/simple"), "pkg:pypi/app@1.0", id="a folder"
        ),
        pytest.param(
            {
                "name": "app",
                "version": "1.0",
                "vcs": {
                    "type": "git",
                    "url": "https://host.example/app.git",
                    "commit-id": COMMIT,
                },
            },
            f"pkg:pypi/app@1.0?vcs_url=git%2Bhttps://host.example/app.git%40{COMMIT}",
            id="a repository",
        ),
        pytest.param(
            {"name": "app", "archive": {"url": "https://host.example/a.zip", "hashes": SHA}},
            "pkg:pypi/app?download_url=https://host.example/a.zip",
            id="an archive",
        ),
    ],
)
def test_a_package_is_known_by_name_version_and_origin(table: dict[str, Any], url: str) -> None:
    assert url_of(table) == url
    assert PackageURL.from_string(url).to_string() == url


@pytest.mark.parametrize(
    "source",
    [
        {"directory": {"path": "."}},
        {"archive": {"path": "a.zip", "hashes": SHA}},
        {"archive": {"url": "file:///a.zip", "hashes": SHA}},
        {"vcs": {"type": "git", "path": "repo", "commit-id": COMMIT}},
    ],
)
def test_what_the_lock_names_on_this_machine_need_not_be_the_project_on_pypi(
    source: dict[str, Any],
) -> None:
    assert url_of({"name": "app", **source}) is None


def test_a_version_need_not_be_known() -> None:
    assert plain_package_url("app", "") == "pkg:pypi/app"
