"""Compare the answers of lockstream and ``uv pip compile`` for projects as they are published.

    python -m benchmarks.planning.real_projects
    python -m benchmarks.planning.real_projects dask fastapi

gets the source distribution of each project from PyPI, with pip, and plans its folder with all its
extras and without its dependency groups. Otherwise as ``compare_with_uv``, as of today.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.installers import CLEAN, find_uv
from benchmarks.planning.compare_with_uv import PYTHON, Answer, Bench, Subject, Verdict, compare_all

PROJECTS = (
    "apache-airflow-core", "jupyterlab", "dask", "xarray", "poetry", "black", "pytest", "sphinx",
    "mkdocs", "fastapi", "prefect", "scrapy", "mlflow", "marimo", "kedro",
    "litestar", "hatch", "nox", "twine",
)  # fmt: skip


class ProjectBench(Bench):
    """Both tools, for the folders of projects."""

    def ours(self, subject: Subject) -> Sequence[str | Path]:
        return (subject.path, "--no-all-groups")

    def theirs(self, subject: Subject) -> Sequence[str | Path]:
        # Its option for all extras does not take a project without any.
        table = tomllib.loads((subject.path / "pyproject.toml").read_text())
        extras = table.get("project", {}).get("optional-dependencies")
        options = ["--all-extras"] if extras else []
        # Sources that are members of a workspace are not in a source distribution.
        return (subject.path / "pyproject.toml", "--no-sources", *options)

    def compile(self, subject: Subject, constraints: Path | None = None) -> Answer:
        """A project whose extras require each other is not a package of its own lock."""
        found = super().compile(subject, constraints)
        kept = {
            name: version
            for name, version in (found.versions or {}).items()
            if name != subject.path.name
        }
        return replace(found, versions=kept if found.versions is not None else None)


def fetch(name: str, folder: Path) -> Path:
    """Return the folder of the newest source distribution of a project, unpacked."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, name],
        cwd=folder,
        env={**os.environ, **CLEAN},
        check=True,
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as reader:
        reader.extractall(folder, filter="data")
    archive.unlink()
    (found,) = (path for path in folder.iterdir() if path.is_dir())
    return found.rename(folder / name)


def subjects(names: Sequence[str], work: Path) -> Iterator[Subject]:
    for name in names:
        folder = work / f"sdist-{name}"
        folder.mkdir()
        try:
            path = fetch(name, folder)
        except subprocess.CalledProcessError:
            print(f"{name}: pip does not get its source distribution", file=sys.stderr)
            continue
        if (path / "pyproject.toml").is_file():
            yield Subject(path, PYTHON, "")
        else:
            print(f"{name}: its requirements would have to be built", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="Plan real projects with lockstream and uv.")
    parser.add_argument("names", nargs="*", metavar="NAME", default=PROJECTS)
    parser.add_argument("--uv", metavar="FILE")
    day = datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z")
    parser.add_argument("--day", default=day, help="later uploads do not count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="projects-") as work:
        bench = ProjectBench(Path(work), options.uv or find_uv(), options.day)
        found = compare_all(subjects(options.names, Path(work)), bench)
    return int(any(one.verdict in {Verdict.WRONG, Verdict.UNEXPLAINED} for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
