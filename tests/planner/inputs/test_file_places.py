"""What a requirements file names is found from that file, a path or a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.inputs.file_places import is_remote, local_path, resolve_links, resolve_path


@pytest.mark.parametrize(
    ("file", "named", "place"),
    [
        ("a.in", "b.in", "b.in"),
        ("ci/a.in", "b.in", "ci/b.in"),
        ("ci/a.in", "../b.in", "b.in"),
        ("ci/a.in", "/b.in", "/b.in"),
        ("ci/a.in", "https://host.example/b.in", "https://host.example/b.in"),
        ("file:///ci%20x/a.in", "b.in", "/ci x/b.in"),
        ("https://host.example/ci/a.in", "b.in", "https://host.example/ci/b.in"),
        ("HTTPS://host.example/ci/a.in", "/b.in", "HTTPS://host.example/b.in"),
    ],
)
def test_an_included_file_is_found_from_the_one_that_includes_it(
    file: str, named: str, place: str
) -> None:
    assert resolve_path(file, named).lower() == place.lower()


def test_only_files_at_servers_are_remote() -> None:
    remote = ["https://host.example/a.in", "HTTP://host.example/a.in"]
    local = ["a.in", "file:///a.in", "FILE:///a.in", "https.in"]
    assert [is_remote(one) for one in (*remote, *local)] == [True] * 2 + [False] * 4
    assert local_path("file:///a%20b.in") == "/a b.in"


def test_links_are_next_to_the_file_or_else_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_links("ci/a.in", "wheels") == "ci/wheels"
    Path("wheels").mkdir()
    assert resolve_links("ci/a.in", "wheels") == "wheels"
    Path("ci/wheels").mkdir(parents=True)
    assert resolve_links("ci/a.in", "wheels") == "ci/wheels"
    assert resolve_links("ci/a.in", "https://host.example/") == "https://host.example/"
