"""Values of a lock that mean nothing are an error, and end no line of an export."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.exports import lock_with, wheel
from planner.exports.entry_check import check_entry, is_address
from planner.exports.errors import InvalidEntry

SHA = {"sha256": "a" * 64}


def with_file(**keys: Any) -> dict[str, Any]:
    table = wheel("app")
    table["wheels"][0] |= keys
    return table


def with_repository(**keys: str) -> dict[str, Any]:
    vcs = {"type": "git", "url": "https://host.example/app.git", "commit-id": "c" * 40, **keys}
    return {"name": "app", "vcs": vcs}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (wheel("app", index="https://user:secret@[host"), "its index"),
        (wheel("app", index="ours"), "its index 'ours' is not an address"),
        (with_file(url="https://host:port/app-1.0-py3-none-any.whl"), "address of a file"),
        ({"name": "app", "archive": {"url": "app.zip", "hashes": SHA}}, "address of a file"),
        (with_file(hashes={"sha256": "a\n--index-url https://evil.example"}), "a hash"),
        (with_file(hashes={"SHA256": "ab"}), "a hash .SHA256. has 2 digits instead of 64"),
        (with_repository(type="git\n--pre"), "kind of repository"),
        (with_repository(url="git@host.example"), "address of a repository"),
        (with_repository(url="ext::sh -c id"), "address of a repository"),
        (with_repository(**{"commit-id": "--upload-pack=id"}), "name of a commit"),
        (with_repository(**{"commit-id": "a\n--pre"}), "name of a commit"),
        (with_file(url="javascript:alert(1)//app-1.0-py3-none-any.whl"), "address of a file"),
    ],
)
def test_a_value_without_a_meaning_names_its_package(table: dict[str, Any], problem: str) -> None:
    (package,) = lock_with(table).packages
    with pytest.raises(InvalidEntry, match=f"app: .*{problem}") as caught:
        check_entry(package)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("table", [wheel("app", index="file:///simple"), with_repository()])
def test_other_entries_are_taken(table: dict[str, Any]) -> None:
    (package,) = lock_with(table).packages
    check_entry(package)


def test_an_address_has_a_scheme() -> None:
    assert is_address("https://host.example/simple", ("https",))
    assert not is_address("https://host.example/simple", ("file",))
    assert not is_address("C:/wheels", ("https",))
    assert not is_address("https:", ("https",))
