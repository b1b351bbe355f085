"""What lockstream, uv and pip say of requirements that have no solution.

    python -m benchmarks.planning.explanations
    python -m benchmarks.planning.explanations --texts conflict deep-chain

serves small projects on loopback, asks each tool for each set, and checks that the text holds the
words that a person needs to act on it. Writes a table in Markdown to stdout (lines of each text,
and how many of the words it has), with ``--texts`` the texts too. Exits with 1 if a text of
lockstream lacks a word or has more than 20 lines. What pip prints before its error counts too,
since its causes are there; it has no option for the date and the pre-releases of two sets.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installers import LOCKSTREAM, find_uv
from helpers.index import Index
from helpers.wheels import build_wheel

MAX_LINES = 20
"""Those of the first line and the hint included."""
NEW = "2026-06-01T00:00:00Z"
BUILD = ("source distribution", "--build missing")
WINDOWS, NEWER_PYTHON = "cp312-cp312-win_amd64", "cp313-cp313-manylinux_2_28_x86_64"

Releases = Mapping[str, Sequence[str]]
"""By release, as ``app 1.0``, what it requires. A third word says what is odd about it."""


def _chain(length: int, end: str) -> Releases:
    return {f"p{one} 1.0": [f"p{one + 1}" if one < length - 1 else end] for one in range(length)}


@dataclass(frozen=True)
class Case:
    """Requirements without a solution, and the words that a cause needs."""

    requires: Sequence[str]
    releases: Releases
    words: Sequence[str]
    options: Sequence[str] = ()


CASES: Mapping[str, Case] = {
    "missing": Case(["missing"], {}, ["missing"]),
    "typo": Case(["reqeusts"], {f"requests 2.{n}": [] for n in range(12)}, ["name of requests"]),
    "dropped-letter": Case(["djago"], {"django 5.0": []}, ["name of django"]),
    "replaced-letter": Case(["djamgo"], {"django 5.0": []}, ["name of django"]),
    "missing-below": Case(["app"], {"app 1.0": ["missing"]}, ["app", "missing"]),
    "many-missing": Case([f"missing{one:02d}" for one in range(30)], {}, ["missing00"]),
    "no-version": Case(
        ["app>=2"], {"app 1.0": [], "app 1.10": [], "app 1.9": []}, ["app>=2", "1.10"]
    ),
    "no-version-of-many": Case(["app>2"], {f"app 1.{n}": [] for n in range(80)}, ["app>2", "1.79"]),
    "no-version-below": Case(["app"], {"app 1.0": ["base>=3"], "base 2.0": []}, ["base>=3", "2.0"]),
    "two-requirements": Case(
        ["app<2", "app>=2"], {"app 1.0": [], "app 2.0": []}, ["app<2", "app>=2"]
    ),
    "conflict": Case(
        ["app", "other"],
        {"app 1.0": ["base<2"], "other 1.0": ["base>=2"], "base 1.0": [], "base 2.0": []},
        ["app", "base<2", "other", "base>=2"],
    ),
    "conflict-with-user": Case(
        ["app", "base>=2"], {"app 1.0": ["base<2"], "base 1.0": [], "base 2.0": []},
        ["base>=2", "base<2"],
    ),
    "conflict-deep": Case(
        ["a1", "b1", "base"],
        {"a1 1.0": ["a2"], "a2 1.0": ["a3"], "a3 1.0": ["base<2"], "b1 1.0": ["b2"],
         "b2 1.0": ["base>=2"], "base 1.0": [], "base 2.0": []},
        ["a3", "base<2", "b2", "base>=2"],
    ),
    "conflict-many-versions": Case(
        ["app", "other"],
        {**{f"app 1.{n}": ["base<2"] for n in range(30)},
         **{f"other 1.{n}": ["base>=2"] for n in range(30)}, "base 1.0": [], "base 2.0": []},
        ["base<2", "base>=2"],
    ),
    "conflict-three": Case(
        ["a", "b", "c"],
        {"a 1.0": ["base!=1"], "b 1.0": ["base!=2"], "c 1.0": ["base!=3"],
         "base 1": [], "base 2": [], "base 3": []},
        ["base!=1", "base!=2", "base!=3"],
    ),
    "deep-chain": Case(["p0"], _chain(14, "missing"), ["p13", "missing"]),
    "deep-chain-version": Case(["p0"], {**_chain(12, "end>=2"), "end 1.0": []}, ["end>=2", "1.0"]),
    "chains": Case(
        ["app"],
        {"app 1.0": ["x"], "app 2.0": ["y"], "x 1.0": ["missing-x"], "y 1.0": ["missing-y"]},
        ["missing-x", "missing-y"],
    ),
    "windows-only": Case(["app"], {f"app 1.0 {WINDOWS}": []}, ["win_amd64"]),
    "newer-python-only": Case(["app"], {f"app 1.0 {NEWER_PYTHON}": []}, ["cp313"]),
    "platform-below": Case(["top"], {"top 1.0": ["app"], f"app 1.0 {WINDOWS}": []}, ["win_amd64"]),
    "requires-python": Case(["app"], {"app 1.0 python>=3.14": []}, ["3.14"]),
    "requires-python-below": Case(["top"], {"top 1.0": ["app"], "app 1.0 python<3.9": []}, ["3.9"]),
    "requires-python-of-many": Case(
        ["app"], {f"app 1.{n} python>=3.14": [] for n in range(40)}, ["3.14"]
    ),
    "source-only": Case(["app"], {"app 1.0 source": []}, BUILD),
    "source-only-below": Case(["top"], {"top 1.0": ["app"], "app 1.0 source": []}, BUILD),
    "yanked": Case(["app"], {"app 1.0 yanked": []}, ["yanked"]),
    "yanked-below": Case(["top"], {"top 1.0": ["app>=1"], "app 1.0 yanked": []}, ["yanked"]),
    "too-new": Case(
        ["app"], {f"app 1.{n}": [] for n in range(20)}, ["--exclude-newer"],
        ["--exclude-newer", "2025-01-01T00:00:00Z"],
    ),
    "pre-releases-off": Case(
        ["app>1"], {"app 1.0": [], "app 2.0rc1": []}, ["2.0rc1", "--prerelease"],
        ["--prerelease", "disallow"],
    ),
    "extra-conflict": Case(
        ["app[x]", "base>=2"],
        {"app 1.0": ["base<2; extra == 'x'"], "base 1.0": [], "base 2.0": []},
        ["app", "base<2", "base>=2"],
    ),
    "extra-missing": Case(
        ["app[x]"], {"app 1.0": ["missing; extra == 'x'"]}, ["app[x]", "missing"]
    ),
    "other-address": Case(
        ["app"], {"app 1.0": ["base @ https://example.com/base-1.0-py3-none-any.whl"]},
        ["example.com"],
    ),
}  # fmt: skip


def serve(index: Index, releases: Releases) -> None:
    """Add releases to ``index``."""
    for release, requires in releases.items():
        name, version, *odd = release.split()
        word = odd[0] if odd else ""
        if word == "source":
            index.add_file(f"{name}-{version}.tar.gz", upload_time=NEW)
            continue
        python = word.removeprefix("python") if word.startswith("python") else None
        wheel = build_wheel(
            name,
            version,
            requires=requires,
            requires_python=python,
            tag=word if word.startswith("cp") else "py3-none-any",
        )
        index.add(wheel, upload_time=NEW, yanked=word == "yanked", requires_python=python)


def commands(case: Case, url: str, folder: Path, uv: str) -> Mapping[str, Sequence[str | Path]]:
    """Return the command of each tool."""
    inputs = folder / "in.txt"
    inputs.write_text("\n".join(case.requires))
    return {
        "lockstream": (
            LOCKSTREAM, "plan", "-q", "-r", inputs, "-o", folder / "pylock.toml", "-i", url,
            "--no-cache", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64",
            *case.options,
        ),
        "uv": (
            uv, "pip", "compile", "-q", inputs, "--index-url", url, "--no-cache", "--no-config",
            "--only-binary", ":all:", "--no-python-downloads", "--python", sys.executable,
            "--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28", *case.options,
        ),
        "pip": (
            sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install",
            "--dry-run", "--ignore-installed", "--no-cache-dir", "-r", inputs, "-i", url,
            "--only-binary", ":all:", "--python-version", "3.12", "--target", folder / "target",
            "--platform", "manylinux_2_28_x86_64",
        ),
    }  # fmt: skip


def ask(command: Sequence[str | Path]) -> str:
    """Return what a tool says of a set; empty if it finds a solution."""
    environment = {
        name: value for name, value in os.environ.items() if name[:4] not in {"PIP_", "UV_I"}
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return f"{done.stdout}{done.stderr}".strip() if done.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Explanations of three tools.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    parser.add_argument("--texts", action="store_true", help="print the texts")
    parser.add_argument("--uv", metavar="FILE")
    options = parser.parse_args()
    uv = options.uv or find_uv()
    bad = []
    print("| set | lockstream lines | words | uv lines | words | pip lines | words |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in options.names or CASES:
        case, texts, cells = CASES[name], {}, []
        with Index() as index, tempfile.TemporaryDirectory(prefix="explain-") as folder:
            serve(index, case.releases)
            for tool, command in commands(case, index.url, Path(folder), uv).items():
                texts[tool] = ask(command).replace(f"{folder}/", "")
        for tool, text in texts.items():
            lines, held = len(text.splitlines()), sum(word in text for word in case.words)
            cells += [str(lines), f"{held} of {len(case.words)}" if text else "solved"]
            if tool == "lockstream" and (held < len(case.words) or lines > MAX_LINES):
                bad.append(name)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        if options.texts:
            for tool, text in texts.items():
                print(f"\n{tool}:\n\n{text}\n")
    print(f"\n{len(options.names or CASES) - len(bad)} of {len(options.names or CASES)} are good.")
    return int(bool(bad))


if __name__ == "__main__":
    raise SystemExit(main())
