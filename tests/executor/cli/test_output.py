"""Printed text cannot control a terminal, on either stream."""

from __future__ import annotations

import pytest

from executor.cli.output import echo


@pytest.mark.parametrize("err", [False, True])
def test_an_escape_is_shown_and_not_obeyed(err: bool, capsys: pytest.CaptureFixture[str]) -> None:
    echo("name\x1b[2J", err=err)
    out, error = capsys.readouterr()
    assert (error if err else out) == "name\N{REPLACEMENT CHARACTER}[2J\n"
    assert (out if err else error) == ""
