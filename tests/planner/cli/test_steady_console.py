"""A console that leaves the cursor alone, and draws all the same."""

from __future__ import annotations

import io

from rich.live import Live
from rich.text import Text

from planner.cli.steady_console import SteadyConsole


def test_lines_change_and_the_cursor_stays() -> None:
    file = io.StringIO()
    console = SteadyConsole(file=file, force_terminal=True, width=40)
    with Live(Text("at work"), console=console, transient=True):
        pass
    assert "at work" in file.getvalue()
    assert "\x1b[?25" not in file.getvalue()
