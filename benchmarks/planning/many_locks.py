"""Plan the locks of fifty services with one command, and with fifty.

    python -m benchmarks.planning.many_locks [--services 50]

Each service requires a web framework, a client of a database and some of twenty other projects, in
versions of the package index. Seconds and peak memory (of the largest process) of ``plan --each``
with an empty cache, of one plan after the other with an empty cache, and of ``plan --each`` again
when nothing has changed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMON = ("fastapi", "sqlalchemy", "httpx")

OTHERS = (
    "alembic", "boto3", "celery", "click", "cryptography", "gunicorn", "jinja2", "kafka-python",
    "opentelemetry-sdk", "orjson", "pandas", "prometheus-client", "psycopg2-binary", "pydantic",
    "pyjwt", "pyyaml", "redis", "sentry-sdk", "structlog", "tenacity",
)  # fmt: skip


def make(root: Path, count: int) -> list[str]:
    chosen = random.Random(5)  # the same services each time
    names = [f"service-{number:02}" for number in range(count)]
    for name in names:
        requires = [*COMMON, *chosen.sample(OTHERS, 6)]
        (root / name).mkdir()
        (root / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {requires!r}\n'
        )
    return names


def run(root: Path, cache: Path, *commands: list[str]) -> tuple[float, float, int]:
    """Run them one after the other; return seconds, CPU seconds, and the MiB of the largest process
    of all.
    """
    program = os.path.join(os.path.dirname(sys.executable), "lockstream")
    environment = {**os.environ, "LOCKSTREAM_CACHE_DIR": str(cache)}
    cpu, peak, began = 0.0, 0, time.monotonic()
    for words in commands:
        process = subprocess.Popen([program, "plan", "-q", *words], cwd=root, env=environment)
        # Of this process and of those that it waited for, unlike the sum over all that ever ran.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(words)} ended with {process.returncode}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss >> 10)
    return time.monotonic() - began, cpu, peak


def main() -> None:
    parser = argparse.ArgumentParser(description="Many locks, planned together and one by one.")
    parser.add_argument("--services", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = make(root, options.services)
        together = run(root, root / "cache-1", ["--each", *names])
        locks = [(root / name / "pylock.toml").read_bytes() for name in names]
        again = run(root, root / "cache-1", ["--each"])
        for name in names:
            (root / name / "pylock.toml").unlink()
        single = run(
            root, root / "cache-2", *([name, "-o", f"{name}/pylock.toml"] for name in names)
        )
        same = locks == [(root / name / "pylock.toml").read_bytes() for name in names]
    for what, (seconds, cpu, peak) in (
        (f"{len(names)} locks together", together),
        ("one after the other", single),
        ("nothing changed", again),
    ):
        print(f"{what}: {seconds:.1f} s, CPU {cpu:.1f} s, largest process {peak} MiB")
    print("the same locks" if same else "DIFFERENT LOCKS")
    sys.exit(not same)


if __name__ == "__main__":
    main()
