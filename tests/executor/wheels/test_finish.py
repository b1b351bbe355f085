"""An installer adds scripts and metadata to a wheel, and a RECORD of all installed files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from executor.wheels.errors import WheelRefused
from executor.wheels.scripts import shebang
from executor.wheels.staged_wheel import StagedWheel
from helpers.environments import INSTALLERS_OWN, read_record, record_row, stage
from helpers.trees import snapshot
from helpers.wheels import build_wheel

ENTRY_POINTS = {"console_scripts": {"demo": "demo:main"}, "gui_scripts": {"demo-gui": "demo:gui"}}


def content(staged: StagedWheel, scheme: str, path: str) -> bytes:
    return Path(staged.data, scheme, path).read_bytes()


def rows(staged: StagedWheel) -> dict[str, tuple[str, str]]:
    """RECORD by path as it is spelled."""
    folder = Path(staged.tree)
    recorded = read_record(folder / staged.dist_info)
    return {os.path.relpath(path, folder): row for path, row in recorded.items()}


class TestScripts:
    def test_wrappers_of_entry_points_are_written_and_recorded(self, tmp_path: Path) -> None:
        staged = stage(build_wheel(entry_points=ENTRY_POINTS), tmp_path / "s")
        script = content(staged, "scripts", "demo")
        assert script.startswith(shebang(sys.executable))
        assert rows(staged)["../../bin/demo"] == record_row(script)
        assert rows(staged)["../../bin/demo-gui"] == record_row(
            content(staged, "scripts", "demo-gui")
        )

    @pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
    def test_whatever_is_a_program_can_be_executed(self, tmp_path: Path, umask: int) -> None:
        wheel = build_wheel(
            files={"demo.py": b"", "demo_tool/run": b"#!/bin/sh\n"},
            executables=["demo_tool/run"],
            entry_points=ENTRY_POINTS,
            data_files={"scripts/shipped": "#!python\n", "scripts/shell": "#!/bin/sh\n"},
        )
        before = os.umask(umask)
        try:
            staged = stage(wheel, tmp_path / "s")
        finally:
            os.umask(before)
        plain = 0o666 & ~umask
        scripts = snapshot(Path(staged.data, "scripts"))
        assert set(scripts) == {"demo", "demo-gui", "shipped", "shell"}
        assert {entry.mode for entry in scripts.values()} == {plain | 0o111}
        tree = snapshot(Path(staged.tree))
        assert tree["demo_tool/run"].mode == plain | 0o111
        others = {path for path, entry in tree.items() if entry.kind == "file"} - {"demo_tool/run"}
        assert {tree[path].mode for path in others} == {plain}

    def test_no_other_bit_of_a_mode_is_taken_from_the_wheel(self, tmp_path: Path) -> None:
        wheel = build_wheel(files={"demo.py": b""}).edited("demo.py", mode=0o106777)
        before = os.umask(0o022)
        try:
            staged = stage(wheel, tmp_path / "s")
        finally:
            os.umask(before)
        assert snapshot(Path(staged.tree))["demo.py"].mode == 0o755

    @pytest.mark.parametrize(
        ("shipped", "rest"),
        [
            pytest.param(b"#!python\nprint('ran')\n", b"print('ran')\n", id="python"),
            pytest.param(b"#!pythonw\r\nprint('ran')\n", b"print('ran')\n", id="pythonw"),
            pytest.param(b"#!python -u\nprint('ran')", b"print('ran')", id="with options"),
            pytest.param(
                b"#!python\n" + b"#" * 200_000 + b"\nprint('ran')\n",
                b"#" * 200_000 + b"\nprint('ran')\n",
                id="large",
            ),
        ],
    )
    def test_a_shipped_script_gets_the_interpreter_it_asks_for(
        self, tmp_path: Path, shipped: bytes, rest: bytes
    ) -> None:
        staged = stage(build_wheel(data_files={"scripts/run": shipped}), tmp_path / "s")
        script = Path(staged.data, "scripts/run")
        assert script.read_bytes() == shebang(sys.executable) + rest
        assert rows(staged)["../../bin/run"] == record_row(script.read_bytes())
        assert subprocess.run([script], capture_output=True, check=True).stdout == b"ran\n"

    @pytest.mark.parametrize("shipped", [b"#!/bin/sh\n", b"# !python\n", b"\x7fELF", b"", b"#!p"])
    def test_any_other_script_stays_as_it_is(self, tmp_path: Path, shipped: bytes) -> None:
        staged = stage(build_wheel(data_files={"scripts/run": shipped}), tmp_path / "s")
        assert content(staged, "scripts", "run") == shipped

    def test_an_entry_point_goes_before_a_shipped_script_of_its_name(self, tmp_path: Path) -> None:
        wheel = build_wheel(entry_points=ENTRY_POINTS, data_files={"scripts/demo": "#!python\n"})
        staged = stage(wheel, tmp_path / "s")
        script = content(staged, "scripts", "demo")
        assert b"from demo import main" in script
        assert rows(staged)["../../bin/demo"] == record_row(script)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            pytest.param(
                {"entry_points": {"console_scripts": {"python": "a:b"}}},
                "'demo-1.0.dist-info/entry_points.txt': "
                "the script name 'python' is that of a part of the environment",
                id="entry point",
            ),
            pytest.param(
                {"data_files": {"scripts/Python3": "#!python\n"}},
                "'demo-1.0.data/scripts/Python3': "
                "the script name 'Python3' is that of a part of the environment",
                id="shipped",
            ),
        ],
    )
    def test_none_takes_the_place_of_the_interpreter(
        self, tmp_path: Path, arguments: dict[str, Any], message: str
    ) -> None:
        wheel = build_wheel(**arguments)
        with pytest.raises(WheelRefused) as caught:
            stage(wheel, tmp_path / "s")
        assert str(caught.value) == f"{wheel.filename}: {message}"


class TestRecord:
    def test_it_lists_every_file_once_with_hash_and_size_and_nothing_else(
        self, tmp_path: Path
    ) -> None:
        wheel = build_wheel(
            files={"demo/__init__.py": b"", "demo/ä, b.py": b"x"},
            entry_points=ENTRY_POINTS,
            data_files={"data/share/x": b"data", "headers/x.h": b"header", "purelib/y.py": b"y"},
        )
        staged = stage(wheel, tmp_path / "s")
        own = f"{staged.dist_info}/RECORD"
        expected = {
            path: record_row(Path(staged.tree, path).read_bytes())
            for path, entry in snapshot(Path(staged.tree)).items()
            if entry.kind == "file"
        } | {own: ("", "")}
        places = {"scripts": "../../bin", "data": "../..", "headers": "../../include/demo"}
        for path, entry in snapshot(Path(staged.data)).items():
            if entry.kind == "file":
                scheme, _, below = path.partition("/")
                place = os.path.normpath(f"{places.get(scheme, '.')}/{below}")
                expected[place] = record_row(Path(staged.data, path).read_bytes())
        assert rows(staged) == expected
        assert staged.files == len(expected)
        assert staged.bytes == sum(int(size or 0) for _, size in expected.values())

    def test_what_only_an_installer_may_say_is_not_taken_from_the_wheel(
        self, tmp_path: Path
    ) -> None:
        told = dict.fromkeys(("INSTALLER", "REQUESTED", "direct_url.json"), "the wheel's")
        staged = stage(build_wheel(dist_info=told), tmp_path / "s")
        folder = Path(staged.tree, staged.dist_info)
        assert {path.name for path in folder.iterdir()} == {
            "METADATA", "WHEEL", "RECORD", *INSTALLERS_OWN
        }  # fmt: skip
        assert (folder / "INSTALLER").read_bytes() == b"lockstream\n"
        assert f"{staged.dist_info}/direct_url.json" not in rows(staged)

    @pytest.mark.parametrize("pure", [True, False])
    def test_it_begins_at_the_scheme_of_the_root(self, tmp_path: Path, pure: bool) -> None:
        staged = stage(build_wheel(purelib=pure), tmp_path / "s")
        assert staged.root == ("purelib" if pure else "platlib")
        assert "demo/__init__.py" in rows(staged)


@pytest.mark.parametrize(
    ("member", "where"),
    [
        pytest.param("RECORD.lockstream", "RECORD.lockstream", id="new RECORD"),
        pytest.param("INSTALLER/x", "INSTALLER", id="folder INSTALLER"),
    ],
)
def test_a_member_in_the_way_is_a_fault_of_the_wheel(
    tmp_path: Path, member: str, where: str
) -> None:
    wheel = build_wheel(dist_info={member: b""})
    with pytest.raises(WheelRefused) as caught:
        stage(wheel, tmp_path / "s")
    assert str(caught.value) == (
        f"{wheel.filename}: '{wheel.dist_info}/{where}': "
        "it is in the way of what an installer writes"
    )
