"""Drift: every difference between an environment, its lock and its RECORDs, and no other."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.drift import Drift, find_drift
from executor.environment.environment import Environment
from executor.environment.installed import Installed, RecordedFile
from executor.install.decide import verify_environment
from executor.lock.options import SelectOptions
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.wheels import build_wheel, lock_of
from schemas.digests import encode_digest

DEMO = build_wheel(
    "demo",
    files={"demo/__init__.py": "x = 1\n", "demo/data.bin": "data"},
    data_files={"scripts/run": "#!python\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)
OTHER = build_wheel("other", files={"other.py": ""})


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Environment:
    return environment_below(tmp_path / "env")


@pytest.fixture(name="lock")
def _lock(tmp_path: Path) -> str:
    return write_lock(tmp_path, [DEMO, OTHER])


@pytest.fixture(name="packages")
def _packages(environment: Environment, lock: str) -> Path:
    execute(lock, environment)
    return Path(environment.interpreter.schemes.purelib)


def drifts(lock: str, environment: Environment, wanted: SelectOptions | None = None) -> list[str]:
    """What is found, with paths below the environment."""
    _, found = verify_environment(lock, environment, select=wanted)
    return [str(drift).replace(f"{environment.path}/", "") for drift in found]


def test_what_was_installed_is_right(environment: Environment, lock: str, packages: Path) -> None:
    count, found = verify_environment(lock, environment)
    assert (count, list(found)) == (2, [])
    assert packages.is_dir()


SITE = "lib/site-packages"
MD5_OF_NOTHING = "md5=1B2M2Y8AsgTpgAmY7PhCfg"
INFO = f"{SITE}/demo-1.0.dist-info"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda p: (p / "demo/__init__.py").write_text("x = 2\n"),
            [f"changed: {SITE}/demo/__init__.py: sha256 differs"],
        ),
        (
            lambda p: (p / "demo/__init__.py").write_text("x = 10\n"),
            [f"changed: {SITE}/demo/__init__.py: it has 7 bytes, RECORD says 6"],
        ),
        (
            lambda p: (p / "demo/data.bin").unlink(),
            [f"missing: {SITE}/demo/data.bin: the file does not exist"],
        ),
        (
            lambda p: ((p / "demo/data.bin").unlink(), (p / "demo/data.bin").mkdir()),
            [f"changed: {SITE}/demo/data.bin: Is a directory"],
        ),
        (
            lambda p: (p.parent.parent / "bin/demo").write_text("#!/bin/sh\n"),
            [
                "changed: bin/demo: it has 10 bytes, RECORD says {}",
                "changed: bin/demo: another interpreter runs it: '#!/bin/sh'",
            ],
        ),
        (
            lambda p: (p.parent.parent / "bin/run").unlink(),
            ["missing: bin/run: the file does not exist"],
        ),
        (
            lambda p: shutil.rmtree(p / "other-1.0.dist-info"),
            [
                "missing: other: 1.0 is not installed",
                f"extra: {SITE}/other.py: no installed package owns it",
            ],
        ),
        (
            lambda p: (p / "other-1.0.dist-info").rename(p / "other-1.1.dist-info"),
            [
                f"changed: {SITE}/other-1.1.dist-info: 1.1 is installed, the lock has 1.0",
                *(
                    f"extra: {SITE}/other-1.1.dist-info/{name}: no installed package owns it"
                    for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL")
                ),
            ],
        ),
        (
            lambda p: shutil.copytree(p / "other-1.0.dist-info", p / "other-0.9.dist-info"),
            [
                f"changed: {SITE}/other-0.9.dist-info: it is installed more than once",
                f"changed: {SITE}/other-1.0.dist-info: it is installed more than once",
                *(
                    f"extra: {SITE}/other-0.9.dist-info/{name}: no installed package owns it"
                    for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL")
                ),
            ],
        ),
        (
            lambda p: (p / "extra.py").write_text(""),
            [f"extra: {SITE}/extra.py: no installed package owns it"],
        ),
        (
            lambda p: (p / "demo/extra.txt").write_text(""),
            [f"extra: {SITE}/demo/extra.txt: no installed package owns it"],
        ),
        (
            lambda p: (p / "gone-1.0.dist-info").mkdir(),
            [f"extra: {SITE}/gone-1.0.dist-info: the lock does not hold it, or it is not selected"],
        ),
        (
            lambda p: (p / "other-1.0.dist-info/RECORD").unlink(),
            [
                f"missing: {SITE}/other-1.0.dist-info/RECORD: it does not exist, or is empty",
                f"extra: {SITE}/other.py: no installed package owns it",
            ],
        ),
        (
            lambda p: (p / "other-1.0.dist-info/RECORD").write_bytes(b"other.py,,\n\0,,\n"),
            [
                f"changed: {SITE}/other.py: RECORD has no hash for it",
                f"changed: {SITE}/other-1.0.dist-info/RECORD: a path has a null character in it",
                *(
                    f"extra: {SITE}/other-1.0.dist-info/{name}: no installed package owns it"
                    for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL")
                ),
            ],
        ),
        (
            lambda p: (p / "other-1.0.dist-info/RECORD").write_text(
                "other.py,magic=xyz,0\n"
                + "".join(
                    f"other-1.0.dist-info/{name},,\n"
                    for name in ("INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL")
                )
            ),
            [
                f"changed: {SITE}/other.py: RECORD has no hash for it but 'magic=xyz'",
                *(
                    f"changed: {SITE}/other-1.0.dist-info/{name}: RECORD has no hash for it"
                    for name in ("INSTALLER", "METADATA", "REQUESTED", "WHEEL")
                ),
            ],
        ),
        (
            lambda p: (p / "other-1.0.dist-info/RECORD").write_text(
                (p / "other-1.0.dist-info/RECORD")
                .read_text()
                .replace("sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", MD5_OF_NOTHING)
            ),
            [
                f"changed: {SITE}/{name}: RECORD has only md5 for it, which others can imitate"
                for name in ("other.py", "other-1.0.dist-info/REQUESTED")
            ],
        ),
    ],
)
def test_each_difference_is_told_with_its_path(
    environment: Environment,
    lock: str,
    packages: Path,
    change: Callable[[Path], object],
    expected: list[str],
) -> None:
    wrapper = len((packages.parent.parent / "bin/demo").read_bytes())
    change(packages)
    assert drifts(lock, environment) == [line.format(wrapper) for line in expected]


def digest_row(content: str) -> str:
    """The digest and the size of contents, as RECORD spells them."""
    digest = encode_digest(hashlib.sha256(content.encode()).digest())
    return f"sha256={digest},{len(content)}"


def test_what_python_and_environments_bring_themselves_is_no_difference(
    environment: Environment, lock: str, packages: Path
) -> None:
    for name in (
        "demo/__pycache__/__init__.cpython-311.pyc",
        "__pycache__/other.cpython-311.pyc",
        "README.txt",
        "_virtualenv.py",
        "_virtualenv.pth",
        "pip-24.0.dist-info/RECORD",
    ):
        (packages / name).parent.mkdir(exist_ok=True)
        (packages / name).write_text("pip-24.0.dist-info/RECORD,,\n" if "RECORD" in name else "")
    assert drifts(lock, environment) == []


OF_SETUPTOOLS = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == "
    "'local'; enabled and __import__('_distutils_hack').add_shim(); \n"
)


@pytest.mark.parametrize(
    ("file", "content", "is_right"),
    [
        ("distutils-precedence.pth", OF_SETUPTOOLS, True),
        ("distutils-precedence.pth", OF_SETUPTOOLS + "import evil", False),
        ("distutils-precedence.pth", OF_SETUPTOOLS.rstrip() + "; import evil", False),
        ("more.pth", "# a comment\nfolder\n", True),
        ("more.pth", "import evil", False),
        ("more.pth", "import\tevil", False),
        ("more.start", "evil:main", False),
        ("usercustomize.py", "", False),
        ("setuptools/more.pth", "import evil", True),
    ],
)
def test_an_installer_that_the_lock_does_not_hold_may_not_run_at_every_start(
    environment: Environment, lock: str, packages: Path, file: str, content: str, is_right: bool
) -> None:
    """Such a distribution is spared, so anything may claim to be one."""
    record = packages / "setuptools-80.0.dist-info/RECORD"
    record.parent.mkdir()
    (packages / file).parent.mkdir(exist_ok=True)
    (packages / file).write_text(content)
    record.write_text(
        f"{file},{digest_row(content)}\n../../bin/easy,sha256=0,1\n"
        "setuptools-80.0.dist-info/RECORD,,\n"
    )
    detail = "it runs at every start, and the lock does not hold its package"
    expected = [] if is_right else [f"extra: {SITE}/{file}: {detail}"]
    assert drifts(lock, environment) == expected
    (packages / file).write_text(content + "\n")
    assert len(drifts(lock, environment)) == len(expected) + 1
    record.write_bytes(b"\xff")
    assert any("RECORD" in drift for drift in drifts(lock, environment))


def test_what_claims_to_be_lockstream_spares_nothing_in_a_folder_that_it_does_not_run_from(
    environment: Environment, lock: str, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, requires in (("lockstream", "evil"), ("evil", "")):
        folder = packages / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Requires-Dist: {requires}\n" if requires else "")
        (folder / "RECORD").write_text(
            "".join(f"{folder.name}/{file},,\n" for file in ("METADATA", "RECORD"))
        )
    told = [line for line in drifts(lock, environment) if "the lock does not hold it" in line]
    assert len(told) == 2
    monkeypatch.syspath_prepend(str(packages))
    assert not [line for line in drifts(lock, environment) if "the lock does not hold it" in line]


def test_a_folder_whose_name_begins_as_an_egg_info_is_none(
    environment: Environment, lock: str, packages: Path
) -> None:
    for name in ("pip-1.egg-info/PKG-INFO", "pip-1.egg-info-more/more.py"):
        (packages / name).parent.mkdir()
        (packages / name).write_text("")
    expected = f"extra: {SITE}/pip-1.egg-info-more/more.py: no installed package owns it"
    assert drifts(lock, environment) == [expected]


def test_byte_code_that_another_installer_listed_may_be_gone(
    environment: Environment, lock: str, packages: Path
) -> None:
    """pip lists what it compiles, and images are often cleaned of it."""
    record = packages / "other-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "__pycache__/other.cpython-311.pyc,,\n")
    assert drifts(lock, environment) == []


def test_what_the_lock_leaves_to_others_is_no_difference(
    tmp_path: Path, environment: Environment, packages: Path
) -> None:
    text = lock_of([DEMO]) + '\n[[packages]]\nname = "other"\ndirectory = { path = "." }\n'
    path = tmp_path / "skipping.toml"
    path.write_text(text)
    assert drifts(str(path), environment, SelectOptions(skip_unbuildable=True)) == []
    assert packages.is_dir()


def test_many_changed_files_read_no_record_again(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All may be changed, by a tool that rewrites the ends of lines."""
    many = build_wheel("many", files={f"many/{number}.py": "1" for number in range(50)})
    lock = write_lock(tmp_path, [many, OTHER])
    execute(lock, environment)
    for file in Path(environment.interpreter.schemes.purelib, "many").iterdir():
        file.write_text("2")
    read: list[str] = []
    recorded = Installed.recorded

    def counted(found: Installed) -> Iterator[RecordedFile]:
        read.append(found.name)
        return recorded(found)

    monkeypatch.setattr(Installed, "recorded", counted)
    assert len(drifts(lock, environment)) == 50
    assert read.count("other") < 5


@pytest.mark.parametrize(
    "direct_url", [{"dir_info": {"editable": True}}, {"archive_info": {"hashes": {"sha256": "00"}}}]
)
def test_what_is_from_elsewhere_is_told_though_its_version_is_right(
    environment: Environment, lock: str, packages: Path, direct_url: dict[str, object]
) -> None:
    """``pip install --editable``, in an environment that a lock has filled."""
    folder = packages / "demo-1.0.dist-info"
    (folder / "direct_url.json").write_text(json.dumps({"url": "file:///src", **direct_url}))
    with (folder / "RECORD").open("a") as record:
        record.write("demo-1.0.dist-info/direct_url.json,,\n")
    detail = "it was installed from another address, commit or archive than the lock has"
    assert f"changed: {INFO}/direct_url.json: {detail}" in drifts(lock, environment)
    execute(lock, environment)
    assert drifts(lock, environment) == []


def test_a_file_with_the_contents_of_a_later_owner_is_right(
    tmp_path: Path, environment: Environment
) -> None:
    one, two = (build_wheel(name, files={"same.py": name}) for name in "ab")
    lock = write_lock(tmp_path, [one, two])
    execute(lock, environment, last_wins=True)
    assert drifts(lock, environment) == []
    packages = Path(environment.interpreter.schemes.purelib)
    (packages / "same.py").write_text("c")
    assert drifts(lock, environment) == [f"changed: {SITE}/same.py: sha256 differs"] * 2


def test_an_empty_environment_lacks_everything(environment: Environment, lock: str) -> None:
    assert drifts(lock, environment) == [
        "missing: demo: 1.0 is not installed",
        "missing: other: 1.0 is not installed",
    ]
    assert list(find_drift([], environment.interpreter.schemes)) == []


def test_a_difference_as_json_has_the_keys_of_the_class() -> None:
    drift = Drift("extra", "", "/x", "no installed package owns it")
    assert drift.to_json() == {
        "kind": "extra",
        "package": "",
        "path": "/x",
        "detail": "no installed package owns it",
    }


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to itself"])
def test_a_record_that_is_no_file_is_a_difference(
    environment: Environment, lock: str, packages: Path, kind: str
) -> None:
    record = packages / "demo-1.0.dist-info/RECORD"
    record.unlink()
    match kind:
        case "pipe":
            os.mkfifo(record)
        case "folder":
            record.mkdir()
        case _:
            record.symlink_to("RECORD")
    assert f"missing: {INFO}/RECORD: it does not exist, or is empty" in drifts(lock, environment)
