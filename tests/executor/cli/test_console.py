"""Results go to stdout; progress and warnings go to stderr."""

from __future__ import annotations

import pytest

from executor.cli.console import WarningReporter, print_result


def test_a_result_is_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(None, ["one", "two"])
    assert capsys.readouterr().out == "one\ntwo\n"
    print_result([], ["one"])
    assert capsys.readouterr().out == "[]\n"
    print_result({"a": 1}, [])
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n'


def test_warnings_leave_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    WarningReporter().warned("it is odd")
    assert capsys.readouterr() == ("", "warning: it is odd\n")
