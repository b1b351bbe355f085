"""Run lockstream once and count the calls of its process, Python's and those of C functions.

    python counted_run.py OUTPUT FOLDER WORD...

runs the lockstream in FOLDER with the words of a command line, and writes the number to OUTPUT.
Forks are not counted. Imports nothing of the benchmarks: the interpreter of the version runs it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType


def main() -> int:
    output, folder, *words = sys.argv[1:]
    sys.path.insert(0, folder)
    calls = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        from lockstream import main as run  # noqa: PLC0415  # its imports count, too

        status = run(words)
    finally:
        sys.setprofile(None)
    Path(output).write_text(str(calls))
    return status


if __name__ == "__main__":
    sys.exit(main())
