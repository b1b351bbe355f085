"""The options of ``plan``, in groups that each become one value."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import click

from executor import option_group
from planner.cli.cache_option import cache_dir_option, named_cache
from planner.index.access import Access
from planner.index.cache import Cache
from planner.index.indexes import Strategy
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.model.policy import Ordering, Prereleases
from planner.model.project_set import first_invalid_name
from planner.review.fit import PLACES, ContainerSize
from schemas.data_class import frozen

__all__ = [
    "LockOptions",
    "access_options",
    "index_options",
    "input_options",
    "lock_options",
    "plan_target_options",
    "policy_options",
]


@frozen(kw_only=True)
class LockOptions:
    """Which lock is written, what of it is kept, and how large it may be."""

    output: str | None
    each: bool
    merge_into: str | None
    forget: bool
    upgrade: bool
    upgraded: tuple[str, ...]
    fit: str | None

    def container(self) -> ContainerSize | None:
        """Return the container that the lock has to fit into. Raises UsageError."""
        return ContainerSize.parse(self.fit) if self.fit else None


def _names(
    _context: click.Context, option: click.Parameter, words: tuple[str, ...]
) -> tuple[str, ...]:
    """Return ``words``, which would silently mean nothing if they were no names of projects."""
    # Only what stands for sets of projects may have commas, as with pip.
    wrong = first_invalid_name(words, sets="binary" in str(option.name))
    if wrong is not None:
        raise click.BadParameter(
            f"{wrong!r} is not the name of a project; a version, extras and a marker are said in "
            "the inputs"
        )
    return words


def _access(
    *, keyring: bool, offline: bool, cache_dir: str | None, refresh: bool, no_cache: bool
) -> Access:
    folder = None if no_cache else named_cache(cache_dir)
    cache = Cache(folder) if folder else None
    return Access(keyring=keyring, offline=offline, refresh=refresh, cache=cache)


def _policy(
    *,
    prerelease: str | None,
    resolution: str | None,
    exclude_newer: str | None,
    exclude_newer_package: Sequence[str],
    no_binary: Sequence[str],
    only_binary: Sequence[str],
    no_build: bool,
    allow_hosts: Sequence[str],
    require_hashes: bool | None,
    align: bool | None,
) -> PolicyRequest:
    return PolicyRequest(
        prerelease=prerelease,
        resolution=resolution,
        exclude_newer=exclude_newer,
        exclude_newer_package=exclude_newer_package,
        no_binary=no_binary,
        only_binary=(*only_binary, *([":all:"] if no_build else ())),
        allow_hosts=allow_hosts,
        require_hashes=require_hashes,
        align=align,
    )


def _choice(kind: type[StrEnum]) -> click.Choice[str]:
    # click would offer the names of the members.
    return click.Choice([member.value for member in kind])


input_options = option_group(
    "sources",
    "Requirements",
    Provenance,
    click.argument("projects", metavar="[PROJECT]...", nargs=-1, type=click.Path()),
    click.option(
        "-r", "--requirement", "requirements", multiple=True, metavar="FILE",
        help="A requirements file; - is standard input. Repeatable.",
    ),
    click.option(
        "-c", "--constraint", "constraints", multiple=True, metavar="FILE",
        help="A constraints file: limits on the versions of what is required anyway. Repeatable.",
    ),
    click.option(
        "--override", "overrides", multiple=True, metavar="FILE",
        help="An overrides file: requirements that replace those of packages. Repeatable.",
    ),
    click.option(
        "--exclude", "excludes", multiple=True, metavar="NAME", callback=_names,
        help="Leave this package out, whatever requires it. Repeatable.",
    ),
    click.option(
        "--extra", "extras", multiple=True, metavar="NAME",
        help="Lock this extra of the projects, and no other. Default: those of [tool.lockstream], "
        "else all. Repeatable.",
    ),
    click.option(
        "--no-extra", "no_extras", multiple=True, metavar="NAME",
        help="Lock all extras but this one. Repeatable.",
    ),
    click.option(
        "--all-extras/--no-all-extras", default=None,
        help="Lock all extras of the projects, or none.",
    ),
    click.option(
        "--group", "groups", multiple=True, metavar="NAME",
        help="Lock this dependency group, and no other. Default: those of [tool.lockstream], else "
        "all. Repeatable.",
    ),
    click.option(
        "--no-group", "no_groups", multiple=True, metavar="NAME",
        help="Lock all dependency groups but this one. Repeatable.",
    ),
    click.option(
        "--all-groups/--no-all-groups", default=None,
        help="Lock all dependency groups of the projects, or none.",
    ),
)  # fmt: skip

plan_target_options = option_group(
    "targets",
    "Targets",
    TargetRequest,
    click.option(
        "--python-version", "python_versions", multiple=True, metavar="VERSION",
        help="A Python to plan for, such as 3.12, 3.13t (free-threaded) or pypy3.11. Repeatable. "
        "Default: the targets of the lock or the project, the Python of .python-version, of "
        ".venv, or of requires-python, else the Python that runs lockstream.",
    ),
    click.option(
        "--platform", "platforms", multiple=True, metavar="TAG",
        help="The newest platform tag of a target, such as manylinux_2_28_x86_64, or linux, macos "
        "or windows. Repeatable: each with each Python. Default: this machine's.",
    ),
    click.option(
        "--universal", is_flag=True,
        help="Plan for every supported Python on the common platforms of Linux, macOS and Windows.",
    ),
)  # fmt: skip

index_options = option_group(
    "indexes",
    "Indexes",
    IndexRequest,
    click.option(
        "-i", "--default-index", "--index-url", "default_index", metavar="URL",
        help="The package index of the lowest rank. Default: that of the requirements, of the "
        "project, of UV_DEFAULT_INDEX, of PIP_INDEX_URL, of pip's configuration, else PyPI.",
    ),
    click.option(
        "--index", "--extra-index-url", "indexes", multiple=True, metavar="[NAME=]URL",
        help="A package index that ranks before the default one. Repeatable.",
    ),
    click.option(
        "--package-index", "pins", multiple=True, metavar="PROJECT=NAME",
        help="Look for this project in the index of this name only. Repeatable.",
    ),
    click.option(
        "--index-strategy", "strategy", type=_choice(Strategy),
        help="first-index (the default): a project comes from the first index that has it. "
        "unsafe-best-match: from the one with the highest version, whoever publishes that.",
    ),
    click.option(
        "-f", "--find-links", multiple=True, metavar="DIR|URL",
        help="A folder of wheels, or a page with links to them; ranks first. Repeatable.",
    ),
    click.option("--no-index", is_flag=True, help="Use no index, only --find-links."),
)  # fmt: skip

access_options = option_group(
    "access",
    "Network and cache",
    _access,
    click.option("--keyring", is_flag=True, help="Get credentials from the keyring program."),
    click.option("--offline", is_flag=True, help="Use only the cache; make no network requests."),
    cache_dir_option,
    click.option(
        "--refresh", is_flag=True,
        help="Ask the indexes again, even if the lock or the cache has an answer.",
    ),
    click.option("--no-cache", is_flag=True, help="Neither read nor write the cache."),
)  # fmt: skip

policy_options = option_group(
    "policy",
    "Choice of files",
    _policy,
    click.option(
        "--prerelease", type=_choice(Prereleases),
        help="Whether to choose pre-releases. if-necessary (the default): of projects for which "
        "the inputs name one, and if no final release matches.",
    ),
    click.option(
        "--resolution", type=_choice(Ordering),
        help="Which versions to try first. Default: highest.",
    ),
    click.option(
        "--exclude-newer", metavar="MOMENT",
        help="Ignore files that were uploaded later: 2026-03-01, 2026-03-01T12:00:00Z or '7 days' "
        "(ago).",
    ),
    click.option(
        "--exclude-newer-package", multiple=True, metavar="NAME=MOMENT",
        help="The same for this project, in its place; false for no limit. Repeatable.",
    ),
    click.option(
        "--only-binary", "--no-build-package", multiple=True, metavar="NAME", callback=_names,
        help="Never build this project, whatever --build says; :all: for every one. Repeatable.",
    ),
    click.option(
        "--no-binary", multiple=True, metavar="NAME", callback=_names,
        help="Use no wheel of this project from an index; :all: for every one. Repeatable.",
    ),
    click.option("--no-build", is_flag=True, help="The same as --only-binary :all:."),
    click.option(
        "--require-hashes/--no-require-hashes", default=None,
        help="Require the inputs to give hashes for every package.",
    ),
    click.option(
        "--align/--no-align", default=None,
        help="Use the same version for all targets if one suits them all (the default), or the "
        "newest for each target.",
    ),
    click.option(
        "--allow-host", "allow_hosts", multiple=True, metavar="HOST",
        help="Use only files at this host. Repeatable.",
    ),
)  # fmt: skip

lock_options = option_group(
    "locks",
    "The lock",
    LockOptions,
    click.option(
        "-o", "--output", metavar="FILE",
        help="Where to write the lock; - is standard output. Default: pylock.toml, or for a script "
        "pylock.NAME.toml in its folder.",
    ),
    click.option(
        "--each", is_flag=True,
        help="Plan each PROJECT with a lock of its own in its folder, on all processors; without "
        "PROJECT, each pylock.toml of lockstream below the current folder.",
    ),
    click.option(
        "--merge-into", metavar="LOCK",
        help="Add this machine, or the targets that are named, to an existing lock, with the "
        "wheels built here for them; its versions are kept. The inputs are those of the lock, "
        "unless others are named.",
    ),
    click.option(
        "--forget", is_flag=True,
        help="Do not keep the options that the lock records; those of this command alone count.",
    ),
    click.option(
        "-U", "--upgrade", is_flag=True,
        help="Choose every version again; without it, the versions of the lock are kept.",
    ),
    click.option(
        "-P", "--upgrade-package", "upgraded", multiple=True, metavar="NAME", callback=_names,
        help="Choose the version of this package again. Repeatable.",
    ),
    click.option(
        "--fit", metavar="SIZE[/SIZE-disk]|NAME",
        help="Write no lock that takes more to execute, such as 64MiB/2GiB-disk, or than a known "
        f"place has: {', '.join(PLACES)}.",
    ),
)  # fmt: skip
