"""A lock is cut at the lines where tomllib sees a package begin, and at no others."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator

import pytest

from schemas.blocks import MAX_BLOCK_SIZE, Block, LockNotText, LockTooLarge, scan_blocks
from schemas.errors import ExitCode

HEADER = 'lock-version = "1.0"\n'


def blocks_of(text: str, **options: int) -> list[Block]:
    return list(scan_blocks([text.encode()], **options))


def shape(text: str) -> list[tuple[int, bool]]:
    """The line that each block begins at, and whether it is a package."""
    return [(block.line, block.is_package) for block in blocks_of(text)]


class TestCuts:
    def test_an_empty_file_is_an_empty_header(self) -> None:
        assert blocks_of("") == [Block("", 1, False)]

    def test_a_byte_order_mark_before_the_first_line_is_no_text(self) -> None:
        assert blocks_of("\ufeff" + HEADER) == [Block(HEADER, 1, False)]
        assert blocks_of(HEADER + "\ufeff") == [Block(HEADER + "\ufeff", 1, False)]

    def test_the_header_comes_first_even_where_it_is_empty(self) -> None:
        assert shape('[[packages]]\nname = "a"\n') == [(1, False), (1, True)]

    def test_each_package_is_a_block_with_the_line_it_begins_at(self) -> None:
        text = HEADER + '\n[[packages]]\nname = "a"\n\n[[packages]]\nname = "b"'
        assert blocks_of(text) == [
            Block(HEADER + "\n", 1, False),
            Block('[[packages]]\nname = "a"\n\n', 3, True),
            Block('[[packages]]\nname = "b"', 6, True),
        ]

    @pytest.mark.parametrize(
        "line",
        [
            "[[packages]]",
            "  [[packages]]",
            "\t[[ packages ]]\t",
            "[[packages]] # [[packages]]",
            "[[packages]]\r",
            '[["packages"]]',
            "[['packages']]",
        ],
    )
    def test_a_package_begins_however_toml_lets_its_line_be_spelled(self, line: str) -> None:
        text = f'{HEADER}{line}\nname = "a"\n'
        assert tomllib.loads(text)["packages"] == [{"name": "a"}]
        assert shape(text) == [(1, False), (2, True)]

    @pytest.mark.parametrize(
        "line",
        [
            "[packages.tool]",
            "[[packages.wheels]]",
            '[["packages".wheels]]',
            "[ packages . 'tool' . lockstream ]",
        ],
    )
    def test_tables_below_a_package_stay_with_it(self, line: str) -> None:
        text = f'[[packages]]\nname = "a"\n{line}\nx = 1\n[[packages]]\nname = "b"\n'
        tomllib.loads(text)
        assert shape(text) == [(1, False), (1, True), (5, True)]

    @pytest.mark.parametrize("line", ["[tool]", "[tool.other]", "[[packages-more]]", "[package]"])
    def test_other_tables_behind_a_package_leave_it(self, line: str) -> None:
        text = f'[[packages]]\nname = "a"\n{line}\nx = 1\n[[packages]]\nname = "b"\n'
        tomllib.loads(text)
        assert shape(text) == [(1, False), (1, True), (3, False), (5, True)]

    def test_tables_of_the_header_stay_in_one_block(self) -> None:
        text = HEADER + "[tool.a]\nx = 1\n[tool.b]\ny = 2\n[[packages]]\n"
        assert shape(text) == [(1, False), (6, True)]

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param('"""\n[[packages]]\n"""', id="basic"),
            pytest.param("'''\n[[packages]]\n'''", id="literal"),
            pytest.param('"""\\"""\n[[packages]]\n"""', id="escaped quotes"),
            pytest.param('"""" ""\n[[packages]]\n"""""', id="quotes inside and five at the end"),
            pytest.param("'''' ''\n[[packages]]\n'''''", id="the same, literal"),
            pytest.param('"""\\\n[[packages]]\n"""', id="escaped line end"),
            pytest.param("'''\n[[packages]]\\'''", id="backslash in a literal"),
            pytest.param('[\n[["packages"]]\n]', id="array"),
            pytest.param('[ # ]\n[["packages"]]\n]', id="bracket in a comment"),
            pytest.param('[ "]",\n[["packages"]]\n]', id="bracket in a string"),
            pytest.param("[ ']\"',\n[['packages']]\n]", id="bracket in a literal string"),
            pytest.param(
                '[ { x = """\n]}\n[[packages]]""" } ]', id="string in a table in an array"
            ),
            pytest.param('[ "\\"]",\n[["packages"]]\n]', id="escaped quote"),
        ],
    )
    def test_no_package_begins_inside_of_a_value(self, value: str) -> None:
        text = f'{HEADER}x = {value}\n[[packages]]\nname = "a"\n'
        assert tomllib.loads(text)["packages"] == [{"name": "a"}]
        assert [block.is_package for block in blocks_of(text)] == [False, True]

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param('["""a"""", "[", ]', id="four quotes"),
            pytest.param("['''a'''', '[', ]", id="four quotes, literal"),
            pytest.param('["""a""""", "[", ]', id="five quotes"),
            pytest.param('["""""""" , "[", ]', id="nothing but quotes"),
            pytest.param("\"'''\"", id="quotes in a string"),
            pytest.param('"[[{{"', id="open brackets in a string"),
            pytest.param("1 # [ ''' \"\"\"", id="comment"),
            pytest.param('["""\\\\""", "[", ]', id="escaped backslash at the end"),
        ],
    )
    def test_no_package_is_lost_behind_a_value(self, value: str) -> None:
        text = f'[[packages]]\nname = "a"\nx = {value}\n[[packages]]\nname = "b"\n'
        assert [package["name"] for package in tomllib.loads(text)["packages"]] == ["a", "b"]
        assert shape(text) == [(1, False), (1, True), (4, True)]


class TestLimits:
    def test_a_block_of_just_the_limit_is_read(self) -> None:
        text = "# 34567\n"
        assert blocks_of(text, limit=len(text)) == [Block(text, 1, False)]

    def test_the_limit_counts_bytes_and_not_characters(self) -> None:
        with pytest.raises(LockTooLarge):
            blocks_of("# äöü\n", limit=8)

    def test_a_larger_block_is_refused_with_the_line_it_begins_at(self) -> None:
        text = HEADER + "[[packages]]\n" + 'x = "1234567890"\n' * 10
        with pytest.raises(LockTooLarge) as caught:
            blocks_of(text, limit=100)
        assert str(caught.value) == "the block that begins at line 2 is larger than 100 bytes"
        assert caught.value.exit_code is ExitCode.INVALID_INPUT

    def test_blocks_may_be_larger_together_than_one_may_be(self) -> None:
        text = '[[packages]]\nname = "a"\n' * 100
        assert len(blocks_of(text, limit=30)) == 101

    def test_the_hint_says_what_is_read_and_what_to_do(self) -> None:
        assert LockTooLarge(1, MAX_BLOCK_SIZE).hint == (
            "write each package as its own [[packages]] table; "
            "an inline array is read only up to 4 MiB"
        )

    def test_a_line_without_end_is_given_up_before_it_is_read(self) -> None:
        read = 0

        def endless() -> Iterator[bytes]:
            nonlocal read
            while True:
                read += 1
                yield b"x" * 1000

        with pytest.raises(LockTooLarge):
            list(scan_blocks(endless(), limit=10_000))
        assert read <= 11

    def test_blocks_come_before_the_rest_is_read(self) -> None:
        def chunks() -> Iterable[bytes]:
            yield b"a = 1\n[[packages]]\n"
            pytest.fail("read ahead")

        assert next(scan_blocks(chunks())).text == "a = 1\n"


class TestText:
    def test_what_is_not_utf8_is_refused_with_its_line(self) -> None:
        with pytest.raises(LockNotText) as caught:
            list(scan_blocks([b"a = 1\nb = '\xe4'\n"]))
        assert str(caught.value) == "line 2 is not UTF-8 text"
        assert caught.value.hint == ("TOML files are UTF-8 text; save the file in that encoding")
        caught.value.path = "pylock.toml"
        assert str(caught.value) == "pylock.toml: line 2 is not UTF-8 text"

    def test_a_character_may_be_cut_between_chunks(self) -> None:
        text = "# ä→😀\n"
        assert list(scan_blocks(bytes([byte]) for byte in text.encode())) == [Block(text, 1, False)]
