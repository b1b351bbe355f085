"""The command ``check``."""

from __future__ import annotations

import json

import click

from planner.cli.lock_options import inputs_of, json_option, lock_argument, targets_of
from planner.lock.reader import read_lock
from planner.model.environments import group_targets
from planner.review.check import Stale, find_problems

__all__ = ["check"]


@click.command("check")
@lock_argument
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing where the lock is right.")
def check(lock: str, as_json: bool, quiet: bool) -> None:
    """Tell whether the lock still answers its inputs, without any index.

    Every requirement of the inputs and of every package is compared with what is locked, for each
    target, extra and dependency group. Exit status 1 where something is missing, does not fit or
    is not needed.
    """
    content = read_lock(lock)
    environments = group_targets(targets_of(content, (), ()))
    problems = find_problems(content, inputs_of(content, lock), environments)
    if as_json:
        click.echo(json.dumps({"lock": lock, "current": not problems, "problems": problems}))
    if problems:
        raise Stale(lock, problems)
    if not quiet and not as_json:
        targets = sum(len(environment.targets) for environment in environments)
        click.echo(
            f"{lock} answers its inputs: packages {len(content.packages)}, targets {targets}"
        )
