"""The lock of another tool gets hints, and none of its own lines changes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from helpers.index import Index
from helpers.wheels import build_wheel, lock_of
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer
from planner.lock.enrich import NotExtensible, enrich
from schemas.hints import wheel_hints

APP, BASE = build_wheel("app"), build_wheel("base")


def test_hints_are_added_once_to_the_end_of_each_package(index: Index) -> None:
    index.add(APP, BASE)
    text = lock_of([APP, BASE], base_url=f"{index.origin}/files/")
    with IndexClient() as client:
        extended, count = enrich(text, client)
        assert count == 2
        assert enrich(extended, client) == (extended, 0)
    for package, wheel in zip(tomllib.loads(extended)["packages"], (APP, BASE), strict=True):
        assert wheel_hints(package["tool"], wheel.filename) == wheel.hints
    kept = iter(extended.splitlines())
    assert all(line in kept for line in text.splitlines())


@pytest.mark.parametrize("place", ["url", "path"])
def test_a_wheel_of_this_machine_is_read(place: str, tmp_path: Path) -> None:
    (tmp_path / "our wheels").mkdir()
    path = tmp_path / "our wheels" / APP.filename
    path.write_bytes(APP.content)
    where = f'path = "our wheels/{APP.filename}"' if place == "path" else f'url = "{path.as_uri()}"'
    text = re.sub('(url|path) = ".*"', where, lock_of([APP]))
    with IndexClient() as client:
        extended, count = enrich(text, client, str(tmp_path))
        assert count == 1
        path.unlink()
        assert enrich(text, client, str(tmp_path)) == (text, 0)
    [package] = tomllib.loads(extended)["packages"]
    assert wheel_hints(package["tool"], APP.filename) == APP.hints


def test_a_wheel_that_is_required_by_its_address_is_read_and_other_archives_are_not(
    index: Index,
) -> None:
    index.add(APP)
    index.add_file("base.zip", b"")
    archives = (("app", APP.filename), ("base", "base.zip"))
    text = 'lock-version = "1.0"\ncreated-by = "x"\n' + "".join(
        f"[[packages]]\nname = {name!r}\narchive = {{ url = '{index.origin}/files/{file}', "
        f"hashes = {{ sha256 = '{APP.sha256}' }} }}\n"
        for name, file in archives
    )
    with IndexClient() as client:
        extended, count = enrich(text, client)
    assert count == 1
    app, base = tomllib.loads(extended)["packages"]
    assert wheel_hints(app["tool"], APP.filename) == APP.hints
    assert "tool" not in base


def test_an_inline_array_of_packages_is_refused() -> None:
    package = '{name = "a", directory = {path = "x"}}'
    text = f'lock-version = "1.0"\ncreated-by = "x"\npackages = [{package}]\n'
    with IndexClient() as client, pytest.raises(NotExtensible, match="inline array of packages"):
        enrich(text, client)


@pytest.mark.parametrize("url", ["http://h.example:99999/", "http://h.example:-1/"])
def test_an_address_that_is_none_is_an_error(url: str) -> None:
    lock = lock_of([build_wheel("demo")], base_url=url)
    with IndexClient() as client, pytest.raises(IndexAnswer, match="it is malformed"):
        enrich(lock, client)
