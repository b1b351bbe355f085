"""Environment variables of the program: one for each option, and those that have no option."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["OPTIONS", "OTHERS", "PREFIX", "SEVERAL_MEANINGS", "nearest", "unknown", "variables_of"]

PREFIX = "LOCKSTREAM_"

OPTIONS = frozenset({
    "--align", "--all-extras", "--all-groups", "--allow-host", "--allow-startup", "--as",
    "--break-system-packages", "--build", "--build-constraint", "--build-defaults",
    "--build-env", "--build-network", "--build-project", "--build-requires", "--build-timeout",
    "--build-unmeasured", "--bundle", "--cache-dir", "--compile", "--config-setting",
    "--constraint", "--database", "--default-index", "--defer-builds", "--depth", "--direct",
    "--dry-run", "--durability", "--each", "--editable", "--exact", "--exclude",
    "--exclude-newer", "--exclude-newer-package", "--exit-code", "--extra", "--find-links",
    "--fit", "--force", "--forget", "--format", "--fragments", "--group", "--html", "--ignore",
    "--index", "--index-strategy", "--into", "--json", "--keyring", "--lanes", "--least",
    "--lenient", "--lock", "--log", "--markdown", "--max-size", "--measure-jobs", "--memory",
    "--merge-into", "--no-binary", "--no-build", "--no-cache", "--no-default-groups",
    "--no-deps", "--no-extra", "--no-group", "--no-hashes", "--no-index", "--no-index-urls",
    "--no-wheelhouse", "--offline", "--on", "--on-collision", "--only-binary", "--output",
    "--override", "--package", "--package-index", "--packages", "--page-cache", "--part",
    "--platform", "--prefix", "--prerelease", "--print", "--progress", "--project", "--prune",
    "--python", "--python-version", "--quiet", "--refresh", "--reinstall",
    "--reinstall-package", "--relocatable", "--remove", "--report", "--require-hashes",
    "--requirement", "--resolution", "--service", "--skip-unbuildable", "--skip-unhashed",
    "--target", "--trace", "--universal", "--upgrade", "--upgrade-package", "--venv",
    "--verbose", "--verify-record", "--wheelhouse", "--wheelhouse-url", "--without",
})  # fmt: skip
"""The first long name of each option of each command. Kept here because the commands of the planner
cannot be loaded where memory is scarce; ``tests/schemas/test_variables.py`` compares the two."""

SEVERAL_MEANINGS = frozenset({"--as", "--build", "--output"})
"""Options that take other values in another command, or name a file that another command must not
replace: they have only variables for one command."""

OTHERS: Mapping[str, str] = {
    "LOCKSTREAM_MIRRORS": "Pairs FROM=TO, separated by spaces, as `--mirror` takes them; those of "
    "the option come first.",
    "LOCKSTREAM_PYZ": "Path or URL of `lockstream.pyz`, read by the files in `examples/`.",
    "LOCKSTREAM_PYZ_SHA256": "The hash that the file at `LOCKSTREAM_PYZ` must have.",
    "LOCKSTREAM_INDEX_<NAME>_USERNAME": "User name for the index of this name.",
    "LOCKSTREAM_INDEX_<NAME>_PASSWORD": "Password for the index of this name.",
}
"""Variables that do not stand for one option, each with its meaning."""

_FREE_BEGIN = "LOCKSTREAM_INDEX_"
_FREE_ENDS = ("_USERNAME", "_PASSWORD")
_TESTS = frozenset({"LOCKSTREAM_EXAMPLES"})
"""Read by the tests of the project."""


def variables_of(option: str, command: str) -> list[str]:
    """Return the environment variables of an option of a command, the more specific one first.

    Those of ``--venv`` of ``execute`` are ``LOCKSTREAM_EXECUTE_VENV`` and ``LOCKSTREAM_VENV``.
    """
    name = option.removeprefix("--")
    general = [] if option in SEVERAL_MEANINGS else [_variable(name)]
    return [_variable(f"{command}-{name}"), *general]


def unknown(names: Iterable[str], commands: Iterable[str]) -> Iterator[str]:
    """Yield those of ``names`` that have the prefix of the program and mean nothing to it.

    ``commands`` are the names of all commands.
    """
    known = {*_general(), *OTHERS, *_TESTS}
    options = {_variable(name.removeprefix("--")).removeprefix(PREFIX) for name in OPTIONS}
    begins = [f"{_variable(command)}_" for command in commands]
    for name in names:
        is_login = name.startswith(_FREE_BEGIN) and name.endswith(_FREE_ENDS)
        is_of_one = any(name.removeprefix(begin) in options for begin in begins)
        if name.startswith(PREFIX) and not (name in known or is_login or is_of_one):
            yield name


def nearest(name: str) -> str | None:
    """Return the variable that the user may have meant by ``name``; None if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # for a mistake only

    if name in (_variable(one.removeprefix("--")) for one in SEVERAL_MEANINGS):
        return name.replace(PREFIX, f"{PREFIX}<COMMAND>_")
    known = {*_general(), *(one for one in OTHERS if "<" not in one)}
    by_end = {one.removeprefix(PREFIX): one for one in sorted(known)}
    is_login = name.startswith(_FREE_BEGIN)
    cutoff = 0.9 if is_login else 0.7
    found = get_close_matches(name.removeprefix(PREFIX), by_end, n=1, cutoff=cutoff)
    if found:
        return by_end[found[0]]
    return f"{_FREE_BEGIN}<NAME>{_FREE_ENDS[0]}" if is_login else None


def _general() -> Iterator[str]:
    return (_variable(name.removeprefix("--")) for name in OPTIONS - SEVERAL_MEANINGS)


def _variable(name: str) -> str:
    return PREFIX + re.sub(r"[- ]", "_", name).upper()
