"""Blocks: however a lock is written and cut, it holds the packages that tomllib finds in it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.blocks import Block, scan_blocks
from schemas.lock import parse_block

TEXTS = st.text("a #[]{}'\"\\=,.\n\tä😀packages", max_size=30)
"""Made of what could be taken for something else."""

VALUES = st.recursive(
    st.booleans() | st.integers(-99, 99) | TEXTS | st.just("\n[[packages]]\n"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "packages"]), inner, max_size=2)
    ),
    max_leaves=6,
)

TABLES = st.dictionaries(st.sampled_from(["name", "version", "wheels", "é", "a.b"]), VALUES)
"""Packages, as far as cutting cares."""


@st.composite
def strings(draw: st.DrawFn, text: str) -> str:
    """A text in one of the forms TOML has for it."""
    escaped = text.replace("\\", "\\\\").replace("\t", "\\t")
    forms = ['"' + escaped.replace('"', '\\"').replace("\n", "\\n") + '"']
    forms.append('"""\n' + escaped.replace('"""', '""\\"') + _mended('"', escaped) + '"""')
    forms.append('"""\\\n  ' + escaped.replace('"', '\\"').replace("\n", "\\n") + '"""')
    if "'" not in text and "\n" not in text:
        forms.append(f"'{text}'")
    if "'''" not in text and not text.endswith("'''"):
        forms.append(f"'''\n{text}'''")
    return draw(st.sampled_from(forms))


def _mended(quote: str, text: str) -> str:
    """Up to two quotes may stand before the three that close; a third is one too many."""
    return "\\\n" if text.endswith(quote * 3) else ""


@st.composite
def values(draw: st.DrawFn, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return draw(strings(value))
        case dict():
            pairs = [f"{draw(keys(key))} = {draw(values(item))}" for key, item in value.items()]
            return "{ " + ", ".join(pairs) + " }"
        case _:
            space = draw(st.sampled_from(["", " ", "\n", " # ] [[packages]] '''\n"]))
            items = [draw(values(item)) + "," + space for item in value]
            return "[" + space + "".join(items) + "]"


@st.composite
def keys(draw: st.DrawFn, key: str) -> str:
    plain = [key] if key.isascii() and "." not in key else []
    return draw(st.sampled_from([*plain, f'"{key}"', f"'{key}'"]))


@st.composite
def bodies(draw: st.DrawFn, table: Mapping[str, Any]) -> str:
    return "".join(f"{draw(keys(key))} = {draw(values(item))}\n" for key, item in table.items())


BETWEEN = st.sampled_from(["", "\n", "# [[packages]]\n", '  # it\'s """ here\n', "\t\n"])


@st.composite
def locks(draw: st.DrawFn) -> str:
    """A TOML document with a ``packages`` array, in any of the styles there are."""
    tables = draw(st.lists(TABLES, max_size=4))
    text = draw(BETWEEN) + draw(bodies(draw(TABLES)))
    if draw(st.booleans()) and draw(st.booleans()):
        text += f"packages = {draw(values(tables))}\n"
        tables = []
    if draw(st.booleans()):
        text += "[tool.before]\n" + draw(bodies(draw(TABLES)))
    for number, table in enumerate(tables):
        opening = draw(st.sampled_from(["[[packages]]", '[["packages"]]', "  [[ packages ]] # x"]))
        text += draw(BETWEEN) + opening + "\n" + draw(bodies(table))
        if draw(st.booleans()):
            below = draw(st.sampled_from(["[packages.tool]", "[[packages.more]]"]))
            text += below + "\n" + draw(bodies(draw(TABLES)))
        if draw(st.booleans()):
            text += f"[tool.behind{number}]\n" + draw(bodies(draw(TABLES)))
    if draw(st.booleans()):
        # Files with both line ends exist, files with other ones do not.
        text = text.replace("\n", "\r\n")
    return text if draw(st.booleans()) else text.rstrip("\r\n")


def blocks_of(text: str) -> list[Block]:
    return list(scan_blocks([text.encode()]))


def packages_of(blocks: list[Block]) -> list[dict[str, Any]]:
    header = parse_block(blocks[0])
    behind = [parse_block(block) for block in blocks[1:] if block.is_package]
    return [*header.get("packages", []), *behind]


@given(locks())
def test_the_packages_are_those_that_tomllib_finds(text: str) -> None:
    assert packages_of(blocks_of(text)) == tomllib.loads(text).get("packages", [])


@given(locks())
def test_each_block_is_toml_by_itself(text: str) -> None:
    whole = tomllib.loads(text)
    header, *others = blocks_of(text)
    assert not header.is_package
    tool = dict(parse_block(header).get("tool", {}))
    for block in others:
        tool |= {} if block.is_package else parse_block(block)["tool"]
    assert tool == whole.get("tool", {})


@given(locks() | st.text(), st.lists(st.integers(0, 400)))
@example('x = """\r\n"""\r', [7, 8, 9, 10])
def test_how_the_file_is_cut_into_chunks_changes_nothing(text: str, cuts: list[int]) -> None:
    data = text.encode()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    assert list(scan_blocks(chunks)) == blocks_of(text)


@given(locks() | st.text())
def test_nothing_is_lost_and_every_line_is_known(text: str) -> None:
    blocks = blocks_of(text)
    assert "".join(block.text for block in blocks) == text
    line = 1
    for block in blocks:
        assert block.line == line
        line += block.text.count("\n")
    assert not blocks[0].is_package
