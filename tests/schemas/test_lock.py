"""A block is valid by PEP 751, or an error names the line at fault."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from schemas.blocks import Block, scan_blocks
from schemas.errors import ExitCode
from schemas.lock import (
    InvalidLock,
    LockConflict,
    LockWithoutHeader,
    UnsupportedLockVersion,
    newer_remark,
    parse_block,
    parse_header,
    parse_package,
)

HEADER = {"lock-version": "1.0", "created-by": "tests"}
SHA = {"sha256": "00" * 32}


def wheel(filename: str = "demo-1.0-py3-none-any.whl", **more: Any) -> dict[str, Any]:
    return {"name": filename, "url": f"https://example.com/{filename}", "hashes": SHA, **more}


def package(**more: Any) -> dict[str, Any]:
    table = {"name": "demo", "version": "1.0", "wheels": [wheel()], **more}
    return {key: value for key, value in table.items() if value is not None}


def refusal(table: dict[str, Any], line: int = 7) -> str:
    with pytest.raises(InvalidLock) as caught:
        parse_package(table, line)
    assert caught.value.exit_code is ExitCode.INVALID_INPUT
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/app/uv.lock", "it is no pylock.toml; uv export --format pylock.toml -o pylock.toml "),
        ("pdm.lock", "it is no pylock.toml; pdm export "),
        ("poetry.lock", "it is no pylock.toml; lockstream plan writes one"),
        ("Pipfile.lock", "it is no pylock.toml; lockstream plan -r, with a file that pipenv "),
        ("requirements.txt", "it is no pylock.toml; lockstream plan -r with this file writes one"),
        ("conda-lock.yml", "it is no pylock.toml; lockstream plan writes one"),
        ("uv.lock/pylock.toml", "the lock was edited by hand or cut short"),
    ],
)
def test_a_file_of_another_kind_leads_to_what_writes_a_lock_of_it(path: str, hint: str) -> None:
    error = InvalidLock("Missing required value", line=1)
    error.path = path
    assert error.hint.startswith(hint)


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> branch", "||||||| base"])
def test_a_conflict_of_a_merge_is_named_with_its_line(mark: str) -> None:
    *_, block = scan_blocks([f'a = 1\n[[packages]]\nname = "x"\n{mark}\nname = "y"\n'.encode()])
    with pytest.raises(LockConflict) as caught:
        parse_block(block)
    caught.value.path = "pylock.toml"
    assert str(caught.value) == "pylock.toml: line 4: it has the marks of a merge conflict"
    assert "git checkout --ours pylock.toml (or --theirs)" in caught.value.hint


@pytest.mark.parametrize("text", [b"", b"\n\n", b"# by a locker\n"])
def test_a_lock_that_a_shell_has_emptied_is_told_from_one_that_is_wrong(text: bytes) -> None:
    (block,) = list(scan_blocks([text])) or [Block("", 1, is_package=False)]
    with pytest.raises(LockWithoutHeader) as caught:
        parse_header(parse_block(block))
    caught.value.path = "pylock.toml"
    assert str(caught.value) == "pylock.toml: it says nothing of itself, not even its lock-version"
    assert "lockstream plan writes the file itself" in caught.value.hint


class TestToml:
    def test_a_package_block_is_its_table(self) -> None:
        _, block = scan_blocks([b'a = 1\n[[packages]]\nname = "x"\n[packages.tool.y]\nz = 1\n'])
        assert parse_block(block) == {"name": "x", "tool": {"y": {"z": 1}}}

    def test_another_block_is_its_document(self) -> None:
        assert parse_block(Block("a = 1\n", 1, False)) == {"a": 1}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param(
                "[[packages]]\n\nname = \n",
                "line 42: not valid TOML: Invalid value, at column 8",
                id="value",
            ),
            pytest.param(
                '[[packages]]\nname = "a"\nname = "b"\n',
                "line 42: not valid TOML: Cannot overwrite a value, at column 11",
                id="key twice",
            ),
            pytest.param(
                "[[packages]]\nx = [\n",
                "line 40: not valid TOML: Invalid value (at end of document)",
                id="cut short",
            ),
            pytest.param(
                "[[packages]]\nx = " + "[" * 5000,
                "line 40: not readable as TOML: ",
                id="arrays without end",
            ),
        ],
    )
    def test_what_is_no_toml_is_refused_with_the_line_of_the_file(
        self, text: str, message: str
    ) -> None:
        with pytest.raises(InvalidLock) as caught:
            parse_block(Block(text, 40, True))
        assert str(caught.value).startswith(message)
        assert caught.value.exit_code is ExitCode.INVALID_INPUT

    def test_an_integer_of_thousands_of_digits_is_refused(self) -> None:
        with pytest.raises(InvalidLock, match=r"line 3: not readable as TOML: .*too many digits"):
            parse_block(Block("x = " + "1" * 5000, 3, False))

    def test_the_file_is_named_once_it_is_known(self) -> None:
        error = InvalidLock("it is bad", 3, "demo")
        error.path = "dir/pylock.toml"
        assert str(error) == "dir/pylock.toml: package 'demo' (line 3): it is bad"


class TestHeader:
    def test_it_is_a_lock_without_packages(self) -> None:
        header = parse_header({**HEADER, "packages": [{"never": "looked at"}], "extras": ["x"]})
        assert (header.packages, header.extras) == ([], ["x"])

    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            ({"created-by": "tests"}, "Missing required value in 'lock-version'"),
            ({"lock-version": "1.0"}, "Missing required value in 'created-by'"),
            ({**HEADER, "lock-version": 1.0}, "Unexpected type float (expected str)"),
            ({**HEADER, "lock-version": "one"}, "Invalid version: 'one' in 'lock-version'"),
            ({**HEADER, "requires-python": "abc"}, "Invalid specifier: 'abc'"),
            ({**HEADER, "extras": ["A_b"]}, "Name 'A_b' is not normalized in 'extras[0]'"),
            ({**HEADER, "environments": ["os"]}, "Expected a marker variable"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_pep_751_does_not_allow_is_refused(
        self, table: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(InvalidLock) as caught:
            parse_header(table)
        assert str(caught.value).startswith(f"line 1: {problem}")

    @pytest.mark.parametrize("version", ["2.0", "0.9"])
    def test_another_major_version_is_refused(self, version: str) -> None:
        with pytest.raises(UnsupportedLockVersion) as caught:
            parse_header({**HEADER, "lock-version": version})
        assert str(caught.value) == f"lock-version '{version}' is not supported, only 1.x is"
        assert caught.value.exit_code is ExitCode.INVALID_INPUT
        assert (
            caught.value.hint == "install a newer lockstream, or lock again with lock-version 1.0"
        )

    def test_a_newer_minor_version_is_read_and_told(self, caplog: pytest.LogCaptureFixture) -> None:
        header = parse_header({**HEADER, "lock-version": "1.7", "new-key": 1})
        assert header.lock_version == Version("1.7")
        assert newer_remark(header, "pylock.toml") == (
            "pylock.toml: its lock-version is 1.7, and what is newer in it than 1.0 does not "
            "count; a newer lockstream may know it"
        )
        assert newer_remark(parse_header(HEADER), "pylock.toml") == ""
        assert not caplog.records, "packaging has a line of its own"


class TestPackage:
    def test_it_is_what_packaging_makes_of_it(self) -> None:
        parsed = parse_package(package(marker="os_name == 'posix'", tool={"x": {}}), 1)
        assert (parsed.name, str(parsed.version)) == ("demo", "1.0")
        assert str(parsed.marker) == 'os_name == "posix"'
        assert parsed.tool == {"x": {}}
        assert parsed.wheels is not None
        assert parsed.wheels[0].filename == "demo-1.0-py3-none-any.whl"

    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            pytest.param(
                package(wheels=None),
                "Exactly one of vcs, directory, archive must be set "
                "if sdist and wheels are not set",
                id="no source",
            ),
            pytest.param(
                package(archive={"url": "https://example.com/x.whl", "hashes": SHA}),
                "None of vcs, directory, archive must be set if sdist or wheels are set",
                id="two sources",
            ),
            pytest.param(
                package(wheels=[{"name": "demo-1.0-py3-none-any.whl", "hashes": SHA}]),
                "path or url must be provided in 'wheels[0]'",
                id="no place",
            ),
            pytest.param(
                package(wheels=[wheel(hashes={})]),
                "At least one hash must be provided in 'wheels[0].hashes'",
                id="no hash",
            ),
            pytest.param(
                package(wheels=[wheel(), wheel("other-1.0-py3-none-any.whl")]),
                "Name in 'other-1.0-py3-none-any.whl' is not consistent with package name 'demo' "
                "in 'wheels[1]'",
                id="wheel of another project",
            ),
            pytest.param(
                package(wheels=[wheel("demo-2.0-py3-none-any.whl")]),
                "Version in 'demo-2.0-py3-none-any.whl' is not consistent with package version "
                "'1.0' in 'wheels[0]'",
                id="wheel of another version",
            ),
            pytest.param(
                package(wheels=[wheel("../demo-1.0-py3-none-any.whl")]),
                "Invalid wheel filename '../demo-1.0-py3-none-any.whl' in 'wheels[0]'",
                id="file name with a folder",
            ),
            pytest.param(
                package(wheels=[{"url": "https://[::1/x.whl", "hashes": SHA}]),
                "Invalid IPv6 URL",
                id="broken url",
            ),
            pytest.param(
                package(wheels=[wheel(), wheel(size=-1)]),
                "-1 is not a size in 'wheels[1].size'",
                id="size below zero",
            ),
            pytest.param(
                package(
                    sdist={"url": "https://x.example/demo-1.0.tar.gz", "hashes": SHA, "size": -1}
                ),
                "-1 is not a size in 'sdist.size'",
                id="size of the sdist below zero",
            ),
            pytest.param(package(version="x"), "Invalid version: 'x' in 'version'", id="version"),
        ],
    )
    def test_what_pep_751_does_not_allow_is_refused(
        self, table: dict[str, Any], problem: str
    ) -> None:
        assert refusal(table) == f"package 'demo' (line 7): {problem}"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (None, "line 7: Missing required value in 'name'"),
            (["demo"], "line 7: Unexpected type list (expected str) in 'name'"),
            ("Demo", "package 'Demo' (line 7): Name 'Demo' is not normalized in 'name'"),
        ],
    )
    def test_a_package_without_a_proper_name_is_told_by_its_line(
        self, name: object, message: str
    ) -> None:
        assert refusal(package(name=name)) == message


class TestUnreadableWheelNames:
    VARIANT = "demo-1.0-py3-none-any-x86_64_v3-more.whl"

    def test_such_a_wheel_costs_itself_and_not_the_lock(self) -> None:
        parsed = parse_package(package(wheels=[wheel(self.VARIANT), wheel()]), 1)
        assert parsed.wheels is not None
        assert [found.filename for found in parsed.wheels] == ["demo-1.0-py3-none-any.whl"]

    def test_an_sdist_is_left_where_all_wheels_are_such(self) -> None:
        sdist = {"name": "demo-1.0.tar.gz", "url": "https://example.com/x", "hashes": SHA}
        parsed = parse_package(package(wheels=[wheel(self.VARIANT)], sdist=sdist), 1)
        assert not parsed.wheels
        assert parsed.sdist is not None

    def test_without_any_other_file_the_package_is_refused(self) -> None:
        message = refusal(package(wheels=[wheel(self.VARIANT)]))
        assert message == (
            f"package 'demo' (line 7): Invalid wheel filename '{self.VARIANT}' in 'wheels[0]'"
        )

    @pytest.mark.parametrize(
        "bad",
        [{"hashes": SHA}, {"path": 5, "hashes": SHA}, "text", 5],
        ids=["no place", "path of another type", "text", "number"],
    )
    def test_another_fault_beside_it_is_still_told(self, bad: object) -> None:
        assert "'wheels[1]" in refusal(package(wheels=[wheel(self.VARIANT), bad, wheel()]))

    def test_a_wheel_beside_it_whose_place_has_no_file_name_is_refused(self) -> None:
        nameless = {"url": "https://example.com", "hashes": SHA}
        message = refusal(package(wheels=[wheel(self.VARIANT), nameless]))
        assert message == "package 'demo' (line 7): Cannot determine wheel filename"


@pytest.mark.parametrize(
    "marker", [r"os_name != 'a\\'", r"os_name != 'a\nb'", r"os_name != '\x22'", r"'\\' in extras"]
)
def test_a_marker_that_packaging_prints_as_another_is_refused(marker: str) -> None:
    problem = "a marker has a backslash, for which the grammar of markers (PEP 508) has no place"
    assert refusal(package(marker=marker)) == f"package 'demo' (line 7): {problem}"
    with pytest.raises(InvalidLock) as caught:
        parse_header({**HEADER, "environments": ["os_name == 'posix'", marker]})
    assert str(caught.value) == f"line 1: {problem}"


@pytest.mark.parametrize("place", ['path = "a\\u0000b"', 'url = "file:///a%00b"'])
def test_a_zero_byte_in_a_place_is_refused(place: str) -> None:
    text = (
        '[[packages]]\nname = "demo"\nversion = "1.0"\n'
        f'wheels = [{{name = "demo-1.0-py3-none-any.whl", {place}, hashes = {{sha256 = "00"}}}}]\n'
    )
    [_, block] = scan_blocks([text.encode()])
    with pytest.raises(InvalidLock, match="holds a zero byte"):
        parse_package(parse_block(block), block.line)


@pytest.mark.parametrize(
    "place",
    [
        {"url": "https://example.com/"},
        {"url": "https://example.com"},
        {"url": "https://example.com/download/?file=demo-1.0.zip"},
        {"url": "file:///"},
        {"path": "/"},
    ],
    ids=str,
)
def test_an_archive_without_a_file_name_is_refused(place: dict[str, str]) -> None:
    table = package(wheels=None, archive={**place, "hashes": SHA})
    message = "package 'demo' (line 7): the url or path of its archive names no file"
    assert refusal(table) == message


@pytest.mark.parametrize(
    "url", ["https://[::1/demo-1.0.tar.gz", "ssh://exam\u2100ple.com/demo.git"]
)
@pytest.mark.parametrize(
    "source",
    [
        {"archive": {"hashes": SHA}},
        {"sdist": {"name": "demo-1.0.tar.gz", "hashes": SHA}},
        {"vcs": {"type": "git", "commit-id": "d" * 40}},
        {"wheels": [{"name": "demo-1.0-py3-none-any.whl", "hashes": SHA}]},
    ],
    ids=str,
)
def test_a_url_whose_host_cannot_be_told_is_refused(source: dict[str, Any], url: str) -> None:
    ((key, value),) = source.items()
    value = [{**value[0], "url": url}] if key == "wheels" else {**value, "url": url}
    table = package(**{"wheels": None, key: value})
    assert refusal(table) == "package 'demo' (line 7): a url is malformed"
