"""The command ``export``: a lock in the forms that other tools read."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import fields

import click
from packaging.pylock import Pylock

from executor import (
    SectionedCommand,
    SelectOptions,
    check_output_file,
    echo,
    echo_document,
    is_quiet,
    lock_argument,
    option_group,
    section,
    select_options,
    target_options,
)
from planner.cli.lock_options import open_lock
from planner.exports.direct import Direct, find_direct
from planner.exports.selection import ExportedPackage, select_packages
from planner.review.forge import find_root
from planner.review.recorded import recorded_files, targets_of
from schemas.data_class import frozen
from schemas.errors import LockstreamError, UsageError
from schemas.lock import recorded_targets
from schemas.target import Target
from schemas.text import counted

__all__ = ["export"]

FORMATS = ("requirements", "cyclonedx", "github")


@frozen(kw_only=True)
class _Request:
    """A lock, and what of it is exported."""

    path: str
    lock: Pylock
    select: SelectOptions
    packages: Sequence[ExportedPackage]
    targets: Sequence[Target]
    """Those that are named, or that the lock records."""
    output: str | None
    """The file to write; None for standard output."""

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)


@frozen(kw_only=True)
class _PipChoice:
    """The options that only a requirements file has."""

    no_hashes: bool
    skip_unhashed: bool
    no_index_urls: bool

    def check(self, form: str) -> None:
        """Raise UsageError if they exclude each other, or ``form`` has none of them."""
        given = [field.name for field in fields(self) if getattr(self, field.name)]
        if given and form != FORMATS[0]:
            option = f"--{given[0].replace('_', '-')}"
            raise UsageError(f"{option} is for --format requirements", hint=f"leave {option} out")
        if self.no_hashes and self.skip_unhashed:
            raise UsageError(
                "--no-hashes and --skip-unhashed exclude each other",
                hint="without hashes, nothing has to be left out",
            )


pip_options = option_group(
    "of_pip",
    "Requirements",
    _PipChoice,
    click.option("--no-hashes", is_flag=True, help="Write no hashes."),
    click.option(
        "--skip-unhashed",
        is_flag=True,
        help="Leave out repositories and folders, which pip cannot verify.",
    ),
    click.option(
        "--no-index-urls",
        is_flag=True,
        help="Name no indexes: those that pip is configured for count.",
    ),
)


@click.command("export", cls=SectionedCommand)
@lock_argument
@section(
    "Output",
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default=FORMATS[0],
        show_default=True,
        help="requirements: for pip and uv, with hashes. cyclonedx: a bill of materials (SBOM). "
        "github: a snapshot for the dependency graph.",
    ),
    click.option(
        "-o",
        "--output",
        "--output-file",
        metavar="FILE",
        help="The file to write. Default: standard output.",
    ),
)
@select_options
@target_options
@pip_options
def export(
    lock: str,
    *,
    form: str,
    output: str | None,
    select: SelectOptions,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    of_pip: _PipChoice,
) -> None:
    """Write LOCK (default: pylock.toml) in a form that other tools read.

    By default it is a requirements file for all targets of the lock, with hashes and markers.
    """
    of_pip.check(form)
    output = None if output == "-" else output
    content = open_lock(lock)
    inputs = (lock, *recorded_files(content, lock))
    if output is not None:
        check_output_file("-o", output, inputs)
    are_named = bool(python_versions or platforms)
    targets = targets_of(content, python_versions, platforms) if are_named else ()
    request = _Request(
        path=lock,
        lock=content,
        select=select,
        packages=select_packages(content, select, targets),
        targets=targets or recorded_targets(content),
        output=output,
    )
    if form == FORMATS[0]:
        text, count = _requirements(request, of_pip)
    else:
        text, count = (_bill if form == "cyclonedx" else _snapshot)(request), len(request.packages)
    if output is None:
        echo_document(text)
        return
    from planner.cli.page_file import write_page  # noqa: PLC0415  # it loads the writer of locks

    write_page("-o", output, text, inputs)
    if not is_quiet():
        echo(f"wrote {output}: {counted(count, 'package')}", err=True)


def _requirements(request: _Request, of_pip: _PipChoice) -> tuple[str, int]:
    from planner.exports.pip_requirements import PipOptions, write_requirements  # noqa: PLC0415

    file = write_requirements(
        request.lock,
        request.packages,
        request.targets,
        PipOptions(
            folder=request.folder,
            into=os.path.dirname(request.output or ""),
            has_hashes=not of_pip.no_hashes,
            skips_unhashed=of_pip.skip_unhashed,
            has_indexes=not of_pip.no_index_urls,
        ),
    )
    for remark in file.remarks:
        echo(f"warning: {remark}", err=True)
    return file.text, file.count


def _bill(request: _Request) -> str:
    from planner.exports.moment import stated_moment  # noqa: PLC0415  # only what states a time
    from planner.exports.sbom import bill_of_materials  # noqa: PLC0415

    moment = stated_moment(os.environ)
    return bill_of_materials(request.lock, request.packages, _direct(request), moment)


def _snapshot(request: _Request) -> str:
    from planner.exports.moment import stated_moment  # noqa: PLC0415
    from planner.exports.snapshot import Scan, dependency_snapshot  # noqa: PLC0415
    from planner.exports.workflow_run import WorkflowRun  # noqa: PLC0415

    run = WorkflowRun.of(os.environ)
    moment = stated_moment(os.environ)
    scan = Scan(
        run=run,
        moment=time.time() if moment is None else moment,
        place=_place(request.path, os.environ.get("GITHUB_WORKSPACE", "")),
    )
    return dependency_snapshot(request.lock, request.packages, _direct(request), scan)


def _direct(request: _Request) -> Direct | None:
    """Return what the inputs of the lock require; None, with a warning, if they cannot be read."""
    try:
        return find_direct(request.lock, request.path, request.select.variables(request.lock))
    except LockstreamError as error:
        echo(f"warning: which packages the project requires itself is left out: {error}", err=True)
    return None


def _place(lock: str, workspace: str) -> str:
    """Return the path of ``lock`` in its repository, or in the ``workspace`` of a job."""
    path = os.path.realpath(lock)
    root = find_root(os.path.dirname(path)) or os.path.realpath(workspace or os.path.dirname(path))
    place = os.path.relpath(path, root).replace(os.sep, "/")
    return os.path.basename(path) if place.startswith("../") else place
