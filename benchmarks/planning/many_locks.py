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
import resource
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


def run(root: Path, cache: Path, *commands: list[str]) -> tuple[float, float]:
    """Run them one after the other; return seconds, and CPU seconds."""
    program = os.path.join(os.path.dirname(sys.executable), "lockstream")
    environment = {**os.environ, "LOCKSTREAM_CACHE_DIR": str(cache)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for words in commands:
        subprocess.run([program, "plan", "-q", *words], cwd=root, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description="Many locks, planned together and one by one.")
    parser.add_argument("--services", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = make(root, options.services)
        together = run(root, root / "cache-1", ["--each", *names])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        locks = [(root / name / "pylock.toml").read_bytes() for name in names]
        again = run(root, root / "cache-1", ["--each"])
        for name in names:
            (root / name / "pylock.toml").unlink()
        single = run(
            root, root / "cache-2", *([name, "-o", f"{name}/pylock.toml"] for name in names)
        )
        same = locks == [(root / name / "pylock.toml").read_bytes() for name in names]
    print(f"{len(names)} locks together: {together[0]:.1f} s, CPU {together[1]:.1f} s, {peak} MiB")
    print(f"one after the other: {single[0]:.1f} s, CPU {single[1]:.1f} s")
    print(f"nothing changed: {again[0]:.2f} s, CPU {again[1]:.2f} s")
    print("the same locks" if same else "DIFFERENT LOCKS")
    sys.exit(not same)


if __name__ == "__main__":
    main()
