"""Every parser of foreign text takes time in proportion to its length.

Processor time is compared: at ten times the length, a quadratic parser takes a hundred times as
long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from executor.wheels.scripts import read_entry_points
from planner.inputs.line_options import split_options
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.requirements_text import decode, logical_lines
from planner.inputs.script import parse_script
from schemas.blocks import scan_blocks
from schemas.errors import LockstreamError
from schemas.text import printable
from schemas.toml import parse_toml
from schemas.urls import redacted, secret_parameters
from schemas.wheel import parse_wheel_filename

SIZE = 20_000
"""Characters of the short input; the long one has ten times as many."""

MOST_TIMES = 40
"""Times as long as the short input that the long one may take. Ten is linear; machines are noisy,
and a quadratic parser takes a hundred times as long."""

FLOOR = 0.02
"""Seconds; what takes less is not compared."""


def blocks(text: str) -> None:
    for _ in scan_blocks([text.encode()]):
        pass


def lines(text: str) -> None:
    for _ in logical_lines(decode(text.encode())):
        pass


def entry_points(text: str) -> None:
    for _ in read_entry_points(text):
        pass


PARSERS: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "escaped quotes in a lock": (blocks, lambda n: 'x = [ "' + '\\"' * (n // 2) + "\n"),
    "open quotes in a lock": (blocks, lambda n: "x = [ " + '" ' * (n // 2) + "\n"),
    "apostrophes in a lock": (blocks, lambda n: "x = [ " + "'" * n + "\n"),
    "brackets in a lock": (blocks, lambda n: "x = " + "[" * n + "\n"),
    "a dotted key": (parse_toml, lambda n: "x" + ".a" * (n // 2) + " = 1\n"),
    "spaces in a requirement": (lines, lambda n: "demo" + " " * n + "x\n"),
    "number signs in a requirement": (lines, lambda n: "demo" + "#" * n + "\n"),
    "continued lines": (lines, lambda n: "\\\n" * (n // 2)),
    "spaces before options": (split_options, lambda n: "demo" + " " * n + "x"),
    "hyphens": (split_options, lambda n: "demo" + "-" * n),
    "openings in a script": (parse_script, lambda n: "# /// script\n" * (n // 13)),
    "a long comment in a script": (parse_script, lambda n: "# /// script\n" + "#\n" * (n // 2)),
    "names in a wheel's file name": (parse_wheel_filename, lambda n: "a-" * (n // 2) + ".whl"),
    "a long entry point": (entry_points, lambda n: "[console_scripts]\na" + " " * n + "= b:c\n"),
    "many entry points": (
        entry_points,
        lambda n: "[console_scripts]\n" + "".join(f"a{i} = b:c\n" for i in range(n // 12)),
    ),
    "parameters of a URL": (secret_parameters, lambda n: "token" * (n // 5)),
    "separators of a URL": (secret_parameters, lambda n: "&;" * (n // 2)),
    "an address": (redacted, lambda n: "https://" + "@" * n + "/"),
    "text for the terminal": (printable, lambda n: "\x1b\n" * (n // 2)),
    "a marker": (
        lambda text: parse_requirement(text, "file:1"),
        lambda n: "demo; " + " or ".join(["os_name == 'a'"] * (n // 18)),
    ),
    "brackets of extras": (lambda text: parse_requirement(text, "f:1"), lambda n: "d[" + "a," * n),
}


def seconds(parse: Callable[[str], object], text: str) -> float:
    """Return the least processor time of three runs."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        with suppress(ValueError, LockstreamError):
            parse(text)
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("what", PARSERS)
def test_ten_times_the_text_takes_about_ten_times_as_long(what: str) -> None:
    parse, make = PARSERS[what]
    short, long = seconds(parse, make(SIZE)), seconds(parse, make(10 * SIZE))
    assert long < max(FLOOR, MOST_TIMES * max(short, 0.0005)), f"{short:.4f} s, then {long:.4f} s"
