"""Execute over networks that fail, in real time; check duration, end, and bytes that were sent.

    python -m stress.network [--only TEXT] [--jobs 12]

Every fault of tests/helpers/networks.py happens once for each file, or always; to one wheel and to
twenty; over HTTP, HTTPS and through a proxy. Each trial is a process of its own with nothing
patched, so its time limits are those of users. It must end within 60 seconds: with the tree that
the lock says, or with exit code 5 (6 if the bytes are wrong) and an unchanged environment. After a
fault that needs nothing to be sent again, at most 1.1 times the size of the wheels may be sent.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import lockstream
from executor.environment.environment import Environment
from executor.environment.schemes import STAGING
from helpers.environments import spread
from helpers.networks import ENCODED, LASTING, PASSING, PROXY_ANSWERS, RESUMABLE, Fault
from helpers.servers import CERTIFICATE, Connection, Proxy, Request, Server, file
from helpers.trees import snapshot
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

WAYS = ("http", "https", "proxy", "tunnel")
"""The last is HTTPS through a proxy."""

MOST_SECONDS = 60.0
MOST_SENT = 1.1
"""Times the size of the wheels."""

HANGS_SECONDS = 300.0

SIZE = 100_000
"""Bytes of a wheel."""

SURROUNDINGS = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "ssl_cert_dir",
)  # fmt: skip
"""Variables that lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault on one way."""

    fault: str
    """``proxy ...`` for those of a proxy itself."""
    way: str
    wheels: int
    lasting: bool

    @property
    def name(self) -> str:
        often = "always" if self.lasting else "once"
        return f"{self.fault}, {often}, {self.wheels} wheels, {self.way}"


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended."""

    status: int
    message: str
    seconds: float
    sent: float
    """Times the size of the wheels, with heads."""
    is_right: bool
    """Whether the tree is that of the lock, or as it was."""


def trials() -> Iterator[Trial]:
    for wheels in (1, 20):
        for way in WAYS:
            for fault in PASSING:
                yield Trial(fault, way, wheels, lasting=False)
                yield Trial(fault, way, wheels, lasting=True)
            for fault in [*LASTING, *ENCODED]:
                yield Trial(fault, way, wheels, lasting=True)
            if way in {"proxy", "tunnel"}:
                for fault in PROXY_ANSWERS:
                    yield Trial(f"proxy {fault}", way, wheels, lasting=True)


def fault_of(trial: Trial) -> Fault:
    lasting = {name: fault for name, (fault, _) in LASTING.items()}
    return {**PASSING, **lasting, **ENCODED}.get(trial.fault, file)


class _Failing(Proxy):
    kind = ""

    def answer(self, request: Request, connection: Connection) -> None:
        PROXY_ANSWERS[self.kind](request, connection)


def tried(trial: Trial, work: Path) -> Result:
    """Run it in this process."""
    wheels = [
        build_wheel(f"p{number}", files={f"p{number}/data.bin": os.urandom(SIZE)}, method=0)
        for number in range(trial.wheels)
    ]
    is_secure = trial.way in {"https", "tunnel"}
    with contextlib.ExitStack() as held:
        server = held.enter_context(Server(tls=is_secure))
        for wheel in wheels:
            good = [] if trial.lasting else [file(wheel.content)]
            server.script(f"/{wheel.filename}", fault_of(trial)(wheel.content), *good)
        for name in SURROUNDINGS:
            os.environ.pop(name, None)
            os.environ.pop(name.upper(), None)
        os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)
        if trial.way in {"proxy", "tunnel"}:
            kind = trial.fault.removeprefix("proxy ")
            proxy = held.enter_context(Proxy() if kind == trial.fault else _Failing())
            if isinstance(proxy, _Failing):
                proxy.kind = kind
            os.environ[f"http{'s' if is_secure else ''}_proxy"] = proxy.url
        lock = work / "pylock.toml"
        lock.write_text(lock_of(wheels, base_url=server.origin))
        target = work / "target"
        target.mkdir()
        command = ["execute", str(lock), "--target", str(target), "--progress", "none"]
        errors, began = io.StringIO(), time.monotonic()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            status = lockstream.main(command)
        seconds = time.monotonic() - began
        sent = server.sent / sum(wheel.size for wheel in wheels)
    if status == ExitCode.DONE:
        schemes = Environment.target(str(target)).interpreter.schemes
        files = spread(wheels, schemes)
        is_right = all(path.read_bytes() == content for path, content in files.items())
    else:
        is_right = not snapshot(target, [STAGING])
    return Result(status, errors.getvalue().strip(), round(seconds, 2), round(sent, 3), is_right)


def broken(trial: Trial, result: Result) -> Iterator[str]:
    """Yield what is wrong with the result of a trial."""
    allowed = {ExitCode.DONE, ExitCode.NETWORK}
    if trial.fault in LASTING:
        allowed = {LASTING[trial.fault][1].exit_code}
    if trial.fault in ENCODED or (trial.fault in PASSING and not trial.lasting):
        allowed = {ExitCode.DONE}
    if trial.fault in PASSING and "drips" in trial.fault:
        allowed = {ExitCode.DONE, ExitCode.NETWORK}
    if result.status not in allowed:
        yield f"exit {result.status}"
    if not result.is_right:
        yield "the tree is wrong"
    if result.seconds > MOST_SECONDS:
        yield f"{result.seconds:.0f} seconds"
    if trial.fault in RESUMABLE and result.status == 0 and result.sent > MOST_SENT:
        yield f"{result.sent:.2f} times the wheels sent"


def run(trial: Trial) -> Result:
    """Run the trial in a process of its own, which is ended if it hangs."""
    command = [sys.executable, "-m", "stress.network", "--trial", json.dumps(asdict(trial))]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=HANGS_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Result(-1, "it hangs", HANGS_SECONDS, 0.0, is_right=False)
    if done.returncode:
        return Result(-1, done.stderr[-500:], 0.0, 0.0, is_right=False)
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Networks that fail, in real time.")
    parser.add_argument("--only", default="", metavar="TEXT", help="trials whose name holds it")
    parser.add_argument("--jobs", type=int, default=12, help="at once; they mostly wait")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write all of it as JSON")
    parser.add_argument("--trial", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trial:
        with tempfile.TemporaryDirectory(prefix="network-") as work:
            print(json.dumps(asdict(tried(Trial(**json.loads(options.trial)), Path(work)))))
        return 0
    chosen = [trial for trial in trials() if options.only in trial.name]
    if not chosen:
        parser.error(f"no trial has {options.only!r} in its name")
    bad, results = 0, []
    with ThreadPoolExecutor(options.jobs) as pool:
        for trial, result in zip(chosen, pool.map(run, chosen), strict=True):
            results.append(result)
            if faults := "; ".join(broken(trial, result)):
                bad += 1
                print(f"{trial.name}: {faults}: {result.message}", flush=True)
    slowest = max(results, key=lambda result: result.seconds)
    installed = [result for result in results if result.status == 0]
    resumed = [
        result.sent
        for trial, result in zip(chosen, results, strict=True)
        if trial.fault in RESUMABLE and result.status == 0
    ]
    print(
        f"{len({trial.fault for trial in chosen})} faults, {len(chosen)} trials: {len(installed)} "
        f"installed, {len(chosen) - len(installed)} errors, {bad} bad; slowest "
        f"{slowest.seconds:.1f} s; resumed: at most {max(resumed, default=0):.2f} times the bytes"
    )
    if options.report:
        rows = [
            {**asdict(trial), **asdict(result)}
            for trial, result in zip(chosen, results, strict=True)
        ]
        options.report.write_text(json.dumps(rows, indent=1))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
