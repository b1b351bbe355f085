"""Ten edits that a developer makes in a day, checked and locked by lockstream and by uv.

    python -m benchmarks.planning.edits_of_a_day

plans a small project from an index on loopback with both tools. Then each edit is made to a fresh
copy: ``lockstream check`` and ``uv lock --check`` say whether the lock is current, and
``lockstream plan`` and ``uv lock`` write it again. A check is right if it says yes exactly when the
lock that is written is the same, byte for byte. Writes a table in Markdown to stdout and exits with
1 if a check of lockstream is wrong.
"""

from __future__ import annotations

import difflib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installers import LOCKSTREAM, find_uv
from helpers.index import Index
from helpers.wheels import build_wheel

PROJECT = """\
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.11"
dependencies = [
    "web",
    "tables>=1",
    "mail",
    "ours @ {ours}",
]

[project.optional-dependencies]
cache = ["store"]

[dependency-groups]
test = ["checks"]

[tool.uv]
package = false
exclude-newer = "2026-01-01T00:00:00Z"

[tool.lockstream]
exclude-newer = "2026-01-01T00:00:00Z"
targets = [{{ python = "3.12", platform = ["linux", "macos", "windows"] }}]
"""

WHEELS = (
    build_wheel("web", "1.0", requires=["parts"], extras={"fast": ["speedups"]}),
    build_wheel("web", "2.0", requires=["parts>=1"], extras={"fast": ["speedups"]}),
    build_wheel("parts", "1.0"), build_wheel("parts", "2.0"),
    build_wheel("speedups", "1.0"),
    build_wheel("tables", "1.0", requires=["parts"]),
    build_wheel("tables", "1.5", requires=["parts"]),
    build_wheel("mail", "1.0"), build_wheel("store", "1.0"), build_wheel("checks", "1.0"),
    build_wheel("style", "1.0"), build_wheel("dates", "1.0"),
)  # fmt: skip
LATE = (build_wheel("tables", "2.0", requires=["parts"]), build_wheel("mail", "2.0"))
"""Released after the lock was made; one counts only if ``exclude-newer`` moves."""


def _ours(text: str) -> bytes:
    return build_wheel("ours", "1.0", requires=["dates"], files={"ours.py": text}).content


def _replace(old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "pyproject.toml"
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new))

    return edit


def _rebuild(folder: Path) -> None:
    (folder / "ours-1.0-py3-none-any.whl").write_bytes(_ours("another"))


EDITS: Mapping[str, Callable[[Path], None]] = {
    "add a comment": _replace("[project]\n", "[project]\n# our shop\n"),
    "sort the dependencies": _replace(
        '    "web",\n    "tables>=1",\n    "mail",\n', '    "mail",\n    "tables>=1",\n    "web",\n'
    ),
    "state a bound that the lock meets": _replace('"web"', '"web>=1.5"'),
    "state a bound that it does not meet": _replace('"tables>=1"', '"tables>=2"'),
    "add an extra": _replace('"web"', '"web[fast]"'),
    "add a dependency": _replace('"mail"', '"mail",\n    "style"'),
    "remove a dependency": _replace('    "mail",\n', ""),
    "add to a dependency group": _replace('["checks"]', '["checks", "style"]'),
    "override a version": lambda folder: (
        _replace("[tool.uv]\n", '[tool.uv]\noverride-dependencies = ["parts==1.0"]\n')(folder),
        _replace("[tool.lockstream]\n", '[tool.lockstream]\noverrides = ["parts==1.0"]\n')(folder),
    )[0],
    "rebuild a local wheel": _rebuild,
}


@dataclass(frozen=True, slots=True)
class Tool:
    """How one locker is run."""

    name: str
    lock: str
    check: Sequence[str]
    plan: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool said of one edit, and what it wrote."""

    is_current: bool
    is_same: bool
    lines: int
    """Lines of the lock that were added or removed."""
    seconds: float
    """Processor time of the check."""
    failed: bool = False

    @property
    def is_right(self) -> bool:
        return self.is_current == self.is_same

    def cells(self) -> str:
        if self.failed:
            return f"{'yes' if self.is_current else 'no'} | refuses | {self.seconds * 1000:.0f}"
        verdict = "yes" if self.is_current else "no"
        written = "the same" if self.is_same else f"{self.lines} lines"
        mark = "" if self.is_right else " (wrong)"
        return f"{verdict}{mark} | {written} | {self.seconds * 1000:.0f}"


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command], cwd=folder, env={**environment}, capture_output=True, text=True, check=False
    )


def _try_edit(tool: Tool, base: Path, edit: Callable[[Path], None], index: Index) -> Outcome:
    with tempfile.TemporaryDirectory() as place:
        # uv records absolute paths of nothing here; the folder keeps its name all the same.
        folder = Path(place) / "shop"
        shutil.copytree(base, folder)
        environment = _environment(index, Path(place) / "cache")
        text = (folder / "pyproject.toml").read_text()
        (folder / "pyproject.toml").write_text(text.replace(base.as_uri(), folder.as_uri()))
        assert _run(tool.plan, folder, environment).returncode == 0
        before = (folder / tool.lock).read_text()
        edit(folder)
        started = _processor_time()
        verdict = _run(tool.check, folder, environment).returncode
        seconds = _processor_time() - started
        done = _run(tool.plan, folder, environment)
        after = (folder / tool.lock).read_text()
        if done.returncode:
            print(f"{tool.name}: {done.stderr.strip()}", file=sys.stderr)
    changed = [
        line
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line[:2] in {"+ ", "- "}
    ]
    failed = done.returncode != 0
    return Outcome(verdict == 0, before == after and not failed, len(changed), seconds, failed)


def _processor_time() -> float:
    """Return the seconds that all programs took that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment(index: Index, cache: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    return {
        **kept,
        "UV_DEFAULT_INDEX": index.url,
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "LOCKSTREAM_CACHE_DIR": str(cache / "lockstream"),
        "PIP_CONFIG_FILE": os.devnull,
    }


def main() -> int:
    """Run all edits; return the exit status."""
    uv = str(find_uv())
    tools = (
        Tool("lockstream", "pylock.toml", [str(LOCKSTREAM), "check", "-q"],
             [str(LOCKSTREAM), "plan", "-q"]),
        Tool("uv", "uv.lock", [uv, "lock", "--check", "-q"], [uv, "lock", "-q"]),
    )  # fmt: skip
    print("| edit | check | plan | ms | uv lock --check | uv lock | ms |")
    print("|---|---|---|--:|---|---|--:|")
    wrong = 0
    with Index(metadata=True) as index, tempfile.TemporaryDirectory() as place:
        for wheel in WHEELS:
            index.add(wheel, upload_time="2025-06-01T00:00:00Z")
        for wheel in LATE:
            index.add(wheel, upload_time="2025-12-01T00:00:00Z")
        base = Path(place) / "shop"
        base.mkdir()
        wheel_path = base / "ours-1.0-py3-none-any.whl"
        wheel_path.write_bytes(_ours("ours"))
        text = PROJECT.format(ours=wheel_path.as_uri()).replace(
            "[tool.lockstream]\n", f'[tool.lockstream]\ndefault-index = "{index.url}"\n'
        )
        (base / "pyproject.toml").write_text(text.replace('"tables>=1"', '"tables>=1,<2"'))
        for tool in tools:
            # The lock that the day begins with is older than the newest releases.
            assert _run(tool.plan, base, _environment(index, Path(place) / "c")).returncode == 0
        (base / "pyproject.toml").write_text(text)
        for name, edit in EDITS.items():
            outcomes = [_try_edit(tool, base, edit, index) for tool in tools]
            wrong += not outcomes[0].is_right and not outcomes[0].failed
            print(f"| {name} | {' | '.join(outcome.cells() for outcome in outcomes)} |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
