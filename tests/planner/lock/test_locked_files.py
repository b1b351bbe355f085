"""Each file of a package is named so that it is found again in another lock."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w
from packaging.pylock import Pylock

from planner.lock.locked_files import locked_files

HASHES = {"hashes": {"sha256": "a" * 64}}


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (
            {
                "wheels": [{"url": "https://f.example/a-1-py3-none-any.whl", **HASHES}],
                "sdist": {"url": "https://f.example/a-1.tar.gz", **HASHES},
            },
            ["a-1-py3-none-any.whl", "https://f.example/a-1.tar.gz"],
        ),
        ({"archive": {"path": "wheels/a.whl", **HASHES}}, ["wheels/a.whl"]),
        ({"directory": {"path": "a"}}, []),
    ],
)
def test_files_have_their_name_or_their_address(package: dict[str, Any], names: list[str]) -> None:
    table = {"name": "a", **package}
    document = {"lock-version": "1.0", "created-by": "tests", "packages": [table]}
    lock = Pylock.from_dict(tomllib.loads(tomli_w.dumps(document)))
    found = dict(locked_files(lock.packages[0]))
    assert list(found) == names
    assert all(hashes == HASHES["hashes"] for hashes in found.values())
