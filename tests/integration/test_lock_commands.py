"""What a lock costs, who asks for whom in it, and what changes from one to another."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import WINDOWS, plan_into
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.demand import disk_of

pytestmark = pytest.mark.usefixtures("cache_folder")

APP = build_wheel(
    "app", requires=["part[x]>=1", "win; os_name == 'nt'"], files={"app.py": "x" * 5_000_000}
)
BASE_WHEEL = build_wheel("base", files={f"base/{number}.py": "y" * 1000 for number in range(10)})
PART = build_wheel("part", requires=["base<2"], extras={"x": ["base", "more"]})
MORE = build_wheel("more", requires=["part"])
WIN = build_wheel("win")


@pytest.fixture
def lock(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    index.add(APP, BASE_WHEEL, PART, MORE, WIN)
    return plan_into(index, tmp_path, ["app", "base"], *WINDOWS)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = lockstream.main(list(arguments))
    told = capsys.readouterr()
    return status, told.out, told.err


def total(*wheels: Wheel) -> tuple[int, int, int]:
    """Bytes to fetch, bytes unpacked, files."""
    return (
        sum(wheel.size for wheel in wheels),
        sum(wheel.hints.unpacked_size for wheel in wheels),
        sum(wheel.hints.files for wheel in wheels),
    )


@pytest.mark.usefixtures("lock")
def test_show_tells_what_each_target_takes(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "show", "--json")
    assert (status, err) == (0, "")
    linux, windows = json.loads(out)
    everywhere = (APP, BASE_WHEEL, MORE, PART)
    for cost, wheels in ((linux, everywhere), (windows, (*everywhere, WIN))):
        assert (cost["size"], cost["unpacked-size"], cost["files"]) == total(*wheels)
        assert cost["largest-file"] == 5_000_000
        assert cost["disk"] == disk_of((wheel.size, wheel.hints) for wheel in wheels)
    assert [package["name"] for package in linux["packages"]] == ["app", "base", "more", "part"]
    assert windows["target"]["platform"] == "win_amd64"


@pytest.mark.usefixtures("lock")
def test_show_prints_tables(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "show", "--packages", "2")
    assert status == 0
    targets, packages = (part.splitlines() for part in out.split("\n\n"))
    assert [line.split("  ")[0] for line in targets] == [
        "target", "CPython 3.11.0 on manylinux_2_28_x86_64", "CPython 3.11.0 on win_amd64",
    ]  # fmt: skip
    assert targets[0].split("  ")[-1] == "disk"
    assert [line.split("  ")[0] for line in packages] == ["package", "app 1.0", "base 1.0"]


@pytest.mark.parametrize(
    "words",
    [
        *(["check"], ["show"], ["tree"], ["why", "part"], ["builds"], ["plan"]),
        ["execute", "--dry-run", "--target", "new", "--python-version", "3.11"],
        ["key", "--venv", "new"],
        ["diff", "old.toml"],
    ],
    ids=lambda words: words[0],
)
def test_each_command_warns_once_of_a_lock_that_is_newer_than_the_program(
    lock: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = lock.read_text()
    (lock.parent / "old.toml").write_text(text)
    lock.write_text(text.replace('lock-version = "1.0"', 'lock-version = "1.1"'))
    _, _, err = run(capsys, *words)
    told = (
        "warning: pylock.toml: its lock-version is 1.1, and what is newer in it than 1.0 does not "
        "count; a newer lockstream may know it"
    )
    assert [line for line in err.splitlines() if "1.1" in line] == [told]


@pytest.mark.parametrize(
    ("room", "status", "told"),
    [
        pytest.param("64MiB/2GiB-disk", 0, "", id="enough"),
        pytest.param("26MiB", 0, "", id="just enough memory"),
        pytest.param("25MiB", 1, "26.0 MiB of memory are needed", id="too little memory"),
        pytest.param("10MiB-disk", 1, "12.8 MiB of disk are needed\n    app 1.0: 4.8 MiB",
                     id="too little disk"),
        pytest.param("1GiB/1GiB", 2, "names one quantity twice", id="memory twice"),
        pytest.param("much", 2, "'much' is neither a size nor a known place", id="no size"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("lock")
def test_fit(capsys: pytest.CaptureFixture[str], room: str, status: int, told: str) -> None:
    found, out, err = run(capsys, "show", "--fit", room)
    assert (found, told in err) == (status, True)
    assert bool(out) is (status != 2)  # nothing is printed before a wrong value is found


def test_a_plan_that_does_not_fit_is_not_written(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock.unlink()
    words = ["plan", "-r", "requirements.in", "-i", index.url, "--platform", "linux"]
    status, _, err = run(capsys, *words, "--fit", "64MiB/10MiB-disk")
    assert status == 1
    assert err.startswith("error: it does not fit\n")
    assert not lock.exists()


@pytest.mark.usefixtures("lock")
def test_why_tells_each_chain_from_the_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    place = Path.cwd() / "requirements.in"
    assert run(capsys, "why", "Base")[1].replace(str(place), place.name) == (
        "base 1.0\n"
        "  requirements.in:2 requires base\n"
        "  requirements.in:1 requires app; app 1.0 requires part[x]>=1; part[x] 1.0 requires base; "
        'extra == "x"\n'
        "  requirements.in:1 requires app; app 1.0 requires part[x]>=1; part 1.0 requires base<2\n"
    )
    for name, hint in (("win", "lockstream tree prints all"), ("bsae", "did you mean base?")):
        status, _, err = run(capsys, "why", name, "--platform", "linux")
        said = f"hint: {hint}; another lock stands after NAME: why NAME LOCK\n"
        assert (status, err) == (1, f"error: pylock.toml does not have {name}\n{said}")
    for name in ("base==1.0", "base[x]"):
        status, _, err = run(capsys, "why", name)
        assert (status, err.partition("\n")[0]) == (
            2, f"error: {name!r} is not the name of a project",
        )  # fmt: skip


def test_why_tells_a_chain_without_an_extra_of_the_project_if_there_is_one(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(
        "[project]\nname = 'demo'\nversion = '1'\ndependencies = ['app']\n"
        "[project.optional-dependencies]\nmore = ['part[x]']\n"
    )
    index.add(
        build_wheel("app", requires=["part[x]"]),
        build_wheel("part", extras={"x": ["base"]}),
        build_wheel("base"),
    )
    assert run(capsys, "plan", "-q", "-i", index.url, "--platform", "linux")[0] == 0
    chain = 'app 1.0 requires part[x]; part[x] 1.0 requires base; extra == "x"\n'
    assert run(capsys, "why", "base")[1] == (
        f"base 1.0\n  pyproject.toml [project] dependencies requires app; {chain}"
    )


@pytest.mark.usefixtures("lock")
def test_tree_tells_who_asks_for_whom(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "tree", "--python-version", "3.11", "--platform", "win_amd64")
    assert status == 0
    assert out == (
        "app 1.0  (requirements.in:1)\n"
        "├── part[x] 1.0  >=1\n"
        "│   ├── base 1.0  <2\n"
        "│   ├── base 1.0\n"
        "│   └── more 1.0\n"
        "│       └── part 1.0\n"
        "│           └── base 1.0  <2\n"
        "└── win 1.0\n"
        "base 1.0  (requirements.in:2)\n"
    )
    _, out, _ = run(capsys, "tree", "--depth", "0")
    assert out.split("\n\n")[0] == (
        "CPython 3.11.0 on manylinux_2_28_x86_64\n"
        "app 1.0  (requirements.in:1)\nbase 1.0  (requirements.in:2)"
    )


def test_a_tree_is_ascii_if_the_output_has_no_boxes(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(output, encoding="latin-1"))
    assert lockstream.main(["tree", str(lock), "--depth", "1"]) == 0
    lines = output.getvalue().decode("ascii").splitlines()
    assert any(line.startswith("|-- part[x]") for line in lines)
    assert any(line.startswith("`-- ") for line in lines)


def test_diff_tells_versions_files_and_cost(
    index: Index, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", "2.0", requires=["other"]), build_wheel("other"))
    plan_into(index, lock.parent, ["app==2.0", "base"], *WINDOWS, name="pylock.new.toml")
    status, out, _ = run(capsys, "diff", "pylock.toml", "pylock.new.toml")
    assert status == 0
    changes, costs = out.splitlines()[:-2], out.splitlines()[-2:]
    assert changes == [
        "~ app 1.0 -> 2.0", "- more 1.0", "+ other 1.0", "- part 1.0", "- win 1.0",
    ]  # fmt: skip
    assert costs[0].startswith(
        "CPython 3.11.0 on manylinux_2_28_x86_64: 4 -> 3 packages, 0.0 MiB (-"
    )
    _, out, _ = run(capsys, "diff", "pylock.toml", "pylock.new.toml", "--json")
    assert json.loads(out)["changes"][0] == {
        "name": "app", "old": ["1.0"], "new": ["2.0"], "notes": [],
    }  # fmt: skip


def test_diff_tells_what_should_make_a_reader_look_twice(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = BASE_WHEEL.sha256
    text = lock.read_text().replace(digest, "0" * 64)
    Path("pylock.new.toml").write_text(text)
    assert "~ base 1.0 (base-1.0-py3-none-any.whl is another file)" in run(
        capsys, "diff", "pylock.toml", "pylock.new.toml"
    )[1]  # fmt: skip


@pytest.mark.usefixtures("lock")
def test_locks_of_other_tools_are_shown_and_enriched(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = Path("pylock.theirs.toml")
    before = "# theirs\n" + lock_of([APP, BASE_WHEEL], base_url=f"{index.origin}/files/")
    theirs.write_text(before)
    named = ["--python-version", "3.11", "--platform", "linux"]
    _, _, err = run(capsys, "show", str(theirs), *named)
    command = "lockstream enrich pylock.theirs.toml"
    assert f"the lock does not record the sizes of 2 packages; {command} adds them" in err
    code, out, err = run(capsys, "show", str(theirs), *named, "--fit", "64MiB/9GiB-disk")
    assert code == 1
    assert ">0.0 MiB" in out
    assert "error: it cannot be told whether it fits" in err
    assert run(capsys, "enrich", str(theirs)) == (0, "", "recorded the sizes of 2 wheels\n")
    _, out, err = run(capsys, "show", str(theirs), *named, "--json")
    assert err == ""
    (cost,) = json.loads(out)
    assert (cost["size"], cost["unpacked-size"], cost["files"]) == total(APP, BASE_WHEEL)
    after = theirs.read_text()
    assert after.startswith("# theirs\n")
    document = tomllib.loads(after)
    for package in document["packages"]:
        del package["tool"]
    assert document == tomllib.loads(before)
    assert run(capsys, "enrich", str(theirs)) == (0, "", "recorded the sizes of 0 wheels\n")
    assert theirs.read_text() == after


HEADER = 'lock-version = "1.0"\ncreated-by = "x"\n'


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        pytest.param(f"{HEADER}packages = [{{name = 'a', directory = {{path = 'a'}}}}]\n", 3,
                     "the hints of an inline array of packages cannot be added", id="inline"),
        pytest.param("lock-version = 1", 3, "pylock.theirs.toml: line 1: ", id="header"),
        pytest.param(HEADER, 3,
                     "line 1: it has no packages array", id="no packages"),
        pytest.param(f"{HEADER}[[packages]]\nname = 'A'\n", 3,
                     "pylock.theirs.toml: package 'A' (line 3): ", id="invalid"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("lock")
def test_locks_that_cannot_be_enriched_stay_as_they_are(
    capsys: pytest.CaptureFixture[str], text: str, status: int, told: str
) -> None:
    Path("pylock.theirs.toml").write_text(text)
    found, _, err = run(capsys, "enrich", "pylock.theirs.toml")
    assert (found, told in err) == (status, True)
    assert Path("pylock.theirs.toml").read_text() == text


@pytest.mark.parametrize(
    "text",
    [
        "lock-version = 1",
        HEADER,
        'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n',
        f"{HEADER}packages = []\n[[packages]]\nname = 'a'\n",
        f"{HEADER}[[packages]]\nname = 'a'\ndirectory = {{path = 'a'}}\n[other]\n",
    ],
)
@pytest.mark.usefixtures("lock")
def test_enrich_refuses_what_execute_refuses_in_the_same_words(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("pylock.theirs.toml").write_text(text)
    refused = run(capsys, "execute", "pylock.theirs.toml", "--target", "packages")
    assert refused[0] == 3
    assert run(capsys, "enrich", "pylock.theirs.toml") == refused


def test_a_lock_that_cannot_be_enriched_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pylock.toml").write_bytes(b"\xff")
    for path, code, hint in (
        ("absent.toml", 3, f"lockstream plan {tmp_path} writes it"),
        ("", 3, "name the lock in it"),
        ("pylock.toml", 3, "TOML files are UTF-8 text"),
    ):
        assert lockstream.main(["enrich", str(tmp_path / path)]) == code
        assert f"hint: {hint}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("gone/pylock.toml", "name a file in a folder that exists"),
        ("folder", "name a file in a folder that exists"),
        ("link.toml", "remove the link"),
    ],
)
def test_what_an_enriched_lock_cannot_be_written_to_is_told_before_the_work(
    lock: Path,
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    hint: str,
) -> None:
    monkeypatch.chdir(lock.parent)
    Path("folder").mkdir()
    Path("link.toml").symlink_to("gone/pylock.toml")
    lock.write_text(
        re.sub(r"\[packages\.tool.*?(?=\n\[|\Z)", "", lock.read_text(), flags=re.DOTALL)
    )
    asked = len(index.asked)
    assert lockstream.main(["enrich", str(lock), "-o", output]) == 2
    assert f"hint: {hint}" in capsys.readouterr().err
    assert len(index.asked) == asked


@pytest.mark.parametrize(
    ("output", "content", "code", "problem"),
    [
        ("notes.txt", "mine", 2, "a lock cannot be called 'notes.txt'"),
        ("new.toml", None, 2, "a lock cannot be called 'new.toml'"),
        ("pylock.notes.toml", "mine", 3, "pylock.notes.toml: line 1: not valid TOML"),
        ("pylock.project.toml", "[project]\n", 3, "Missing required value in 'lock-version'"),
    ],
)
def test_an_enriched_lock_replaces_nothing_but_a_lock(
    lock: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    content: str | None,
    code: int,
    problem: str,
) -> None:
    """Any file was replaced; other commands that write locks refuse that."""
    monkeypatch.chdir(lock.parent)
    if content is not None:
        Path(output).write_text(content)
    found, _, err = run(capsys, "enrich", str(lock), "-o", output)
    assert (found, problem in err, "\nhint: " in err) == (code, True, True), err
    assert (Path(output).read_text() if Path(output).exists() else None) == content
    for path in ("pylock.other.toml", "pylock.other.toml", str(lock)):
        assert run(capsys, "enrich", str(lock), "-o", path)[0] == 0


def test_an_enriched_lock_that_has_no_space_is_told(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, _text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr("planner.lock.writer.write_atomically", refuse)
    assert lockstream.main(["enrich", str(lock)]) == 7


def test_a_hint_to_enrich_a_lock_ends_when_that_is_done(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The locks of uv state no sizes of files if an index has none."""
    text = re.sub(r"^size = .*\n", "", lock.read_text(), flags=re.MULTILINE)
    lock.write_text(text)
    assert lockstream.main(["show", str(lock)]) == 0
    err = capsys.readouterr().err
    assert "does not record the sizes" in err
    assert f"lockstream plan -o {lock} adds them" in err


def test_a_difference_is_one_document_on_standard_output(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "diff", str(lock), str(lock), "--json", "--markdown")
    assert (code, out) == (2, "")
    assert err.startswith("error: --markdown and --json exclude each other\n")
    code, out, _ = run(capsys, "diff", str(lock), str(lock), "--json", "--html", "page.html")
    assert (code, json.loads(out)["changes"]) == (0, [])
    assert Path("page.html").exists()
