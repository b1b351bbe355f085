"""Verdicts: a lock is valid, and selects, exactly where packaging.pylock says so.

The table holds the example of PEP 751 and equals of the locks in packaging's own tests
(https://github.com/pypa/packaging/tree/main/tests, test_pylock.py and test_pylock_select.py), each
of them in every form that TOML has for it.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import tomli_w
from packaging.markers import Environment as MarkerEnvironment
from packaging.pylock import (
    Package,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)

from executor.lock.errors import Ambiguous, NoCompatibleWheel, NotForThisTarget
from executor.lock.options import SelectOptions
from executor.lock.reader import LockReader
from executor.lock.selection import Selector
from schemas.errors import InvalidLockText
from schemas.lock import UnsupportedLockVersion
from schemas.target import Target

Lock = dict[str, Any]

SHA = {"sha256": "f" * 64}
SPECIFICATION = Path(__file__).parent.parent / "data" / "pylocks" / "specification.toml"
LINUX = Target.named("3.12.0", "manylinux_2_17_x86_64")


def lock(*packages: Mapping[str, Any], **header: Any) -> Lock:
    named = {key.replace("_", "-"): value for key, value in header.items()}
    document = {"lock-version": "1.0", "created-by": "tests", **named}
    return {**document, "packages": list(packages)}


def without(document: Lock, key: str) -> Lock:
    return {name: value for name, value in document.items() if name != key}


def example(**more: Any) -> Lock:
    return {"name": "example", "version": "1.0", **more}


def wheel(filename: str = "example-1.0-py3-none-any.whl", /, **more: Any) -> Lock:
    return {"name": filename, "path": f"./{filename}", "hashes": SHA, **more}


ARCHIVE = {"path": "example.tar.gz", "hashes": SHA}
SDIST = {"path": "example-1.0.tar.gz", "hashes": SHA}
VCS = {"type": "git", "url": "https://example.com/example", "commit-id": "f" * 40}
DIRECTORY = {"path": ".", "editable": False}

VALID: Mapping[str, Lock] = {
    "the specification's": tomllib.loads(SPECIFICATION.read_text()),
    "nothing": lock(),
    "a newer minor version": lock(lock_version="1.1"),
    "a longer version": lock(lock_version="1.0.0"),
    "a directory": lock(
        example(
            marker='os_name == "posix"',
            directory=DIRECTORY,
            **{"requires-python": "!=3.10.1,>=3.10"},
        ),
        requires_python=">=3.10",
        environments=['os_name == "posix"'],
    ),
    "a repository": lock({"name": "example", "vcs": VCS}),
    "an archive": lock({"name": "example", "archive": ARCHIVE}),
    "an archive below a folder": lock(
        {"name": "example", "archive": {**ARCHIVE, "subdirectory": "src"}}
    ),
    "a source distribution": lock(example(sdist=SDIST)),
    "a source distribution and wheels": lock(example(sdist=SDIST, wheels=[wheel()])),
    "wheels without a version": lock({"name": "example", "wheels": [wheel()]}),
    "a wheel with a build number": lock(example(wheels=[wheel("example-1.0-3-py3-none-any.whl")])),
    "a wheel named by its URL only": lock(
        example(
            wheels=[
                {
                    "url": "https://example.com/example-1.0%2Blocal-py3-none-any.whl?x#y",
                    "hashes": SHA,
                }
            ],
            version="1.0+local",
        )
    ),
    "a wheel named by a Windows path": lock(
        example(wheels=[{"path": ".\\wheels\\example-1.0-py3-none-any.whl", "hashes": SHA}])
    ),
    "extras and groups": lock(
        extras=["feat1", "feat2"], dependency_groups=["dev", "docs"], default_groups=["dev"]
    ),
    "a group of any spelling": lock(dependency_groups=["Dev_Tools"]),
    "tool tables": lock(
        example(
            sdist={
                **SDIST,
                "upload-time": dt.datetime(2023, 10, 1, tzinfo=dt.UTC),
            },
            tool={"pip": {"foo": "bar"}},
        ),
        tool={"pip": {"version": "25.2"}},
    ),
    "a size": lock(
        example(
            wheels=[wheel(**{"size": 5, "upload-time": dt.datetime(2023, 1, 1, tzinfo=dt.UTC)})]
        )
    ),
    "identities": lock(
        example(wheels=[wheel()], **{"attestation-identities": [{"kind": "GitHub", "x": 1}]})
    ),
    "dependencies": lock(example(wheels=[wheel()], dependencies=[{"name": "other"}])),
    "an index": lock(example(wheels=[wheel()], index="https://example.com/simple")),
    "keys that nobody knows": lock(example(wheels=[wheel(x=1)], y={"z": []}), other=[{"a": 1}]),
    "two of a name": lock(example(wheels=[wheel()]), example(wheels=[wheel()])),
}

INVALID: Mapping[str, Lock] = {
    "an old version": lock(lock_version="0.9"),
    "a newer version": lock(lock_version="2"),
    "another newer version": lock(lock_version="2.1"),
    "a version that is none": lock(lock_version="2.x"),
    "a version that is a number": lock(lock_version=1.0),
    "no version": without(lock(), "lock-version"),
    "no creator": without(lock(), "created-by"),
    "no packages": without(lock(), "packages"),
    "packages that are no tables": {**lock(), "packages": ["example"]},
    "packages that are a table": {**lock(), "packages": {"example": {}}},
    "a package without a source": lock(example()),
    "a package without a name": lock({"wheels": [wheel()]}),
    "a name that is not normalized": lock({"name": "Ex.ample", "directory": DIRECTORY}),
    "a name that is a number": lock({"name": 1, "directory": DIRECTORY}),
    "a version of a package that is none": lock(example(wheels=[wheel()], version="one")),
    "an archive and a source distribution": lock(example(archive=ARCHIVE, sdist=SDIST)),
    "a directory and wheels": lock(example(directory=DIRECTORY, wheels=[wheel()])),
    "an archive, a repository and a directory": lock(
        example(archive=ARCHIVE, vcs=VCS, directory=DIRECTORY)
    ),
    "no wheels": lock(example(wheels=[])),
    "an archive from nowhere": lock({"name": "example", "archive": {"hashes": SHA}}),
    "a repository from nowhere": lock({"name": "example", "vcs": without(VCS, "url")}),
    "a repository at no commit": lock({"name": "example", "vcs": without(VCS, "commit-id")}),
    "a directory without a path": lock({"name": "example", "directory": {"editable": True}}),
    "a directory that may be editable": lock(
        {"name": "example", "directory": {"path": ".", "editable": "yes"}}
    ),
    "a wheel whose name is none": lock(
        {
            "name": "example",
            "wheels": [{"url": "http://example.com/example-1.0.whl", "hashes": SHA}],
        }
    ),
    "a wheel of another project": lock(example(wheels=[wheel("other-1.0-py3-none-any.whl")])),
    "a wheel of another version": lock(example(wheels=[wheel("example-2.0-py3-none-any.whl")])),
    "a wheel without hashes": lock(example(wheels=[without(wheel(), "hashes")])),
    "a wheel with no hash": lock(example(wheels=[wheel(hashes={})])),
    "a wheel with a hash that is a number": lock(example(wheels=[wheel(hashes={"sha256": 1})])),
    "a wheel from nowhere": lock(example(wheels=[without(wheel(), "path")])),
    "a wheel with a size in words": lock(example(wheels=[wheel(size="large")])),
    "wheels that are a table": lock(example(wheels=wheel())),
    "a source distribution whose name is none": lock(
        {"name": "example", "sdist": {**SDIST, "path": "./example.tar.gz"}}
    ),
    "a source distribution of another version": lock(
        example(sdist={**SDIST, "path": "./example-2.0.tar.gz"})
    ),
    "an environment that is no marker": lock(
        environments=['os_name == "posix"', 'invalid_marker == "..."']
    ),
    "an environment that is a number": lock(environments=['os_name == "posix"', 1]),
    "environments that are text": lock(environments="os_name == 'posix'"),
    "a marker that is none": lock(example(wheels=[wheel()], marker="python")),
    "a Python that is none": lock(requires_python="three"),
    "a Python of a package that is none": lock(
        example(wheels=[wheel()], **{"requires-python": "three"})
    ),
    "an extra that is not normalized": lock(extras=["Feat_1"]),
    "extras that are text": lock(extras="feat1"),
    "groups that are text": lock(dependency_groups="dev"),
    "a group that is a number": lock(dependency_groups=[1]),
    "an identity of no kind": lock(
        example(wheels=[wheel()], **{"attestation-identities": [{"x": 1}]})
    ),
    "a tool that is a number": lock(tool=1),
}


def inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return value.isoformat() if isinstance(value, dt.datetime) else json.dumps(value)


def lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {inline(value)}\n" for key, value in table.items())


def in_blocks(document: Lock) -> str:
    packages = document.get("packages")
    if not (isinstance(packages, list) and all(isinstance(p, dict) for p in packages) and packages):
        return lines(document)
    blocks = "".join(f"[[packages]]\n{lines(package)}" for package in packages)
    return lines(without(document, "packages")) + blocks


def tools_last(document: Lock) -> str:
    """Tables behind the packages, and quoted and spaced headers."""
    tool = document.get("tool")
    if not isinstance(tool, dict) or not document.get("packages"):
        return in_blocks(document)
    text = in_blocks(without(document, "tool")).replace("[[packages]]", '  [[ "packages" ]] # x')
    return text + "".join(f"[tool.{name}]\n{lines(table)}" for name, table in tool.items())


FORMS: Mapping[str, Callable[[Lock], str]] = {
    "blocks": in_blocks,
    "one array": lines,
    "subtables": lambda document: tomli_w.dumps(document, multiline_strings=True),
    "CRLF": lambda document: in_blocks(document).replace("\n", "\r\n"),
    "tools last": tools_last,
}
every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "pylock.toml"


def read(path: Path, document: Lock, form: str) -> tuple[Pylock, list[Package]]:
    path.write_bytes(FORMS[form](document).encode())
    assert tomllib.loads(path.read_bytes().decode()) == document, "the form is of another lock"
    reader = LockReader(str(path))
    return reader.header, [package for package, _ in reader.packages()]


@every_form
@pytest.mark.parametrize("name", VALID)
def test_what_packaging_reads_is_read_the_same(name: str, form: str, path: Path) -> None:
    header, packages = read(path, VALID[name], form)
    whole = Pylock.from_dict(VALID[name])
    assert packages == whole.packages
    for field in ("lock_version", "environments", "requires_python", "extras", "created_by"):
        assert getattr(header, field) == getattr(whole, field)
    assert header.dependency_groups == whole.dependency_groups
    assert header.default_groups == whole.default_groups


@every_form
@pytest.mark.parametrize("name", INVALID)
def test_what_packaging_refuses_is_refused_with_its_reason(
    name: str, form: str, path: Path
) -> None:
    with pytest.raises(PylockValidationError) as theirs:
        Pylock.from_dict(INVALID[name])
    with pytest.raises(InvalidLockText) as ours:
        read(path, INVALID[name], form)
    unsupported = isinstance(theirs.value, PylockUnsupportedVersionError)
    assert isinstance(ours.value, UnsupportedLockVersion) is unsupported
    # Where the packages are none at all, this reader meets it before packaging does.
    if not unsupported and "packages" not in (theirs.value.context or "").split("["):
        assert theirs.value.message in str(ours.value)


def package(name: str, **more: Any) -> Lock:
    if not more.keys() & {"directory", "archive", "vcs", "sdist", "wheels"}:
        more["wheels"] = [wheel(f"{name.replace('-', '_')}-1.0-py3-none-any.whl")]
    return {"name": name, **more}


GROUPS = lock(
    package("foo"),
    package("foo-dev", marker="'dev' in dependency_groups"),
    package("foo-docs", marker="'docs' in dependency_groups"),
    package("foo-feat1", marker="'feat1' in extras"),
    package("foo-feat2", marker="'feat2' in extras"),
    extras=["feat1", "feat2"],
    dependency_groups=["dev", "docs"],
    default_groups=["dev"],
)

SELECTED: Mapping[str, Lock] = {
    "the specification's": VALID["the specification's"],
    "one for another environment": lock(environments=['python_version == "3.14"']),
    "one for one of two environments": lock(
        package("foo"), environments=['os_name == "nt"', 'os_name == "posix"']
    ),
    "one for another Python": lock(requires_python="==3.14.*"),
    "a package for another Python": lock(package("foo", **{"requires-python": "==3.14.*"})),
    "a package for another Python that is not selected": lock(
        package("foo", marker="os_name == 'nt'", **{"requires-python": "==3.14.*"})
    ),
    "packages by marker": lock(
        package("tomli", marker='python_version < "3.11"'),
        package("foo", marker='python_version >= "3.11"'),
    ),
    "two of a name": lock(package("foo", version="1.0"), package("foo")),
    "two of a name that exclude each other": lock(
        package("foo", marker="os_name == 'nt'"), package("foo", marker="os_name == 'posix'")
    ),
    "all kinds": lock(
        package("foo-archive", archive=ARCHIVE),
        package("foo-directory", directory=DIRECTORY),
        package("foo-vcs", vcs=VCS),
        package("foo-sdist", sdist={**SDIST, "path": "foo_sdist-1.0.tar.gz"}),
        package("foo-wheel"),
    ),
    "a source where no wheel suits": lock(
        package(
            "foo",
            sdist={**SDIST, "path": "foo-1.0.tar.gz"},
            wheels=[wheel("foo-1.0-py5-none-any.whl")],
        )
    ),
    "no wheel that suits": lock(package("foo", wheels=[wheel("foo-1.0-py5-none-any.whl")])),
    "extras and groups": GROUPS,
}


@pytest.mark.parametrize("name", SELECTED)
def test_what_packaging_selects_is_selected(name: str, path: Path) -> None:
    check_selection(path, SELECTED[name], (), None)


@pytest.mark.parametrize("extras", [(), ("feat1",), ("feat2",), ("feat1", "feat2")])
@pytest.mark.parametrize("groups", [None, (), ("dev",), ("docs",), ("dev", "docs")])
def test_extras_and_groups_select_as_in_packaging(
    extras: tuple[str, ...], groups: tuple[str, ...] | None, path: Path
) -> None:
    check_selection(path, GROUPS, extras, groups)


def check_selection(
    path: Path, document: Lock, extras: tuple[str, ...], groups: tuple[str, ...] | None
) -> None:
    wanted = SelectOptions(
        extras=frozenset(extras),
        groups=frozenset(groups or ()),
        default_groups=groups is None,
        skip_unbuildable=True,
    )

    def ours() -> list[str]:
        header, packages = read(path, document, "blocks")
        selector = Selector(header, LINUX, wanted)
        steps = [selector.select(found, line) for line, found in enumerate(packages, 1)]
        selector.finish()
        return sorted([*(step.filename for step in steps if step), *selector.skipped])

    try:
        selected = list(
            Pylock.from_dict(document).select(
                environment=cast("MarkerEnvironment", dict(LINUX.environment)),
                tags=LINUX.tags,
                extras=extras,
                dependency_groups=groups,
            )
        )
    except PylockSelectError:
        with pytest.raises((NotForThisTarget, Ambiguous, NoCompatibleWheel)):
            ours()
        return
    # What is built is left to others here, and named.
    assert ours() == sorted(
        file.filename if isinstance(file, PackageWheel) else found.name for found, file in selected
    )
