"""The command ``cache``."""

from __future__ import annotations

import click

from executor import echo, echo_json, json_option
from planner.cli.cache_option import cache_dir_option, named_cache
from planner.index.cache import MAX_SIZE, Cache
from schemas.errors import UsageError
from schemas.sizes import format_size, parse_size

__all__ = ["cache"]


@click.group("cache")
def cache() -> None:
    """Show, shrink or clear the cache of index pages, metadata and answers."""


@cache.command("info")
@cache_dir_option
@json_option
def info(cache_dir: str | None, as_json: bool) -> None:
    """Print the folder of the cache and what it holds."""
    kept = _open(cache_dir)
    usage = kept.usage()
    if as_json:
        sizes: dict[str, object] = {
            kind: {"entries": one.entries, "size": one.size} for kind, one in usage.items()
        }
        echo_json({"folder": kept.folder, **sizes}, indent=None)
        return
    echo(kept.folder)
    for kind, one in usage.items():
        echo(f"  {kind}: {one.entries:,} entries, {format_size(one.size)}")


@cache.command("prune")
@cache_dir_option
@click.option(
    "--max-size",
    metavar="SIZE",
    help=f"Size that may remain. Default: {format_size(MAX_SIZE)}, as after each plan.",
)
def prune(cache_dir: str | None, max_size: str | None) -> None:
    """Remove the entries that were not used for the longest time."""
    freed = _open(cache_dir).prune(parse_size(max_size) if max_size else None)
    echo(f"freed {format_size(freed)}")


@cache.command("clear")
@cache_dir_option
def clear(cache_dir: str | None) -> None:
    """Remove every entry."""
    echo(f"freed {format_size(_open(cache_dir).clear())}")


def _open(folder: str | None) -> Cache:
    found = named_cache(folder)
    if found is None:
        raise UsageError(
            "HOME is not set, and the user has no home folder, so there is no cache",
            hint="name the folder with --cache-dir or LOCKSTREAM_CACHE_DIR",
        )
    return Cache(found)
