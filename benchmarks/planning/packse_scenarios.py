"""The scenarios of packse, with which the resolver of uv is tested, answered by lockstream.

    python -m benchmarks.planning.packse_scenarios
    python -m benchmarks.planning.packse_scenarios --scenarios FOLDER

takes the scenarios from the source distribution of packse, builds the wheels that each describes,
serves them on loopback, and compares the plan with what the scenario expects. A universal scenario
is planned for three platforms and several Pythons. Writes a table in Markdown to stdout and exits
with 1 if an answer is another and nothing says why.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tarfile
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel
from planner.index.client import IndexClient
from planner.index.pages import ACCEPT, MAX_PAGE_SIZE, parse_page
from planner.inputs.pip_config import PUBLIC_INDEX

PROJECT = canonicalize_name("packse")
VERSION = "0.3.59"
MAX_ARCHIVE_SIZE = 64 << 20
PYTHON, SUPPORTED = "3.12", ">=3.12"
"""What a scenario means that says nothing."""
UNIVERSAL_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
UNIVERSAL_PLATFORMS = ("linux", "macos", "windows")
NO_SOLUTION = 4

_BUILD = "needs a build: without --build only wheels are used"
_NO_FORKS = "each target is resolved by itself, so what is never installed together does not meet"
_PRERELEASE = "if no final release fits, pre-releases count, as the standard demands"
_TARGETS = "uv leaves out platforms without a wheel; here each named target must have one"

DELIBERATE: Mapping[str, str] = {
    "conflict-in-fork": "the conflict is on platforms that do not exist, so no target meets it",
    "fork-non-local-fork-marker-direct": _NO_FORKS,
    "fork-non-local-fork-marker-transitive": _NO_FORKS,
    "preferences-dependent-forking-conflicting": _NO_FORKS,
    "package-only-prereleases-in-range": _PRERELEASE,
    "transitive-package-only-prereleases-in-range": _PRERELEASE,
    "transitive-prerelease-and-stable-dependency": _PRERELEASE,
    "transitive-prerelease-and-stable-dependency-many-versions": _PRERELEASE,
    "transitive-prerelease-and-stable-dependency-many-versions-holes": _PRERELEASE,
    "incompatible-python-compatible-override-available-no-wheels": _BUILD,
    "incompatible-python-compatible-override-no-compatible-wheels": _BUILD,
    "incompatible-python-compatible-override-other-wheel": _BUILD,
    "incompatible-python-compatible-override-unavailable-no-wheels": _BUILD,
    "no-binary": _BUILD,
    "no-wheels": _BUILD,
    "no-wheels-with-matching-platform": _BUILD,
    "python-less-than-current": "upper bounds of requires-python count, as with pip",
    "requires-python-wheels": _TARGETS,
    "specific-architecture": _TARGETS,
    "unreachable-wheels": _TARGETS,
}
"""Why the answers of lockstream to these scenarios are others."""


@dataclass(frozen=True)
class Scenario:
    """One question, and what packse expects."""

    group: str
    table: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.table["name"])

    @property
    def options(self) -> Mapping[str, Any]:
        options: Mapping[str, Any] = self.table.get("resolver_options", {})
        return options

    def targets(self) -> Iterator[str]:
        """The options of ``lockstream plan`` that name them."""
        python = self.options.get("python")
        environment = self.table.get("environment", {}).get("python", PYTHON)
        if not self.options.get("universal"):
            yield from ("--python-version", python or environment)
            yield from ("--platform", _platform(self.options.get("python_platform")))
            return
        supported = SpecifierSet(self.table["root"].get("requires_python", SUPPORTED))
        for minor in UNIVERSAL_PYTHONS:
            if minor in supported:
                yield from ("--python-version", minor)
        for platform in UNIVERSAL_PLATFORMS:
            yield from ("--platform", platform)

    def serve(self, index: Index) -> None:
        for name, package in self.table["packages"].items():
            for version, release in package["versions"].items():
                _serve_release(index, name, version, release)


def _platform(text: str | None) -> str:
    """``x86_64-manylinux2014`` as a platform tag."""
    machine, _, policy = (text or "x86_64-manylinux_2_28").partition("-")
    return f"{policy}_{machine}"


def _serve_release(index: Index, name: str, version: str, release: Mapping[str, Any]) -> None:
    python = release.get("requires_python", SUPPORTED)
    entry: dict[str, Any] = {"requires_python": python, "yanked": release.get("yanked", False)}
    if release.get("wheel", True):
        for tag in release.get("wheel_tags") or ["py3-none-any"]:
            wheel = build_wheel(
                name,
                version,
                tag=tag,
                requires=release.get("requires", ()),
                extras=release.get("extras"),
                requires_python=python,
            )
            index.add(wheel, **entry)
    if release.get("sdist", True):
        filename = f"{name.replace('-', '_')}-{version}.tar.gz"
        index.add_file(filename, **entry)


def answer(scenario: Scenario, folder: Path) -> str:
    """Return what is not as expected; empty if everything is."""
    expected = scenario.table["expected"]
    lock = folder / "pylock.toml"
    lock.unlink(missing_ok=True)
    (folder / "in.txt").write_text("\n".join(scenario.table["root"].get("requires", ())))
    errors = io.StringIO()
    with Index() as index, contextlib.redirect_stderr(errors):
        scenario.serve(index)
        words = ["plan", "-r", str(folder / "in.txt"), "-o", str(lock), "-q", "--no-cache"]
        words += ["-i", index.url, *scenario.targets()]
        words += (f"--no-binary={name}" for name in scenario.options.get("no_binary", ()))
        words += ["--prerelease=allow"] if scenario.options.get("prereleases") else []
        status = lockstream.main(words)
    if status not in {0, NO_SOLUTION}:
        return f"status {status}: {errors.getvalue().strip()}"
    if (status == 0) is not expected["satisfiable"]:
        return "it has a solution" if status == 0 else "no solution is found"
    if status:
        return ""
    packages = tomllib.loads(lock.read_text())["packages"]
    found = {package["name"]: package["version"] for package in packages}
    wanted = expected.get("packages", {})
    differing = [
        f"{name} {found.get(name)} instead of {version}"
        for name, version in wanted.items()
        if found.get(name) != version
    ]
    return "; ".join(differing)


def read_scenarios(folder: Path) -> Iterator[Scenario]:
    for path in sorted(folder.rglob("*.toml")):
        if path.parent.name != "examples":
            yield Scenario(path.parent.name, tomllib.loads(path.read_text()))


def fetch_scenarios(folder: Path) -> Path:
    """Return the folder of the scenarios, below ``folder``."""
    filename = f"packse-{VERSION}.tar.gz"
    with IndexClient() as client:
        found = client.get(f"{PUBLIC_INDEX}{PROJECT}/", accept=ACCEPT, limit=MAX_PAGE_SIZE)
        assert found is not None
        page = parse_page(PROJECT, found.content, content_type=found.content_type, url=found.url)
        (file,) = (one for one in page.files[VERSION] if one.filename == filename)
        with (
            client.download(file.url, limit=MAX_ARCHIVE_SIZE) as body,
            tarfile.open(fileobj=_rewound(body)) as archive,
        ):
            archive.extractall(folder, filter="data")
    return folder / f"packse-{VERSION}" / "scenarios"


def _rewound(body: IO[bytes]) -> IO[bytes]:
    body.seek(0)
    return body


def main() -> int:
    parser = argparse.ArgumentParser(description="The scenarios of packse.")
    parser.add_argument("--scenarios", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    # The settings of this machine would add to the index of a scenario.
    for name in [one for one in os.environ if one.startswith("PIP_")]:
        del os.environ[name]
    os.environ["PIP_CONFIG_FILE"] = os.devnull
    counts: Counter[tuple[str, str]] = Counter()
    failures: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="packse-") as work:
        folder = options.scenarios or fetch_scenarios(Path(work))
        for scenario in read_scenarios(folder):
            problem = answer(scenario, Path(work))
            reason = DELIBERATE.get(scenario.name, "")
            kind = "passed" if not problem else "deliberate" if reason else "FAILED"
            counts[scenario.group, kind] += 1
            if problem:
                failures.append((f"{scenario.group}/{scenario.name}", problem, reason))
    if not counts:
        raise SystemExit(f"{folder} has no scenarios")
    print("| scenarios | passed | other on purpose | failed |")
    print("|---|---|---|---|")
    for group in [*sorted({group for group, _ in counts}), "all"]:
        cells = (
            sum(
                count
                for (of, kind), count in counts.items()
                if kind == one and group in {of, "all"}
            )
            for one in ("passed", "deliberate", "FAILED")
        )
        print(f"| {group} | {' | '.join(map(str, cells))} |")
    print("\n| scenario | answer | why |\n|---|---|---|")
    for failure in failures:
        print(f"| {' | '.join(failure)} |")
    return int(any(kind == "FAILED" for _, kind in counts))


if __name__ == "__main__":
    raise SystemExit(main())
