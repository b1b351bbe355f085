"""The command ``check``."""

from __future__ import annotations

import click

from executor import echo, echo_json, json_option, lock_argument
from planner.api import check_lock
from planner.review.check import Stale

__all__ = ["check"]


@click.command("check")
@lock_argument
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing if the lock is current.")
def check(lock: str, as_json: bool, quiet: bool) -> None:
    """Check that the lock is up to date with its inputs, without asking any index.

    Every requirement of the inputs and of every package is compared with what is locked, for each
    target, extra and dependency group. Exit status 1 if anything is missing, does not match or is
    not required.
    """
    checked = check_lock(lock)
    problems = checked.problems
    if as_json:
        echo_json({"lock": lock, "current": not problems, "problems": problems}, indent=None)
    if problems:
        raise Stale(lock, problems)
    if not quiet and not as_json:
        packages = len(checked.lock.packages)
        targets = sum(len(environment.targets) for environment in checked.environments)
        echo(f"{lock} is current: packages {packages}, targets {targets}")
