"""The options of ``execute`` for changes, origins of files, checks and resources."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable

import click

from executor.budget.budget import PageCachePolicy
from executor.cli.mirrors import read_mirrors
from executor.cli.option_group import option_group, section
from executor.cli.options import target_options
from executor.environment.changes import Sync
from executor.files.durability import Durability
from executor.lock.options import TargetNames
from executor.sources.origins import Origins
from executor.wheels.rules import Rules
from schemas.data_class import frozen
from schemas.sizes import parse_size
from schemas.wheel_filename import normalized_name

__all__ = [
    "OriginOptions",
    "ResourceOptions",
    "change_options",
    "check_options",
    "collision_option",
    "origin_options",
    "resource_options",
    "target_name_options",
]


@frozen(kw_only=True)
class ResourceOptions:
    """The memory, lanes and durability of an execution."""

    memory: str
    lanes: int | None
    page_cache: PageCachePolicy
    durability: Durability

    def budget(self) -> int | None:
        """Return the budget in bytes; None to use what the cgroups leave. Raises UsageError."""
        return None if self.memory == "auto" else parse_size(self.memory)


@frozen(kw_only=True)
class OriginOptions:
    """The places that files may come from."""

    offline: bool
    find_links: tuple[str, ...]
    mirror: tuple[str, ...]
    keyring: bool
    bundle: tuple[str, ...]

    def origins(self, lock: str) -> Origins:
        """Return the origins for the lock at ``lock``. Raises UsageError and InvalidInput."""
        if self.bundle and not os.path.lexists(lock):
            _look_for_lock(lock, self.bundle)
        return Origins(
            find_links=self.find_links,
            bundles=self.bundle,
            mirrors=read_mirrors(self.mirror, lock),
            offline=self.offline,
            keyring=self.keyring,
        )


def _look_for_lock(lock: str, bundles: Iterable[str]) -> None:
    """Raise LockUnreadable with the command that brings the ``lock``, if one of the ``bundles`` has
    it. Raises InvalidBundle.
    """
    import shlex  # noqa: PLC0415  # these three are needed only if there is no lock

    from executor.lock.errors import LockUnreadable  # noqa: PLC0415
    from executor.sources.bundle import bundle_at  # noqa: PLC0415

    name = os.path.basename(lock)
    for path in bundles:
        found = bundle_at(path)
        if not found.is_stream and found.place(name):
            command = shlex.join(["tar", "-xf", path, name])
            missing = os.strerror(errno.ENOENT)
            raise LockUnreadable(lock, missing, f"take it out of the bundle: {command}")


def _names(
    _context: click.Context, _option: click.Parameter, words: tuple[str, ...]
) -> tuple[str, ...]:
    """Return ``words``, which would silently mean nothing if they were no names of projects."""
    for word in words:
        if not re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*", normalized_name(word)):
            raise click.BadParameter(
                f"{word!r} is not the name of a project; the lock has versions"
            )
    return words


def _sync(
    *, exact: bool, remove: tuple[str, ...], reinstall: bool, reinstall_package: tuple[str, ...]
) -> Sync:
    return Sync(
        exact=exact,
        reinstall=reinstall,
        reinstall_packages=frozenset(map(normalized_name, reinstall_package)),
        remove=frozenset(map(normalized_name, remove)),
    )


def _rules(*, lenient: bool, verify_record: bool, allow_startup: tuple[str, ...]) -> Rules:
    return Rules(
        lenient=lenient,
        verify_record=verify_record,
        startup=frozenset(map(normalized_name, allow_startup)),
    )


change_options = option_group(
    "sync",
    "Changes",
    _sync,
    click.option("--exact", is_flag=True, help="Remove packages that the lock does not list."),
    click.option(
        "--remove",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="Remove this package if the lock does not list it. --exact keeps pip, setuptools, "
        "wheel and lockstream; this option does not. Repeatable.",
    ),
    click.option("--reinstall", is_flag=True, help="Replace all packages, even unchanged ones."),
    click.option(
        "--reinstall-package",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="Replace this package, even if it is unchanged. Repeatable.",
    ),
)

origin_options = option_group(
    "origins",
    "Origins of files",
    OriginOptions,
    click.option("--offline", is_flag=True, help="Use only files on this machine."),
    click.option(
        "--find-links",
        multiple=True,
        metavar="DIR",
        help="Look for files in this folder first. Repeatable.",
    ),
    click.option(
        "--bundle",
        multiple=True,
        metavar="FILE",
        help="Take files from this archive of lockstream bundle. - is standard input, read in one "
        "lane. Repeatable.",
    ),
    click.option(
        "--mirror",
        multiple=True,
        metavar="FROM=TO",
        help="Fetch URLs that begin with FROM from TO instead; if that fails, from the next TO of "
        "the same FROM. The hashes of the lock still decide. Repeatable.",
    ),
    click.option("--keyring", is_flag=True, help="Get credentials from the keyring program."),
)

target_name_options = option_group(
    "names",
    "Targets",
    TargetNames,
    target_options,
)

resource_options = option_group(
    "resources",
    "Memory and disk",
    ResourceOptions,
    click.option(
        "--memory",
        default="auto",
        metavar="auto|SIZE",
        show_default=True,
        help="Memory budget, such as 64MiB. auto: what the surrounding cgroups leave.",
    ),
    click.option(
        "--lanes", type=click.IntRange(1), metavar="N", help="Wheels to process at the same time."
    ),
    click.option(
        "--page-cache",
        type=click.Choice(["auto", "drop", "keep"]),
        default="auto",
        show_default=True,
        help="Whether written files stay in the page cache. auto: no if memory is limited; large "
        "files also not if the execution waits for the disk.",
    ),
    click.option(
        "--durability",
        type=click.Choice(["full", "kill"]),
        default="full",
        show_default=True,
        help="What the environment survives: a power failure, or only the kill of the process.",
    ),
)

check_options = option_group(
    "rules",
    "Checks",
    _rules,
    click.option(
        "--lenient",
        is_flag=True,
        help="Install wheels with a wrong RECORD, a file twice, links, or names that only other "
        "systems refuse, and print a warning.",
    ),
    click.option(
        "--verify-record/--no-verify-record",
        default=True,
        show_default=True,
        help="Compare each file with its hash in the wheel's RECORD, as the wheel standard "
        "requires, or skip that, as pip and uv do. The hash of the lock is always checked.",
    ),
    click.option(
        "--allow-startup",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="This package may contain a sitecustomize or usercustomize module. Repeatable.",
    ),
)

collision_option = section(
    "Checks",
    click.option(
        "--on-collision",
        type=click.Choice(["refuse", "last"]),
        default="refuse",
        show_default=True,
        help="If two packages own one path with different contents: refuse them, or install the "
        "last.",
    ),
)
