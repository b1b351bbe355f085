"""lockstream.pyz: the executor in one file, which any supported Python runs anywhere."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from release.modules import BUNDLED, COMMANDS

import lockstream
from helpers.locks import write_lock
from helpers.pythons import PYTHONS, minor
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from schemas.errors import ExitCode
from schemas.version import VERSION

PROJECT = Path(__file__).parent.parent
SOURCES = (
    ".ci/release",
    "schemas",
    "planner",
    "executor",
    "lockstream.py",
    "LICENSE",
    "pyproject.toml",
)

READS = """
import collections, os, runpy, sys, zipfile, zlib
from importlib.util import MAGIC_NUMBER
pyz, *sys.argv[1:] = sys.argv[1:]
decompress, read = zlib.decompress, collections.Counter()
def counted(*given):
    data = decompress(*given)
    read[data] += data.startswith(MAGIC_NUMBER)
    return data
zlib.decompress = counted
sys.setprofile(lambda *_: None)  # so that it does not leave at once
try:
    runpy.run_path(pyz, run_name="__main__")
except SystemExit:
    sys.setprofile(None)
places = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
ours = {os.path.relpath(place, pyz) for place in places if place.startswith(pyz)}
members = set(zipfile.ZipFile(pyz).namelist())
print("read:", sum(read.values()), max(read.values()), len(ours), *ours - members)
"""
"""A program that runs the file, and prints how often it read byte code of a module, how often that
of one at most, how many modules have a path inside, and which of these paths are no members."""

SUPPORTED = {version: python for version, python in PYTHONS.items() if minor(version) >= (3, 11)}
OTHERS = {version: python for version, python in PYTHONS.items() if minor(version) < (3, 11)}


def make(project: Path, output: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "release.pyz", "--output", output],
        env={
            **os.environ,
            "PYTHONPATH": f"{project / '.ci'}:{project}",
            "SOURCE_DATE_EPOCH": "1700000000",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr


def without(pyz: Path, prefix: str, copy: Path) -> Path:
    """A copy without the members whose names start with ``prefix``."""
    with zipfile.ZipFile(pyz) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            if not name.startswith(prefix):
                new.writestr(name, old.read(name))
    return copy


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment or None,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="pyz", scope="module")
def _pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dist") / "lockstream.pyz"
    make(PROJECT, path)
    return path


@pytest.fixture(name="work")
def _work(tmp_path: Path) -> Path:
    """A folder with a lock and its wheel."""
    demo = build_wheel(entry_points={"console_scripts": {"demo": "demo:main"}})
    write_lock(tmp_path, [demo])
    return tmp_path


def test_sources_in_another_folder_give_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    for name in SOURCES:
        source, copy = PROJECT / name, tmp_path / "elsewhere" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
        copy.touch()
    make(tmp_path / "elsewhere", tmp_path / "lockstream.pyz")
    assert (tmp_path / "lockstream.pyz").read_bytes() == pyz.read_bytes()


class TestContent:
    def test_it_has_the_byte_code_of_each_python_that_was_found(self, pyz: Path) -> None:
        with zipfile.ZipFile(pyz) as archive:
            names = archive.namelist()
            facts = json.loads(archive.read("BUILD.json"))
        assert facts["lockstream"] == VERSION
        assert {".".join(version.split(".")[:2]) for version in facts["byte-code"].values()} == {
            ".".join(map(str, minor(version))) for version in SUPPORTED
        }
        modules = {name.removeprefix("src/") for name in names if name.startswith("src/")}
        for tag in facts["byte-code"]:
            code = {name.removeprefix(f"{tag}/") for name in names if name.startswith(f"{tag}/")}
            assert {name.removesuffix("c") for name in code} == modules

    def test_it_has_the_licence_of_all_that_is_inside(self, pyz: Path) -> None:
        with zipfile.ZipFile(pyz) as archive:
            names = archive.namelist()
        packages = {name.split("/")[1].removesuffix(".py") for name in names if "src/" in name}
        ours = {"lockstream", "schemas", "executor", "planner"}
        assert packages - ours == {name.replace("-", "_") for name in BUNDLED}
        licensed = {name.split("/")[1] for name in names if name.startswith("licenses/")}
        assert licensed == {"lockstream", *BUNDLED}

    def test_names_modes_and_times_are_fixed(self, pyz: Path) -> None:
        with zipfile.ZipFile(pyz) as archive:
            members = archive.infolist()
        names = [member.filename for member in members]
        assert names == sorted(names)
        assert {member.external_attr >> 16 for member in members} == {0o100644}
        assert {member.date_time for member in members} == {(2023, 11, 14, 22, 13, 20)}


class TestPythons:
    @pytest.mark.parametrize("version", SUPPORTED)
    def test_each_supported_one_runs_it_from_byte_code(
        self, pyz: Path, work: Path, version: str
    ) -> None:
        code_alone = without(pyz, "src/", work / "code.pyz")
        executed = run(SUPPORTED[version], code_alone, "execute", "--venv", "env", cwd=work)
        assert executed.returncode == 0, executed.stderr
        demo = run(work / "env/bin/python", "-c", "import demo; print(demo.__version__)", cwd=work)
        assert demo.stdout == "1.0\n"

    @pytest.mark.parametrize("version", OTHERS)
    def test_an_older_one_is_told_apart_in_a_sentence(
        self, pyz: Path, work: Path, version: str
    ) -> None:
        refused = run(OTHERS[version], pyz, "execute", cwd=work)
        assert refused.returncode == ExitCode.USAGE
        assert refused.stderr == (
            "error: lockstream needs Python 3.11 or newer to run, and this is Python "
            f"{'.'.join(map(str, minor(version)))}\n"
            "hint: run it with a newer one, as in: python3.11 lockstream.pyz execute --python "
            "/usr/bin/python3\n"
        )

    def test_without_byte_code_it_runs_from_its_sources(self, pyz: Path, work: Path) -> None:
        bare = without(pyz, "cpython-", work / "bare.pyz")
        executed = run(sys.executable, bare, "execute", "--venv", "env", cwd=work)
        assert executed.returncode == 0, executed.stderr

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_a_module_is_read_once_and_knows_its_path(
        self, pyz: Path, work: Path, version: str
    ) -> None:
        python = SUPPORTED[version]
        words = ("execute", "pylock.toml", "--target", "t", "--quiet")
        done = run(python, "-I", "-c", READS, pyz, *words, cwd=work)
        read, most, modules, *wrong = done.stdout.partition("read: ")[2].split()
        assert (int(most), wrong) == (1, []), done.stderr
        assert int(modules) >= int(read) > 100

    def test_an_environment_of_an_older_one_is_filled(self, pyz: Path, work: Path) -> None:
        old = [python for version, python in OTHERS.items() if minor(version) >= (3, 8)]
        for python in old[:1]:
            words = ["execute", "--venv", "env", "--python", python]
            executed = run(sys.executable, pyz, *words, cwd=work)
            assert executed.returncode == 0, executed.stderr
            assert run(work / "env/bin/python", "-c", "import demo", cwd=work).returncode == 0


class TestSurroundings:
    def test_it_is_a_program_by_itself_through_a_link(self, pyz: Path, work: Path) -> None:
        (work / "bin").mkdir()
        (work / "bin/lockstream").symlink_to(pyz)
        path = f"{work / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
        executed = run("lockstream", "execute", "--venv", "env", cwd=work, PATH=path)
        assert (executed.returncode, executed.stdout[:19]) == (0, "installed 1 package")

    def test_it_needs_no_home_and_writes_nothing_beside_itself(self, pyz: Path, work: Path) -> None:
        (work / "only").mkdir()
        copy = Path(shutil.copy(pyz, work / "only"))
        (work / "only").chmod(0o555)
        executed = run(sys.executable, copy, "execute", "--venv", "env", cwd=work, PATH="/usr/bin")
        assert executed.returncode == 0, executed.stderr
        assert os.listdir(work / "only") == ["lockstream.pyz"]

    def test_modules_of_the_user_with_our_names_stay_out_of_the_way(
        self, pyz: Path, work: Path
    ) -> None:
        for name in ("schemas", "planner", "executor", "click", "packaging"):
            (work / f"{name}.py").write_text(f"raise SystemExit('their {name}')")
        environment = {"PATH": "/usr/bin", "PYTHONPATH": str(work)}
        executed = run(sys.executable, pyz, "execute", "--venv", "env", cwd=work, **environment)
        assert executed.returncode == 0, executed.stderr

    @pytest.mark.skipif(os.geteuid() != 0, reason="another user is become by root")
    def test_another_user_runs_it(self, pyz: Path, work: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        shared = Path("/var/tmp") / f"lockstream-{os.getpid()}"  # pytest's folders are private
        shutil.copytree(work, shared)
        try:
            shutil.copy(pyz, shared)
            for path in [shared, *shared.iterdir()]:
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
            executed = subprocess.run(
                ["/usr/bin/env", "-i", "python3", "lockstream.pyz", "execute", "--target", "env"],
                cwd=shared,
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                capture_output=True,
                text=True,
                check=False,
            )
            assert executed.returncode == 0, executed.stderr
            assert (shared / "env/demo/__init__.py").stat().st_uid == nobody.pw_uid
        finally:
            shutil.rmtree(shared)


class TestCommands:
    def test_each_of_them_can_be_loaded(self, pyz: Path, work: Path) -> None:
        for name in sorted({*COMMANDS} & {*lockstream.COMMANDS}):
            shown = run(sys.executable, pyz, name, "--help", cwd=work)
            assert (shown.returncode, shown.stderr) == (0, "")
            assert shown.stdout.startswith(f"Usage: lockstream {name} ")

    @pytest.mark.parametrize("name", sorted(lockstream.COMMANDS.keys() - {*COMMANDS}))
    def test_any_other_says_how_to_get_it(self, pyz: Path, work: Path, name: str) -> None:
        refused = run(sys.executable, pyz, name, cwd=work)
        assert (refused.returncode, refused.stdout) == (ExitCode.USAGE, "")
        assert refused.stderr == (
            f"error: lockstream.pyz does not have the command {name}\n"
            "hint: install all of lockstream: pipx install lockstream, or uv tool install "
            "lockstream\n"
        )

    def test_help_lists_those_that_are_there(self, pyz: Path, work: Path) -> None:
        listed = run(sys.executable, pyz, "--help", cwd=work).stdout
        assert "\n  execute " in listed
        assert "\n  plan " not in listed
        assert "To plan: pipx install lockstream, or uv tool install lockstream." in listed

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["verify"], ExitCode.REFUSED),
            (["execute", "--no-such-option"], ExitCode.USAGE),
            (["execute", "absent.toml"], ExitCode.USAGE),
            (["execute", "broken.toml"], ExitCode.INVALID_INPUT),
            (["execute", "--memory", "1MiB"], ExitCode.NOT_ENOUGH),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, list) else None,
    )
    def test_exit_codes_are_those_of_the_installed_program(
        self, pyz: Path, work: Path, words: list[str], code: int
    ) -> None:
        (work / "broken.toml").write_text("[[packages]\n")
        installed = run(sys.executable, "-m", "lockstream", *words, cwd=work)
        zipped = run(sys.executable, pyz, *words, cwd=work)
        assert zipped.returncode == installed.returncode
        assert zipped.stderr == installed.stderr

    def test_a_planned_lock_is_shown_as_by_the_installed_program(
        self, pyz: Path, work: Path
    ) -> None:
        (work / "requirements.in").write_text("demo\n")
        words = ["plan", "-r", "requirements.in", "--no-index", "--find-links", "."]
        planned = run(sys.executable, "-m", "lockstream", *words, "-o", "pylock.new.toml", cwd=work)
        assert planned.returncode == 0, planned.stderr
        for words in (
            ["show", "pylock.new.toml"],
            ["tree", "pylock.new.toml"],
            ["why", "demo", "pylock.new.toml"],
            ["diff", "pylock.toml", "pylock.new.toml"],
        ):
            installed = run(sys.executable, "-m", "lockstream", *words, cwd=work)
            zipped = run(sys.executable, pyz, *words, cwd=work)
            assert (zipped.returncode, zipped.stderr) == (0, installed.stderr)
            assert zipped.stdout == installed.stdout

    def test_a_build_runs_the_helpers_that_are_inside(self, pyz: Path, work: Path) -> None:
        sdist = build_sdist("built", "1.0")
        sdist.write(work)
        with (work / "pylock.toml").open("a") as lock:
            lock.write(
                f'[[packages]]\nname = "built"\nversion = "1.0"\n'
                f'sdist = {{ path = "{sdist.filename}", '
                f'hashes = {{ sha256 = "{sdist.sha256}" }} }}\n'
            )
        words = ["execute", "--target", "env", "--build", "--build-unmeasured"]
        built = run(sys.executable, pyz, *words, cwd=work)
        assert built.returncode == 0, built.stderr
        assert (work / "env/built/__init__.py").is_file()
