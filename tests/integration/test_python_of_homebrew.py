"""A Python as Homebrew installs it: its packages are outside of its own folder, which has a link to
them, and ``sysconfig`` names them by absolute paths.

It consists of links to the running one, but for ``sysconfig``, which has the scheme that Homebrew
adds (https://github.com/Homebrew/formula-patches/blob/master/python/3.13-sysconfig.diff).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from helpers.locks import write_lock
from helpers.pythons import linked_python
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SCHEMES = "_INSTALL_SCHEMES = {"
PREFERRED = "'prefix': 'posix_prefix'"

OLD, NEW = (
    build_wheel(
        "brewed",
        version,
        files={"brewed.py": f"v = {version}\ndef main(): print(v)\n"},
        data_files={"data/share/brewed.txt": version},
        entry_points={"console_scripts": {"brewed": "brewed:main"}},
    )
    for version in ("1.0", "2.0")
)


class Homebrew:
    """The folder of Homebrew, with a Python in its Cellar."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages = root / "lib" / VERSION / "site-packages"
        cellar = root / "Cellar/python/1.0"
        program = linked_python(cellar, self._configured)
        (cellar / "lib" / VERSION / "EXTERNALLY-MANAGED").write_text(
            "[externally-managed]\nError=brew install it\n"
        )
        own = cellar / "lib" / VERSION / "site-packages"
        own.rmdir()
        own.symlink_to(Path("../../../../../lib", VERSION, "site-packages"))
        self.packages.mkdir(parents=True)
        (root / "bin").mkdir()
        (root / "bin" / VERSION).symlink_to(program)
        self.python = str(root / "bin" / VERSION)

    def _configured(self, text: str) -> str:
        assert SCHEMES in text
        assert PREFERRED in text
        scheme = (
            "'stdlib': '{installed_base}/{platlibdir}/python{py_version_short}',"
            "'platstdlib': '{platbase}/{platlibdir}/python{py_version_short}',"
            f"'purelib': '{self.packages}', 'platlib': '{self.packages}',"
            "'include': '{installed_base}/include/python{py_version_short}{abiflags}',"
            "'platinclude': '{installed_platbase}/include/python{py_version_short}{abiflags}',"
            f"'scripts': '{self.root}/bin', 'data': '{self.root}',"
        )
        text = text.replace(SCHEMES, f"{SCHEMES} 'homebrew': {{{scheme}}},")
        return text.replace(PREFERRED, "'prefix': 'homebrew'")


@pytest.fixture(name="homebrew")
def _homebrew(tmp_path: Path) -> Homebrew:
    return Homebrew(tmp_path / "homebrew")


def execute(*words: str | Path) -> int:
    return lockstream.main(["execute", "--progress", "none", *map(str, words)])


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_its_packages_are_those_of_its_package_manager(
    homebrew: Homebrew, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = write_lock(tmp_path, [OLD])
    assert execute(lock, "--python", homebrew.python) == ExitCode.REFUSED
    assert "brew install it" in capsys.readouterr().err
    assert not [*homebrew.packages.iterdir()]


def test_all_of_a_wheel_goes_where_its_schemes_say_and_away_again(
    homebrew: Homebrew, tmp_path: Path
) -> None:
    old, new = write_lock(tmp_path / "old", [OLD]), write_lock(tmp_path / "new", [NEW])
    named = ("--python", homebrew.python, "--break-system-packages")
    assert execute(old, *named) == ExitCode.DONE
    assert output(homebrew.root / "bin/brewed") == "1.0\n"
    assert execute(new, *named, "--compile") == ExitCode.DONE
    assert output(homebrew.root / "bin/brewed") == "2.0\n"
    assert (homebrew.root / "share/brewed.txt").read_text() == "2.0"
    assert lockstream.main(["verify", new, *named[:2]]) == ExitCode.DONE
    none = write_lock(tmp_path / "none", [])
    assert execute(none, *named, "--exact") == ExitCode.DONE
    assert not [*homebrew.root.rglob("*brewed*")]


@pytest.mark.parametrize("option", ["--venv", "--prefix", "--target"])
def test_an_environment_of_it_is_its_own(homebrew: Homebrew, tmp_path: Path, option: str) -> None:
    lock = write_lock(tmp_path, [OLD])
    assert execute(lock, option, tmp_path / "env", "--python", homebrew.python) == ExitCode.DONE
    assert [path.name for path in tmp_path.glob("env/**/brewed.py")] == ["brewed.py"]
    assert not [*homebrew.root.rglob("*brewed*")]
