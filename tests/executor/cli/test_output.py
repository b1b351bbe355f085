"""Printed text cannot control a terminal, on either stream."""

from __future__ import annotations

import io

import pytest

from executor.cli.output import can_print, echo, echo_document


@pytest.mark.parametrize("err", [False, True])
def test_an_escape_is_shown_and_not_obeyed(err: bool, capsys: pytest.CaptureFixture[str]) -> None:
    echo("name\x1b[2J", err=err)
    out, error = capsys.readouterr()
    assert (error if err else out) == "name\N{REPLACEMENT CHARACTER}[2J\n"
    assert (out if err else error) == ""


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_file_is_printed_as_it_is_but_not_to_a_terminal(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what a terminal obeys, TOML allows the controls of Latin-1 and marks of direction."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    text = 'name = "a\x9b2J\u202e"\n  version = "1"\n'
    echo_document(text)
    out = capsys.readouterr().out
    assert out == (
        text.replace("\x9b", "\ufffd").replace("\u202e", "\ufffd") if is_terminal else text
    )


@pytest.mark.parametrize(
    ("encoding", "is_printed"), [("utf-8", True), ("latin-1", False), ("ascii", False)]
)
def test_a_text_can_be_printed_if_the_encoding_has_its_characters(
    encoding: str, is_printed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert can_print("├── ") is is_printed
    assert can_print("|-- ")
