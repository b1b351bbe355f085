"""What a release consists of: its bill of materials, its checks, the workflow that publishes it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from release import build
from release.build import Wrong, check_changelog, check_program, write_sums
from release.modules import BUNDLED
from release.pyz import SUPPORTED
from release.sbom import bill_of

from schemas.version import VERSION

PROJECT = Path(__file__).parent.parent
WORKFLOW = PROJECT / ".github/workflows/release.yml"


class TestBill:
    def test_it_names_the_file_and_each_part_with_its_licence(self, tmp_path: Path) -> None:
        pyz = tmp_path / "lockstream.pyz"
        pyz.write_bytes(b"content")
        text = bill_of(pyz, 1700000000)
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        bill = json.loads(text)
        program = bill["metadata"]["component"]
        assert program["version"] == VERSION
        assert program["hashes"] == [{"alg": "SHA-256", "content": sha256(b"content").hexdigest()}]
        assert {part["name"] for part in bill["components"]} == set(BUNDLED)
        assert all(part["licenses"] and part["purl"] for part in bill["components"])

    def test_the_same_file_has_the_same_bill(self, tmp_path: Path) -> None:
        pyz = tmp_path / "lockstream.pyz"
        pyz.write_bytes(b"content")
        assert bill_of(pyz, 1700000000) == bill_of(pyz, 1700000000)


class TestChecks:
    def test_the_version_has_a_section_with_a_date(self, monkeypatch: pytest.MonkeyPatch) -> None:
        check_changelog()
        monkeypatch.setattr(build, "VERSION", "99.0.0")
        with pytest.raises(Wrong, match=r"no section '## 99\.0\.0 \(YYYY-MM-DD\)'"):
            check_changelog()

    def test_a_program_of_another_version_is_noticed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        program = (sys.executable, "-m", "lockstream")
        check_program(tmp_path / "right", *program)
        monkeypatch.setattr(build, "VERSION", "99.0.0")
        with pytest.raises(Wrong, match="does not say its version"):
            check_program(tmp_path / "wrong", *program)

    def test_the_sums_are_those_of_the_files(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(build, "DIST", tmp_path)
        (tmp_path / "one").write_bytes(b"1")
        write_sums([tmp_path / "one"])
        assert (tmp_path / "SHA256SUMS").read_text() == f"{sha256(b'1').hexdigest()}  one\n"


class TestWorkflow:
    def test_it_is_valid(self) -> None:
        command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
        checked = subprocess.run(
            [sys.executable, *command, WORKFLOW], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout

    def test_it_is_secure(self) -> None:
        zizmor = Path(sys.executable).with_name("zizmor")
        checked = subprocess.run(
            [zizmor, "--offline", "--quiet", WORKFLOW], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout

    def test_it_has_each_python_that_the_file_holds_byte_code_for(self) -> None:
        versions = re.findall(r"^ {12}(3\.\d+)\.\d+$", WORKFLOW.read_text(), re.MULTILINE)
        assert sorted(versions) == sorted(SUPPORTED)
