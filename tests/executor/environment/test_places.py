"""One place has one key, and a link is a way only if it stays in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.environment.places import Places, Ways, distinct_folders, is_below


@pytest.fixture(name="env")
def _env(tmp_path: Path) -> Path:
    """An environment with ``lib64`` -> ``lib`` and ``man`` -> ``share/man``."""
    env = tmp_path / "env"
    (env / "lib/site-packages").mkdir(parents=True)
    (env / "share/man").mkdir(parents=True)
    (env / "lib64").symlink_to("lib")
    (env / "man").symlink_to("share/man")
    return env


def ways(env: Path) -> Ways:
    return Ways([str(env / "lib/site-packages"), str(env)])


def entry(env: Path, path: str) -> tuple[str, bool] | None:
    return ways(env).entry(path)


class TestKeys:
    def test_two_spellings_of_a_path_have_one_key(self, env: Path) -> None:
        key = Places().key
        assert key(f"{env}/lib64/site-packages/a.py") == key(f"{env}/lib/site-packages/a.py")
        assert key(f"{env}/man/x.1") == key(f"{env}/share/man/x.1")
        assert key(f"{env}/man/x.1") != key(f"{env}/lib/x.1")

    def test_so_have_spellings_of_what_is_absent(self, env: Path) -> None:
        key = Places().key
        assert key(f"{env}/lib64/new/sub/a.py") == key(f"{env}/lib/new/sub/a.py")

    def test_a_link_to_itself_is_no_folder(self, env: Path) -> None:
        (env / "loop").symlink_to("loop")
        key = Places().key
        assert key(f"{env}/loop/a.py") == f"{key(f'{env}/loop')}/a.py"
        with ways(env).opened(os.path.realpath(env) + "/loop") as descriptor:
            assert descriptor is None

    def test_the_last_part_is_not_followed(self, env: Path) -> None:
        assert Places().key(f"{env}/man") != Places().key(f"{env}/share/man")

    def test_a_folder_is_not_listed_twice(self, env: Path) -> None:
        lib, lib64 = str(env / "lib/site-packages"), str(env / "lib64/site-packages")
        assert distinct_folders([lib64, lib]) == [lib64]
        (env / "lib64").unlink()
        (env / "lib64/site-packages").mkdir(parents=True)
        assert distinct_folders([lib, lib64]) == [lib, lib64]


def test_a_folder_is_not_below_one_whose_name_it_begins_with() -> None:
    assert is_below("/env/lib", ["/env/"])
    assert not is_below("/environment", ["/env"])


def test_nothing_is_below_itself() -> None:
    """Who goes up from a file until nothing is above would go on forever at the root."""
    assert is_below("/env", ["/"])
    assert not is_below("/", ["/"])
    assert not is_below("/env", ["/env"])


class TestWays:
    def test_a_link_that_stays_inside_is_a_way(self, env: Path) -> None:
        assert ways(env).is_way(str(env / "lib64"))
        assert entry(env, f"{env}/man/x.1") == (f"{env}/share/man/x.1", False)

    def test_a_link_that_leads_outside_is_an_entry_itself(self, env: Path, tmp_path: Path) -> None:
        (tmp_path / "sources/sub").mkdir(parents=True)
        link = env / "lib/site-packages/demo"
        link.symlink_to(tmp_path / "sources")
        assert not ways(env).is_way(str(link))
        for name in ("__init__.py", "sub/x.py", "gone/x.py"):
            assert entry(env, f"{link}/{name}") == (str(link), True)

    def test_a_file_that_is_a_link_is_not_followed(self, env: Path, tmp_path: Path) -> None:
        (env / "x").symlink_to(tmp_path)
        assert entry(env, f"{env}/x") == (f"{env}/x", False)

    @pytest.mark.parametrize("path", ["/etc/hostname", "{env}/../x", "{env}"])
    def test_what_is_outside_is_not_an_entry(self, env: Path, path: str) -> None:
        assert entry(env, os.path.normpath(path.format(env=env))) is None

    def test_the_links_that_a_root_lies_behind_are_ways(self, env: Path, tmp_path: Path) -> None:
        """Some images keep the packages in a volume."""
        (tmp_path / "volume/site-packages").mkdir(parents=True)
        (env / "lib").rename(tmp_path / "old")
        (env / "lib").symlink_to(tmp_path / "volume")
        assert entry(env, f"{env}/lib/libx.so") == (f"{tmp_path}/volume/libx.so", False)
        assert entry(env, f"{env}/lib/site-packages/a.py") == (
            f"{tmp_path}/volume/site-packages/a.py",
            False,
        )

    def test_a_link_to_what_holds_the_environment_is_not_a_way(self, env: Path) -> None:
        (env / "lib/site-packages/up").symlink_to(env.parent)
        assert not ways(env).is_way(f"{env}/lib/site-packages/up")
        assert not ways(env).is_way(f"{env}/absent")

    def test_a_folder_is_opened_through_no_link(self, env: Path, tmp_path: Path) -> None:
        (tmp_path / "sources").mkdir()
        (env / "share/out").symlink_to(tmp_path / "sources")
        with ways(env).opened(f"{env}/share/man") as descriptor:
            assert descriptor is not None
            assert os.path.samestat(os.fstat(descriptor), os.stat(env / "share/man"))
        for path in ("share/out", "lib64", "lib64/site-packages", "absent/folder"):
            with ways(env).opened(f"{env}/{path}") as descriptor:
                assert descriptor is None, path
