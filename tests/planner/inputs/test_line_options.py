"""The options of a line are those of pip; values that may be secret are never shown."""

from __future__ import annotations

import pytest

from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine
from planner.inputs.line_options import (
    parse_line_options,
    parse_requirement_options,
    split_options,
)

HERE = "requirements.in:1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo", ("demo", "")),
        ("demo>=1 --hash=x", ("demo>=1", "--hash=x")),
        ("demo ; os_name == 'a-b' \t-C x=y", ("demo ; os_name == 'a-b'", "-C x=y")),
        ("demo-app", ("demo-app", "")),
    ],
)
def test_options_begin_at_a_hyphen_after_a_space(text: str, expected: tuple[str, str]) -> None:
    assert split_options(text) == expected


def test_options_may_be_shortened_quoted_and_repeated() -> None:
    options = parse_line_options("--extra-index 'https://a' -fx -f 'my wheels' --no-index", HERE)
    assert options.extra_index_url == ["https://a"]
    assert options.find_links == ["x", "my wheels"]
    assert options.no_index


def test_a_line_does_not_see_the_options_of_another() -> None:
    parse_line_options("-f one --trusted-host a", HERE)
    options = parse_line_options("-f two", HERE)
    assert (options.find_links, options.trusted_host) == (["two"], [])


@pytest.mark.parametrize("option", ["--no-binary", "--only-binary"])
def test_a_set_of_projects_holds_names_alone(option: str) -> None:
    assert parse_line_options(f"{option} :none:,a,B_c", HERE)
    with pytest.raises(InvalidRequirementLine, match=f"{option} has a word that is not") as caught:
        parse_line_options(f"{option} a,secret==1", HERE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("algorithm", "size"), [("sha256", 64), ("sha384", 96), ("sha512", 128)])
def test_each_algorithm_of_pip_is_accepted(algorithm: str, size: int) -> None:
    hashes, _ = parse_requirement_options(f"--hash={algorithm}:{'A' * size}", HERE)
    assert hashes == {f"{algorithm}:{'a' * size}"}


@pytest.mark.parametrize("word", ["md5:aa", "sha256:xx", "sha256:", "sha256", "sha1:" + "a" * 40])
def test_a_hash_of_another_algorithm_is_refused(word: str) -> None:
    with pytest.raises(InvalidRequirementLine, match="is not sha256, sha384 or sha512") as caught:
        parse_requirement_options(f"--hash={word}", HERE)
    assert caught.value.hint.startswith("leave it out")


def test_a_hash_that_is_cut_off_is_refused() -> None:
    with pytest.raises(InvalidRequirementLine, match="has 63 digits, and sha256 has 64"):
        parse_requirement_options(f"--hash=sha256:{'a' * 63}", HERE)


def test_build_options_become_build_flags() -> None:
    text = "-C a=1 --config-settings=a=2 --global-option=--x --build-option y"
    _, setting = parse_requirement_options(text, HERE)
    assert setting is not None
    assert setting.config_settings == {
        "a": ["1", "2"],
        "--global-option": "--x",
        "--build-option": "y",
    }
    assert parse_requirement_options("", HERE) == (frozenset(), None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("--no-index=1", "--no-index option does not take a value"),
        ("--no", "ambiguous option: --no"),
        ("--pre word", "it has a word that is not an option"),
        ("-r 'open", "No closing quotation"),
        ("-f", "-f option requires 1 argument"),
    ],
)
def test_a_malformed_line_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(InvalidRequirementLine, match=problem):
        parse_line_options(text, HERE)


@pytest.mark.parametrize(
    "text", ["--token=s3cret", "--pre --x=s3cret", "--process-dependency-links"]
)
def test_an_unknown_option_is_named_without_its_value(text: str) -> None:
    with pytest.raises(UnsupportedRequirementLine, match="is not supported") as raised:
        parse_line_options(text, HERE)
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"


def test_an_option_of_a_whole_file_behind_a_requirement_has_a_line_of_its_own() -> None:
    with pytest.raises(UnsupportedRequirementLine, match="--pre of a requirement is not") as found:
        parse_requirement_options("--pre", HERE)
    assert found.value.hint == "write it on a line of its own"


def test_a_config_setting_without_a_value_is_refused() -> None:
    with pytest.raises(InvalidRequirementLine, match="--config-settings a is not KEY=VALUE"):
        parse_requirement_options("-C a", HERE)


@pytest.mark.parametrize("text", ["--hash=s3cret", "--s3cret=1", "-C s3cret", "--hash=sha256:ab"])
def test_an_error_shows_only_what_the_user_wrote(text: str) -> None:
    with pytest.raises(InvalidRequirementLine) as raised:
        parse_requirement_options(text, HERE, written="${TOKEN}")
    assert "s3cret" not in str(raised.value)
    assert "sha256:ab" not in str(raised.value)
