"""Where the processor time of lockstream goes, and what the same files cost without it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.installers import TURNS, Command, run
from benchmarks.peers.runs import Bench, Run

__all__ = ["shares", "time_split"]

KINDS = {
    "kernel": re.compile(r"\[(?:kernel|guest|vdso)"),
    "inflate": re.compile(r"isal|libz\b"),
    "OpenSSL": re.compile(r"libcrypto|libssl|_ssl|_hashlib"),
}
"""The files that samples of processor time are in, by what is done there. OpenSSL hashes, and
decrypts what comes over TLS. What is left is Python: its interpreter, and what that calls."""

FREQUENCY = "1997"
"""Samples a second: a prime, so that nothing keeps time with it."""

BSDTAR = "bsdtar, two at once"
COPY = "cp of the tree"


def time_split(bench: Bench, corpus: str) -> Iterator[Run | str]:
    """lockstream by default and promising what uv does, the latter over TLS too; then the least
    that writes the same files.
    """
    (bench.work / "tls").mkdir(exist_ok=True)
    plain = bench.mirror.lock_of(corpus, bench.work)
    secure = bench.mirror.secure().lock_of(corpus, bench.work / "tls")
    trust = {"SSL_CERT_FILE": str(bench.mirror.certificate)}
    _, same = TURNS[-1]
    tree: Path | None = None
    for way, lock, options in (("", plain, ()), ("", plain, same), (" over TLS", secure, same)):
        with bench.with_variables(trust):
            done, folder = bench.install(
                "lockstream", lock, options=options, before=_recording(bench.work)
            )
        tree = tree or folder / "env"
        found = shares(_report(bench.work))
        parts = (
            f"{kind} {share * (done.cost.user + done.cost.system):.2f} s"
            for kind, share in found.items()
        )
        yield Run(f"{done.tool}{way}", None, done.cost)
        yield f"{done.tool}{way}: {', '.join(parts)}."
    wheels = _wheels(plain, bench.mirror.root)
    yield bench.run(BSDTAR, corpus, lambda env: _unpacking(wheels, env))[0]
    if tree is not None:
        yield bench.run(COPY, corpus, lambda env: ["cp", "-r", tree, env / "copy"])[0]


def shares(report: str) -> dict[str, float]:
    """Return the share of each kind in a report of perf, of lines ``12.3%  file``; largest first.

    The rest is ``Python``.
    """
    found = dict.fromkeys([*KINDS, "Python"], 0.0)
    for percent, name in re.findall(r"^\s*([\d.]+)%\s+(\S+)", report, re.MULTILINE):
        kind = next((kind for kind, names in KINDS.items() if names.search(name)), "Python")
        found[kind] += float(percent) / 100
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _recording(work: Path) -> Command:
    return ["perf", "record", "--quiet", "-F", FREQUENCY, "-o", work / "perf.data", "--"]


def _report(work: Path) -> str:
    done = run("perf", "report", "-i", work / "perf.data", "--stdio", "--sort", "dso")
    if done.returncode:
        raise SystemExit(f"perf does not report: {done.stderr} (Debian: apt install linux-perf)")
    return done.stdout


def _wheels(lock: Path, root: Path) -> Sequence[Path]:
    document = tomllib.loads(lock.read_text())
    urls = (wheel["url"] for package in document["packages"] for wheel in package["wheels"])
    return [root / url.rpartition("/")[2] for url in urls]


def _unpacking(wheels: Sequence[Path], environment: Path) -> Command:
    (environment / "unpacked").mkdir()
    script = 'cd "$0" && printf "%s\\0" "$@" | xargs -0 -n 1 -P 2 bsdtar -xf'
    return ["sh", "-c", script, environment / "unpacked", *wheels]
