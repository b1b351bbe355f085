"""The output of the executor's commands: results to stdout, progress and warnings to stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from executor.cli.output import echo, echo_json
from executor.report.reporter import Reporter

__all__ = ["WarningReporter", "print_result"]


def print_result(content: object, lines: Iterable[str], *, err: bool = False) -> None:
    """Print ``content`` as JSON, or ``lines`` if it is None; ``err``: to standard error."""
    if content is not None:
        echo_json(content)
        return
    for line in lines:
        echo(line, err=err)


class WarningReporter(Reporter):
    """Prints warnings only. A context, for those that show more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def print_changes(self) -> None:
        """Print what changed, if that was not said before."""

    def warned(self, text: str) -> None:
        self.recorder.event("warning", text=text)
        echo(f"warning: {text}", err=True)
