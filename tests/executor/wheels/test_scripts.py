"""Scripts run what the entry point says, with the interpreter they are for, and nothing
else is run or written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.wheels.scripts import (
    EntryPoint,
    InvalidEntryPoint,
    check_script_name,
    read_entry_points,
    shebang,
    shipped_head,
    wrapper,
)


def read(text: str) -> list[EntryPoint]:
    return list(read_entry_points(text))


class TestEntryPoints:
    def test_console_and_gui_scripts_are_read_and_nothing_else(self) -> None:
        text = """
# a comment
[console_scripts]
demo = demo.cli:main
Demo2=demo:App.run [extra, other]
[gui_scripts]
demo-gui = demo.gui : main
[demo.plugins]
broken = not an object
"""
        assert read(text) == [
            EntryPoint("demo", "demo.cli", "main"),
            EntryPoint("Demo2", "demo", "App.run"),
            EntryPoint("demo-gui", "demo.gui", "main", is_gui=True),
        ]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("../evil = a:b", "the script name '../evil' is not made of letters, digits, . + _ -"),
            ("/evil = a:b", "the script name '/evil' is not made of letters, digits, . + _ -"),
            ("a b = a:b", "the script name 'a b' is not made of letters, digits, . + _ -"),
            (".. = a:b", "the script name '..' is not made of letters, digits, . + _ -"),
            ("python = a:b", "the script name 'python' is that of a part of the environment"),
            ("Python3 = a:b", "the script name 'Python3' is that of a part of the environment"),
            (
                "python3.12t = a:b",
                "the script name 'python3.12t' is that of a part of the environment",
            ),
            ("activate = a:b", "the script name 'activate' is that of a part of the environment"),
            (f"{'a' * 256} = a:b", f"the script name '{'a' * 40}'... has more than 255 bytes"),
            (
                "Activate.ps1 = a:b",
                "the script name 'Activate.ps1' is that of a part of the environment",
            ),
            ("x = a", "the script 'x' refers to 'a', which is not of the form module:attribute"),
            ("x = a:", "the script 'x' refers to 'a:', which is not of the form module:attribute"),
            (
                "x = a:b()",
                "the script 'x' refers to 'a:b()', which is not of the form module:attribute",
            ),
            (
                "x = a;import os:b",
                (
                    "the script 'x' refers to 'a;import os:b', "
                    "which is not of the form module:attribute"
                ),
            ),
            (
                "x = a:b\n  import os",
                (
                    "the script 'x' refers to 'a:b\\nimport os', "
                    "which is not of the form module:attribute"
                ),
            ),
            (
                "x = a:import",
                "the script 'x' refers to 'a:import', which is not of the form module:attribute",
            ),
            (
                "x = a..b:c",
                "the script 'x' refers to 'a..b:c', which is not of the form module:attribute",
            ),
        ],
    )
    def test_what_would_write_elsewhere_or_run_something_else_is_refused(
        self, line: str, message: str
    ) -> None:
        with pytest.raises(InvalidEntryPoint) as caught:
            read(f"[console_scripts]\n{line}\n")
        assert str(caught.value) == message

    @pytest.mark.parametrize("text", ["demo = a:b\n", "[console_scripts\n", "[a]\n = x\n"])
    def test_what_is_no_ini_file_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidEntryPoint):
            read(text)

    def test_the_line_at_fault_is_named_in_plain_text(self) -> None:
        with pytest.raises(InvalidEntryPoint) as caught:
            read("[console_scripts]\na: b\n")
        expected = "Source contains parsing errors: 'entry_points.txt' [line 2]: 'a: b\\n'"
        assert str(caught.value) == expected

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("\ufeff[console_scripts]\ndemo = a:b\n", id="byte order mark"),
            pytest.param("\ufeff; x\n[console_scripts]\ndemo = a:b\n", id="mark and comment"),
            pytest.param("[console_scripts]\n# x = y:z\n  ; x = y:z\ndemo = a:b", id="comments"),
            pytest.param("[console_scripts] ; x\ndemo = a:b  # x\n", id="ends of lines"),
            pytest.param("[console_scripts]\ndemo = a:b [x] ; y\n", id="after an extra"),
            pytest.param("[console_scripts]\r\ndemo = a:b\r\n", id="lines of Windows"),
            pytest.param("[console_scripts]\rdemo = a:b\r", id="lines of old Macs"),
        ],
    )
    def test_marks_comments_and_ends_of_lines_are_read_over(self, text: str) -> None:
        """pip makes these commands; with lines of old Macs there were none, and no error."""
        assert read(text) == [EntryPoint("demo", "a", "b")]

    def test_a_section_of_defaults_adds_no_scripts(self) -> None:
        """It means something to configparser only."""
        text = "[DEFAULT]\nhidden = a:b\n[console_scripts]\ndemo = a:b\n"
        assert [entry.name for entry in read(text)] == ["demo"]

    @given(st.text(max_size=60))
    def test_noise_gives_scripts_with_good_names_or_is_refused(self, text: str) -> None:
        try:
            entries = read(f"[console_scripts]\n{text}")
        except InvalidEntryPoint:
            return
        for entry in entries:
            check_script_name(entry.name)
            compile(wrapper(entry, "/python"), entry.name, "exec")


@pytest.mark.parametrize("name", ["pip3.12", "a-b_c.py", "pythonic", "python-config", "pypykatz"])
def test_names_that_only_look_reserved_are_let_in(name: str) -> None:
    check_script_name(name)


class TestShebang:
    def test_it_is_one_line_where_the_kernel_takes_it(self) -> None:
        assert shebang("/env/bin/python") == b"#!/env/bin/python\n"

    def test_a_line_as_long_as_the_kernel_takes_is_kept(self) -> None:
        longest = "/" + "x" * (127 - len("#!/\n"))
        assert shebang(longest) == f"#!{longest}\n".encode()
        assert shebang(longest + "x").startswith(b"#!/bin/sh\n")

    @pytest.mark.parametrize(
        "folder",
        [
            pytest.param("plain", id="plain"),
            pytest.param("with space", id="space"),
            pytest.param("with\ttab", id="tab"),
            pytest.param("with\nline feed", id="line feed"),
            pytest.param("with\rreturn", id="carriage return"),
            pytest.param("back\\x \\N \\\\'\\' '\\\\", id="backslashes"),
            pytest.param("it's", id="quote"),
            pytest.param("with 'both' \"kinds\" $HOME `x`", id="everything"),
            pytest.param("x" * 150, id="long"),
            pytest.param("ümlaut", id="not ASCII"),
            pytest.param(os.fsdecode(b"caf\xe9"), id="not UTF-8"),
            pytest.param(os.fsdecode(b"caf\xe9 with space"), id="not UTF-8, with space"),
        ],
    )
    def test_the_script_runs_wherever_the_interpreter_is(self, tmp_path: Path, folder: str) -> None:
        python = tmp_path / folder / "python"
        python.parent.mkdir()
        python.symlink_to(sys.executable)
        (tmp_path / "demo.py").write_text(
            "import sys\ndef main():\n    print(sys.argv[1:])\n    return 3\n"
        )
        script = tmp_path / "run"
        script.write_bytes(wrapper(EntryPoint("run", "demo", "main"), str(python)))
        script.chmod(0o755)
        ran = subprocess.run(
            [script, "a b", "$c"],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (3, "['a b', '$c']\n"), ran.stderr


FOLDERS = [
    pytest.param("plain", id="plain"),
    pytest.param("with space", id="space"),
    pytest.param("x" * 150, id="long"),
    pytest.param("\u20ac", id="not ASCII"),
    pytest.param("\u20ac with it's \\ space", id="not ASCII, with space"),
    pytest.param(os.fsdecode(b"caf\xe9 100%"), id="not UTF-8"),
]


class TestShipped:
    @pytest.mark.parametrize("folder", FOLDERS)
    @pytest.mark.parametrize(
        ("first", "second", "coding"),
        [
            (b"#!python\n", b"# -*- coding: latin-1 -*-\n", "latin-1"),
            (b"#!python # -*- coding: cp1252 -*-\n", b"\n", "cp1252"),
            (b"#!pythonw\r\n", b"# vim: set fileencoding=shift_jis :\r\n", "shift_jis"),
            (b"#!python\n", b"# coding: ascii\n", "ascii"),
            (b"#!python\n", b"# coding: utf8\n", "utf-8"),
            (b"#!python\n", b"import sys\n", "utf-8"),
        ],
    )
    def test_it_runs_in_its_encoding_wherever_the_interpreter_is(
        self, tmp_path: Path, folder: str, first: bytes, second: bytes, coding: str
    ) -> None:
        python = tmp_path / folder / "python"
        python.parent.mkdir()
        python.symlink_to(sys.executable)
        text = {"shift_jis": "\u8868", "ascii": "x"}.get(coding, "\xfc")
        body = f"import sys\nprint(ascii('{text}'), sys.argv[1:])\n".encode(coding)
        script = tmp_path / "run"
        script.write_bytes(shipped_head(str(python), first, second) + second + body)
        script.chmod(0o755)
        ran = subprocess.run([script, "a b"], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (0, f"{text!a} ['a b']\n"), ran.stderr

    def test_a_line_in_its_place_is_not_declared_twice(self) -> None:
        declared = b"# coding: latin-1\n"
        assert shipped_head("/python", b"#!python\n", declared) == b"#!/python\n"
        assert shipped_head("/python", b"#!python" + declared, b"\n") == (
            b"#!/python\n# -*- coding: latin-1 -*-\n"
        )

    @pytest.mark.parametrize("first", [b"#!/bin/sh\n", b"# !python\n", b"\x7fELF", b"", b"#!p"])
    def test_one_that_does_not_ask_for_it_keeps_its_lines(self, first: bytes) -> None:
        assert shipped_head("/python", first, b"# coding: latin-1\n") == b""


def test_a_module_beyond_ascii_is_called_by_any_interpreter(tmp_path: Path) -> None:
    python = tmp_path / os.fsdecode(b"caf\xe9") / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    (tmp_path / "m\xf3dulo.py").write_text("def main():\n    print('ran')\n")
    script = tmp_path / "run"
    script.write_bytes(wrapper(EntryPoint("run", "m\xf3dulo", "main"), str(python)))
    script.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([script], env=environment, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, b"ran\n"), ran.stderr


def test_a_wrapper_calls_the_attribute_of_an_attribute(tmp_path: Path) -> None:
    (tmp_path / "demo.py").write_text(
        "class App:\n    @staticmethod\n    def run():\n        print('ran')\n"
    )
    script = wrapper(EntryPoint("run", "demo", "App.run"), sys.executable)
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "ran\n"), ran.stderr
