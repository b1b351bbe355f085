"""The bill of materials of a lock: CycloneDX 1.6, the same bytes for the same content."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from executor import SelectOptions
from helpers.exports import directly, lock_with, sdist, wheel
from planner.exports.direct import Direct
from planner.exports.sbom import bill_of_materials
from planner.exports.selection import select_packages
from schemas.errors import UsageError

SHA = {"sha256": "a" * 64}
TABLES: list[dict[str, Any]] = [
    wheel("app", dependencies=[{"name": "base", "version": "2.0"}], index="https://ours.example/s"),
    wheel("base", "1.0", marker='os_name == "nt"'),
    sdist("base", "2.0"),
    {"name": "cli", "archive": {"path": "src/c li.zip", "hashes": SHA}},
    {
        "name": "demo",
        "vcs": {
            "type": "git",
            "url": "https://user:secret@host.example/demo.git",
            "commit-id": "c" * 40,
        },
    },
    {"name": "folder", "directory": {"path": "."}},
]


def text_of(
    *tables: dict[str, Any], direct: Direct | None = None, moment: int | None = None
) -> str:
    lock = lock_with(*(tables or TABLES))
    return bill_of_materials(lock, select_packages(lock, SelectOptions()), direct, moment)


def bill(*tables: dict[str, Any], direct: Direct | None = None) -> dict[str, Any]:
    document = json.loads(text_of(*tables, direct=direct))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("moment", [None, 1_700_000_000])
@pytest.mark.parametrize(
    "direct",
    [
        None,
        directly("app", project="demo", version="1.2"),
        directly(project="demo"),
    ],
    ids=["no project", "a project", "one that requires nothing"],
)
def test_it_is_valid_by_the_schema_of_its_format(direct: Direct | None, moment: int | None) -> None:
    text = text_of(direct=direct, moment=moment)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_what_runs_a_job_obeys_nothing_in_it() -> None:
    table = wheel("app", marker="os_name != '##vso[task.setvariable variable=a]b'")
    assert "##" not in text_of(table)
    (found,) = bill(table)["components"]
    assert "##vso[" in found["properties"][0]["value"]


def test_the_same_lock_gives_the_same_bytes_and_another_one_another_number() -> None:
    assert text_of() == text_of()
    numbers = {json.loads(one)["serialNumber"] for one in (text_of(), text_of(wheel("app")))}
    assert len(numbers) == 2
    assert "timestamp" not in bill()["metadata"]


def test_a_time_is_stated_if_the_user_gives_one() -> None:
    metadata = json.loads(text_of(moment=1_700_000_000))["metadata"]
    assert metadata["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_each_package_is_a_component_with_its_files_and_their_hashes() -> None:
    components = {one["bom-ref"]: one for one in bill()["components"]}
    assert sorted(components) == [
        "cli",
        "folder",
        "pkg:pypi/app@1.0?repository_url=https://ours.example/s",
        "pkg:pypi/base@1.0",
        "pkg:pypi/base@2.0",
        f"pkg:pypi/demo?vcs_url=git%2Bhttps://host.example/demo.git%40{'c' * 40}",
    ]
    old, new = (components[f"pkg:pypi/base@{version}"] for version in ("1.0", "2.0"))
    assert (old["name"], old["version"], old["purl"]) == ("base", "1.0", "pkg:pypi/base@1.0")
    assert old["properties"] == [{"name": "lockstream:marker", "value": 'os_name == "nt"'}]
    assert new["externalReferences"] == [
        {
            "type": "source-distribution",
            "url": "https://files.example/base-2.0.tar.gz",
            "hashes": [{"alg": "SHA-256", "content": "b" * 64}],
        }
    ]
    assert components["cli"]["externalReferences"][0]["url"] == "src/c%20li.zip"
    assert "purl" not in components["folder"]


def test_no_secret_is_in_it() -> None:
    assert "secret" not in text_of()


def test_the_graph_has_the_edges_of_the_lock_and_those_of_the_project() -> None:
    direct = directly("app", "cli", project="demo", version="1.2")
    document = bill(direct=direct)
    assert document["metadata"]["component"]["name"] == "demo"
    edges = {one["ref"]: one.get("dependsOn") for one in document["dependencies"]}
    app = "pkg:pypi/app@1.0?repository_url=https://ours.example/s"
    assert edges["project"] == ["cli", app]
    assert edges[app] == ["pkg:pypi/base@2.0"]
    assert edges["pkg:pypi/base@2.0"] is None


def test_of_a_lock_that_records_no_dependencies_the_graph_is_unknown() -> None:
    assert "dependencies" not in bill(wheel("app"), wheel("base"))


def test_entries_that_only_their_files_tell_apart_have_references_of_their_own() -> None:
    tables = [
        wheel("app", at=folder, marker=f'os_name == "{folder}"') for folder in ("nt", "posix")
    ]
    references = [one["bom-ref"] for one in bill(*tables)["components"]]
    assert sorted(references) == ["pkg:pypi/app@1.0", "pkg:pypi/app@1.0#2"]


def test_every_hash_that_the_format_knows_is_written() -> None:
    table = wheel("app")
    table["wheels"][0]["hashes"] = {"md5": "1", "sha3_256": "A" * 64, "blake2b": "b" * 128}
    (component,) = bill(table)["components"]
    hashes = {one["alg"]: one["content"] for one in component["externalReferences"][0]["hashes"]}
    assert hashes == {"SHA3-256": "a" * 64, "BLAKE2b-512": "b" * 128}


def test_without_the_library_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modules: Any = sys.modules
    monkeypatch.setitem(modules, "cyclonedx.model.bom", None)
    with pytest.raises(UsageError) as caught:
        text_of()
    assert caught.value.hint == "pip install 'lockstream[sbom]'"
