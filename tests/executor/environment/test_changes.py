"""Changes: what comes, goes and stays, decided from the names and versions that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from executor.environment.changes import Changes, Sync, decide_changes
from executor.environment.errors import NotRemovable, RecordUnreadable
from executor.environment.installed import installed_distributions, protected
from executor.environment.schemes import Schemes
from executor.lock.step import Step
from helpers.environments import schemes_below

SHA = (("sha256", "00"),)


@pytest.fixture(name="schemes")
def _schemes(tmp_path: Path) -> Schemes:
    return schemes_below(tmp_path)


def step(name: str, version: str = "1.0", *, is_direct: bool = False) -> Step:
    return Step(
        name=name,
        version=version,
        filename=f"{name}-{version}-py3-none-any.whl",
        url=f"https://example.com/{name}.whl",
        path=None,
        size=10,
        hashes=SHA,
        hints=None,
        is_direct=is_direct,
    )


def has(
    schemes: Schemes,
    folder: str,
    record: str | None = "{folder}/RECORD,,\n",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Put a dist-info (or egg-info) folder into the environment."""
    path = Path(schemes.purelib, folder)
    path.mkdir(parents=True)
    if record is not None:
        (path / "RECORD").write_text(record.replace("{folder}", folder))
    for name, content in (files or {}).items():
        (path / name).write_text(content)
    return path


def told(changes: Changes) -> list[str]:
    return list(changes.lines())


def test_what_is_there_in_the_locked_version_is_left_alone(schemes: Schemes) -> None:
    has(schemes, "a-1.0.dist-info")
    has(schemes, "B_b-2.dist-info")
    has(schemes, "d-1.0.dist-info")
    steps = [step("a"), step("b-b", "2.0"), step("c"), step("d", "1.1")]
    changes = decide_changes(steps, schemes, Sync())
    assert told(changes) == ["+ c 1.0", "~ d 1.1 (was 1.0)", "2 unchanged"]
    assert changes.replaced == {"d": "1.0"}
    new = {"name": "c", "version": "1.0", "replaces": None, "file": steps[2].filename}
    newer = {"name": "d", "version": "1.1", "replaces": "1.0", "file": steps[3].filename}
    assert changes.to_json() == {
        "install": [{**new, "size": 10}, {**newer, "size": 10}],
        "remove": [],
        "unchanged": [{"name": "a", "version": "1.0"}, {"name": "b-b", "version": "2.0"}],
        "skipped": [],
    }


def test_what_has_no_version_before_it_is_built_is_told_without(schemes: Schemes) -> None:
    assert told(decide_changes([step("a", "")], schemes, Sync())) == ["+ a", "0 unchanged"]


def test_the_order_of_the_steps_is_kept(schemes: Schemes) -> None:
    has(schemes, "b-1.0.dist-info")
    steps = [step("c"), step("b"), step("a")]
    changes = decide_changes(steps, schemes, Sync())
    assert [one.name for one in changes.install] == ["c", "a"]
    assert [one.name for one in changes.unchanged] == ["b"]


@pytest.mark.parametrize(
    ("sync", "expected"),
    [
        (Sync(), ["2 unchanged"]),
        (Sync(reinstall=True), ["~ a 1.0 (was 1.0)", "~ b 1.0 (was 1.0)", "0 unchanged"]),
        (Sync(reinstall_packages=frozenset({"b"})), ["~ b 1.0 (was 1.0)", "1 unchanged"]),
        (Sync(reinstall_packages=frozenset({"other"})), ["2 unchanged"]),
    ],
    ids=["no", "all", "one", "one that is not locked"],
)
def test_what_is_right_is_replaced_on_demand(
    schemes: Schemes, sync: Sync, expected: list[str]
) -> None:
    has(schemes, "a-1.0.dist-info")
    has(schemes, "b-1.0.dist-info")
    assert told(decide_changes([step("a"), step("b")], schemes, sync)) == expected


def test_a_name_that_the_lock_does_not_have_is_told(schemes: Schemes) -> None:
    sync = Sync(reinstall_packages=frozenset({"a", "b", "left", "ab"}))
    has(schemes, "a-1.0.dist-info")
    changes = decide_changes([step("a"), step("b")], schemes, sync, skipped=["left"])
    assert [*changes.remarks(sync)] == [
        "ab is to be reinstalled, but the lock installs no such package"
    ]
    assert not [*changes.remarks(Sync())]


class TestExact:
    @pytest.fixture(autouse=True)
    def _environment(self, schemes: Schemes) -> None:
        for name in ("a", "gone", "pip", "setuptools", "wheel"):
            has(schemes, f"{name}-1.0.dist-info")

    def test_what_the_lock_does_not_hold_goes(self, schemes: Schemes) -> None:
        assert told(decide_changes([step("a")], schemes, Sync(exact=True))) == [
            "- gone 1.0",
            "1 unchanged",
        ]

    def test_without_it_everything_stays(self, schemes: Schemes) -> None:
        assert told(decide_changes([step("a")], schemes, Sync())) == ["1 unchanged"]

    @pytest.mark.parametrize("exact", [True, False])
    def test_parts_of_the_environment_go_when_they_are_named(
        self, schemes: Schemes, exact: bool
    ) -> None:
        sync = Sync(exact=exact, remove=frozenset({"pip", "gone", "absent"}))
        assert told(decide_changes([step("a")], schemes, sync)) == [
            "- gone 1.0",
            "- pip 1.0",
            "1 unchanged",
        ]

    def test_a_name_that_cannot_be_removed_is_remarked(self, schemes: Schemes) -> None:
        """A slip in it would pass for success."""
        sync = Sync(remove=frozenset({"pip", "gnoe", "a"}))
        assert list(decide_changes([step("a")], schemes, sync).remarks(sync)) == [
            "a is to be removed, but the lock lists it",
            "gnoe is to be removed, but is not installed",
        ]

    def test_what_the_lock_holds_is_not_removed_by_name(self, schemes: Schemes) -> None:
        sync = Sync(remove=frozenset({"a"}))
        assert told(decide_changes([step("a")], schemes, sync)) == ["1 unchanged"]

    def test_a_locked_part_of_the_environment_is_as_locked(self, schemes: Schemes) -> None:
        changes = decide_changes([step("a"), step("pip", "2.0")], schemes, Sync())
        assert told(changes) == ["~ pip 2.0 (was 1.0)", "1 unchanged"]

    def test_what_was_skipped_stays(self, schemes: Schemes) -> None:
        changes = decide_changes([step("a")], schemes, Sync(exact=True), skipped=["gone"])
        assert told(changes) == ["1 unchanged"]
        assert changes.to_json()["skipped"] == ["gone"]

    def test_lockstream_keeps_all_it_needs_where_it_is_installed(self, schemes: Schemes) -> None:
        needs = (
            "Name: x\nRequires-Dist: {}\nRequires-Dist: gone; extra == 'x'\n\nRequires-Dist: a\n"
        )
        has(schemes, "lockstream-1.dist-info", files={"METADATA": needs.format("Click>=8")})
        has(schemes, "click-8.dist-info", files={"METADATA": needs.format("deep.er (>1)")})
        has(schemes, "deep_er-1.dist-info", files={"METADATA": needs.format("click; os_name=='x'")})
        changes = decide_changes([], schemes, Sync(exact=True))
        assert told(changes) == ["- a 1.0", "- gone 1.0", "0 unchanged"]
        found = installed_distributions(schemes.purelib)
        assert protected(found) >= {"lockstream", "click", "deep-er"}

    def test_what_an_installer_needs_is_kept_unless_the_lock_holds_the_installer(
        self, schemes: Schemes
    ) -> None:
        """``uv venv --seed`` and virtualenv bring wheel, which needs packaging."""
        needs = "Name: x\nRequires-Dist: packaging>=24\nRequires-Dist: gone; extra == 'x'\n"
        Path(schemes.purelib, "wheel-1.0.dist-info/METADATA").write_text(needs)
        has(schemes, "packaging-26.4.dist-info")
        exact = Sync(exact=True)
        assert told(decide_changes([step("a")], schemes, exact)) == ["- gone 1.0", "1 unchanged"]
        changes = decide_changes([step("a"), step("wheel", "0.45")], schemes, exact)
        removed = ["- gone 1.0", "- packaging 26.4"]
        assert told(changes) == ["~ wheel 0.45 (was 1.0)", *removed, "1 unchanged"]

    def test_without_lockstream_nothing_is_kept_for_it(self, schemes: Schemes) -> None:
        has(schemes, "click-8.dist-info")
        changes = decide_changes([step("a")], schemes, Sync(exact=True))
        assert told(changes)[:2] == ["- click 8", "- gone 1.0"]


class TestDirect:
    """https://packaging.python.org/specifications/direct-url-data-structure/"""

    @pytest.mark.parametrize(
        ("direct_url", "is_direct", "stays"),
        [
            (None, False, True),
            (None, True, False),
            ({"url": "x", "archive_info": {"hashes": {"sha256": "00"}}}, True, True),
            ({"url": "x", "archive_info": {"hashes": {"sha256": "00"}}}, False, False),
            ({"url": "x", "archive_info": {"hashes": {"sha256": "01"}}}, True, False),
            ({"url": "x", "archive_info": {"hashes": "00"}}, True, False),
            ({"url": "x", "archive_info": {"hashes": {"sha256": ["00"]}}}, True, False),
            ({"url": "x", "archive_info": {}}, True, False),
            ({"url": "x", "dir_info": {"editable": True}}, False, False),
            ("no table", True, False),
        ],
    )
    def test_an_archive_stays_where_it_is_the_same_one(
        self, schemes: Schemes, direct_url: object, is_direct: bool, stays: bool
    ) -> None:
        files = {} if direct_url is None else {"direct_url.json": json.dumps(direct_url)}
        has(schemes, "a-1.0.dist-info", files=files)
        changes = decide_changes([step("a", is_direct=is_direct)], schemes, Sync())
        assert bool(changes.unchanged) is stays


class TestRemoval:
    def test_two_of_a_name_are_replaced_by_one(self, schemes: Schemes) -> None:
        has(schemes, "a-1.0.dist-info")
        has(schemes, "a-0.9.dist-info")
        changes = decide_changes([step("a")], schemes, Sync())
        assert [found.version for found in changes.remove] == ["0.9", "1.0"]
        assert [one.name for one in changes.install] == ["a"]

    @pytest.mark.parametrize(
        ("folder", "record"),
        [
            ("a-1.0.dist-info", None),
            # So a loss of power leaves it, where an installer syncs nothing.
            ("a-1.0.dist-info", ""),
            ("a-1.0-py3.11.egg-info", None),
        ],
    )
    def test_what_nothing_describes_is_not_removed(
        self, schemes: Schemes, folder: str, record: str | None
    ) -> None:
        path = has(schemes, folder, record=record)
        with pytest.raises(NotRemovable) as caught:
            decide_changes([step("a", "2.0")], schemes, Sync())
        problem = "has no RECORD of its files, so it cannot be removed"
        assert str(caught.value) == f"{path}: a 1.0 {problem}"
        assert caught.value.hint

    def test_what_loses_a_file_to_a_removal_is_installed_again(self, schemes: Schemes) -> None:
        """It had been installed under a later one's file, with --on-collision last."""
        has(schemes, "a-1.0.dist-info", "same.py,sha256=AA,1\na.py,sha256=AA,1\n")
        has(schemes, "b-1.0.dist-info", "b.py,sha256=AA,1\n")
        has(schemes, "c-1.0.dist-info", "same.py,sha256=BB,1\n")
        steps = [step("a"), step("b")]
        assert told(decide_changes(steps, schemes, Sync())) == ["2 unchanged"]
        assert told(decide_changes(steps, schemes, Sync(exact=True))) == [
            "~ a 1.0 (was 1.0)",
            "- c 1.0",
            "1 unchanged",
        ]

    def test_what_shares_a_file_with_a_removal_stays(self, schemes: Schemes) -> None:
        has(schemes, "a-1.0.dist-info", "same.py,sha256=AA,1\n")
        has(schemes, "c-1.0.dist-info", "same.py,sha256=AA,1\n")
        assert told(decide_changes([step("a")], schemes, Sync(exact=True))) == [
            "- c 1.0",
            "1 unchanged",
        ]

    def test_a_damaged_record_of_what_stays_is_told_before_anything_goes(
        self, schemes: Schemes
    ) -> None:
        has(schemes, "a-1.0.dist-info", "a\0.py,,\n")
        has(schemes, "c-1.0.dist-info")
        with pytest.raises(RecordUnreadable, match="a path has a null character in it"):
            decide_changes([step("a")], schemes, Sync(exact=True))
