"""Requirements files say what pip's documentation says they do, or are refused by file and line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from planner.inputs.errors import (
    InvalidRequirementLine,
    UnreadableInput,
    UnsupportedRequirementLine,
)
from planner.inputs.inputs import Inputs
from planner.inputs.requirements_file import read_requirements
from schemas.errors import InvalidInput


def read(folder: Path, text: str, **environment: str) -> Inputs:
    path = folder / "requirements.in"
    path.write_text(text)
    return read_requirements([str(path)], environment=environment)


def names(inputs: Inputs) -> list[str]:
    return [str(one.requirement) for one in inputs.requirements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("demo\n", ["demo"], id="a name"),
        pytest.param("demo >= 1, < 2\n", ["demo<2,>=1"], id="specifiers with spaces"),
        pytest.param("demo (>=1)\n", ["demo>=1"], id="specifiers in parentheses"),
        pytest.param("demo[b,a]==1\n", ["demo[a,b]==1"], id="extras"),
        pytest.param(
            'demo ; python_version < "3.12"\n', ['demo; python_version < "3.12"'], id="a marker"
        ),
        pytest.param("demo", ["demo"], id="no newline at the end"),
        pytest.param("demo\r\nother\r\n", ["demo", "other"], id="lines of Windows"),
        pytest.param("\ufeffdemo\n", ["demo"], id="a byte order mark"),
        pytest.param("# a comment\n\n   \ndemo # why\n", ["demo"], id="comments and blank lines"),
        pytest.param("demo>=1 \\\n  ,<2\nother\n", ["demo<2,>=1", "other"], id="a continued line"),
        pytest.param("demo \\\n# why\nother\n", ["demo", "other"], id="a comment ends it"),
        pytest.param("demo \\", ["demo"], id="continued to the end"),
        pytest.param("--pre\n--prefer-binary\n--only-binary :all:\ndemo", ["demo"], id="options"),
    ],
)
def test_each_line_is_a_requirement(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert names(read(tmp_path, text)) == expected


@pytest.mark.parametrize(
    "line", ["demo==1;", "demo==1 ;", "demo==1 ; # any", "demo==1; --hash=sha256:" + "a" * 64]
)
def test_a_semicolon_without_a_marker_means_nothing(tmp_path: Path, line: str) -> None:
    assert names(read(tmp_path, f"{line}\n")) == ["demo==1"]
    with pytest.raises(InvalidRequirementLine):
        read(tmp_path, f"{line.replace(';', ';;')}\n")


def test_a_semicolon_at_the_end_of_an_address_is_a_part_of_it(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "https://host.example/demo-1.0-py3-none-any.whl?a=b;\n").requirements
    assert one.requirement.url == "https://host.example/demo-1.0-py3-none-any.whl?a=b;"


def test_a_requirement_knows_its_place(tmp_path: Path) -> None:
    inputs = read(tmp_path, "# first\ndemo \\\n  >=1\nother\n")
    path = tmp_path / "requirements.in"
    assert [one.origin for one in inputs.requirements] == [f"{path}:2", f"{path}:4"]


def test_variables_are_those_of_the_environment(tmp_path: Path) -> None:
    text = "--index-url https://${USER_1}:${TOKEN}@index.example/simple/\ndemo==${VERSION}\n"
    inputs = read(tmp_path, text, USER_1="ada", TOKEN="s3cret", VERSION="1.0")
    assert inputs.index_url == "https://ada:s3cret@index.example/simple/"
    assert names(inputs) == ["demo==1.0"]


def test_only_the_braced_upper_case_form_is_a_variable(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequirementLine):
        read(tmp_path, "demo==$VERSION\n", VERSION="1.0")


def test_included_files_are_found_from_the_file_that_includes_them(tmp_path: Path) -> None:
    (tmp_path / "parts" / "deep").mkdir(parents=True)
    (tmp_path / "parts" / "base.in").write_text("-r deep/more.in\nbase\n")
    (tmp_path / "parts" / "deep" / "more.in").write_text("more\n")
    (tmp_path / "parts" / "limits.txt").write_text("base<2\n")
    inputs = read(tmp_path, "-r parts/base.in\n--constraint=parts/limits.txt\ndemo\n")
    assert names(inputs) == ["more", "base", "demo"]
    assert [str(one.requirement) for one in inputs.constraints] == ["base<2"]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"demo\n")))
    assert names(read_requirements(["-"], environment={})) == ["demo"]


def test_hashes_restrict_a_requirement(tmp_path: Path) -> None:
    digests = "a" * 64, "B" * 64
    text = f"demo==1 \\\n  --hash=sha256:{digests[0]} \\\n  --hash sha256:{digests[1]}\n"
    (requirement,) = read(tmp_path, text).requirements
    assert requirement.hashes == {f"sha256:{digests[0]}", f"sha256:{'b' * 64}"}


def test_options_are_noted(tmp_path: Path) -> None:
    inputs = read(tmp_path, "-i https://index.example/simple\n--require-hashes\n--pre\n")
    assert inputs.index_url == "https://index.example/simple"
    assert inputs.require_hashes
    assert inputs.prereleases


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(
            "demo>=>1",
            "'demo>=>1' is not a requirement: Expected semicolon (after name with no version "
            "specifier) or end",
            id="a malformed specifier",
        ),
        pytest.param(
            "demo==${NO_SUCH}", "the environment variable NO_SUCH is not set", id="unset variable"
        ),
        pytest.param(
            "demo==1 --hash=md5:" + "a" * 32,
            f"--hash=md5:{'a' * 32} is not sha256, sha384 or sha512 with hexadecimal digits",
            id="a weak hash",
        ),
        pytest.param("--index-url", "--index-url option requires 1 argument",
                     id="an option without its value"),
        pytest.param("-e demo", "there is no project in 'demo'", id="an editable name"),
        pytest.param("-r 'open", "No closing quotation", id="an open quote"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(InvalidRequirementLine) as raised:
        read(tmp_path, f"fine\n{line}\n")
    assert str(raised.value) == f"{tmp_path / 'requirements.in'}:2: {problem}"


ADDRESS = (
    "an address in place of a version has to be that of a wheel, an archive, a folder or a git "
    "repository"
)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("-e git+https://git.example/a.git#egg=a",
                     "-e is only supported for a folder, in a requirements file",
                     id="an editable repository"),
        pytest.param("--global-option=x", "--global-option stands on a line without a requirement",
                     id="build options"),
        pytest.param("--hash=sha256:ab", "--hash stands on a line without a requirement",
                     id="a hash"),
        pytest.param("demo --install-option=a",
                     "--install-option of a requirement is not supported", id="removed by pip"),
        pytest.param("--all-releases demo",
                     "--all-releases of single projects is not supported", id="some pre-releases"),
        pytest.param("--only-final demo", "--only-final is not supported", id="final releases"),
        pytest.param("https://files.example/main.zip",
                     "its address does not say which project is there", id="a URL alone"),
        pytest.param("demo @ hg+https://hg.example/demo", ADDRESS, id="another repository"),
        pytest.param("demo @ git+ext::sh", ADDRESS, id="a program"),
        pytest.param("demo @ ftp://files.example/demo-1.0.tar.gz", ADDRESS, id="another protocol"),
    ],
)  # fmt: skip
def test_what_planning_does_not_do_is_refused_by_file_and_line(
    tmp_path: Path, line: str, problem: str
) -> None:
    with pytest.raises(UnsupportedRequirementLine) as raised:
        read(tmp_path, f"\n{line}\n")
    assert str(raised.value) == f"{tmp_path / 'requirements.in'}:2: {problem}"


def test_an_error_never_shows_the_value_of_a_variable(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequirementLine) as raised:
        read(tmp_path, "--trusted-host=https://${TOKEN}@index.example/\n", TOKEN="s3cret")
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"


def test_a_constraint_has_no_extras(tmp_path: Path) -> None:
    path = tmp_path / "limits.txt"
    path.write_text("demo[a]<2\n")
    with pytest.raises(InvalidRequirementLine, match="a constraint cannot require extras") as found:
        read_requirements([], [str(path)], environment={})
    assert "leave out the brackets" in found.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"no-such\.in: No such file or directory") as caught:
        read(tmp_path, "demo\n-r no-such.in\n")
    assert ":2 includes it: correct the path, or leave it out" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "option"), [("paths", "-r"), ("constraints", "-c"), ("overrides", "--override")]
)
def test_one_that_a_lock_or_the_user_names_has_a_hint(
    tmp_path: Path, kind: str, option: str
) -> None:
    gone = [str(tmp_path / "gone.in")]
    files = [gone if one == kind else [] for one in ("paths", "constraints", "overrides")]
    with pytest.raises(UnreadableInput) as caught:
        read_requirements(*files, environment={})
    assert caught.value.hint == (
        f"bring it back, or name another one: lockstream plan {option} FILE"
    )


def test_a_folder_in_the_place_of_a_file_leads_to_a_plan_of_it(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="Is a directory") as caught:
        read_requirements([str(tmp_path)], [], environment={})
    assert caught.value.hint.endswith(f"or plan its project: lockstream plan {tmp_path}")


def test_the_marks_of_a_merge_are_called_that(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequirementLine) as caught:
        read(tmp_path, "demo\n<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> branch\n")
    assert str(caught.value).endswith(":2: it has the marks of a merge conflict")
    assert caught.value.hint


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.in"
    path.write_bytes(b"demo # caf\xe9\n")
    with pytest.raises(UnreadableInput, match=r"latin\.in: byte 10 is not UTF-8 text"):
        read_requirements([str(path)], environment={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-r requirements.in\n", "requirements.in:1: the file includes itself"),
        ("-r ./x/../requirements.in\n", "requirements.in:1: the file includes itself"),
        ("-c more.in\n", "more.in:1: it includes a file that includes this one"),
    ],
)
def test_files_that_include_each_other_in_a_circle_are_refused(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "more.in").write_text("-r requirements.in\n")
    with pytest.raises(InvalidRequirementLine, match=problem):
        read(tmp_path, text)


def test_a_file_that_is_included_twice_is_read_once_for_each_purpose(tmp_path: Path) -> None:
    for level in range(20):
        included = f"{level + 1}.in"
        (tmp_path / f"{level}.in").write_text(f"-r {included}\n-r {included}\n-c {included}\n")
    (tmp_path / "20.in").write_text("demo\n")
    inputs = read(tmp_path, "-r 0.in\n")
    assert [str(one.requirement) for one in inputs.requirements] == ["demo"]
    assert [str(one.requirement) for one in inputs.constraints] == ["demo"]


def test_files_without_end_are_refused(tmp_path: Path) -> None:
    def fetch(url: str) -> bytes:
        return f"-r {url}0\n-r {url}1\n".encode()

    path = tmp_path / "requirements.in"
    path.write_text("-r https://f.example/0\n")
    with pytest.raises(InvalidRequirementLine, match="more than 32 levels deep"):
        read_requirements([str(path)], environment={}, fetch=fetch)
    path.write_text("".join(f"-r https://f.example/{number}\n" for number in range(1001)))
    with pytest.raises(InvalidRequirementLine, match="more than 1000 files are included"):
        read_requirements([str(path)], environment={}, fetch=lambda _: b"")


def test_options_of_pip_say_where_to_look(tmp_path: Path) -> None:
    inputs = read(
        tmp_path,
        "-i https://one.example/\n--extra-index-url https://two.example/\n"
        "--extra-index-url=https://three.example/\n-f wheels\n"
        "--find-links https://links.example/page\n--no-index\n"
        "--no-binary a,b\n--only-binary c\n--prefer-binary\n",
    )
    assert inputs.index_url == "https://one.example/"
    assert inputs.extra_index_urls == ("https://two.example/", "https://three.example/")
    assert inputs.find_links == (str(tmp_path / "wheels"), "https://links.example/page")
    assert inputs.no_index
    assert inputs.no_binary == ("a,b",)
    assert inputs.only_binary == ("c",)


def test_overrides_are_read_apart(tmp_path: Path) -> None:
    path = tmp_path / "overrides.txt"
    path.write_text("demo[x]<2; python_version > '3'\n")
    inputs = read_requirements([], [], [str(path)], environment={})
    assert [str(one.requirement) for one in inputs.overrides] == ['demo[x]<2; python_version > "3"']
    assert inputs.requirements == inputs.constraints == ()


WHEEL = "https://files.example/demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(f"demo @ {WHEEL}", f"demo @ {WHEEL}", id="a name and a URL"),
        pytest.param(WHEEL, f"demo @ {WHEEL}", id="a URL"),
        pytest.param(f"{WHEEL}#sha256=ab", f"demo @ {WHEEL}#sha256=ab", id="a URL with a hash"),
        pytest.param(f"{WHEEL}?x=1 ; python_version > '3'",
                     f'demo @ {WHEEL}?x=1 ; python_version > "3"', id="a query and a marker"),
        pytest.param("file:///a%20b/demo-1.0-py3-none-any.whl[x,y]",
                     "demo[x,y] @ file:///a%20b/demo-1.0-py3-none-any.whl",
                     id="a file with extras"),
        pytest.param("/a/demo-1.0-py3-none-any.whl[x]; os_name == 'nt'",
                     'demo[x] @ file:///a/demo-1.0-py3-none-any.whl ; os_name == "nt"',
                     id="a path with extras and a marker"),
    ],
)  # fmt: skip
def test_a_wheel_can_stand_in_place_of_a_project(tmp_path: Path, line: str, expected: str) -> None:
    (found,) = read(tmp_path, f"{line}\n").requirements
    assert found.requirement == Requirement(expected)


def test_a_path_starts_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    for line in ("./demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"):
        (found,) = read(tmp_path, line).requirements
        assert found.requirement == Requirement("demo @ file:///demo-1.0-py3-none-any.whl")


def test_a_file_that_powershell_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("demo\r\nother\r\n".encode("utf-16"))
    assert names(read_requirements([str(path)], environment={})) == ["demo", "other"]


def test_a_file_may_be_named_by_a_file_url(tmp_path: Path) -> None:
    (tmp_path / "my base.in").write_text("base\n")
    text = f"-r {(tmp_path / 'my base.in').as_uri()}\n-c file:{tmp_path}/my%20base.in\n"
    inputs = read(tmp_path, text)
    assert names(inputs) == ["base"]
    assert [one.requirement.name for one in inputs.constraints] == ["base"]


def test_requirements_that_a_constraints_file_includes_are_requirements(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("demo<2\n-r base.in\n")
    (tmp_path / "base.in").write_text("base\n")
    inputs = read_requirements([], [str(tmp_path / "c.txt")], environment={})
    assert names(inputs) == ["base"]
    assert [one.requirement.name for one in inputs.constraints] == ["demo"]


def test_links_that_are_not_next_to_the_file_start_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep" / "own").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    path = tmp_path / "deep" / "requirements.in"
    path.write_text("-f own\n-f wheels\n-f missing\n")
    assert read_requirements([str(path)], environment={}).find_links == (
        str(tmp_path / "deep" / "own"),
        "wheels",
        str(tmp_path / "deep" / "missing"),
    )


def test_the_build_flags_of_a_requirement_are_those_of_its_project(tmp_path: Path) -> None:
    inputs = read(tmp_path, "Demo==1 --config-settings --x=1 --global-option=--y\n")
    assert inputs.settings.build["demo"].config_settings == {"--x": "1", "--global-option": "--y"}


def test_a_trusted_host_is_noted_with_a_warning(tmp_path: Path) -> None:
    inputs = read(tmp_path, "--trusted-host index.example:8443\n--trusted-host [::1]\n")
    assert inputs.trusted_hosts == ("index.example:8443", "[::1]")
    assert "the certificate of index.example:8443 is not verified" in inputs.remarks[0]


def test_features_of_pip_have_no_effect_and_a_warning(tmp_path: Path) -> None:
    (remark,) = read(tmp_path, "--use-feature=fast-deps\ndemo\n").remarks
    assert remark.endswith("requirements.in:1: --use-feature is for pip and has no effect")


def test_pre_releases_of_all_projects_are_allowed_by_either_option(tmp_path: Path) -> None:
    assert read(tmp_path, "--all-releases :all:\n").prereleases


@pytest.mark.parametrize("included", ["https://[::1/r.txt", "https://f.ex]", "file://[::1/x"])
def test_a_file_at_a_malformed_url_is_an_error(tmp_path: Path, included: str) -> None:
    path = tmp_path / "requirements.in"
    path.write_text(f"-r {included}\n")
    with pytest.raises(InvalidInput):
        read_requirements([str(path)], environment={}, fetch=lambda _: f"-r {included}\n".encode())
