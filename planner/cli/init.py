"""The command ``init``: files for a forge, a container or a hook."""

from __future__ import annotations

import os
import posixpath

import click
from packaging.pylock import Pylock

from executor import echo, is_quiet, read_input
from planner.cli.lock_options import open_lock
from planner.cli.merge import git
from planner.inputs.errors import UnreadableInput
from planner.lock.writer import write_atomically
from planner.review.ci_files import CI_FILES, CiFile, FileExists, LeadsOutside
from planner.review.container_lines import container_needs
from planner.review.cost import cost_of
from planner.review.forge import find_forges, find_root
from planner.review.project_facts import PLAIN, NotForLinux, ProjectFacts
from planner.review.recorded import is_planned, targets_of
from planner.review.subset_choice import SubsetOrigin
from schemas.errors import NotWritten, UsageError

__all__ = ["init"]


@click.group("init")
def init() -> None:
    """Write files by which other programs use the lock of a project."""


init.add_command(git)


@init.command("ci", short_help="Write the file by which CI installs the lock.")
@click.argument("kind", metavar="[KIND]", required=False, type=click.Choice([*CI_FILES]))
@click.option(
    "--lock", default="pylock.toml", show_default=True, metavar="LOCK", help="The lock to install."
)
@click.option("--print", "is_printed", is_flag=True, help="Print the file, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def ci(kind: str | None, lock: str, is_printed: bool, force: bool) -> None:
    """Write the file by which CI installs the lock: for the forge that is found here, or for KIND.

    KIND is github, gitlab, kubernetes, docker or pre-commit.

    It is filled in from the project: the lock, its Python, its groups, and the memory and disk that
    it takes. If lockstream.pyz is in this folder, or in that of the repository, files for Docker,
    GitHub and GitLab use that and install nothing first. They check only a lock that lockstream
    planned.

    In a folder of a larger repository, a file for a forge or for pre-commit goes to the root of the
    repository, where they look for it, and works in this folder.
    """
    root = find_root(".") or os.path.realpath(".")
    chosen = CI_FILES[kind or _forge(root)]
    if not chosen.is_of_repository:
        root = os.path.realpath(".")
    facts = _facts(lock, root)
    text = chosen.text(facts)
    if is_printed:
        for line in text.splitlines():
            echo(line)
        return
    path, then = _place(chosen, facts, text, root, force=force)
    if then:
        _write(path, text)
        echo(f"wrote {path}")
        if not is_quiet():
            echo(f"next: {then}", err=True)
    else:
        echo(f"{path} is as it would be written")


def _forge(root: str) -> str:
    """Return the kind of file for the forge of the repository. Raises UsageError if there is none,
    or more than one.
    """
    found = find_forges(root)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"this repository is on more than one forge: {', '.join(found)}",
            hint=f"name the kind of file: lockstream init ci {'|'.join(found)}",
        )
    raise UsageError(
        "no forge is found here: neither .github, .gitlab-ci.yml nor a remote of git names one",
        hint=f"name it: lockstream init ci {'|'.join(CI_FILES)}",
    )


def _facts(path: str, root: str) -> ProjectFacts:
    """Return what the files say of the project in this folder, which is ``root`` or below it."""
    lock = open_lock(path)
    targets = targets_of(lock, (), ())
    linux = [one for one in targets if one.environment["sys_platform"] == "linux"]
    if not linux:
        raise NotForLinux(path, tuple(map(str, targets)))
    default = set(lock.default_groups or ())
    named = (one for one in lock.dependency_groups or () if one not in default)
    groups = tuple(filter(PLAIN.fullmatch, named))
    costs = [cost_of(lock, one, extras=(), groups=(*default, *groups)) for one in linux]
    memory, disk = container_needs(costs)
    unbuilt = {one.name: one for cost in costs for one in cost.packages if one.filename is None}
    folders = {one.name for one in lock.packages if one.directory is not None}
    return ProjectFacts(
        lock=_named(path, "a lock below this folder"),
        python=linux[0].environment["python_version"],
        memory=memory,
        disk=disk,
        groups=groups,
        projects=tuple(name for name in unbuilt if name in folders),
        sources=tuple(name for name in unbuilt if name not in folders),
        is_measured=not any(one.is_unmeasured for one in unbuilt.values()),
        is_planned=is_planned(lock) or SubsetOrigin.of(lock, path) is not None,
        wheels=_paths_of_wheels(lock),
        unsized=max(len(cost.unsized) for cost in costs),
        has_default=any(cost_of(lock, one, groups=default).packages for one in linux),
        pyz=_one_file(root),
        folder=_named(os.path.relpath(".", root), "this folder of the repository"),
    )


def _paths_of_wheels(lock: Pylock) -> tuple[str, ...]:
    """Return the folders, and the files beside the lock, that hold wheels listed by path."""
    paths = (
        posixpath.normpath(wheel.path)
        for package in lock.packages
        for wheel in package.wheels or ()
        if wheel.path and not wheel.url
    )
    return tuple(sorted({posixpath.dirname(path) or path for path in paths}))


def _named(path: str, what: str) -> str:
    """Return the relative ``path`` as files for CI name it; empty for ``.``. Raises UsageError."""
    name = os.path.relpath(path).replace(os.sep, "/")
    if not PLAIN.fullmatch(name) or name.startswith("../"):
        raise UsageError(
            f"{path!r} cannot be named in files for CI: they name {what}, by letters, digits and "
            "._-/",
            hint="change into the folder of the project, or rename it",
        )
    return "" if name == "." else name


def _one_file(root: str) -> str:
    """Return the relative path of lockstream.pyz here or at ``root``; empty if there is none."""
    for folder in (".", os.path.relpath(root)):
        path = os.path.normpath(os.path.join(folder, "lockstream.pyz"))
        if os.path.isfile(path):
            return path.replace(os.sep, "/")
    return ""


def _place(
    chosen: CiFile, facts: ProjectFacts, text: str, root: str, *, force: bool
) -> tuple[str, str]:
    """Return where to write ``text``, and what to do next; nothing if it is written already.

    ``root`` is the folder that its paths start in. Raises FileExists if there is another file,
    LeadsOutside if a link leads elsewhere, and UnreadableInput.
    """

    def placed(path: str) -> str:
        path = path.replace("{slug}", facts.slug)
        return os.path.relpath(os.path.join(root, path))

    path, then = placed(chosen.path), chosen.then
    if _present(path) not in {None, text} and chosen.beside and not force:
        path, then = placed(chosen.beside), chosen.then_beside.replace("{slug}", facts.slug)
    place, base = os.path.realpath(path), os.path.realpath(root)
    if os.path.commonpath([place, base]) != base:
        raise LeadsOutside(path, place)
    present = _present(path)
    if present == text:
        return path, ""
    if present is not None and not force:
        raise FileExists(path)
    return path, then


def _present(path: str) -> str | None:
    try:
        return read_input(path).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableInput.because(path, error) from None


def _write(path: str, text: str) -> None:
    try:
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written", error) from None
