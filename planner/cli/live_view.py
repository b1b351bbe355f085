"""What a plan shows while it goes on: lines that change on a terminal, or some for a CI job."""

from __future__ import annotations

import os
import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from executor import Repeated, echo, has_colours
from planner.cli.plan_progress import PlanProgress
from schemas.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["JobView", "PlanView", "TerminalView", "view_of"]


_SILENCE = 5.0
"""Seconds without a line after which one says what is waited for: a job without output looks as if
it hung, and some runners end it."""


_EACH_SECOND = 10
"""Drawings: as often as an eye can follow numbers."""


_BAR = 24
"""Columns of the bar."""


class PlanView(Protocol):
    """A context that shows what a plan is at, and lines that stay."""

    shows_builds: bool
    """Whether builds are seen without a line for each."""

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def view_of(progress: PlanProgress) -> PlanView:
    """Return the view for standard error."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalView(progress)
    return JobView(progress)


class JobView:
    """Prints a line if there was none for a while."""

    shows_builds = False

    def __init__(self, progress: PlanProgress) -> None:
        self._progress = progress
        self._last = monotonic()
        self._lock = Lock()
        self._repeated = Repeated(self._look, min(1.0, _SILENCE / 2))

    def __enter__(self) -> Self:
        self._repeated.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._repeated.__exit__()

    def say(self, text: str) -> None:
        with self._lock:
            echo(text, err=True)
            self._last = monotonic()

    def _look(self) -> None:
        if monotonic() - self._last >= _SILENCE:
            work = "; ".join(self._progress.at_work()) or "choosing versions"
            self.say(
                f"  planning for {self._progress.seconds:.0f} s: {self._progress.summary()}; {work}"
            )


class TerminalView:
    """Draws a few lines with rich, below the lines that stay."""

    shows_builds = True

    def __init__(self, progress: PlanProgress) -> None:
        from rich.live import Live  # noqa: PLC0415  # 30 ms, which only a terminal pays for
        from rich.spinner import Spinner  # noqa: PLC0415  # as above

        from planner.cli.steady_console import SteadyConsole  # noqa: PLC0415  # as above

        self._progress = progress
        self._spinner = Spinner("line", style="cyan")
        # The colours of all commands are decided in one place.
        self._console = SteadyConsole(
            file=sys.stderr, no_color=not has_colours(err=True), highlight=False, markup=False
        )
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            transient=True,
            refresh_per_second=_EACH_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        from rich.text import Text  # noqa: PLC0415  # as above

        self._console.print(Text(printable(text)), soft_wrap=True)

    def _drawn(self) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415  # as above
        from rich.progress_bar import ProgressBar  # noqa: PLC0415  # as above
        from rich.table import Table  # noqa: PLC0415  # as above
        from rich.text import Text  # noqa: PLC0415  # as above

        progress = self._progress
        seconds = int(progress.seconds)
        head = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [self._spinner, Text("planning", style="bold")]
        if (part := progress.sized_part) is not None:
            cells.append(ProgressBar(total=1.0, completed=part, width=_BAR))
        cells.append(Text(f"{seconds // 60}:{seconds % 60:02}  {progress.summary()}"))
        for number in range(len(cells)):
            head.add_column(no_wrap=True, overflow="ellipsis" if number else "crop")
        head.add_row(*cells)
        lines = [
            Text(f"  {printable(text)}", no_wrap=True, overflow="ellipsis", style="dim")
            for text in progress.at_work()
        ]
        return Group(head, *lines)
