"""Names that escape, that mean different files to different systems, or that do not name files."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from helpers.archives import Member
from helpers.hostile.carriers import Carrier, Case

__all__ = ["names"]

NOT_SHORTEST = (
    "its name is absolute or not in its shortest form (it has an empty, '.' or '..' part)"
)
TAKEN = "another member has the same name, but for case or accents, or is below it as a folder"
STAGED = "names that begin with '.lockstream' are lockstream's own"


def names(carrier: Carrier) -> Mapping[str, Iterable[Case]]:
    """By kind."""
    return {
        "paths that lead elsewhere": _paths(carrier),
        "names of other systems": _portability(carrier),
        "encodings": _encodings(carrier),
        "names beyond measure": _sizes(carrier),
        "collisions in a wheel": _collisions(carrier),
        "links, devices, folders": _types(carrier),
        "the installer's own folder": _staging(carrier),
    }


def _paths(c: Carrier) -> Iterator[Case]:
    for name, path in (
        ("dot-dot", "../evil.py"),
        ("dot-dot, many", "../" * 9 + "etc/evil"),
        ("dot-dot alone", ".."),
        ("dot-dot at the end", "a/.."),
        ("dot-dot inside", "a/../b.py"),
        ("dot-dot out of the data folder", "demo-1.0.data/data/../../../x"),
        ("dot-dot out of the scripts", "demo-1.0.data/scripts/../../evil.py"),
        ("dot-dot out of dist-info", "demo-1.0.dist-info/../evil.py"),
        ("absolute", "/evil.py"),
        ("absolute in the data folder", "demo-1.0.data/data//etc/evil"),
        ("two slashes before", "//evil.py"),
        ("dot", "./b.py"),
        ("dot inside", "a/./b.py"),
        ("empty part", "a//b.py"),
    ):
        yield Case(name, c.plus(path), f"'{path}': {NOT_SHORTEST}")
    yield Case(
        "folder above",
        c.good.rebuilt([*c.good.members, Member("../evil/", mode=0o040755)]),
        f"'../evil/': {NOT_SHORTEST}",
    )
    yield Case(
        "slash alone",
        c.good.rebuilt([*c.good.members, Member("/", mode=0o040755)]),
        f"'/': {NOT_SHORTEST}",
    )
    yield Case("no name", c.plus(""), "'': its name is empty")


def _portability(c: Carrier) -> Iterator[Case]:
    for name, path, sign in (
        ("backslash", "a\\b.py", "\\"),
        ("dot-dot with backslashes", "..\\evil.py", "\\"),
        ("UNC path", "\\\\host\\share\\evil.py", "\\"),
        ("drive", "C:evil.py", ":"),
        ("drive and root", "C:/evil.py", ":"),
        ("alternate stream", "demo.py:evil", ":"),
        ("star", "a*.py", "*"),
        ("question mark", "a?.py", "?"),
        ("less than", "a<b.py", "<"),
        ("greater than", "a>b.py", ">"),
        ("quote", 'a"b.py', '"'),
        ("bar", "a|b.py", "|"),
        ("NUL", "evil\0.py", "\0"),
        ("NUL behind a good name", "demo.py\0.txt", "\0"),
        ("line end", "evil\n.py", "\n"),
        ("carriage return", "evil\r.py", "\r"),
        ("tab", "evil\t.py", "\t"),
        ("escape sequence", "evil\x1b[2J", "\x1b"),
        ("delete", "evil\x7f.py", "\x7f"),
        ("control character of ISO 8859", "evil\x9b.py", "\x9b"),
    ):
        message = f"{path!r}: its name contains {sign!r}, which some systems do not allow"
        yield Case(name, c.plus(path), message)
    for part in ("con.py", "NUL", "aux", "PRN.txt", "COM1", "lpt9.py", "CONIN$", "COM\u00b9"):
        message = f"'{part}': its part '{part}' is a reserved name on Windows"
        yield Case(f"device {part}", c.plus(part), message)
    folder = "nul/x.py"
    yield Case(
        "device as a folder",
        c.plus(folder),
        f"'{folder}': its part 'nul' is a reserved name on Windows",
    )
    for name, path, part in (
        ("dot at the end", "evil.", "evil."),
        ("space at the end", "evil.py ", "evil.py "),
        ("dot at the end of a folder", "evil./x", "evil."),
        ("three dots", "a/.../b.py", "..."),
    ):
        yield Case(name, c.plus(path), f"'{path}': its part '{part}' ends with a dot or a space")


def _encodings(c: Carrier) -> Iterator[Case]:
    utf8 = {"flags": 1 << 11}
    yield Case("code page", c.plus(b"\xe4.py"), "its name b'\\xe4.py' is not ASCII")
    yield Case(
        "UTF-8 that is not announced",
        c.plus("\u00e4.py".encode(), headers={"flags": 0}),
        "its name b'\\xc3\\xa4.py' is not ASCII",
    )
    for name, path in (
        ("Latin 1 announced as UTF-8", b"\xe4.py"),
        ("overlong slash", b"..\xc0\xafevil.py"),
        ("surrogate", b"\xed\xa0\x80.py"),
        ("cut short", b"evil\xc3"),
    ):
        message = f"its name {path!r} is not UTF-8"
        yield Case(name, c.plus(path, headers=utf8, descriptor=None), message)


def _sizes(c: Carrier) -> Iterator[Case]:
    part = "x" * 256
    yield Case(
        "part of 256 bytes", c.plus(part), f"'{part}': its part '{part}' is longer than 255 bytes"
    )
    part = "\u00e4" * 128
    yield Case(
        "part of 256 bytes in UTF-8",
        c.plus(part),
        f"'{part}': its part '{part}' is longer than 255 bytes",
    )
    long = "/".join(["x" * 100] * 11)
    yield Case("name of 1,110 bytes", c.plus(long), f"'{long}': its name is longer than 1024 bytes")
    deep = "x/" * 64 + "y"
    yield Case("65 parts", c.plus(deep), f"'{deep}': it is more than 64 folders deep")


def _collisions(c: Carrier) -> Iterator[Case]:
    good = c.good
    folder = Member("demo.py/", mode=0o040755)
    yield Case(
        "file below a file",
        c.plus("demo.py/x"),
        "'demo.py/x': a member before it is a file named 'demo.py'",
    )
    yield Case(
        "file before one below it",
        good.rebuilt([Member("demo.py/x", b"x"), *good.members]),
        "'demo.py': a member before it has the same name",
    )
    for name, one, other, named in (
        ("case", "demo/A.py", "demo/a.py", "demo/a.py"),
        ("case of a folder", "demo/A/x.py", "demo/a/x.py", "demo/a/x.py"),
        ("case of the good file", "DEMO.PY", "b.py", "DEMO.PY"),
        ("sharp s", "stra\xdfe.py", "STRASSE.py", "STRASSE.py"),
        ("accents", "caf\xe9.py", "cafe\u0301.py", "cafe\u0301.py"),
        ("Kelvin sign", "\u212a.py", "k.py", "k.py"),
        ("case of a file and a folder", "Data", "data/x.py", "data/x.py"),
        (
            "case in the scripts",
            "demo-1.0.data/scripts/Run",
            "demo-1.0.data/scripts/run",
            "demo-1.0.data/scripts/run",
        ),
    ):
        yield Case(name, c.pair(one, other), f"'{named}': {TAKEN}")
    yield Case(
        "folder beside a file", good.rebuilt([*good.members, folder]), f"'demo.py/': {TAKEN}"
    )
    yield Case(
        "folder before a file", good.rebuilt([folder, *good.members]), f"'demo.py/': {TAKEN}"
    )


def _types(c: Carrier) -> Iterator[Case]:
    only = "a wheel holds regular files and directories only"

    def kind(name: str, mode: int, told: str) -> Case:
        message = f"'evil': its mode {mode:#o} says {told}, {only}"
        return Case(name, c.plus("evil", mode=mode), message)

    yield kind("link", stat.S_IFLNK | 0o777, "a symbolic link")
    yield kind("pipe", stat.S_IFIFO | 0o644, "a pipe")
    yield kind("block device", stat.S_IFBLK | 0o644, "a block device")
    yield kind("character device", stat.S_IFCHR | 0o644, "a character device")
    yield kind("socket", stat.S_IFSOCK | 0o644, "a socket")
    yield kind("unknown type", 0o170644, "an unknown type")
    yield kind("folder without a slash", stat.S_IFDIR | 0o755, "a directory")
    yield Case(
        "file with a slash",
        c.good.rebuilt([*c.good.members, Member("evil/")]),
        f"'evil/': its mode 0o100644 says a regular file, {only}",
    )
    link = replace(Member("evil", b"/etc"), mode=stat.S_IFLNK | 0o777)
    yield Case(
        "link and a file below it",
        c.good.rebuilt([link, Member("evil/passwd", b"x"), *c.good.members]),
        "'evil/passwd': a member before it is a file named 'evil'",
    )
    yield Case(
        "main file as a link",
        c.demo(mode=stat.S_IFLNK | 0o777),
        f"'demo.py': its mode 0o120777 says a symbolic link, {only}",
    )


def _staging(c: Carrier) -> Iterator[Case]:
    for name, path in (
        ("journal", ".lockstream/journal"),
        ("in another case", ".LockStream/journal"),
        ("file of another wheel", "demo-1.0.data/purelib/.lockstream/0/tree/evil.py"),
        ("in a folder", "demo/.lockstream/journal"),
    ):
        yield Case(name, c.plus(path), f"'{path}': {STAGED}")
    path = "demo-1.0.data/purelib/.lockstream"
    yield Case("as a file", c.pair("demo-1.0.data/purelib/a.py", path), f"'{path}': {STAGED}")
