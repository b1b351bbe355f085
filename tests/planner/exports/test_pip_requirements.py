"""Each kind of package as a line of a requirements file."""

from __future__ import annotations

from typing import Any

import pytest

from executor import SelectOptions
from helpers.exports import PYPI, lock_with, sdist, wheel
from planner.exports.errors import Unverifiable, Unwritable
from planner.exports.pip_requirements import PipFile, PipOptions, write_requirements
from planner.exports.selection import select_packages
from planner.inputs.requirements_text import logical_lines
from planner.inputs.targets import choose_targets

COMMIT = "c" * 40
GIT = {"type": "git", "url": "https://host.example/app.git", "commit-id": COMMIT}
SHA = {"sha256": "a" * 64}


def exported(*packages: dict[str, Any], into: str = "", **options: Any) -> PipFile:
    lock = lock_with(*packages)
    selected = select_packages(lock, SelectOptions())
    return write_requirements(lock, selected, (), PipOptions(folder="", into=into, **options))


def lines(*packages: dict[str, Any], **options: Any) -> list[str]:
    """The requirements, a string each, as a reader of such files sees them."""
    text = exported(*packages, **options).text
    return [" ".join(line.split()) for _, line in logical_lines(text)]


def test_a_package_of_an_index_is_pinned_with_the_hashes_of_all_its_files() -> None:
    table = wheel("app") | {"sdist": sdist("base")["sdist"] | {"name": "app-1.0.tar.gz"}}
    assert lines(table) == [f"app==1.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}"]


def test_the_form_is_that_of_uv_and_pip_tools() -> None:
    text = exported(
        wheel("app", marker='os_name == "nt"', dependencies=[{"name": "base"}]), wheel("base")
    ).text
    assert text.splitlines()[2:] == [
        'app==1.0 ; os_name == "nt" \\',
        f"    --hash=sha256:{'a' * 64}",
        "base==1.0 \\",
        f"    --hash=sha256:{'b' * 64}",
        "    # via app",
    ]


def test_two_versions_for_different_machines_keep_their_conditions() -> None:
    found = lines(
        wheel("app", "1.0", marker='python_version < "3.12"'),
        wheel("app", "2.0", marker='python_version >= "3.12"'),
        has_hashes=False,
    )
    assert found == ['app==1.0 ; python_version < "3.12"', 'app==2.0 ; python_version >= "3.12"']


def test_an_archive_is_required_by_its_address() -> None:
    archive = {
        "url": "https://user:secret@host.example/x.zip",
        "subdirectory": "a b",
        "hashes": SHA,
    }
    file = exported({"name": "app", "archive": archive, "marker": 'os_name == "nt"'})
    assert 'app @ https://host.example/x.zip#subdirectory=a%20b ; os_name == "nt" \\\n' in file.text
    assert "secret" not in file.text
    assert any("logins" in remark and "app" in remark for remark in file.remarks)


def test_a_wheel_on_this_machine_is_found_by_its_name_from_any_folder() -> None:
    archive = {"path": "wheels/app-1.0-py3-none-any.whl", "hashes": SHA}
    assert lines({"name": "app", "archive": archive}, has_hashes=False) == [
        "--find-links ./wheels",
        "app==1.0",
    ]


def test_an_archive_whose_name_says_nothing_is_required_by_its_path() -> None:
    archive = {"path": "src.zip", "hashes": SHA}
    assert lines({"name": "app", "archive": archive}) == [f"./src.zip --hash=sha256:{'a' * 64}"]
    assert lines({"name": "app", "archive": archive}, into="ci", has_hashes=False) == ["../src.zip"]


UNHASHED = {"url": "https://files.example/app-1.0-py3-none-any.whl", "hashes": {"md5": "1"}}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"vcs": GIT}, "a repository of git"),
        ({"directory": {"path": "."}}, "a folder"),
        ({"version": "1.0", "wheels": [UNHASHED]}, "without a hash that pip accepts"),
    ],
)
def test_what_pip_cannot_verify_is_refused_or_left_out(table: dict[str, Any], reason: str) -> None:
    tables = [{"name": "app", **table}, wheel("base")]
    with pytest.raises(Unverifiable, match=reason) as refused:
        exported(*tables)
    assert "--skip-unhashed" in refused.value.hint
    file = exported(*tables, skips_unhashed=True)
    assert file.count == 1
    assert f"# Left out, because pip cannot verify it: app ({reason})" in file.text
    assert reason in file.remarks[0]


def test_without_hashes_repositories_and_folders_are_required_where_they_are() -> None:
    folder = {"name": "app", "directory": {"path": "apps/one", "subdirectory": "python"}}
    editable = {"name": "base", "directory": {"path": ".", "editable": True}}
    conditional = editable | {"name": "cli", "marker": 'os_name == "nt"'}
    part = {"name": "demo", "vcs": GIT | {"subdirectory": "python"}}
    assert lines(folder, editable, conditional, part, has_hashes=False) == [
        "./apps/one/python",
        "-e .",
        '. ; os_name == "nt"',
        f"demo @ git+https://host.example/app.git@{COMMIT}#subdirectory=python",
    ]
    local = {"name": "app", "vcs": {"type": "git", "path": "/our repo", "commit-id": COMMIT}}
    assert lines(local, has_hashes=False) == [f"app @ git+file:///our%20repo@{COMMIT}"]


def test_of_the_hashes_of_a_file_pip_gets_one_that_it_accepts() -> None:
    table = wheel("app")
    table["wheels"][0]["hashes"] = {"md5": "1", "sha512": "AB" * 64, "sha384": "c" * 96}
    assert lines(table) == [f"app==1.0 --hash=sha384:{'c' * 96}"]
    table["wheels"][0]["hashes"] = {"md5": "1", "sha512": "AB" * 64}
    assert lines(table) == [f"app==1.0 --hash=sha512:{'ab' * 64}"]


def test_without_hashes_several_indexes_are_warned_of() -> None:
    tables = [wheel("app", index="https://ours.example/simple"), wheel("base", index=PYPI)]
    assert "another index" in exported(*tables, has_hashes=False).remarks[0]
    assert exported(*tables).remarks == ()


@pytest.mark.parametrize("value", ["${TOKEN}", " #", "\u202e", "a --hash=sha256:1", "##vso[a]b"])
def test_a_marker_that_pip_would_read_otherwise_is_refused(value: str) -> None:
    with pytest.raises(Unwritable, match="app: its marker"):
        exported(wheel("app", marker=f"os_name != '{value}'"))


@pytest.mark.parametrize(
    "path",
    [
        "a #b",
        "a --config-settings=a=b",
        "a[extra]",
        "a ; os_name == 'nt'",
        "a\\",
        "a'b",
        "${HOME}",
        "a\n--pre",
        "##vso[a]b",
        "a ",
    ],
)
def test_a_path_that_pip_would_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(Unwritable, match="app: its path"):
        exported({"name": "app", "directory": {"path": path}}, has_hashes=False)
    archive = {"path": f"{path}.zip", "hashes": SHA}
    if path != "a ":
        with pytest.raises(Unwritable, match="app: its path"):
            exported({"name": "app", "archive": archive})


def test_an_editable_folder_with_a_space_is_required_as_a_folder() -> None:
    """pip ends it at the space, and takes another folder."""
    for path, line in (("our app", "./our app"), ("app", "-e ./app")):
        table = {"name": "app", "directory": {"path": path, "editable": True}}
        assert lines(table, has_hashes=False) == [line]


def test_an_address_from_which_pip_would_take_a_marker_is_refused() -> None:
    archive = {"url": "https://host.example/x.zip;os_name=='nt'", "hashes": SHA}
    with pytest.raises(Unwritable, match="app: its address"):
        exported({"name": "app", "archive": archive})


def test_the_file_names_the_targets_that_it_is_for() -> None:
    lock = lock_with(wheel("app"))
    targets = choose_targets(["3.12"], ["win_amd64"])
    options = PipOptions(folder="", into="")
    file = write_requirements(lock, select_packages(lock, SelectOptions()), targets, options)
    assert "#    CPython 3.12.0 on win_amd64\n" in file.text
    assert "pip install --no-deps --require-hashes -r FILE" in file.text
