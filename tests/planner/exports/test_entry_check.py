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
        (with_repository(type="git\n--pre"), "kind of repository"),
        (with_repository(url="git@host.example"), "address of a repository"),
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
    assert not is_address("C:/wheels")
    assert not is_address("https:")
