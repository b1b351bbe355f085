"""Send signals at random moments: each run ends with the right status, leaves nothing, and the next
one does its work.

    python -m stress.signals [--runs 500] [--seed 0] [--only execute]

A run is an execution, a plan, or a plan that builds, in a session of its own. At a random moment it
gets SIGINT, SIGTERM or SIGHUP. It must end within seconds with 0 or with 128 and the number of the
signal (or by the signal, before Python has installed its handlers); no process of its session and
no temporary file stays; the environment is as it was, or complete; and the same command once more
ends with 0 and the same result as a run without a signal.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.sdists import build_sdist
from helpers.trees import IN_MEMORY, Entry, differences, snapshot
from helpers.wheels import build_wheel, lock_of

PROGRAM = Path(sys.executable).with_name("lockstream")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SECONDS = 60.0
"""A run that has not ended then, or processes that are still there, are a fault; but see SLOWER."""

SLOWER = 20
"""A run may take so many times as long as the slowest of the last whole runs of its kind: what is
slow is then the machine, which others use too, and not the end of a run."""

REMEMBERED = 5
"""Whole runs of a kind whose seconds are kept."""

WHEELS = 40

STAGING = ".lockstream"


@dataclass(frozen=True, slots=True)
class Kind:
    """A command, and where its results are in its folder."""

    name: str
    words: tuple[str, ...]
    result: str


KINDS = (
    Kind("execute", ("execute", "wheels.toml", "--target", "out/here", "--lanes", "2"), "out/here"),
    Kind("plan", ("plan", "-r", "wheels.in", "-o", "out/pylock.toml"), "out"),
    Kind(
        "plan --build",
        ("plan", "-r", "source.in", "--build", "missing", "-o", "out/pylock.toml"),
        "out",
    ),
)


def prepare(folder: Path) -> None:
    """Make what the commands read."""
    links = folder / "links"
    links.mkdir()
    wheels = [
        build_wheel(
            f"demo{number}",
            files={f"demo{number}/m{part}.py": b"x = 1\n" * 200 for part in range(30)},
        )
        for number in range(WHEELS)
    ]
    for wheel in wheels:
        wheel.write(links)
    slow = "import time; time.sleep(0.5)"
    build_sdist("sourced", before_wheel=slow).write(links)
    (folder / "wheels.toml").write_text(lock_of(wheels, folder="links/"))
    (folder / "wheels.in").write_text("".join(f"demo{number}\n" for number in range(WHEELS)))
    (folder / "source.in").write_text("sourced\ndemo1\n")


class Runs:
    """The runs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self._seconds: dict[Kind, deque[float]] = {}
        self.environment = {
            **{
                key: value for key, value in os.environ.items() if not key.startswith(("PIP", "UV"))
            },
            "TMPDIR": str(self.temporary),
            "LOCKSTREAM_CACHE_DIR": str(folder / "cache"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(folder / "links"),
        }

    def begin(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(PROGRAM), *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def fresh(self) -> None:
        for name in ("out", "tmp", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()

    def whole(self, kind: Kind) -> dict[str, Entry]:
        """Run ``kind`` without a signal; return its result."""
        self.fresh()
        problem = self._complete(kind)
        assert not problem, problem
        return self.result(kind)

    def seconds(self, kind: Kind) -> float:
        """Return the seconds of the slowest of the last whole runs of ``kind``."""
        return max(self._seconds[kind])

    def patience(self, kind: Kind) -> float:
        """Return the seconds after which a run of ``kind`` counts as one that does not end."""
        if kind not in self._seconds:
            return SLOWER * SECONDS
        return max(SECONDS, SLOWER * self.seconds(kind))

    def _complete(self, kind: Kind) -> str:
        """Run ``kind`` to its end, and return how that failed, or nothing."""
        began, patience = time.monotonic(), self.patience(kind)
        process = self.begin(kind.words)
        try:
            _, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"has not ended after {patience:.0f} s"
        if process.returncode:
            return f"ends with {process.returncode}: {said.decode()[-200:]}"
        seconds = self._seconds.setdefault(kind, deque(maxlen=REMEMBERED))
        seconds.append(time.monotonic() - began)
        return ""

    def result(self, kind: Kind) -> dict[str, Entry]:
        place = self.folder / kind.result
        return dict(snapshot(place)) if place.exists() else {}

    def interrupted(
        self, kind: Kind, number: signal.Signals, after: float, expected: dict[str, Entry]
    ) -> tuple[int, list[str]]:
        """Interrupt a run ``after`` seconds; return its status, and the faults that were found."""
        self.fresh()
        patience = self.patience(kind)
        process = self.begin(kind.words)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        try:
            _, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return 0, [f"it has not ended after {patience:.0f} s"]
        status = process.returncode
        faults = list(self._faults(kind, number, process, said, expected))
        if problem := self._complete(kind):
            faults.append(f"the next run {problem}")
        elif lines := differences(_fixed(expected), _fixed(self.result(kind))):
            faults.append(f"the next run has another result: {lines[:3]}")
        return status, faults

    def _faults(
        self,
        kind: Kind,
        number: signal.Signals,
        process: subprocess.Popen[bytes],
        said: bytes,
        expected: dict[str, Entry],
    ) -> Iterator[str]:
        if b"KeyboardInterrupt" in said and b"lockstream" not in said:
            return  # Python itself had not begun the program
        if process.returncode not in {0, 128 + number, -number}:
            yield f"its status is {process.returncode}"
        if b"Traceback" in said and process.returncode != -number:
            yield f"it shows a traceback: {said.decode()[-300:]}"
        deadline = time.monotonic() + self.patience(kind) / 12
        while (left := session(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if left:
            yield f"processes are left: {left}"
        if names := os.listdir(self.temporary):
            yield f"temporary files are left: {names[:3]}"
        found = {
            path: entry
            for path, entry in _fixed(self.result(kind)).items()
            if not path.startswith(STAGING) and "wheelhouse" not in path
        }
        if "pylock.toml" in found and not self._is_lock(kind):
            yield "its lock is not whole"
        if found and process.returncode and not found.items() <= _fixed(expected).items():
            yield f"its result is neither there nor absent: {[*found][:3]}"

    def _is_lock(self, kind: Kind) -> bool:
        """Return whether the lock that is there can be read and has packages."""
        try:
            text = (self.folder / kind.result / "pylock.toml").read_text()
            return bool(tomllib.loads(text)["packages"])
        except (OSError, ValueError, KeyError):
            return False


def _fixed(result: dict[str, Entry]) -> dict[str, Entry]:
    """Return a result without what differs from build to build: the lock has the time it took."""
    if "wheelhouse" in result and "pylock.toml" in result:
        result = {**result, "pylock.toml": replace(result["pylock.toml"], size=0, content="")}
    return result


def session(leader: int) -> list[str]:
    """Return the processes of a session that are no zombies."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            name, _, rest = text.rpartition(")")
            state, _, _, of = rest.split()[:4]
            if int(of) == leader and state != "Z":
                found.append(name + ")")
    return found


def _end(number: int, _frame: object) -> None:
    """Let a signal to this program remove its folder."""
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description="Send signals at random moments.")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[kind.name for kind in KINDS])
    options = parser.parse_args()
    for number in SIGNALS:
        # A shell lets what it runs in the background ignore SIGINT, and the runs would inherit it.
        signal.signal(number, _end)
    rng = random.Random(options.seed)
    place = Path(tempfile.mkdtemp(prefix="signals-", dir=IN_MEMORY))
    statuses: Counter[str] = Counter()
    faulty = 0
    try:
        prepare(place)
        runs = Runs(place)
        kinds = [kind for kind in KINDS if options.only in {None, kind.name}]
        whole = {kind: runs.whole(kind) for kind in kinds}
        for turn in range(options.runs):
            kind, number = kinds[turn % len(kinds)], rng.choice(SIGNALS)
            after = rng.uniform(0, 1.1 * runs.seconds(kind))
            status, faults = runs.interrupted(kind, number, after, whole[kind])
            statuses[f"{kind.name}: {status}"] += 1
            faulty += bool(faults)
            for fault in faults:
                print(f"{kind.name}, {number.name} after {after:.3f} s: {fault}", flush=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"{options.runs} signals, {faulty} runs with faults; {dict(sorted(statuses.items()))}")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
