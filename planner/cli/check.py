"""The command ``check``."""

from __future__ import annotations

import click

from executor import echo, echo_json, is_quiet, json_option, lock_argument
from planner.api import check_lock
from planner.cli.bare_plan import request_of_variables
from planner.cli.lock_options import warn_of_newer
from planner.review.check import Stale

__all__ = ["check"]


@click.command("check")
@lock_argument
@json_option
def check(lock: str, as_json: bool) -> None:
    """Check that LOCK (default: pylock.toml) is current, without asking any index.

    It is current exactly if plan, which prefers its versions, would write the same bytes: the
    requirements of the inputs and of every package are compared with what is locked, for each
    target, extra and dependency group, and so are settings, options, hashes, addresses and local
    files. Variables that are set for plan count. Exit status 1 if it is not. What a plan reads and
    a check cannot is named. A subset is compared with what subset would make now of its lock.
    """
    quiet = is_quiet()
    request, reasons = request_of_variables()
    checked = check_lock(lock, request)
    warn_of_newer(checked.lock, lock)
    problems = checked.problems and (*checked.problems, *reasons)
    if as_json:
        echo_json({"lock": lock, "current": not problems, "problems": problems}, indent=None)
    if not quiet:
        for reason in checked.undecided:
            echo(f"not checked: {reason}", err=True)
    if problems:
        raise Stale(lock, problems, checked.again)
    if not quiet and not as_json:
        packages = len(checked.lock.packages)
        targets = sum(len(environment.targets) for environment in checked.environments)
        echo(f"{lock} is current: packages {packages}, targets {targets}")
