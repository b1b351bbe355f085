"""The published schema of the report, and real reports."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

import lockstream
from executor.report.report import REPORT_FORMAT, BuildReport, PackageFigures, Report
from executor.report.timing import Timing
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

PATH = Path(__file__).parents[2] / "schemas" / f"report-{REPORT_FORMAT}.schema.json"
SCHEMA: dict[str, Any] = json.loads(PATH.read_text())
CHECK = fastjsonschema.compile(SCHEMA)


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Report, SCHEMA),
        (BuildReport, SCHEMA["definitions"]["build"]),
        (PackageFigures, SCHEMA["definitions"]["package"]),
        (Timing, SCHEMA["definitions"]["spent"]),
    ],
)
def test_it_has_every_field_and_requires_it(kind: Any, table: dict[str, Any]) -> None:
    own = {"format"} if kind is Report else set()
    assert set(table["properties"]) == {field.name for field in fields(kind)} | own
    assert set(table["required"]) == set(table["properties"])


def test_each_field_says_what_it_is() -> None:
    for table in (SCHEMA, *SCHEMA["definitions"].values()):
        for name, one in table["properties"].items():
            assert one.get("description") or "$ref" in one, name


@pytest.fixture(name="report")
def _report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    wheels = [build_wheel(name, files={f"{name}.py": "x = 1\n"}) for name in ("demo", "other")]
    write_lock(tmp_path, wheels)

    def run(*options: str) -> dict[str, Any]:
        assert lockstream.main(["execute", "-q", "--report", "r.json", *options]) == ExitCode.DONE
        report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
        return report

    return run


def test_real_reports_are_valid(report: Any) -> None:
    CHECK(report())
    CHECK(report())  # nothing to install
    CHECK(report("--reinstall", "--memory", "64MiB", "--lanes", "1", "--no-verify-record"))
    CHECK(report("--target", "t", "--durability", "kill"))


@pytest.mark.parametrize("damage", ["format", "seconds", "packages"])
def test_another_report_is_not(report: Any, damage: str) -> None:
    found = report()
    found[damage] = "x"
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        CHECK(found)
