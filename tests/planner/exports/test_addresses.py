"""Addresses of an export: no secret in them, and nothing that ends a line."""

from __future__ import annotations

import pytest

from helpers.exports import PYPI, lock_with, wheel
from planner.exports.addresses import (
    PUBLIC,
    carries_secret,
    files_of,
    index_of,
    local_path,
    plain_url,
    repository_url,
)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://user:secret@host.example/a.whl", "https://host.example/a.whl"),
        ("https://host.example/a.whl?X-Amz-Signature=secret", "https://host.example/a.whl"),
        ("https://host.example/a.whl?part=1", "https://host.example/a.whl?part=1"),
        ("ssh://git:secret@host.example/a.git", "ssh://git@host.example/a.git"),
        ("https://host.example/a%20b+c.whl#sha256=1", "https://host.example/a%20b+c.whl"),
        ("https://host.example/100%.whl", "https://host.example/100%25.whl"),
        ("https://host.example/a ${TOKEN}\\\n#b", "https://host.example/a%20%24%7BTOKEN%7D%5C"),
    ],
)
def test_an_address_is_written_without_secrets_and_without_what_pip_would_expand(
    url: str, plain: str
) -> None:
    assert plain_url(url) == plain


@pytest.mark.parametrize(
    ("url", "is_lost"),
    [
        (None, False),
        ("https://host.example/a.whl", False),
        ("https://user@host.example/a.whl", True),
        ("https://host.example/a.whl?token=secret", True),
        ("ssh://git@host.example/a.git", False),
    ],
)
def test_it_is_known_whether_something_was_left_out(url: str | None, is_lost: bool) -> None:
    assert carries_secret(url) is is_lost


def test_pypi_is_named_as_locks_name_it() -> None:
    assert PUBLIC == PYPI
    (package,) = lock_with(wheel("app", index=f"{PYPI}/")).packages
    assert index_of(package) == PUBLIC


def test_a_file_of_this_machine_has_a_path() -> None:
    tables = [
        wheel("app", at="wheels"),
        wheel("base", at="file:///our%20wheels"),
        wheel("cli"),
    ]
    paths = [
        local_path(file, "locks")
        for package in lock_with(*tables).packages
        for file in files_of(package)
    ]
    assert paths == [
        "locks/wheels/app-1.0-py3-none-any.whl", "/our wheels/base-1.0-py3-none-any.whl", None,
    ]  # fmt: skip


def test_a_repository_is_named_at_its_commit() -> None:
    vcs = {"type": "git", "url": "https://user:secret@host.example/app.git", "commit-id": "c" * 40}
    package, other = lock_with({"name": "app", "vcs": vcs}, wheel("base")).packages
    assert repository_url(package) == f"git+https://host.example/app.git@{'c' * 40}"
    assert repository_url(other) is None
