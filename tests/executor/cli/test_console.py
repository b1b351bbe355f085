"""Results go to stdout; progress and warnings go to stderr."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from executor.cli.console import LineReporter, WarningReporter, print_result


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


def test_each_wheel_has_a_line_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = LineReporter()
    changes: Any = SimpleNamespace(install=["a", "b"], skipped=["sdist-only"])
    reporter.selected(changes, cast("Any", None))
    step: Any = SimpleNamespace(name="demo", version="1.0")
    reporter.staged(1, step, cast("Any", None))
    assert capsys.readouterr() == (
        "",
        "warning: sdist-only is left out, because it must be built\n[2/2] demo 1.0\n",
    )
