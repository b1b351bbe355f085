"""A plan keeps what its lock records; what an option replaces is told."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")

LINUX = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
PROJECT = """
[project]
name = "top"
version = "1"
requires-python = ">=3.8"
dependencies = ["app"]
[project.optional-dependencies]
fast = ["speed"]
[dependency-groups]
dev = ["tools"]
docs = ["pages"]
lint = ["style"]
"""


@pytest.fixture(autouse=True)
def _project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("app", "speed", "tools", "pages", "style", "other"):
        index.add(build_wheel(name, "1.0"), upload_time="2024-01-01T00:00:00Z")
    index.add(build_wheel("app", "2.0rc1"), upload_time="2024-01-01T00:00:00Z")
    Path("pyproject.toml").write_text(PROJECT)


def plan(*words: str) -> int:
    return lockstream.main(["plan", *words])


def check(*words: str) -> int:
    return lockstream.main(["check", "-q", *words])


def lock(path: str = "pylock.toml") -> dict[str, Any]:
    return tomllib.loads(Path(path).read_text())


def versions(path: str = "pylock.toml") -> dict[str, str]:
    return {package["name"]: package["version"] for package in lock(path)["packages"]}


def targets(path: str = "pylock.toml") -> list[str]:
    tables = lock(path)["tool"]["lockstream"]["targets"]
    return [f"{one['python']} {one['platform']}" for one in tables]


def test_everything_that_was_given_is_kept(index: Index) -> None:
    words = ["--prerelease", "allow", "--exclude-newer", "2024-06-01", "--allow-host", "127.0.0.1"]
    assert plan("-i", index.url, "--group", "dev", "--no-extra", "fast", *words, *LINUX) == 0
    before = Path("pylock.toml").read_text()
    assert versions() == {"app": "2.0rc1", "tools": "1.0"}
    for again in ([], ["-U"], ["-P", "app"], ["--refresh"]):
        assert plan(*again) == 0
        assert Path("pylock.toml").read_text() == before
        assert check() == 0


def test_an_option_replaces_what_it_names_and_no_other(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan("-i", index.url, "--prerelease", "allow", *LINUX) == 0
    capsys.readouterr()
    assert plan("--group", "docs") == 0
    assert "groups dev, lint: dropped, for --group docs was given\n" in capsys.readouterr().err
    assert versions() == {"app": "2.0rc1", "pages": "1.0", "speed": "1.0"}
    assert plan("--prerelease", "disallow") == 0
    assert "prerelease: allow -> disallow\n" in capsys.readouterr().err
    assert versions() == {"app": "1.0", "pages": "1.0", "speed": "1.0"}
    assert plan("--platform", "windows") == 0
    assert targets() == ["3.11 win_amd64"]


def test_an_index_that_is_named_is_used_though_the_lock_was_planned_without_one(
    index: Index, tmp_path: Path
) -> None:
    wheel = build_wheel("app", "0.9")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    words = ("--find-links", ".", "--no-all-groups", "--no-all-extras", *LINUX)
    assert plan("--no-index", *words) == 0
    assert plan() == 0
    assert versions() == {"app": "0.9"}
    assert plan("-U", "-i", index.url) == 0
    assert versions() == {"app": "1.0"}
    assert check() == 0
    assert plan("-U", "-i", index.url, "--no-index") == 0
    assert versions() == {"app": "0.9"}


def test_an_option_that_is_kept_and_leaves_no_solution_is_named(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever plans again has not given it."""
    index.add(build_wheel("app", "3.0"), upload_time="2025-01-01T00:00:00Z")
    words = ["-r", "requirements.in", "-i", index.url, *LINUX]
    Path("requirements.in").write_text("app\n")
    assert plan(*words, "--exclude-newer", "2024-06-01") == 0
    Path("requirements.in").write_text("app>=3\n")
    capsys.readouterr()
    advice = "  --exclude-newer is kept from the lock; plan --forget drops what that records\n"
    assert plan() == 4
    assert advice in capsys.readouterr().err
    assert plan("--exclude-newer", "2024-07-01") == 4
    assert "is kept from the lock" not in capsys.readouterr().err
    assert plan("--forget", *words) == 0
    assert versions() == {"app": "3.0"}


def test_an_index_that_may_not_be_asked_because_of_the_lock_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = build_wheel("app", "1.0")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    Path("requirements.in").write_text("app\n")
    assert plan("-r", "requirements.in", "--no-index", "--find-links", ".", *LINUX) == 0
    Path("requirements.in").write_text("other\n")
    capsys.readouterr()
    assert plan() == 4
    assert "  --no-index is kept from the lock; plan --forget drops" in capsys.readouterr().err


def test_links_that_are_kept_and_gone_lead_to_what_drops_them(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wheels").mkdir()
    assert plan("-i", index.url, "--find-links", "wheels", *LINUX) == 0
    (tmp_path / "wheels").rmdir()
    capsys.readouterr()
    assert plan("-U") == 2
    assert "or be kept from the lock, which plan --forget drops\n" in capsys.readouterr().err
    assert plan("--forget", "-U", "-i", index.url, *LINUX) == 0
    assert plan() == 0


def test_forgotten_options_do_not_count(index: Index) -> None:
    assert plan("-i", index.url, "--group", "dev", "--prerelease", "allow", *LINUX) == 0
    assert plan("--forget", "-i", index.url, *LINUX) == 0
    assert versions()["app"] == "2.0rc1"  # its version is preferred, as by every plan
    assert lock()["dependency-groups"] == ["dev", "docs", "lint"]
    assert plan("--forget", "-U", "-i", index.url, *LINUX) == 0
    assert versions()["app"] == "1.0"


@pytest.mark.parametrize(
    ("words", "settings", "extras", "groups"),
    [
        ([], "", ["fast"], ["dev", "docs", "lint"]),
        (["--no-all-extras"], "", [], ["dev", "docs", "lint"]),
        (["--no-group", "dev", "--no-group", "lint"], "", ["fast"], ["docs"]),
        (["--no-all-groups"], "", ["fast"], []),
        ([], 'groups = ["dev"]\nextras = []', [], ["dev"]),
        (["--group", "docs"], 'groups = ["dev"]', ["fast"], ["docs"]),
        (["--all-groups"], 'groups = ["dev"]', ["fast"], ["dev", "docs", "lint"]),
        (["--no-group", "dev"], 'groups = ["dev", "docs"]', ["fast"], ["docs"]),
    ],
)
def test_all_extras_and_groups_are_locked_unless_they_are_left_out(
    index: Index, words: list[str], settings: str, extras: list[str], groups: list[str]
) -> None:
    Path("pyproject.toml").write_text(f"{PROJECT}[tool.lockstream]\n{settings}\n")
    assert plan("-q", "-i", index.url, *words, *LINUX) == 0
    assert (lock().get("extras", []), lock().get("dependency-groups", [])) == (extras, groups)
    assert check() == 0


def test_a_group_without_a_solution_can_be_left_out(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(PROJECT.replace('["style"]', '["style>9"]'))
    assert plan("-i", index.url, *LINUX) == 4
    assert "or leave the extra or group out (--no-extra, --no-group)" in capsys.readouterr().err
    assert plan("-q", "-i", index.url, "--no-group", "lint", *LINUX) == 0
    assert check() == 0


def test_an_unknown_group_is_named(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("-i", index.url, "--no-group", "tests", *LINUX) == 3
    assert "there is no dependency group 'tests'; it has dev, docs, lint" in capsys.readouterr().err


def test_a_kept_extra_that_the_project_has_no_more_leads_to_what_replaces_it(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan("-i", index.url, "--no-extra", "fast", *LINUX) == 0
    renamed = PROJECT.replace("fast =", "faster =")
    assert renamed != PROJECT
    Path("pyproject.toml").write_text(renamed)
    capsys.readouterr()
    assert plan() == 3
    told = capsys.readouterr().err
    assert "there is no extra 'fast'; it has faster" in told
    assert "what a lock records of them, --all-extras replaces" in told
    assert plan("--all-extras") == 0
    assert plan() == 0


def test_a_script_has_a_lock_of_its_own(index: Index) -> None:
    assert plan("-q", "-i", index.url, *LINUX) == 0
    before = Path("pylock.toml").read_text()
    Path("tools").mkdir()
    Path("tools/make.py").write_text('# /// script\n# dependencies = ["other"]\n# ///\n')
    assert plan("-q", "tools/make.py", "-i", index.url, *LINUX) == 0
    assert Path("pylock.toml").read_text() == before
    assert versions("tools/pylock.make.toml") == {"other": "1.0"}
    assert check("tools/pylock.make.toml") == 0
    assert plan("-q", "-o", "tools/pylock.make.toml") == 0
    Path("tools/my.tool.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    assert plan("-q", "tools/my.tool.py", "-i", index.url, *LINUX) == 0
    assert Path("tools/pylock.my-tool.toml").exists()


def test_settings_next_to_a_requirements_file_count(index: Index) -> None:
    settings = f'[tool.lockstream]\ndefault-index = "{index.url}"\nprerelease = "allow"\n'
    targets_of_project = 'targets = [{ python = "3.12", platform = "windows" }]\n'
    Path("pyproject.toml").write_text(PROJECT + settings + targets_of_project)
    Path("requirements.in").write_text("app\n")
    assert plan("-q", "-r", "requirements.in") == 0
    assert (versions(), targets()) == ({"app": "2.0rc1"}, ["3.12 win_amd64"])
    assert check() == 0
    Path("pyproject.toml").write_text(
        PROJECT + settings.replace("allow", "disallow") + targets_of_project
    )
    assert check() == 1
    assert plan("-q") == 0
    assert versions() == {"app": "1.0"}


def test_a_default_target_says_what_decided_it(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".python-version").write_text("3.12\n")
    assert plan("-i", index.url) == 0
    assert "targets: from .python-version\n" in capsys.readouterr().err
    assert targets()[0].startswith("3.12 ")
    assert check() == 0
    Path(".python-version").write_text("3.13\n")
    assert check() == 1
    assert plan() == 0
    assert targets()[0].startswith("3.13 ")


def test_universal_is_one_word(index: Index) -> None:
    assert plan("-q", "-i", index.url, "--universal") == 0
    found = targets()
    assert {one.split()[1].partition("_")[0] for one in found} == {
        "manylinux", "macosx", "win",
    }  # fmt: skip
    assert len({one.split()[0] for one in found}) == 4
    before = Path("pylock.toml").read_text()
    assert plan("-q") == 0
    assert Path("pylock.toml").read_text() == before
    assert check() == 0


def test_the_index_of_a_lock_stays_on_a_machine_with_another(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    assert plan("-q", *LINUX) == 0
    before = Path("pylock.toml").read_text()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/other/")
    assert check() == 0
    assert plan("-q", "--refresh") == 0
    assert Path("pylock.toml").read_text() == before
    assert plan("-q", "-i", "http://127.0.0.1:1/", "--no-cache", "-U") == 5


def test_no_credential_is_recorded(index: Index) -> None:
    login = index.url.replace("http://", "http://user:secret-word@")
    assert plan("-q", "-i", login, "--index", f"extra={login}", *LINUX) == 0
    assert "secret-word" not in Path("pylock.toml").read_text()
    assert check() == 0
    assert plan("-q") == 0


def test_paths_are_recorded_from_the_folder_of_the_lock(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("links").mkdir()
    Path("ci").mkdir()
    build_wheel("local", "1.0").write(Path("links"))
    Path("requirements.in").write_text("local\n")
    words = ["-r", "requirements.in", "-f", "links", "-i", index.url, "-o", "ci/pylock.toml"]
    assert plan("-q", *words, *LINUX) == 0
    assert lock("ci/pylock.toml")["tool"]["lockstream"]["options"]["index"]["find-links"] == [
        "../links"
    ]
    monkeypatch.chdir("ci")
    assert check() == 0
    assert plan("-q") == 0


def test_the_order_of_projects_counts(index: Index) -> None:
    for name, newest in (("one", "allow"), ("two", "disallow")):
        Path(name).mkdir()
        Path(name, "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\ndependencies = ["app"]\n'
            f'[tool.lockstream]\nprerelease = "{newest}"\n'
        )
    assert plan("-q", "one", "two", "-i", index.url, *LINUX) == 0
    assert versions() == {"app": "2.0rc1"}
    assert check() == 0
    assert plan("-q", "two", "one") == 0
    assert versions() == {"app": "1.0"}
    assert check() == 0


def test_a_lock_of_another_tool_is_written_again_with_its_versions(index: Index) -> None:
    assert plan("-q", "-i", index.url, "--prerelease", "allow", *LINUX) == 0
    document = lock()
    del document["tool"]
    for package in document["packages"]:
        del package["tool"]
    Path("pylock.toml").write_text(tomli_w.dumps(document))
    assert plan("-q", "-i", index.url, *LINUX) == 0
    assert versions()["app"] == "2.0rc1"
    assert check() == 0


def test_a_lock_without_packages_is_never_written_without_a_word(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("requirements.in").write_text("app; os_name == 'nt'\n")
    for words in (["-r", "requirements.in", "-i", index.url, *LINUX], []):
        assert plan("-q", *words) == 0
        assert "the inputs require nothing for these targets: " in capsys.readouterr().err
    assert versions() == {}
