"""Run one reader under libFuzzer, which takes over the process; started by fuzz.py.

python -m stress.fuzz_target READER [libFuzzer's options and corpus]
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["executor", "planner", "schemas", "packaging", "tomllib"]):
    from helpers.readers import READERS


def main() -> None:
    program, name, *arguments = sys.argv
    (reader,) = (reader for reader in READERS if reader.name == name)
    atheris.Setup([program, *arguments], reader.read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
