"""What the pages say of the code, compared with the code."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import click
import pytest

import lockstream
from schemas.errors import ExitCode, LockstreamError

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ARCHITECTURE = ROOT / "docs" / "architecture.md"

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ROOM = re.compile(r"^\| `(planner|executor)/(\w+)` \|", re.MULTILINE)
_PATH = re.compile(r"`((?:executor|planner|schemas|tests|benchmarks)/(?!work/)[\w/.]+)`")
_MODULE = re.compile(r"`(\w+/\w+)(?:\.py)?`")


def anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    wrong = []
    for link in _LINK.findall(page.read_text()):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            wrong.append(link)
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_is_named_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # it names what was
    named = _PATH.findall(page.read_text())
    missing = [
        name
        for name in named
        if not (ROOT / name).exists() and not (ROOT / name).with_suffix(".py").exists()
    ]
    assert not missing


def test_every_promise_names_a_test_that_exists() -> None:
    table = (ROOT / "docs/threats.md").read_text().partition("## What is trusted")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`([\w./]+)`", row[-1])
        assert named, row
        for name in named:
            path = name.replace("stress.", "tests/stress/")
            assert (ROOT / f"{path}.py").is_file(), name


@pytest.mark.parametrize("page", ["promises", "machines"])
def test_every_kind_of_fault_names_tests_that_exist(page: str) -> None:
    lines = (ROOT / f"docs/{page}.md").read_text().splitlines()
    rows = [line.split("|")[1:-1] for line in lines if line.startswith("|")]
    rows = [row for row in rows if row[-1].strip() not in {"---", "held by"}]
    assert len(rows) > 40
    for row in rows:
        named = re.findall(
            r"`([\w./]+/test_\w+|(?:benchmarks|stress)\.[.\w]+)(?:::(\w+))?`", row[-1]
        )
        assert named or "make answers" in row[-1], row
        # Nothing is named in another way, in which a test that is gone would stay unseen.
        others = re.findall(r"`((?!make )[^`]+)`", row[-1])
        assert len(others) == len(named), row
        for name, test in named:
            module = re.sub(r"^stress\.", "tests/stress/", name)
            if name.startswith("benchmarks."):
                module = name.replace(".", "/")
            text = (ROOT / f"{module}.py").read_text()
            assert not test or re.search(rf"(?:def|class) {test}\b", text), (name, test)


def test_the_site_has_every_page() -> None:
    named = set(re.findall(r"[\w./-]+\.md", (ROOT / ".ci/site/mkdocs.yml").read_text()))
    own = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert {page for page in own if not page.startswith("decisions/")} <= named


def test_every_module_of_a_room_that_is_named_exists() -> None:
    from test_architecture import ORDER

    rooms = {room for rooms in ORDER.values() for room in rooms}
    missing = [
        name
        for name in _MODULE.findall(ARCHITECTURE.read_text())
        if name.partition("/")[0] in rooms
        if not any((ROOT / phase / f"{name}.py").exists() for phase in ORDER)
    ]
    assert not missing


def test_the_table_of_rooms_is_the_order_of_imports() -> None:
    from test_architecture import ORDER

    rows = _ROOM.findall(ARCHITECTURE.read_text())
    assert rows == [(phase, room) for phase in ("executor", "planner") for room in ORDER[phase]]


def test_the_table_of_exit_codes_names_each_kind_of_error() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)` \|$", ARCHITECTURE.read_text(), re.MULTILINE)
    kinds = {(kind.exit_code, kind.__name__) for kind in LockstreamError.__subclasses__()}
    assert {(ExitCode(int(code)), name) for code, name in rows} <= kinds
    assert {int(code) for code, _ in rows} == set(ExitCode) - {ExitCode.DONE}


@pytest.mark.parametrize(
    ("row", "module", "constant"),
    [
        ("staged wheels", "executor.transaction.staging", "_FORMAT"),
        ("journal", "executor.transaction.journal", "_VERSION"),
        ("index cache", "planner.index.cache", "_VERSION"),
    ],
)
def test_the_table_of_state_on_disk_has_the_formats(row: str, module: str, constant: str) -> None:
    (line,) = re.findall(rf"^\| {row} \|[^|]*\| `.*$", ARCHITECTURE.read_text(), re.MULTILINE)
    assert re.search(rf"\b{getattr(import_module(module), constant)}\b", line)


_CODE = re.compile(
    r"`(lockstream [^`]+)`|^(?:\w*\$ |RUN |  +- )?(?:KEY=\$\()?(lockstream .+)$", re.MULTILINE
)


def commands_of(page: Path) -> list[list[str]]:
    """The words of each call of lockstream that a page shows, after the program."""
    text = page.read_text().replace("\\\n", " ")
    found = []
    for inline, line in _CODE.findall(text):
        call = re.split(r"&&|[|;>]", inline or line)[0]
        with suppress(ValueError):  # prose with an apostrophe
            found.append(shlex.split(call, comments=True)[1:])
    return [words for words in found if words and words[0] in lockstream.COMMANDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_option_that_a_page_shows_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return
    wrong = []
    group = lockstream.program()
    for name, *words in commands_of(page):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        known = {"-h", "--help"}
        for parameter in command.params:
            known.update(parameter.opts, parameter.secondary_opts)
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
        wrong += [f"{name} {option}" for option in given - known]
    assert not wrong


def test_pages_show_commands_of_every_kind() -> None:
    shown = {words[0] for page in PAGES for words in commands_of(page)}
    assert {"plan", "execute", "verify", "key", "init", "show", "completion"} <= shown
