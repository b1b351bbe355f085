"""A console of rich that leaves the cursor where people see it.

rich hides it while lines change, and a program that is killed cannot show it again: the terminal
of the user would have none until ``tput cnorm``. Only a view on a terminal loads this module.
"""

from __future__ import annotations

from rich.console import Console

__all__ = ["SteadyConsole"]


class SteadyConsole(Console):
    """A console that never hides the cursor; the view that draws on it owns it."""

    def show_cursor(self, show: bool = True) -> bool:
        """Do nothing, and return that nothing was done."""
        return False
