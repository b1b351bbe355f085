"""Give hostile wheels to lockstream, uv and pip, and compare their verdicts.

    python -m stress.hostile [--peers none]

Every wheel of tests/helpers/hostile, in each of its carriers, goes to lockstream from a folder and
over HTTP: it must be refused with exit code 6 and one sentence, and a prefix that holds something
already must be what it was, to the bit. Those of the first carrier go to uv (which has one reader
for files and one for HTTP) and pip as well. Needs uv.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import lockstream
from benchmarks.installers import Command, find_uv, run
from helpers.hostile import CARRIERS, Carrier, cases
from helpers.servers import Server, file
from helpers.trees import snapshot
from helpers.wheels import Wheel, lock_of
from schemas.errors import ExitCode

OURS = ("lockstream, file", "lockstream, HTTP")
PEERS = ("uv, file", "uv, HTTP", "pip")

BYSTANDER = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/bystander.py"
"""The files in a prefix before a wheel is installed."""

NO_TRACE = ("wheels/*", "prefix/.lock")
"""Files that do not come from the wheel: its own folder, and the lock file of uv."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one installer made of one wheel."""

    status: int
    message: str
    """The last thing that the installer printed."""
    is_unchanged: bool

    @property
    def is_refused(self) -> bool:
        return self.status != 0

    @property
    def is_right(self) -> bool:
        """Whether it is what is asked of lockstream."""
        one_sentence = self.message.startswith("error: ") and "\n" not in self.message.strip()
        return self.status == ExitCode.ARTIFACT_REFUSED and self.is_unchanged and one_sentence


@dataclass(slots=True)
class Trial:
    """One wheel, and the verdicts on it."""

    carrier: str
    kind: str
    name: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)


Install = Callable[[Wheel, Path, Path], tuple[int, str]]
"""Installs a wheel, through a folder, into a prefix; returns exit status and message."""


def ours(origin: str | None) -> Install:
    def install(wheel: Wheel, folder: Path, prefix: Path) -> tuple[int, str]:
        wheel.write(folder)
        lock = folder / "pylock.toml"
        lock.write_text(lock_of([wheel], base_url=origin))
        errors, output = io.StringIO(), io.StringIO()
        arguments = ["execute", str(lock), "--prefix", str(prefix), "--progress", "none"]
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
            status = lockstream.main([*arguments, "--durability", "kill"])
        return status, errors.getvalue().partition("hint: ")[0].strip()

    return install


def peers(command: Command, origin: str | None) -> Install:
    def install(wheel: Wheel, folder: Path, prefix: Path) -> tuple[int, str]:
        path = wheel.write(folder)
        place = path if origin is None else f"{wheel.name} @ {origin}/{path.name}"
        done = run(*command, "--no-deps", "--no-index", "--prefix", prefix, place)
        return done.returncode, (done.stderr.strip().splitlines() or [""])[-1]

    return install


def verdict(install: Install, wheel: Wheel, work: Path) -> Verdict:
    """What an installer makes of a wheel, in a new prefix."""
    folder = Path(tempfile.mkdtemp(dir=work))
    try:
        (folder / "wheels").mkdir()
        prefix = folder / "prefix"
        bystander = prefix / BYSTANDER
        bystander.parent.mkdir(parents=True)
        bystander.write_text("bystander\n")
        before = snapshot(folder, NO_TRACE)
        status, message = install(wheel, folder / "wheels", prefix)
        return Verdict(status, message, snapshot(folder, NO_TRACE) == before)
    finally:
        shutil.rmtree(folder)


def trials(
    carriers: Sequence[Carrier], installers: Mapping[str, Install], server: Server, work: Path
) -> Iterator[Trial]:
    """Each wheel of each carrier, judged; peers see the first carrier only.

    Raises SystemExit if an installer refuses a good wheel, because its refusals mean nothing then.
    """
    for carrier in carriers:
        server.script(f"/{carrier.good.filename}", file(carrier.good.content))
        for name, install in installers.items():
            if (found := verdict(install, carrier.good, work)).is_refused:
                raise SystemExit(f"{name} refuses a good wheel, {carrier.name}: {found.message}")
        for kind, case in cases(carrier):
            if case.wheel.content == carrier.good.content:
                continue  # what is a lie of one carrier is the truth of another
            server.script(f"/{case.wheel.filename}", file(case.wheel.content))
            trial = Trial(carrier.name, kind, case.name)
            for name, install in installers.items():
                if name in OURS or carrier is CARRIERS[0]:
                    trial.verdicts[name] = verdict(install, case.wheel, work)
            yield trial


def table(judged: Sequence[Trial], names: Sequence[str]) -> Iterator[str]:
    """Wheels by kind, and how many of them each installer refused."""
    yield f"| kind | wheels | {' | '.join(names)} |"
    yield f"|---|---:|{'---:|' * len(names)}"
    for kind in [*dict.fromkeys(trial.kind for trial in judged), None]:
        chosen = [trial for trial in judged if kind in (None, trial.kind)]
        refused = [sum(trial.verdicts[name].is_refused for trial in chosen) for name in names]
        left = [
            sum(v.is_refused and not v.is_unchanged for v in (t.verdicts[name] for t in chosen))
            for name in names
        ]
        cells = [
            f"{count} ({files} left files)" if files else str(count)
            for count, files in zip(refused, left, strict=True)
        ]
        yield f"| {kind or 'all'} | {len(chosen)} | {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Hostile wheels, and who refuses them.")
    parser.add_argument("--peers", choices=["all", "none"], default="all")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write all of it as JSON")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="hostile-"))
    with Server() as server:
        installers = {OURS[0]: ours(None), OURS[1]: ours(server.origin)}
        if options.peers == "all":
            uv: Command = [find_uv(), "pip", "install", "--no-cache", "--python", sys.executable]
            pip: Command = [sys.executable, "-m", "pip", "install", "--no-cache-dir"]
            installers |= {
                PEERS[0]: peers(uv, None),
                PEERS[1]: peers(uv, server.origin),
                PEERS[2]: peers([*pip, "--disable-pip-version-check"], None),
            }
        try:
            judged = list(trials(CARRIERS, installers, server, work))
        finally:
            shutil.rmtree(work)
    first = [trial for trial in judged if trial.carrier == CARRIERS[0].name]
    print("\n".join(table(first, list(installers))))
    print(f"\nIn {len(CARRIERS)} carriers:\n")
    print("\n".join(table(judged, OURS)))
    wrong = [t for t in judged if not all(t.verdicts[name].is_right for name in OURS)]
    for trial in wrong:
        verdicts = {name: trial.verdicts[name] for name in OURS}
        print(f"wrong: {trial.kind}: {trial.name}, {trial.carrier}: {verdicts}")
    if options.peers == "all":
        by_all = sum(not any(t.verdicts[name].is_refused for name in PEERS) for t in first)
        print(f"\nInstalled by uv and pip in every way: {by_all} of {len(first)}")
    print(f"\n{len(judged)} wheels, {len(wrong)} wrong verdicts of lockstream")
    if options.report:
        options.report.write_text(json.dumps([asdict(trial) for trial in judged], indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
