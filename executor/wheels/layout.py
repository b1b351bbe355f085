"""The folders that a wheel may hold, and the places of an environment that they stand for."""

from __future__ import annotations

import os
import re

from executor.environment.places import is_below
from executor.environment.schemes import STAGING, Schemes
from executor.wheels.member_names import folded
from executor.wheels.scripts import check_replaces_nothing
from schemas.data_class import frozen
from schemas.wheel import EGGS, SCHEME_NAMES, Scheme
from schemas.wheel_filename import dist_info_matches, normalized_name, split_wheel_filename

__all__ = [
    "Layout",
    "MisplacedMember",
    "beside_packages",
    "check_data_path",
    "check_root_name",
    "check_startup",
    "installed_path",
    "is_data_folder",
    "is_startup_file",
]


_STARTUP = re.compile(r"(?:site|user)customize(?:[./].*)?", re.IGNORECASE | re.DOTALL)
"""Modules that Python imports whenever it starts
(https://docs.python.org/3/library/site.html#module-sitecustomize)."""


_LIBRARY = re.compile(
    r"(?:local/)?lib(?:32|64)?/(?:python|pypy)[\d.]*t?(?P<archive>\.zip$)?"
    r"(?:/(?P<packages>(?:site|dist)-packages/)?(?P<below>.*))?",
    re.DOTALL,
)
"""Places below a prefix that some Python imports from, in lower case: its standard library, as an
archive too, and its packages, whatever its version
(https://docs.python.org/3/library/sys_path_init.html)."""


_BUILD_MARK = "modules/setup.local"
"""Makes the folder of an interpreter one that it is built in, with the standard library below it
(Modules/getpath.py of CPython)."""


_PIP_SETTINGS = frozenset({"pip.conf", "pip.ini"})
"""Files of an environment that pip reads (https://pip.pypa.io/en/stable/topics/configuration/)."""


class MisplacedMember(ValueError):
    """A member is in a folder, or has a name, that a wheel must not have."""


@frozen
class Layout:
    """The rules for the member names of one wheel, which follow from its file name."""

    filename: str
    distribution: str
    version: str

    @classmethod
    def of(cls, filename: str) -> Layout:
        """Return the layout of the wheel with this file name."""
        return cls(filename, *split_wheel_filename(filename))

    def check_member(self, name: str) -> None:
        """Raise MisplacedMember if a member is in a folder that the wheel must not have.

        Such folders are the dist-info or data folder of another distribution, one below an unknown
        key of the wheel's own data folder, and the folder in which installations are staged.
        """
        below = folded(installed_path(name, "purelib")[1])
        if below.startswith(STAGING) or f"/{STAGING}/" in f"/{below}/":
            raise MisplacedMember(f"names that begin with {STAGING!r} are lockstream's own")
        top, slash, rest = name.partition("/")
        # importlib.metadata looks for distributions in lower case.
        if top.lower().endswith(".dist-info"):
            self._check_own(top, ".dist-info", slash)
        elif top.lower().endswith(EGGS):
            self._check_egg(top)
        elif top.endswith(".data") and "-" in top and (slash or self._is_own(top)):
            self._check_own(top, ".data", slash)
            self._check_data(rest)

    def _is_own(self, folder: str) -> bool:
        return dist_info_matches(folder, self.distribution, self.version)

    def _check_own(self, top: str, suffix: str, slash: str) -> None:
        if not slash:
            raise MisplacedMember("it is a file where a wheel has a folder")
        if not (top.endswith(suffix) and self._is_own(top)):
            raise MisplacedMember(f"the folder {top!r} belongs to another distribution")

    def _check_egg(self, top: str) -> None:
        """Old wheels ship their own; importlib.metadata reads any as an installed distribution."""
        name = top.rpartition(".")[0].partition("-")[0]
        if normalized_name(name) != normalized_name(self.distribution):
            raise MisplacedMember(f"{top!r} would describe another distribution")

    def _check_data(self, rest: str) -> None:
        """Check ``rest``, a member name below the data folder; empty for the folder itself."""
        key, slash, below = rest.partition("/")
        if rest and (key not in SCHEME_NAMES or not slash):
            raise MisplacedMember(f"a data folder holds {', '.join(SCHEME_NAMES)}, not {key!r}")
        if key == "scripts" and "/" in below:
            raise MisplacedMember("the scripts of a wheel are files, not folders")
        inner = below.partition("/")[0]
        if key in {"purelib", "platlib"} and inner.lower().endswith(".dist-info"):
            raise MisplacedMember("a wheel has its dist-info folder at its root only")
        if key in {"purelib", "platlib"} and inner.lower().endswith(EGGS):
            self._check_egg(inner)


def check_startup(name: str) -> None:
    """Raise MisplacedMember if the member ``name`` would run whenever Python starts.

    An environment has one sitecustomize and one usercustomize module, and a wheel that brings one
    would replace it unseen. A ``.pth`` file runs code too, but under a name of its own; wheels
    bring some for good reasons, so those are reported instead.
    """
    scheme, below = installed_path(name, "purelib")
    if scheme in {"purelib", "platlib"} and _STARTUP.fullmatch(below):
        raise MisplacedMember(
            "it would run whenever Python starts; if it may, name its package with --allow-startup"
        )


def is_startup_file(below: str) -> bool:
    """Return whether Python obeys a file at every start that has this path below site-packages:
    ``.pth`` files, and the ``.start`` files of PEP 829.
    """
    return "/" not in below and below.lower().endswith((".pth", ".start"))


def check_data_path(path: str, schemes: Schemes) -> str | None:
    """Raise if a file of the data scheme would be a part of the environment or of another
    distribution: the data folder of an environment holds the folders of all other schemes.

    ``path`` is relative to the data folder. Return the path of the file below site-packages if it
    goes there. Raises MisplacedMember and scripts.InvalidEntryPoint.
    """
    inner = _check_data_place(path, schemes)
    # A link of the environment, such as lib64, may lead into the folder of another scheme.
    folder, name = os.path.split(os.path.join(schemes.data, path))
    if (real := os.path.realpath(folder)) == folder:
        return inner
    place = os.path.relpath(os.path.join(real, name), os.path.realpath(schemes.data))
    return _check_data_place(place, schemes.real) or inner


def _check_data_place(path: str, schemes: Schemes) -> str | None:
    """Check one spelling of a file of the data scheme, as ``check_data_path`` does."""
    data, scripts = schemes.data.lower(), schemes.scripts.lower()
    place = os.path.normpath(os.path.join(data, path.lower()))
    roots = [root.lower() for root in schemes.roots]
    if place in roots or any(is_below(root, [place]) for root in roots):
        raise MisplacedMember("it is a file where an environment has a folder")
    if place == os.path.join(data, "pyvenv.cfg"):
        raise MisplacedMember("it would make the folder a virtual environment")
    folder, name = os.path.split(place)
    if folder == scripts:
        check_replaces_nothing(name)
    if folder == data:
        check_root_name(name)
        if name in _PIP_SETTINGS:
            raise MisplacedMember("it would change the settings of pip in the environment")
    for packages in (schemes.purelib.lower(), schemes.platlib.lower()):
        if packages != data and is_below(place, [packages]):
            return _check_package_place(place.removeprefix(packages).lstrip(os.sep))
    # An interpreter looks for its library below its own folder first.
    for top in (scripts, data):
        if is_below(place, [top]) and (inner := _check_library_place(os.path.relpath(place, top))):
            return inner
    is_target = data in {schemes.purelib.lower(), schemes.platlib.lower()}
    return _check_package_place(os.path.relpath(place, data)) if is_target else None


def _check_library_place(path: str) -> str | None:
    """Check a file of the data scheme. ``path``, in lower case, is below a folder in which an
    interpreter looks for its library. Return its path below packages if it goes there.
    """
    if path == _BUILD_MARK:
        raise MisplacedMember("an interpreter above it would take its standard library from there")
    found = _LIBRARY.fullmatch(path)
    if found is None:
        return None
    if not found["packages"]:
        if found["below"] and _STARTUP.fullmatch(found["below"]):
            raise MisplacedMember("it would run whenever Python starts")
        raise MisplacedMember("it would be a part of Python's standard library")
    return _check_package_place(found["below"])


def _check_package_place(inner: str) -> str:
    """Check a file of the data scheme that is ``inner`` below the packages; return that."""
    if inner.partition("/")[0].endswith((".dist-info", *EGGS)):
        raise MisplacedMember("a wheel has its dist-info folder at its root only")
    check_root_name(inner)
    check_startup(inner)
    return inner


def beside_packages(schemes: Schemes) -> frozenset[str]:
    """Return the names, in lower case, of folders of other schemes that lie among the packages."""
    if schemes.data not in {schemes.purelib, schemes.platlib}:
        return frozenset()
    below = (root for root in schemes.roots if is_below(root, [schemes.data]))
    return frozenset(
        os.path.relpath(root, schemes.data).partition(os.sep)[0].lower() for root in below
    )


def check_root_name(name: str) -> None:
    """Raise MisplacedMember if an interpreter in the folder of a scheme would obey the file
    ``name`` there, or would be in a virtual environment.
    """
    if name.lower().endswith("._pth") and "/" not in name:
        raise MisplacedMember("an interpreter in its folder would take its import path from it")
    if name.lower() == "pyvenv.cfg":
        raise MisplacedMember("it would make the folder a virtual environment")


def is_data_folder(folder: str) -> bool:
    """Return whether the members of ``folder`` go directly into a folder of the environment."""
    top, _, rest = folder.partition("/")
    return top.endswith(".data") and "/" not in rest


def installed_path(name: str, root: Scheme) -> tuple[Scheme, str]:
    """Return the scheme of a member, and its path below the scheme's folder.

    ``root`` is the scheme of the wheel's root.
    """
    top, _, rest = name.partition("/")
    if top.endswith(".data") and "-" in top:
        key, _, below = rest.partition("/")
        if key in SCHEME_NAMES:
            return key, below
    return root, name
