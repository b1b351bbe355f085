"""Fuzz the readers of untrusted bytes, for a given time.

    python -m stress.fuzz --seconds 600

A quarter of the time goes to cases that are nearly right, made by tests/helpers/readers.py, and the
rest to libFuzzer, which looks for bytes that reach new code (through atheris, if it is installed).
It keeps what it found in the folder ``--work``, and continues from there the next time. A case that
breaks an invariant ends the run, and is printed: add it to tests/property/test_readers.py. To see
which lines the kept cases reach:

    coverage run --branch -m stress.fuzz --replay
    coverage report --include='executor/archive/*,executor/sources/*,...'
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from helpers.readers import READERS, Reader
from helpers.trees import IN_MEMORY

WORK = Path(__file__).parents[2] / "benchmarks" / "work" / "fuzz"

SEEDS = 300
"""Cases that libFuzzer starts with."""

MAX_LENGTH = 4096
"""Bytes of a case."""

_RUNS = re.compile(r"number_of_executed_units:\s*(\d+)")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one way to fuzz one reader."""

    reader: str
    way: str
    cases: int
    cpu_seconds: float
    edges: int = 0
    """Of the code, as libFuzzer counts them."""
    failure: str = ""


def structured(reader: Reader, seconds: float, first: int) -> Outcome:
    """Cases from the seed ``first`` on."""
    began, deadline = time.process_time(), time.monotonic() + seconds
    for seed in count(first):
        data = reader.make(Random(seed))
        try:
            reader.read(data)
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            failure = f"seed {seed}: {type(error).__name__}: {error}: {data[:200]!r}"
            return Outcome(
                reader.name,
                "structured",
                seed - first,
                time.process_time() - began,
                failure=failure,
            )
        if time.monotonic() > deadline:
            break
    return Outcome(reader.name, "structured", seed - first + 1, time.process_time() - began)


def guided(reader: Reader, seconds: float, work: Path) -> Outcome:
    """libFuzzer, in a process of its own: it ends with the process."""
    corpus = _corpus(reader, work)
    if not corpus.exists():
        corpus.mkdir(parents=True)
        for seed in range(SEEDS):
            (corpus / f"seed-{seed}").write_bytes(reader.make(Random(seed))[:MAX_LENGTH])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # libFuzzer ends a process without its exit handlers: what they would remove is left here.
    with TemporaryDirectory(prefix="fuzz-", dir=IN_MEMORY) as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "stress.fuzz_target", reader.name),
                *(f"-max_total_time={seconds:.0f}", f"-max_len={MAX_LENGTH}"),
                *("-print_final_stats=1", "-rss_limit_mb=2048", "-timeout=30"),
                *(f"-artifact_prefix={corpus}-", str(corpus)),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "TMPDIR": folder},
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    runs, edges = (pattern.findall(done.stderr) for pattern in (_RUNS, _COVERAGE))
    return Outcome(
        reader.name, "guided", int(runs[-1]) if runs else 0, cpu, int(edges[-1]) if edges else 0,
        failure=done.stderr[-2000:] if done.returncode else "",
    )  # fmt: skip


def replayed(reader: Reader, work: Path) -> Outcome:
    """The cases that were kept, each once more, and those that they began with."""
    began, cases = time.process_time(), 0
    kept = (path.read_bytes() for path in sorted(_corpus(reader, work).iterdir()))
    for data in chain((reader.make(Random(seed)) for seed in range(SEEDS)), kept):
        reader.read(data)
        cases += 1
    return Outcome(reader.name, "replayed", cases, time.process_time() - began)


def _corpus(reader: Reader, work: Path) -> Path:
    """Return the folder of the reader's cases."""
    return work / reader.name.replace(" ", "-")


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the readers.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all of them together")
    parser.add_argument("--seed", type=int, default=0, help="the first of the structured cases")
    parser.add_argument("--work", type=Path, default=WORK)
    names = [reader.name for reader in READERS]
    parser.add_argument(
        "--reader", action="append", choices=names, help="only this one; repeatable"
    )
    parser.add_argument("--replay", action="store_true", help="read again what was kept, no more")
    options = parser.parse_args()
    readers = [reader for reader in READERS if reader.name in (options.reader or names)]
    if options.replay:
        for reader in readers:
            outcome = replayed(reader, options.work)
            print(f"{outcome.reader:14} {outcome.cases:6} cases, {outcome.cpu_seconds:.0f} CPU s")
        return 0
    has_atheris = find_spec("atheris") is not None
    if not has_atheris:
        print("atheris is not installed: structured cases only")
    share = options.seconds / len(readers)
    outcomes = []
    for reader in readers:
        outcomes.append(structured(reader, share / 4 if has_atheris else share, options.seed))
        if has_atheris:
            outcomes.append(guided(reader, share * 3 / 4, options.work))
        for outcome in outcomes[-1 - has_atheris :]:
            edges = f", {outcome.edges} edges" if outcome.edges else ""
            print(
                f"{outcome.reader:14} {outcome.way:10} {outcome.cases:9} cases "
                f"{outcome.cpu_seconds:8.0f} CPU s{edges}",
                flush=True,
            )
            if outcome.failure:
                print(outcome.failure, flush=True)
    for way in ("structured", "guided"):
        chosen = [outcome for outcome in outcomes if outcome.way == way]
        hours = sum(outcome.cpu_seconds for outcome in chosen) / 3600
        print(f"{way}: {sum(outcome.cases for outcome in chosen)} cases, {hours:.2f} CPU hours")
    return 1 if any(outcome.failure for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
