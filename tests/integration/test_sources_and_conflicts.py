"""A project may come from another index, or an address, on each platform and with each extra; and
extras that exclude each other have versions of their own. The lock of it says so, a check sees what
changes, and an installation gets what its extras need.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")

LINUX, WINDOWS, MAC = (
    f"py3-none-{platform}"
    for platform in ("manylinux_2_17_x86_64", "win_amd64", "macosx_11_0_arm64")
)
TARGETS = ("--python-version", "3.11", "--platform", "linux", "--platform", "windows")


@pytest.fixture
def cpu() -> Iterator[Index]:
    with Index() as running:
        yield running


@pytest.fixture
def cuda() -> Iterator[Index]:
    with Index() as running:
        yield running


@pytest.fixture(autouse=True)
def _indexes(
    index: Index, cpu: Index, cuda: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for tag in (LINUX, WINDOWS, MAC):
        index.add(build_wheel("torch", "2.0", tag=tag, requires=["numpy"]))
    index.add(build_wheel("numpy", "1.0"), build_wheel("numpy", "2.0"))
    index.add(build_wheel("vision", "1.0", requires=["torch"]), build_wheel("docs", "1.0"))
    files = {"torch/kind": "cpu"}
    for tag in (LINUX, WINDOWS):
        cpu.add(build_wheel("torch", "2.0", tag=tag, requires=["numpy"], files=files))
        cuda.add(build_wheel("torch", "2.0+cuda", tag=tag, requires=["numpy<2"]))


def plan(index: Index, cpu: Index, cuda: Index, text: str, *words: str, status: int = 0) -> None:
    """Plan a project of ``text`` with three indexes, two of which are explicit."""
    indexes = "".join(
        f"[[tool.uv.index]]\nname = '{name}'\nurl = '{one.url}'\n{kind} = true\n"
        for name, one, kind in (
            ("public", index, "default"), ("cpu", cpu, "explicit"), ("cuda", cuda, "explicit"),
        )
    )  # fmt: skip
    Path("pyproject.toml").write_text(f"[project]\nname = 'demo'\nversion = '1'\n{text}\n{indexes}")
    assert lockstream.main(["plan", "-q", *words]) == status


def packages(name: str) -> list[dict[str, Any]]:
    document = tomllib.loads(Path("pylock.toml").read_text())
    return [one for one in document["packages"] if one["name"] == name]


def entries(name: str) -> list[tuple[str, str | None]]:
    return [(one["version"], one.get("marker")) for one in packages(name)]


def is_settled() -> bool:
    """Whether a check is content, and a plan again keeps every byte."""
    before = Path("pylock.toml").read_bytes()
    is_current = lockstream.main(["check", "-q"]) == 0
    assert lockstream.main(["plan", "-q", "-U", *TARGETS]) == 0
    return is_current and Path("pylock.toml").read_bytes() == before


BY_PLATFORM = """
dependencies = ["torch", "vision"]
[tool.uv.sources]
torch = [
  { index = "cuda", marker = "sys_platform == 'linux'" },
  { index = "cpu", marker = "sys_platform == 'win32'" },
]
"""


def test_each_platform_has_the_index_of_its_marker(index: Index, cpu: Index, cuda: Index) -> None:
    plan(index, cpu, cuda, BY_PLATFORM, *TARGETS, "--platform", "macos")
    linux, windows, mac = (f'sys_platform == "{name}"' for name in ("linux", "win32", "darwin"))
    assert sorted(map(str, entries("torch"))) == sorted(
        map(str, [("2.0", windows), ("2.0", mac), ("2.0+cuda", linux)])
    )
    found = {one["marker"]: one["index"] for one in packages("torch")}
    assert found == {
        windows: cpu.url.rstrip("/"), mac: index.url.rstrip("/"), linux: cuda.url.rstrip("/"),
    }  # fmt: skip


def test_one_file_name_of_two_indexes_is_two_entries(index: Index, cpu: Index, cuda: Index) -> None:
    text = BY_PLATFORM.replace('{ index = "cuda", marker = "sys_platform == \'linux\'" },', "")
    plan(index, cpu, cuda, text, *TARGETS)
    by_index = {one["index"]: one["wheels"] for one in packages("torch")}
    assert len(by_index) == 2
    assert all(len(wheels) == 1 for wheels in by_index.values())
    (vision,) = packages("vision")
    assert vision["dependencies"] == [
        {"name": "torch", "version": "2.0", "index": one} for one in sorted(by_index)
    ]
    assert is_settled()


def test_a_check_sees_another_marker_of_a_source(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_PLATFORM, *TARGETS)
    assert is_settled()
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace("'win32'", "'darwin'"))
    assert lockstream.main(["check", "-q"]) == 1
    assert "projects of one index: the lock has torch = " in capsys.readouterr().err


def test_our_own_table_has_the_same_conditions(index: Index, cpu: Index, cuda: Index) -> None:
    text = BY_PLATFORM.replace("tool.uv.sources", "tool.lockstream.sources")
    plan(index, cpu, cuda, text, *TARGETS)
    assert {one["index"] for one in packages("torch")} == {
        cpu.url.rstrip("/"), cuda.url.rstrip("/"),
    }  # fmt: skip


def test_an_address_may_be_for_one_platform(index: Index, cpu: Index, cuda: Index) -> None:
    wheel = build_wheel("torch", "2.0+file", tag=LINUX, requires=["numpy<2"])
    Path(wheel.filename).write_bytes(wheel.content)
    text = BY_PLATFORM.replace('index = "cuda"', f'path = "{wheel.filename}"')
    plan(index, cpu, cuda, text, *TARGETS)
    assert entries("torch") == [
        ("2.0", 'sys_platform == "win32"'), ("2.0+file", 'sys_platform == "linux"'),
    ]  # fmt: skip
    assert is_settled()


BY_EXTRA = """
dependencies = ["docs"]
optional-dependencies = { cpu = ["torch", "vision"], cuda = ["torch", "vision"] }
[dependency-groups]
test = ["numpy"]
[tool.uv]
conflicts = [[{ extra = "cpu" }, { extra = "cuda" }]]
[tool.uv.sources]
torch = [{ index = "cpu", extra = "cpu" }, { index = "cuda", extra = "cuda" }]
[tool.lockstream]
align = false
"""


def installed(tmp_path: Path, *words: str) -> list[str]:
    folder = tmp_path / "-".join(words or ["bare"])
    assert lockstream.main(["execute", "-q", "--target", str(folder), *words]) == 0
    found = (one.name.removesuffix(".dist-info") for one in folder.glob("*.dist-info"))
    return sorted(found)


@pytest.mark.parametrize("words", [["-U"], ["-U", "--no-align"]])
def test_extras_that_exclude_each_other_have_versions_of_their_own(
    index: Index, cpu: Index, cuda: Index, tmp_path: Path, words: list[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA, *words)
    assert entries("torch") == [("2.0", '"cpu" in extras'), ("2.0+cuda", '"cuda" in extras')]
    assert entries("numpy") == [
        ("1.0", '"cuda" in extras'),
        ("2.0", '"cpu" in extras or "test" in dependency_groups and "cuda" not in extras'),
    ]
    assert lockstream.main(["check", "-q"]) == 0
    assert installed(tmp_path) == ["docs-1.0"]
    assert installed(tmp_path, "--group", "test") == ["docs-1.0", "numpy-2.0"]
    both = ["docs-1.0", "numpy-2.0", "torch-2.0", "vision-1.0"]
    assert installed(tmp_path, "--extra", "cpu") == both
    assert installed(tmp_path, "--extra", "cuda", "--group", "test") == [
        "docs-1.0", "numpy-1.0", "torch-2.0+cuda", "vision-1.0",
    ]  # fmt: skip


def test_extras_that_exclude_each_other_are_not_installed_together(
    index: Index, cpu: Index, cuda: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    words = ["execute", "-q", "--target", str(tmp_path / "both"), "--extra", "cpu"]
    for both in (["--extra", "cuda"], ["--all-extras"]):
        assert lockstream.main([*words, *both]) == 2
        told = capsys.readouterr().err
        assert "error: extra cpu and extra cuda exclude each other in this lock" in told
        assert "hint: select one of them with --extra or --group" in told
    assert not (tmp_path / "both").exists()
    assert lockstream.main(words) == 0


def test_a_check_sees_that_extras_no_longer_exclude_each_other(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    capsys.readouterr()
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace("conflicts = [[", "conflicts = [] # "))
    assert lockstream.main(["check", "-q"]) == 1
    assert "conflicts: the lock has extra cpu and extra cuda, a plan now has none" in (
        capsys.readouterr().err
    )


def test_a_check_looks_at_each_choice_with_every_other_extra(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace('test = ["numpy"]', 'test = ["numpy!=1.0"]'))
    capsys.readouterr()
    assert lockstream.main(["check", "-q"]) == 1
    told = capsys.readouterr().err
    assert "requires numpy!=1.0; the lock has numpy 1.0" in told
    assert "with extra cuda" in told


def test_a_tree_and_a_chain_are_those_of_each_choice(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    capsys.readouterr()
    assert lockstream.main(["why", "torch"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("torch 2.0+cuda")
    assert lines[start + 1] == (
        "  pyproject.toml [project.optional-dependencies] cuda requires torch"
    )
    assert lockstream.main(["tree"]) == 0
    trees = capsys.readouterr().out.split("\n\n")
    (tree,) = [one for one in trees if one.splitlines()[0].endswith("with extra cuda")]
    assert "torch 2.0+cuda" in tree
    assert "cpu" not in tree


def test_what_a_lock_takes_is_what_its_largest_choice_takes(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    capsys.readouterr()
    assert lockstream.main(["show", "--all-extras", "--json"]) == 0
    (cost,) = json.loads(capsys.readouterr().out)
    assert sorted(one["name"] for one in cost["packages"]) == ["docs", "numpy", "torch", "vision"]


def test_a_group_excludes_what_its_included_group_does(
    index: Index, cpu: Index, cuda: Index
) -> None:
    text = """
dependencies = []
[dependency-groups]
old = ["numpy<2"]
new = ["numpy>=2"]
all-new = [{ include-group = "new" }, "docs"]
[tool.uv]
conflicts = [[{ group = "old" }, { group = "new" }]]
"""
    plan(index, cpu, cuda, text)
    assert entries("docs") == [("1.0", '"all-new" in dependency_groups')]
    assert entries("numpy") == [
        ("1.0", '"old" in dependency_groups'),
        ("2.0", '"all-new" in dependency_groups or "new" in dependency_groups'),
    ]
    assert lockstream.main(["check", "-q"]) == 0


def test_extras_that_cannot_be_together_are_said_to_be_so(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "optional-dependencies = { old = ['numpy<2'], new = ['numpy>=2'] }\n"
    plan(index, cpu, cuda, text, status=4)
    told = capsys.readouterr().err
    assert "name those that are never installed together in conflicts of [tool.lockstream]" in told
    conflicts = "[tool.lockstream]\nconflicts = [[{ extra = 'old' }, { extra = 'new' }]]\n"
    plan(index, cpu, cuda, f"{text}{conflicts}")


def test_two_indexes_in_one_environment_are_refused(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BY_EXTRA.replace('conflicts = [[{ extra = "cpu" }, { extra = "cuda" }]]', "")
    plan(index, cpu, cuda, text, status=2)
    told = capsys.readouterr().err
    assert "torch is pinned to several indexes for CPython" in told
    assert "say it in conflicts of [tool.lockstream] or [tool.uv]" in told
    # What the hint says helps.
    conflicts = 'conflicts = [[{ extra = "cpu" }, { extra = "cuda" }]]'
    plan(index, cpu, cuda, f"{text}{conflicts}")


def test_a_folder_with_an_extra_in_a_requirements_file_has_the_index_of_that_extra(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index, cpu, cuda, BY_EXTRA)
    requirements = Path("requirements.txt")
    words = ["plan", "-q", "--forget", "-r", str(requirements)]
    for extra, version in (("cpu", "2.0"), ("cuda", "2.0+cuda")):
        requirements.write_text(f"-e .[{extra}]\n")
        assert lockstream.main(words) == 0
        assert entries("torch") == [(version, None)]
        assert lockstream.main(["check", "-q"]) == 0
    capsys.readouterr()
    requirements.write_text("-e .[cuda,cpu]\n")
    assert lockstream.main(["check", "-q"]) == 1
    assert "projects of one index: the lock has cuda, a plan now" not in capsys.readouterr().err
    assert lockstream.main(words) == 2
    told = capsys.readouterr().err
    assert "torch is pinned to several indexes" in told
    assert "of extras and groups that do, require one" in told


@pytest.mark.parametrize(
    ("required", "source", "version"),
    [
        ("member", '{ index = "cuda" }', "2.0+cuda"),
        ("member[fast]", '{ index = "cuda", extra = "fast" }', "2.0+cuda"),
        ("member", '{ index = "cuda", extra = "fast" }', "2.0"),
    ],
)
def test_the_sources_of_a_member_that_is_required_count(
    index: Index, cpu: Index, cuda: Index, required: str, source: str, version: str
) -> None:
    Path("member").mkdir()
    Path("member/pyproject.toml").write_text(f"""
[project]
name = "member"
version = "1"
dependencies = ["torch"]
optional-dependencies = {{ fast = ["torch"] }}
[tool.uv.sources]
torch = {source}
[[tool.uv.index]]
name = "cuda"
url = "{cuda.url}"
""")
    text = f"""
dependencies = ["{required}"]
[tool.uv.workspace]
members = ["member"]
[tool.uv.sources]
member = {{ workspace = true }}
"""
    plan(index, cpu, cuda, text)
    assert entries("torch") == [(version, None)]
    assert lockstream.main(["check", "-q"]) == 0


def test_one_name_of_two_indexes_in_a_workspace_is_refused(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("member").mkdir()
    member = Path("member/pyproject.toml")
    member.write_text(f"""
[project]
name = "member"
version = "1"
dependencies = ["torch"]
[tool.uv.sources]
torch = {{ index = "cuda" }}
[[tool.uv.index]]
name = "cuda"
url = "{cpu.url}"
""")
    text = """
dependencies = ["member"]
[tool.uv]
workspace = { members = ["member"] }
sources = { member = { workspace = true } }
"""
    plan(index, cpu, cuda, text, status=3)
    told = capsys.readouterr().err
    assert "its index cuda has another address in the project that requires it" in told
    member.write_text(member.read_text().replace('"cuda"', '"other"'))  # as the hint says
    plan(index, cpu, cuda, text)
    assert {one["index"] for one in packages("torch")} == {cpu.url.rstrip("/")}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[tool.uv.sources]\ntorch = { index = 'cpu', extra = 'cpuu' }", "extra cpuu"),
        ("[tool.uv.sources]\ntorch = { path = 'torch', group = 'cpu' }", "group cpu"),
        ("[tool.lockstream.sources]\ntorch = [{ index = 'cpu', extra = 'cpuu' }]", "extra cpuu"),
        ("[tool.lockstream]\nconflicts = [[{extra='cpu'}, {extra='cpuu'}]]", "extra cpuu"),
    ],
)
def test_what_is_for_an_extra_that_does_not_exist_is_refused(
    index: Index,
    cpu: Index,
    cuda: Index,
    capsys: pytest.CaptureFixture[str],
    table: str,
    told: str,
) -> None:
    text = f"optional-dependencies = {{ cpu = ['torch'], cpuv = ['docs'] }}\n{table}"
    plan(index, cpu, cuda, text, status=3)
    error = capsys.readouterr().err
    assert f"names {told}, which no project of the plan has" in error
    assert "hint: correct the name, or add it to the project" in error
    plan(
        index,
        cpu,
        cuda,
        text.replace("group = 'cpu'", "marker = 'os_name == \"x\"'").replace("cpuu", "cpuv"),
    )


def test_a_group_that_requires_an_extra_has_its_index_and_excludes_what_it_does(
    index: Index, cpu: Index, cuda: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BY_EXTRA.replace('test = ["numpy"]', 'test = ["demo[cuda]"]')
    plan(index, cpu, cuda, text)
    assert lockstream.main(["check", "-q"]) == 0
    in_cuda = '"cuda" in extras or "test" in dependency_groups'
    assert entries("torch") == [("2.0", '"cpu" in extras'), ("2.0+cuda", in_cuda)]
    assert "torch-2.0+cuda" in installed(tmp_path, "--group", "test")
    words = ["execute", "-q", "--target", "both", "--group", "test", "--extra", "cpu"]
    assert lockstream.main(words) == 2
    assert "extra cpu and group test exclude each other" in capsys.readouterr().err


def test_what_excludes_each_other_is_refused_also_if_no_package_is_selected_twice(
    index: Index, cpu: Index, cuda: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
dependencies = ["numpy"]
optional-dependencies = { old = ["numpy<2"], new = ["numpy>=2"] }
[tool.lockstream]
conflicts = [[{ extra = "old" }, { extra = "new" }]]
"""
    plan(index, cpu, cuda, text)
    assert entries("numpy") == [("1.0", '"old" in extras'), ("2.0", '"old" not in extras')]
    words = ["execute", "-q", "--target", "both", "--extra", "old", "--extra", "new"]
    assert lockstream.main(words) == 2
    assert "extra new and extra old exclude each other" in capsys.readouterr().err
    assert not Path("both").exists()
