"""An installer states who installed a wheel, and the address of one that was named by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from executor.lock.step import Source, Step
from executor.wheels.direct_url import installer_metadata

URL = "https://example.com/demo-1.0-py3-none-any.whl"


def step(source: Source | None = None, *, is_direct: bool = True) -> Step:
    return Step(
        name="demo",
        version="1.0",
        filename="demo-1.0-py3-none-any.whl",
        url=URL,
        path=None,
        size=None,
        hashes=(("sha512", "22"), ("sha256", "11")),
        hints=None,
        is_direct=is_direct,
        source=source,
    )


def test_a_wheel_of_an_index_has_no_address() -> None:
    metadata = installer_metadata(step(is_direct=False), URL)
    assert metadata == {"INSTALLER": b"lockstream\n", "REQUESTED": b""}


@pytest.mark.parametrize(
    ("source", "members"),
    [
        pytest.param(
            None, {"archive_info": {"hashes": {"sha256": "11", "sha512": "22"}}}, id="archive"
        ),
        pytest.param(
            Source(None, "python"),
            {
                "archive_info": {"hashes": {"sha256": "11", "sha512": "22"}},
                "subdirectory": "python",
            },
            id="a part of an archive",
        ),
        pytest.param(
            Source(None, commit="c0ffee", revision="v1"),
            {"vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "c0ffee"}},
            id="a tag",
        ),
        pytest.param(
            Source(None, commit="c0ffee"),
            {"vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            id="a commit",
        ),
        pytest.param(Source(None, folder="/src"), {"dir_info": {}}, id="a folder"),
        pytest.param(
            Source(None, folder="/src", editable=True),
            {"dir_info": {"editable": True}},
            id="an editable folder",
        ),
    ],
)
def test_the_address_is_described_by_its_kind(
    source: Source | None, members: dict[str, Any]
) -> None:
    metadata = installer_metadata(step(source), URL)
    assert json.loads(metadata["direct_url.json"]) == {"url": URL, **members}
