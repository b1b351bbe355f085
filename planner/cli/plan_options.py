"""The options of ``plan``, by what they are about."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import click

from planner.index.indexes import Strategy
from planner.model.policy import Ordering, Prereleases

__all__ = ["index_options", "input_options", "policy_options"]


F = TypeVar("F", bound=Callable[..., Any])


def _choice(kind: type[StrEnum]) -> click.Choice[str]:
    # click would offer the names of the members.
    return click.Choice([member.value for member in kind])


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


input_options = _together(
    click.option(
        "-r", "--requirement", "requirements", multiple=True, metavar="FILE",
        help="A requirements file; - is standard input. Repeatable.",
    ),
    click.option(
        "-c", "--constraint", "constraints", multiple=True, metavar="FILE",
        help="A constraints file: which versions to use of what is needed anyway. Repeatable.",
    ),
    click.option(
        "--override", "overrides", multiple=True, metavar="FILE",
        help="An overrides file: what to use in place of what packages ask for. Repeatable.",
    ),
    click.option(
        "--exclude", "excludes", multiple=True, metavar="NAME",
        help="Leave this package out, whoever asks for it. Repeatable.",
    ),
    click.option(
        "--extra", "extras", multiple=True, metavar="NAME",
        help="An extra that installs may choose. Repeatable.",
    ),
    click.option("--all-extras", is_flag=True, help="All extras of the projects."),
    click.option(
        "--group", "groups", multiple=True, metavar="NAME",
        help="A dependency group that installs may choose. Repeatable.",
    ),
    click.option("--all-groups", is_flag=True, help="All dependency groups of the projects."),
)  # fmt: skip


index_options = _together(
    click.option(
        "-i", "--default-index", "--index-url", "default_index", metavar="URL",
        help="The package index that is asked last. Default: that of the requirements, of the "
        "project, of UV_DEFAULT_INDEX, of PIP_INDEX_URL, of pip's configuration, else PyPI.",
    ),
    click.option(
        "--index", "--extra-index-url", "indexes", multiple=True, metavar="[NAME=]URL",
        help="A package index that is asked before the default one. Repeatable.",
    ),
    click.option(
        "--package-index", "pins", multiple=True, metavar="PROJECT=NAME",
        help="Look for this project in the index of this name only. Repeatable.",
    ),
    click.option(
        "--index-strategy", "strategy", type=_choice(Strategy),
        help="first-index (the default): only the first index that knows a project is asked for "
        "it. unsafe-best-match: whichever has the highest version, so anybody who publishes one.",
    ),
    click.option(
        "-f", "--find-links", multiple=True, metavar="DIR|URL",
        help="A folder with wheels, or a page with links to them; asked first. Repeatable.",
    ),
    click.option("--no-index", is_flag=True, help="Ask no index, only --find-links."),
    click.option("--keyring", is_flag=True, help="Ask the keyring program for credentials."),
    click.option("--offline", is_flag=True, help="Ask nobody; use what the cache has."),
    click.option(
        "--cache-dir", metavar="DIR",
        help="Where to keep what indexes say. Default: LOCKSTREAM_CACHE_DIR, else the user's.",
    ),
    click.option(
        "--refresh", is_flag=True,
        help="Ask indexes anew, even where the lock or the cache has an answer.",
    ),
    click.option("--no-cache", is_flag=True, help="Keep nothing and use nothing that was kept."),
    click.option(
        "--allow-host", "allow_hosts", multiple=True, metavar="HOST",
        help="Use files at this host only. Repeatable.",
    ),
)  # fmt: skip


policy_options = _together(
    click.option(
        "--prerelease", type=_choice(Prereleases),
        help="Whether to choose pre-releases. if-necessary (the default): of projects for which "
        "the inputs name one, and where no final release will do.",
    ),
    click.option(
        "--resolution", type=_choice(Ordering),
        help="Which versions to try first. Default: highest.",
    ),
    click.option(
        "--exclude-newer", metavar="MOMENT",
        help="Use no file that was uploaded later: 2026-03-01, 2026-03-01T12:00:00Z or '7 days' "
        "(ago).",
    ),
    click.option(
        "--only-binary", "--no-build-package", multiple=True, metavar="NAME",
        help="Build no wheel of this project, whatever --build says; :all: for none. Repeatable.",
    ),
    click.option(
        "--no-binary", multiple=True, metavar="NAME",
        help="Use no wheel of this project from an index; :all: for any. Repeatable.",
    ),
    click.option("--no-build", is_flag=True, help="The same as --only-binary :all:."),
    click.option(
        "--require-hashes", is_flag=True,
        help="The inputs have to give hashes for all that is needed.",
    ),
    click.option(
        "--align/--no-align", default=None,
        help="Use the same versions for all targets wherever they go together (the default), or "
        "for each target the newest.",
    ),
)  # fmt: skip
