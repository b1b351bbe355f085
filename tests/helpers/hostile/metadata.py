"""Metadata that does not fit the wheel, and files that would do harm once they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from helpers.archives import Member
from helpers.hostile.carriers import Carrier, Case
from helpers.wheels import Wheel

__all__ = ["metadata"]

PACKAGES = ("lib/site-packages", "lib/python{}.{}/site-packages".format(*sys.version_info))
"""The folder of packages in the environments of the tests, and in a prefix."""

STARTUP = "it would run whenever Python starts; if it may, name its package with --allow-startup"
AT_ROOT = "a wheel has its dist-info folder at its root only"
KEYS = "a data folder holds purelib, platlib, headers, scripts, data, not"


def metadata(carrier: Carrier) -> Mapping[str, Iterable[Case]]:
    """By kind."""
    return {
        "hashes in RECORD": _hashes(carrier),
        "rows of RECORD": _rows(carrier),
        "METADATA and WHEEL": _identity(carrier),
        "dist-info folders": _dist_info(carrier),
        "data folders": _data(carrier),
        "entry points": _entry_points(carrier),
        "scripts and parts of the environment": _environment(carrier),
        "code at every start": _startup(carrier),
    }


def _with_record(c: Carrier, record: str | bytes) -> Wheel:
    return c.build({"demo.py": b"pass\n"}, record=record)


def _hashes(c: Carrier) -> Iterator[Case]:
    record, own = c.record, f"'{c.info}/RECORD'"
    row = record.splitlines()[0]
    true = row.split(",")[1]

    def hashed(name: str, spelled: str, message: str) -> Case:
        return Case(name, _with_record(c, record.replace(true, spelled, 1)), message)

    yield hashed(
        "wrong",
        f"sha256={'A' * 43}",
        f"'demo.py': its sha256 is {true[7:]}, RECORD states {'A' * 43}",
    )
    yield hashed(
        "of 35 bytes", true.replace("=", "=AAAA"), f"{own}: row 1 has a sha256 of 35 bytes"
    )
    yield hashed("cut short", true[:-4], f"{own}: row 1 has a sha256 of 29 bytes")
    yield hashed("none", "", f"{own}: its row for 'demo.py' has no hash")
    yield hashed(
        "in hexadecimal",
        "sha256=" + "0" * 64,
        f"'demo.py': its sha256 is {true[7:]}, RECORD states {'A' * 43}",
    )
    yield hashed("not base64", "sha256=" + "!" * 43, f"{own}: row 1 has a hash that is not base64")
    for name, spelled in (
        ("MD5", "md5=1B2M2Y8AsgTpgAmY7PhCfg"),
        ("SHA-1", "sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk"),
        ("CRC", "crc32=AAAAAA"),
        ("of an unknown algorithm", "evil=AAAA"),
        ("without an algorithm", true.removeprefix("sha256=")),
    ):
        algorithm = spelled.partition("=")[0]
        message = f"{own}: row 1 has a hash of {algorithm!r}, which is not secure"
        yield hashed(name, spelled, message)
    yield hashed("wrong SHA-512", f"sha512={'A' * 86}", f"{own}: its sha512 of 'demo.py' differs")
    yield Case(
        "of RECORD itself",
        c.with_info(RECORD=record.replace(",,", f",sha256={'A' * 43},1")),
        f"{own}: it gives a hash of itself",
    )
    yield Case(
        "size that differs",
        _with_record(c, record.replace(",5\n", ",6\n")),
        "'demo.py': RECORD gives it 6 bytes, it has 5",
    )
    yield Case(
        "size that is no number",
        _with_record(c, record.replace(",5\n", ",five\n")),
        f"{own}: row 1 has 'five' where a size should be",
    )
    yield Case(
        "size below zero",
        _with_record(c, record.replace(",5\n", ",-5\n")),
        f"{own}: row 1 has '-5' where a size should be",
    )
    yield Case(
        "file that was changed",
        c.good.edited("demo.py", data=b"evil\n"),
        "'demo.py': its sha256 is iGtnSA2-c7QGrYOh3W2VlvkwidkMIgzPyRlEyV8caMQ, "
        f"RECORD states {true[7:]}",
    )


def _rows(c: Carrier) -> Iterator[Case]:
    record, own, good = c.record, f"'{c.info}/RECORD'", c.good
    row = record.splitlines()[0]

    def rows(name: str, text: str | bytes, message: str) -> Case:
        return Case(name, _with_record(c, text), message)

    yield Case(
        "file that is not listed",
        good.rebuilt([*good.members, Member("extra.py", b"x")]),
        "'extra.py': RECORD does not list it",
    )
    yield Case(
        "row without a file",
        good.rebuilt(m for m in good.members if m.name != "demo.py"),
        f"{own}: it lists what the wheel does not hold: 'demo.py'",
    )
    for name, path in (
        ("above", "../../victim"),
        ("absolute", "/etc/passwd"),
        ("ghost", "ghost.py"),
        ("in another case", "DEMO.py"),
        ("of a folder", "demo/"),
    ):
        yield rows(
            f"row {name}",
            record + row.replace("demo.py", path) + "\n",
            f"{own}: it lists what the wheel does not hold: '{path}'",
        )
    yield rows(
        "row above, without a hash",
        record + "../../victim,,\n",
        f"{own}: its row for '../../victim' has no hash",
    )
    yield rows(
        "row above, of SHA-512",
        record + f"../../victim,sha512={'A' * 86},1\n",
        f"{own}: its row for '../../victim' is for no file of the wheel",
    )
    yield rows(
        "absolute rows",
        "".join(f"/{line}\n" for line in record.splitlines()),
        f"{own}: its row for '/{c.info}/RECORD' has no hash",
    )
    yield rows(
        "backslashes",
        record.replace("/", "\\"),
        f"{own}: its row for '{c.info}\\\\RECORD' has no hash",
    )
    yield rows(
        "two rows that differ",
        record + row.replace(",5", ",6") + "\n",
        f"{own}: two rows for 'demo.py' differ",
    )
    yield rows("the same row twice", record + row + "\n", f"{own}: it lists a file twice")
    yield rows("two fields", record + "x,y\n", f"{own}: row 5 has 2 fields, not 3")
    yield rows("four fields", record.replace(",5\n", ",5,\n"), f"{own}: row 1 has 4 fields, not 3")
    yield rows(
        "quote that is not closed", '"' + record, f"{own}: it is not CSV: unexpected end of data"
    )
    yield rows("not UTF-8", record.encode() + b"\xe4,,\n", f"{own}: it is not UTF-8 text")
    yield rows("NUL", record + "a\0b,,\n", f"{own}: its row for 'a\\x00b' has no hash")
    yield rows("empty", "", "'demo.py': RECORD does not list it")
    yield rows(
        "line of 5,000 characters",
        record + "x" * 5000 + ",,\n",
        f"{own}: it has a line of more than 4096 characters",
    )
    yield Case("no RECORD", c.with_info(RECORD=None), f"{own}: it is missing")


def _identity(c: Carrier) -> Iterator[Case]:
    meta, wheel = f"'{c.info}/METADATA'", f"'{c.info}/WHEEL'"

    def stated(name: str, text: bytes | str | None, message: str) -> Case:
        return Case(name, c.with_info(METADATA=text), f"{meta}: {message}")

    def wheel_file(name: str, text: bytes | str | None, message: str) -> Case:
        return Case(name, c.with_info(WHEEL=text), f"{wheel}: {message}")

    yield stated("no METADATA", None, "it is missing")
    yield stated(
        "another name",
        "Name: other\nVersion: 1.0\n",
        "it names 'other', the file name another project",
    )
    yield stated("no name", "Version: 1.0\n", "it names '', the file name another project")
    yield stated(
        "another version",
        "Name: demo\nVersion: 9\n",
        "it states version '9', the file name another",
    )
    yield stated("no version", "Name: demo\n", "it states version '', the file name another")
    yield stated(
        "version that is none",
        "Name: demo\nVersion: ../1.0\n",
        "it states version '../1.0', the file name another",
    )
    yield stated(
        "name behind the headers",
        "X: y\n\nName: demo\nVersion: 1.0\n",
        "it names '', the file name another project",
    )
    yield stated(
        "METADATA of 5 MiB",
        "Name: demo\nVersion: 1.0\n\n" + "x" * (5 << 20),
        "it is larger than 4194304 bytes",
    )
    yield stated(
        "METADATA in Latin 1", b"Name: demo\nVersion: 1.0\nAuthor: \xe4\n", "it is not UTF-8 text"
    )
    yield wheel_file("no WHEEL", None, "it is missing")
    yield wheel_file(
        "version 2", "Wheel-Version: 2.0\n", "its Wheel-Version is 2.0, this installer knows 1.x"
    )
    yield wheel_file(
        "version 11", "Wheel-Version: 11.0\n", "its Wheel-Version is 11.0, this installer knows 1.x"
    )
    yield wheel_file("no version in WHEEL", "Generator: x\n", "its Wheel-Version is ''")
    yield wheel_file("version in words", "Wheel-Version: one\n", "its Wheel-Version is 'one'")
    yield wheel_file("negative version", "Wheel-Version: -1.0\n", "its Wheel-Version is '-1.0'")
    yield wheel_file("empty WHEEL", "", "its Wheel-Version is ''")
    yield wheel_file(
        "WHEEL of 300 kB", "Wheel-Version: 1.0\n" + "x" * 300_000, "it is larger than 262144 bytes"
    )
    yield wheel_file("WHEEL in Latin 1", b"Wheel-Version: 1.0\n\xe4", "it is not UTF-8 text")


def _dist_info(c: Carrier) -> Iterator[Case]:
    def foreign(name: str, folder: str) -> Case:
        path = f"{folder}/METADATA"
        message = f"the folder '{folder}' belongs to another distribution"
        return Case(name, c.plus(path), f"'{path}': {message}")

    yield foreign("second", "other-2.0.dist-info")
    yield foreign("of another version", "demo-2.0.dist-info")
    yield foreign("without a version", "other.dist-info")
    yield foreign("in upper case", "demo-1.0.DIST-INFO")
    yield foreign("of no name", ".dist-info")
    yield Case(
        "spelled in two ways",
        c.plus("Demo-1.0.dist-info/x"),
        f"a wheel has one dist-info folder of its name; it has 2: Demo-1.0.dist-info, {c.info}",
    )
    yield Case(
        "as a file",
        c.plus("other-1.0.dist-info"),
        "'other-1.0.dist-info': it is a file where a wheel has a folder",
    )
    yield Case(
        "none",
        c.good.rebuilt(m for m in c.good.members if ".dist-info/" not in str(m.name)),
        "a wheel has one dist-info folder of its name; it has none",
    )
    yield Case(
        "of another project only",
        c.good.rebuilt(
            Member(str(m.name).replace("demo-", "other-"), m.data) for m in c.good.members
        ),
        "'other-1.0.dist-info/METADATA': the folder 'other-1.0.dist-info' belongs to another "
        "distribution",
    )
    for key in ("purelib", "platlib"):
        path = f"demo-1.0.data/{key}/other-2.0.dist-info/METADATA"
        yield Case(f"through {key}", c.plus(path), f"'{path}': {AT_ROOT}")
    path, other = (f"demo-1.0.data/data/{folder}/x-1.dist-info/METADATA" for folder in PACKAGES)
    yield Case("through all of data", c.pair(path, other), f"'{path}': {AT_ROOT}")
    for name, message in (
        ("INSTALLER", "it is in the way of what an installer writes"),
        ("RECORD", "it is missing"),
        ("METADATA", "it is a folder"),
    ):
        folder = c.with_info(**{f"{name}/x": b"x", name: None})
        yield Case(f"folder {name}", folder, f"'{c.info}/{name}': {message}")


def _data(c: Carrier) -> Iterator[Case]:
    for name, path in (
        ("foreign", "other-9.data/scripts/run"),
        ("of another version", "demo-2.0.data/purelib/evil.py"),
    ):
        folder = path.partition("/")[0]
        yield Case(
            name, c.plus(path), f"'{path}': the folder '{folder}' belongs to another distribution"
        )
    for key in ("lib", "stdlib", "PURELIB", "etc"):
        path = f"demo-1.0.data/{key}/x"
        yield Case(f"key {key}", c.plus(path), f"'{path}': {KEYS} '{key}'")
    yield Case(
        "file in the place of a key", c.plus("demo-1.0.data/x"), f"'demo-1.0.data/x': {KEYS} 'x'"
    )
    yield Case(
        "file in the place of purelib",
        c.plus("demo-1.0.data/purelib"),
        f"'demo-1.0.data/purelib': {KEYS} 'purelib'",
    )
    yield Case(
        "as a file",
        c.plus("demo-1.0.data"),
        "'demo-1.0.data': it is a file where a wheel has a folder",
    )
    yield Case(
        "two of them",
        c.pair("demo-1.0.data/data/a", "Demo-1.0.data/data/b"),
        "a wheel has at most one data folder; it has Demo-1.0.data, demo-1.0.data",
    )
    yield Case(
        "script that is a folder",
        c.plus("demo-1.0.data/scripts/run/x"),
        "'demo-1.0.data/scripts/run/x': the scripts of a wheel are files, not folders",
    )


def _entry_points(c: Carrier) -> Iterator[Case]:
    file = f"'{c.info}/entry_points.txt'"

    def named(name: str, script: str, group: str = "console_scripts") -> Case:
        told = f"the script name {script!r} is not made of letters, digits, . + _ -"
        return Case(name, c.scripts(f"{script} = demo:main", group), f"{file}: {told}")

    def object_(name: str, reference: str) -> Case:
        told = (
            f"the script 'run' refers to {reference!r}, which is not of the form module:attribute"
        )
        return Case(name, c.scripts(f"run = {reference}"), f"{file}: {told}")

    yield named("outside", "../evil")
    yield named("absolute", "/evil")
    yield named("in a folder", "a/b")
    yield named("backslash", "..\\evil")
    yield named("drive", "C:evil")
    yield named("graphical, outside", "../evil", group="gui_scripts")
    yield named("with a space", "e vil")
    yield named("with a quote", "e'vil")
    yield named("with an escape sequence", "e\x1bvil")
    yield named("dot", ".")
    yield named("dot-dot", "..")
    yield object_("with code", "a;import os:b")
    yield object_("with code in the attribute", "a:b;evil()")
    yield object_("with a call", "a:b()")
    yield object_("with an import", "a:__import__('os').system('x')")
    yield object_("without an attribute", "a")
    yield object_("without a module", ":b")
    yield object_("with a keyword", "import:b")
    yield object_("relative", ".a:b")
    yield object_("with a space in it", "a b:c")
    yield Case(
        "with a second line",
        c.scripts("run = a:b\n  evil()"),
        f"{file}: the script 'run' refers to 'a:b\\nevil()', "
        "which is not of the form module:attribute",
    )
    yield Case(
        "not UTF-8",
        c.with_info(**{"entry_points.txt": b"[console_scripts]\nr\xe4 = a:b\n"}),
        f"{file}: it is not UTF-8 text",
    )
    yield Case(
        "beyond measure",
        c.with_info(**{"entry_points.txt": " " * (1 << 19)}),
        f"{file}: it is larger than 262144 bytes",
    )
    yield Case(
        "no section",
        c.with_info(**{"entry_points.txt": "run = a:b\n"}),
        f"{file}: File contains no section headers...",
    )


def _environment(c: Carrier) -> Iterator[Case]:
    part = "is that of a part of the environment"
    for script in (
        "python",
        "Python3",
        "python3.12",
        "python3.13t",
        "pythonw",
        "activate",
        "activate.fish",
        "Activate.ps1",
    ):
        yield Case(
            f"entry point {script}",
            c.scripts(f"{script} = a:b"),
            f"'{c.info}/entry_points.txt': the script name '{script}' {part}",
        )
        path = f"demo-1.0.data/scripts/{script}"
        yield Case(f"script {script}", c.plus(path), f"'{path}': the script name '{script}' {part}")
    path = "demo-1.0.data/data/bin/python3"
    yield Case(
        "interpreter through data", c.plus(path), f"'{path}': the script name 'python3' {part}"
    )
    path = "demo-1.0.data/data/pyvenv.cfg"
    yield Case(
        "pyvenv.cfg",
        c.plus(path),
        f"'{path}': it would make the folder a virtual environment",
    )


def _startup(c: Carrier) -> Iterator[Case]:
    for path in (
        "sitecustomize.py",
        "usercustomize.py",
        "SiteCustomize.py",
        "usercustomize/__init__.py",
        "sitecustomize.pyc",
        "sitecustomize.cpython-311-x86_64-linux-gnu.so",
        "demo-1.0.data/purelib/sitecustomize.py",
        "demo-1.0.data/platlib/usercustomize.py",
    ):
        yield Case(path, c.plus(path), f"'{path}': {STARTUP}")
    path, other = (f"demo-1.0.data/data/{folder}/sitecustomize.py" for folder in PACKAGES)
    yield Case("through all of data", c.pair(path, other), f"'{path}': {STARTUP}")
