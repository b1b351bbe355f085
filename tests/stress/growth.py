"""Print the processor time of each parser of foreign text at 1, 10 and 100 times a length.

    python -m stress.growth

It ends with 1 if one takes more than 40 times as long for ten times the text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise

from helpers.growth import PARSERS, SIZE, grows_too_much, seconds

FACTORS = (1, 10, 100)


def measured(
    parse: Callable[[str], object], make: Callable[[int], str]
) -> tuple[list[float], bool]:
    """Return the seconds for each length, and whether they grow too much."""
    times = [seconds(parse, make(factor * SIZE), 3 if factor < 100 else 1) for factor in FACTORS]
    return times, any(grows_too_much(*pair) for pair in pairwise(times))


def main() -> int:
    print(f"{'parser':34} {'1x':>9} {'10x':>9} {'100x':>9}   of {SIZE:,} characters; seconds")
    faults = 0
    for what, (parse, make) in PARSERS.items():
        times, is_fault = measured(parse, make)
        if is_fault:  # or the machine was busy with something else
            times, is_fault = measured(parse, make)
        faults += is_fault
        spelled = " ".join(f"{taken:9.4f}" for taken in times)
        print(f"{what:34} {spelled}{'   MORE THAN LINEAR' if is_fault else ''}", flush=True)
    print(f"{len(PARSERS)} parsers and texts, {faults} grow more than linearly")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
