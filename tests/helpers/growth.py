"""Every parser of foreign text, with texts that might take it more than linear time.

``make`` makes a text of about ``n`` characters.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from packaging.utils import canonicalize_name
from packaging.version import Version

from executor.archive.chunk_reader import ChunkReader
from executor.archive.tar_reader import read_tar
from executor.sources.keychain import Keychain
from executor.wheels.records import read_rows
from executor.wheels.scripts import read_entry_points
from planner.index.page_extract import condense_json
from planner.index.pages import parse_page
from planner.inputs.line_options import split_options
from planner.inputs.pip_config import configured_values
from planner.inputs.project import read_projects
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.requirements_text import decode, logical_lines
from planner.inputs.script import parse_script
from planner.metadata.core_metadata import parse_metadata
from planner.model.specifiers import read_requirement, read_specifiers
from schemas.blocks import scan_blocks
from schemas.errors import LockstreamError
from schemas.text import printable
from schemas.toml import parse_toml
from schemas.urls import has_unquoted_login, hidden, redacted, secret_parameters
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["PARSERS", "SIZE", "grows_too_much", "seconds"]


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


def record(text: str) -> None:
    for _ in read_rows(io.StringIO(text, newline="")):
        pass


METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def metadata(text: str) -> None:
    parse_metadata(text.encode())


def page(text: str) -> None:
    parse_page(
        canonicalize_name("a"), text.encode(), content_type="text/html", url="https://x.example/a/"
    )


FILES = '{"meta":{"api-version":"1.0"},"name":"a","files":['
FILE = '{"filename":"a-1.tar.gz","url":"a-1.tar.gz","hashes":{}}'


def json_page(text: str) -> None:
    condense_json(text.encode(), "https://x.example/a/")


def pip_config(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "pip.conf")
        path.write_text(text)
        configured_values("index-url", {"PIP_CONFIG_FILE": str(path)})


def netrc(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "netrc")
        path.write_text(text)
        path.chmod(0o600)
        Keychain({}, environment={"NETRC": str(path)}).login("https://a/")


PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'


def project(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "pyproject.toml")
        path.write_text(text)
        read_projects([folder])


def specifiers(text: str) -> None:
    read_specifiers.cache_clear()
    read_specifiers(text)


def requirement(text: str) -> None:
    read_specifiers.cache_clear()
    read_requirement(text)


def tar(text: str) -> None:
    info = tarfile.TarInfo("demo")
    info.type, info.size = tarfile.XHDTYPE, len(text)
    content = info.tobuf() + text.encode() + bytes(-len(text) % 512)
    with patch("executor.archive.tar_reader.MAX_HEADER", 1 << 30):
        for _ in read_tar(ChunkReader(iter([content]))):
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
    "commands in a text": (printable, lambda n: "##a " * (n // 4)),
    "a command that does not end": (printable, lambda n: "##" + "a" * (n // 2) + " " * (n // 2)),
    "a marker": (
        lambda text: parse_requirement(text, "file:1"),
        lambda n: "demo; " + " or ".join(["os_name == 'a'"] * (n // 18)),
    ),
    "brackets of extras": (lambda text: parse_requirement(text, "f:1"), lambda n: "d[" + "a," * n),
    "many rows of RECORD": (record, lambda n: ("a,sha256=" + "A" * 43 + ",1\n") * (n // 55)),
    "a long field of RECORD": (record, lambda n: "a" * n + ",,\n"),
    "quotes in RECORD": (record, lambda n: '"' * n + "\n"),
    "commas in RECORD": (record, lambda n: "," * n + "\n"),
    "headers of METADATA": (metadata, lambda n: METADATA + "Requires-Dist: a\n" * (n // 17)),
    "a folded header": (metadata, lambda n: METADATA + "Summary: a\n" + " b\n" * (n // 3)),
    "extras of METADATA": (metadata, lambda n: METADATA + "Provides-Extra: a\n" * (n // 18)),
    "a long requirement": (metadata, lambda n: METADATA + "Requires-Dist: a" + "(" * n + "\n"),
    "spaces in METADATA": (metadata, lambda n: METADATA + "Requires-Dist: a" + " " * n + "x\n"),
    "specifiers": (specifiers, lambda n: ",".join([">=1"] * (n // 4))),
    "spaces in specifiers": (specifiers, lambda n: ">=" + " " * n + "1"),
    "stars in specifiers": (specifiers, lambda n: "==" + "1.*" * (n // 3)),
    "a requirement in brackets": (requirement, lambda n: "a (" + ">=1," * (n // 4) + ")"),
    "extras of a requirement": (requirement, lambda n: "a[" + "b," * (n // 2) + "b]"),
    "parts of a version": (Version, lambda n: "1" + ".1" * (n // 2)),
    "a local version": (Version, lambda n: "1+a" + ".a" * (n // 2)),
    "hyphens of a version": (Version, lambda n: "1" + "-" * n),
    "links of a page": (page, lambda n: '<a href="a-1.tar.gz">a</a>' * (n // 26)),
    "open tags of a page": (page, lambda n: "<a " * (n // 3)),
    "quotes in a page": (page, lambda n: "<a href=" + "'\"" * (n // 2)),
    "entities of a page": (page, lambda n: "&" * n),
    "comments of a page": (page, lambda n: "<!--" * (n // 4)),
    "declarations of a page": (page, lambda n: "<!" * (n // 2)),
    "quotes in tags of a page": (page, lambda n: '<a x="' * (n // 6) + ">"),
    "marked sections of a page": (page, lambda n: "<![" * (n // 3) + ">"),
    "ends of a page": (page, lambda n: "</" * (n // 2) + ">"),
    "instructions of a page": (page, lambda n: "<?" * (n // 2)),
    "a fragment of a link": (page, lambda n: '<a href="a-1.tar.gz#' + "&a=" * (n // 3) + '">'),
    "files of a JSON page": (
        json_page,
        lambda n: FILES + ",".join([FILE] * (n // len(FILE))) + "]}",
    ),
    "hashes of a JSON page": (
        json_page,
        lambda n: (
            FILES + '{"filename":"a","url":"b","hashes":{' + '"a":"b",' * (n // 8) + '"c":""}}]}'
        ),
    ),
    "options of pip.conf": (pip_config, lambda n: "[global]\n" + "index-url = a\n" * (n // 14)),
    "continued lines of pip.conf": (pip_config, lambda n: "[global]\na =\n" + " b\n" * (n // 3)),
    "brackets of pip.conf": (pip_config, lambda n: "[" * n),
    "percents of pip.conf": (pip_config, lambda n: "[global]\nindex-url = " + "%(a)s" * (n // 5)),
    "machines of netrc": (netrc, lambda n: "machine a login b password c\n" * (n // 29)),
    "words of netrc": (netrc, lambda n: "machine a login " + "x" * n),
    "macros of netrc": (netrc, lambda n: "macdef a\n" + "b\n" * (n // 2)),
    "comments of netrc": (netrc, lambda n: "#\n" * (n // 2)),
    "quotes of netrc": (netrc, lambda n: 'machine "' + "\\" * n),
    "dependencies of a project": (
        project,
        lambda n: PROJECT + 'dependencies = ["a"' + ', "a"' * (n // 5) + "]\n",
    ),
    "groups of a project": (
        project,
        lambda n: (
            PROJECT
            + "[dependency-groups]\n"
            + "".join(f'g{i} = [{{include-group = "g{i + 1}"}}]\n' for i in range(n // 34))
        ),
    ),
    "extras of a project": (
        project,
        lambda n: (
            PROJECT
            + "[project.optional-dependencies]\n"
            + "".join(f'e{i} = ["demo[e{i + 1}]"]\n' for i in range(n // 24))
        ),
    ),
    "records of a pax header": (tar, lambda n: "".join(["8 a=bcd\n"] * (n // 8))),
    "a record of a pax header": (tar, lambda n: f"{n + 10} path={'a' * n}"[: n + 9] + "\n"),
    "spaces of a pax header": (tar, lambda n: " " * n),
    "addresses in a text": (hidden, lambda n: "http://a@" * (n // 9)),
    "cut addresses in a text": (hidden, lambda n: "http://u:p " * (n // 11)),
    "headers in a text": (hidden, lambda n: "authorization:" * (n // 14)),
    "an unquoted login": (has_unquoted_login, lambda n: "http://a:" + "/@" * (n // 2)),
    "tags of a wheel": (
        parse_wheel_filename,
        lambda n: "a-1-" + "py3." * (n // 4) + "x-none-any.whl",
    ),
}


def seconds(parse: Callable[[str], object], text: str, runs: int = 2) -> float:
    """Return the least processor time of some runs."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        with suppress(ValueError, LockstreamError):
            parse(text)
        taken.append(time.process_time() - began)
    return min(taken)


def grows_too_much(short: float, long: float) -> bool:
    """Return whether ten times the text took much more than ten times as long."""
    return long >= max(FLOOR, MOST_TIMES * max(short, 0.0005))
