"""The option that names the folder of the cache."""

from __future__ import annotations

import os

import click

from executor import cache_folder
from schemas.errors import UsageError

__all__ = ["cache_dir_option", "named_cache"]


cache_dir_option = click.option(
    "--cache-dir",
    metavar="DIR",
    help="The folder of the cache. Default: LOCKSTREAM_CACHE_DIR, else that of the user.",
)


def named_cache(cache_dir: str | None) -> str | None:
    """Return the folder of the cache: ``cache_dir``, or else the default; None if there is none.

    Raises UsageError if ``cache_dir`` is something else than a folder.
    """
    if cache_dir and os.path.lexists(cache_dir) and not os.path.isdir(cache_dir):
        raise UsageError(
            f"--cache-dir {cache_dir} is not a folder",
            hint="name a folder, which need not be there yet, or leave the option out",
        )
    return cache_folder(os.environ, cache_dir)
