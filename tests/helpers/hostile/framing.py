"""Archives that two programs could read differently, or that are not archives."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import zstandard

from helpers.archives import Descriptor, Member, build_archive, zip64_extra
from helpers.hostile.carriers import Carrier, Case
from helpers.wheels import Wheel, build_wheel
from schemas.zipformat import Method

__all__ = ["framing"]

CENTRAL = "the central directory states"
GAP = "expected a member, an entry or the end at byte"
END = "its end record does not describe the central directory before it"
DESCRIPTOR = "'demo.py': its data descriptor does not state what was read"
DISKS = "the archive is spread over several disks"
CUT = "it ends before its last record"
ZIP64 = "its ZIP64 extra field does not have exactly the missing sizes"
METHODS = "wheels use 0 (stored), 8 (deflated), 93 (zstandard)"

BOMB = 65 << 20


def framing(carrier: Carrier) -> Mapping[str, Iterable[Case]]:
    """By kind."""
    return {
        "data descriptors": _descriptors(carrier),
        "ZIP64": _zip64(carrier),
        "duplicates": _duplicates(carrier),
        "local header against central directory": _differences(carrier),
        "compressed data": _data(carrier),
        "bytes before, between, behind": _around(carrier),
        "end records": _ends(carrier),
        "flags, methods, versions": _features(carrier),
        "extra fields": _extras(carrier),
        "cut short": _truncations(carrier),
        "bombs": _bombs(),
    }


def _descriptors(c: Carrier) -> Iterator[Case]:
    def lie(name: str, message: str = DESCRIPTOR, method: int = 8, **lies: Any) -> Case:
        return Case(name, c.demo(descriptor=Descriptor(**lies), method=method), message)

    yield lie("CRC", crc=1)
    yield lie("compressed size", compressed_size=1)
    yield lie("size", size=1)
    yield lie("CRC, unsigned", crc=1, signed=False)
    yield lie("size, in eight bytes", size=1, wide=True)
    yield lie("size, in eight bytes, unsigned", size=1, wide=True, signed=False)
    yield lie("CRC, stored", crc=1, method=0)
    yield lie("size, stored", size=4, method=0)
    stored = c.demo(descriptor=Descriptor(), method=Method.STORED, central={"compressed_size": 4})
    yield Case("stored, another size in the directory", stored, DESCRIPTOR)
    unlisted = c.demo(descriptor=Descriptor(), method=Method.STORED, listed=False)
    yield Case(
        "stored, no directory",
        unlisted,
        "'demo.py': it is stored, and its size is not stated before its data",
    )
    missing = c.demo(headers={"flags": 8}, descriptor=None)
    yield Case("announced and missing", missing, DESCRIPTOR)
    for field, told in (("crc", 1), ("compressed_size", 1), ("size", 1)):
        yield Case(
            f"another {field} before the data",
            c.demo(descriptor=Descriptor(), local={field: told}),
            "'demo.py': its header and its data descriptor state different figures",
        )
    flags = c.demo(descriptor=Descriptor(), central={"flags": 0})
    yield Case(
        "announced in the archive only",
        flags,
        f"'demo.py': {CENTRAL} flags 0, the archive has 8",
    )
    flags = c.demo(descriptor=None, central={"flags": 8})
    yield Case(
        "announced in the directory only",
        flags,
        f"'demo.py': {CENTRAL} flags 8, the archive has 0",
    )
    unannounced = c.demo(
        payload=c.packed + struct.pack("<4sLLL", b"PK\x07\x08", 0, 0, 0),
        descriptor=None,
        headers={"compressed_size": len(c.packed)},
    )
    yield Case(
        "unannounced",
        unannounced,
        f"{GAP} {30 + 7 + len(c.packed)}, found b'PK\\x07\\x08'",
    )


def _zip64(c: Carrier) -> Iterator[Case]:
    def extra(name: str, message: str, field: bytes, /, **local: int) -> Case:
        return Case(name, c.demo(local={"extra": field, **local}), message)

    yield extra("one size", ZIP64, zip64_extra(5))
    yield extra("other sizes than those of the header", ZIP64, zip64_extra(6, 7))
    yield extra("three sizes", ZIP64, zip64_extra(5, 7, 0))
    malformed = "its ZIP64 extra field is malformed"
    yield extra("28 bytes", malformed, struct.pack("<HH", 1, 28) + bytes(28))
    yield extra("12 bytes", malformed, struct.pack("<HH", 1, 12) + bytes(12))
    yield extra("twice", "it has two ZIP64 extra fields", zip64_extra(5, 7) * 2)
    missing = "the ZIP64 extra field of a size is missing"
    yield extra("left out", missing, b"", size=0xFFFFFFFF)
    yield extra(
        "sizes that lie",
        "'demo.py': its data ends after 7 of 1099511627776 compressed bytes",
        zip64_extra(1 << 40, 1 << 40),
        size=0xFFFFFFFF,
        compressed_size=0xFFFFFFFF,
    )
    yield Case("left out in the directory", c.demo(central={"offset": 0xFFFFFFFF}), missing)
    elsewhere = {"offset": 0xFFFFFFFF, "extra": zip64_extra(1)}
    yield Case(
        "another offset in the directory",
        c.demo(central=elsewhere, zip64=False),
        f"'demo.py': {CENTRAL} offset 1, the archive has 0",
    )
    yield Case(
        "sector behind the end record",
        c.archive(zip64=True, zip64_end={"record_size": 60}),
        "the ZIP64 end record has an extensible data sector",
    )
    yield Case(
        "sector with a second end",
        c.archive(zip64=True, zip64_end={"record_size": 44 + 22, "sector": c.good.content[-22:]}),
        "the ZIP64 end record has an extensible data sector",
    )
    yield Case(
        "locator that points elsewhere",
        c.archive(zip64=True, locator={"offset": 0}),
        "the locator of the ZIP64 end record points elsewhere",
    )
    yield Case("locator of two disks", c.archive(zip64=True, locator={"disks": 2}), DISKS)
    yield Case(
        "no locator",
        c.archive(zip64=True, locator={"signature": bytes(4)}),
        "the ZIP64 end record is not followed by a locator",
    )
    yield Case(
        "fewer entries", c.archive(zip64=True, zip64_end={"entries": 1, "entries_here": 1}), END
    )
    yield Case("another directory", c.archive(zip64=True, zip64_end={"offset": 1}), END)
    yield Case(
        "end records that contradict each other",
        c.archive(zip64=True, end={"entries": 1, "entries_here": 1}),
        "its two end records contradict each other",
    )
    yield Case(
        "announced and missing",
        c.archive(end={"entries": 0xFFFF, "entries_here": 0xFFFF}),
        "its end record leaves sizes to a ZIP64 end record that is missing",
    )


def _duplicates(c: Carrier) -> Iterator[Case]:
    twice = "a member before it has the same name"
    good, evil = c.good, replace(c.main, data=b"evil")
    yield Case("same bytes", good.rebuilt([c.main, *good.members]), f"'demo.py': {twice}")
    yield Case("other bytes before", good.rebuilt([evil, *good.members]), f"'demo.py': {twice}")
    yield Case("other bytes behind", good.rebuilt([*good.members, evil]), f"'demo.py': {twice}")
    unlisted = replace(evil, listed=False)
    yield Case(
        "listed once, the first", good.rebuilt([*good.members, unlisted]), f"'demo.py': {twice}"
    )
    yield Case(
        "listed once, the last", good.rebuilt([unlisted, *good.members]), f"'demo.py': {twice}"
    )
    for name in ("METADATA", "RECORD", "WHEEL"):
        member = f"{c.info}/{name}"
        second = Member(member, b"Name: evil\n")
        yield Case(name, good.rebuilt([*good.members, second]), f"'{member}': {twice}")


def _differences(c: Carrier) -> Iterator[Case]:
    good = c.good

    def central(name: str, message: str, /, **lies: object) -> Case:
        return Case(name, c.demo(central=lies), message)

    other = f"'{c.info}/METADATA': {CENTRAL} name '{c.info}/METADATA', the archive has 'demo.py'"
    yield Case("member that is not listed", c.demo(listed=False), other)
    yield Case(
        "another order", c.archive(central_order=[1, 0, *range(2, len(good.members))]), other
    )
    yield Case(
        "listed twice",
        c.archive(central_order=[*range(len(good.members)), 0]),
        "'demo.py': the archive does not hold it",
    )
    yield Case(
        "entry without a member",
        good.rebuilt([*good.members, Member("ghost.py", present=False)]),
        "'ghost.py': the archive does not hold it",
    )
    yield Case(
        "empty directory",
        good.rebuilt(replace(member, listed=False) for member in good.members),
        "it holds 4 members, but its central directory lists 0",
    )
    states = f"'demo.py': {CENTRAL}"
    yield central(
        "name", f"'evil.py': {CENTRAL} name 'evil.py', the archive has 'demo.py'", name=b"evil.py"
    )
    yield central(
        "name in another case",
        f"'Demo.py': {CENTRAL} name 'Demo.py', the archive has 'demo.py'",
        name=b"Demo.py",
    )
    yield central("offset, overlapping", f"{states} offset 1, the archive has 0", offset=1)
    yield central(
        "offset of another member",
        "'demo.py': the central directory states offset 44, the archive has 0",
        offset=len(c.packed) + 37,
    )
    yield central(
        "offset behind the end", f"{states} offset 1073741824, the archive has 0", offset=1 << 30
    )
    yield central("CRC", f"{states} CRC 1, the archive has {zlib.crc32(c.main.data)}", crc=1)
    yield central("size", f"{states} size 1, the archive has 5", size=1)
    yield central(
        "compressed size",
        f"{states} compressed size 1, the archive has {len(c.packed)}",
        compressed_size=1,
    )
    yield central(
        "method",
        "'demo.py': the central directory states compression method 0, the archive has 8",
        method=0 if c.main.method else 8,
    )
    yield central("flags", f"{states} flags 6, the archive has 0", flags=6)
    yield central("disk", DISKS, disk=1)
    yield Case(
        "one member under two names",
        good.rebuilt([*good.members, Member("evil.py", present=False, central={"offset": 0})]),
        "'evil.py': the archive does not hold it",
    )


def _data(c: Carrier) -> Iterator[Case]:
    size = len(c.packed)
    crc = f"{zlib.crc32(c.main.data):08x}"

    def packed(name: str, payload: bytes, message: str) -> Case:
        return Case(name, c.demo(payload=payload, method=8), message)

    def frames(name: str, payload: bytes, message: str) -> Case:
        return Case(name, c.demo(payload=payload, method=93), message)

    yield Case(
        "wrong CRC",
        c.demo(headers={"crc": 1}, descriptor=None),
        f"'demo.py': its CRC is {crc}, not the 00000001 it states",
    )
    yield Case(
        "smaller size",
        c.demo(headers={"size": 4}, descriptor=None),
        "'demo.py': it unpacks to more than the 4 bytes it states",
    )
    yield Case(
        "larger size",
        c.demo(headers={"size": 6}, descriptor=None),
        "'demo.py': it unpacks to 5 bytes, not to the 6 it states",
    )
    yield Case(
        "no size",
        c.demo(headers={"size": 0}, descriptor=None),
        "'demo.py': it unpacks to more than the 0 bytes it states",
    )
    yield Case(
        "size of four gigabytes",
        c.demo(headers={"size": 0xFFFFFFFE}, descriptor=None),
        "'demo.py': it unpacks to 5 bytes, not to the 4294967294 it states",
    )
    yield Case(
        "deflated data cut short",
        c.demo(headers={"compressed_size": size - 1}, descriptor=None, method=8),
        "'demo.py': its compressed data goes on after its compressed size",
    )
    deflated = zlib.compress(c.main.data, level=6, wbits=-15)
    yield packed(
        "junk behind the deflated data",
        deflated + b"junk",
        f"'demo.py': its data ends after {len(deflated)} of {len(deflated) + 4} compressed bytes",
    )
    yield packed(
        "two deflate streams",
        deflated * 2,
        "'demo.py': its data ends after 7 of 14 compressed bytes",
    )
    yield packed("reserved block", b"\x07", "'demo.py': its deflated data is damaged...")
    yield packed(
        "zlib header", zlib.compress(c.main.data), "'demo.py': its deflated data is damaged..."
    )
    yield packed(
        "gzip header",
        zlib.compress(c.main.data, wbits=31),
        "'demo.py': its deflated data is damaged...",
    )
    yield packed("no data", b"", "'demo.py': its compressed data goes on after its compressed size")
    frame = zstandard.ZstdCompressor().compress(c.main.data)
    yield frames(
        "two frames", frame * 2, "'demo.py': it unpacks to more than the 5 bytes it states"
    )
    yield frames(
        "junk behind the frame", frame + b"junk", "'demo.py': its zstandard data is damaged..."
    )
    yield frames(
        "frame cut short", frame[:-1], "'demo.py': its zstandard frame states 5 bytes and holds 4"
    )
    yield frames("no frame", b"junk", "'demo.py': its zstandard data is damaged...")
    yield Case(
        "folder with contents",
        c.plus("folder/", mode=0o040755),
        "'folder/': it is a folder with contents",
    )
    yield Case(
        "folder with a CRC",
        c.good.rebuilt([*c.good.members, Member("folder/", mode=0o040755, headers={"crc": 1})]),
        "'folder/': its CRC is 00000000, not the 00000001 it states",
    )


def _around(c: Carrier) -> Iterator[Case]:
    good = c.good
    second = build_archive([Member("evil.py", b"evil")])
    directory = good.content.index(b"PK\x01\x02")
    yield Case("prefix", c.archive(prefix=b"#!/bin/sh\n"), f"{GAP} 0, found b'#!/b'")
    yield Case(
        "prefix that no offset counts",
        Wheel(good.filename, (), b"#!/b" + good.content),
        f"{GAP} 0, found b'#!/b'",
    )
    yield Case("archive before", c.archive(prefix=second), "bytes follow its end")
    yield Case(
        "NUL before",
        c.archive(prefix=b"\0"),
        "expected a member, an entry or the end at byte 0, found b'\\x00PK\\x03'",
    )
    yield Case("gap before a member", c.demo(before=b"gap"), f"{GAP} 0, found b'gapP'")
    yield Case(
        "member between members",
        c.good.edited(f"{c.info}/METADATA", before=second[: second.index(b"PK\x01\x02")]),
        f"'{c.info}/METADATA': {CENTRAL} name '{c.info}/METADATA', the archive has 'evil.py'",
    )
    yield Case(
        "gap before the directory",
        c.archive(gap=b"PK\x03\x05"),
        f"{GAP} {directory}, found b'PK\\x03\\x05'",
    )
    yield Case(
        "archive extra data record",
        c.archive(gap=b"PK\x06\x08" + bytes(4)),
        f"{GAP} {directory}, found b'PK\\x06\\x08'",
    )
    yield Case(
        "archive before the directory",
        c.archive(gap=second),
        "'evil.py': the central directory states name 'evil.py', the archive has 'demo.py'",
    )
    yield Case("trailing bytes", c.archive(suffix=b"trailing"), "bytes follow its end")
    yield Case("second archive", c.archive(suffix=second), "bytes follow its end")
    yield Case(
        "second archive, whose offsets count",
        Wheel(good.filename, (), good.content + build_archive(good.members, prefix=good.content)),
        "bytes follow its end",
    )
    yield Case("second end record", c.archive(suffix=good.content[-22:]), "bytes follow its end")
    yield Case("65 zeros", c.archive(suffix=bytes(65)), "bytes follow its end")
    yield Case("line end", c.archive(suffix=b"\n"), "bytes follow its end")
    comment = "its comment could be read as another archive"
    yield Case("archive in the comment", c.archive(comment=second), comment)
    yield Case("end record in the comment", c.archive(comment=build_archive([])), comment)


def _ends(c: Carrier) -> Iterator[Case]:
    def end(name: str, message: str = END, /, **lies: object) -> Case:
        return Case(name, c.archive(end=lies), message)

    entries = len(c.good.members)
    yield end("another disk", DISKS, disk=1)
    yield end("directory on another disk", DISKS, directory_disk=1)
    yield end("entries on another disk", DISKS, entries_here=1)
    yield end("fewer entries", entries=1, entries_here=1)
    yield end("no entries", entries=0, entries_here=0)
    yield end("more entries", entries=entries + 1, entries_here=entries + 1)
    yield end("smaller directory", size=1)
    yield end("larger directory", size=1 << 20)
    yield end("directory elsewhere", offset=0)
    yield end("directory behind the end", offset=1 << 30)
    yield end("comment that is not there", CUT, comment_size=9)
    yield Case(
        "comment that is longer than stated",
        c.archive(comment=b"made by hand", end={"comment_size": 4}),
        "bytes follow its end",
    )
    yield end(
        "no signature",
        "expected a member, an entry or the end at byte 786, found b'PK\\x05\\x07'",
        signature=b"PK\x05\x07",
    )
    yield Case(
        "digital signature",
        Wheel(c.good.filename, (), c.good.content[:-22] + b"PK\x05\x05\0\0" + c.good.content[-22:]),
        "expected a member, an entry or the end at byte 786, found b'PK\\x05\\x05'",
    )


def _features(c: Carrier) -> Iterator[Case]:
    def header(name: str, message: str, /, **lies: object) -> Case:
        return Case(name, c.demo(headers=lies, descriptor=None), message)

    yield header("encrypted", "it is encrypted", flags=1)
    yield header("strongly encrypted", "it is encrypted", flags=1 | 1 << 6)
    for bit, name in (
        (4, "enhanced deflating"),
        (5, "patch data"),
        (6, "strong encryption"),
        (12, "enhanced compression"),
        (13, "masked header"),
        (15, "bit 15"),
    ):
        message = f"its flags {1 << bit:#06x} are not those of a plain member"
        yield header(name, message, flags=1 << bit)
    for method, name in (
        (1, "shrunk"),
        (6, "imploded"),
        (9, "deflate64"),
        (12, "bzip2"),
        (14, "LZMA"),
        (95, "xz"),
        (98, "PPMd"),
        (99, "AES"),
        (255, "unknown"),
    ):
        yield header(name, f"its compression method is {method}; {METHODS}", method=method)
    yield header("version 6.4", "it needs version 6.4 of the zip format", version=64)
    yield header("version 25.5", "it needs version 25.5 of the zip format", version=255)


def _extras(c: Carrier) -> Iterator[Case]:
    def unicode_path(name: bytes, crc: int = zlib.crc32(b"demo.py")) -> bytes:
        return struct.pack("<HHBL", 0x7075, 5 + len(name), 1, crc) + name

    second = "an extra field gives it a second name"
    for name, field, message in (
        ("second name", unicode_path(b"evil.py"), second),
        ("second name for another CRC", unicode_path(b"evil.py", 1), second),
        ("empty second name", unicode_path(b""), second),
        ("two more names", unicode_path(b"demo.py") + unicode_path(b"evil.py"), second),
        ("second name cut short", struct.pack("<HHB", 0x7075, 1, 1), second),
        (
            "field beyond its space",
            struct.pack("<HH", 0x5455, 9) + b"x",
            "an extra field is longer than the space it has",
        ),
    ):
        yield Case(name, c.demo(headers={"extra": field}), message)
        yield Case(f"{name}, in the directory", c.demo(central={"extra": field}), message)
    yield Case(
        "size that goes on into the data",
        c.demo(local={"extra_size": 4}),
        "an extra field is longer than the space it has",
    )
    yield Case(
        "size that goes on into the next entry",
        c.demo(central={"extra_size": 4}),
        "an extra field is longer than the space it has",
    )
    yield Case(
        "name that goes on into the data",
        c.demo(local={"name_size": 9}),
        "'demo.py+H': its deflated data is damaged...",
    )


def _truncations(c: Carrier) -> Iterator[Case]:
    content = c.good.content
    directory = content.index(b"PK\x01\x02")

    def first(name: str, size: int) -> Case:
        return Case(name, Wheel(c.good.filename, (), content[:size]), CUT)

    yield first("nothing", 0)
    yield first("in the first signature", 3)
    yield first("in a local header", 20)
    yield first("in a name", 33)
    yield first("in the data", 38)
    yield first("before the directory", directory)
    yield first("in the directory", directory + 9)
    yield first("before the end record", len(content) - 22)
    yield first("before the last byte", len(content) - 1)
    yield Case(
        "a sign-in page",
        Wheel(c.good.filename, (), b"<html>sign in</html>"),
        f"{GAP} 0, found b'<htm'",
    )
    yield Case(
        "a tar file",
        Wheel(c.good.filename, (), b"demo.py".ljust(512, b"\0") * 2),
        "expected a member, an entry or the end at byte 0, found b'demo'",
    )
    yield Case(
        "an archive of nothing",
        Wheel(c.good.filename, (), build_archive([])),
        "a wheel has one dist-info folder of its name; it has none",
    )


def _bombs() -> Iterator[Case]:
    many = {f"demo{number}.py": bytes(BOMB // 8) for number in range(9)}
    for method in (Method.DEFLATED, Method.ZSTANDARD):
        for name, files, last in (
            ("one file", {"demo.py": bytes(BOMB)}, "demo.py"),
            ("nine files", many, "demo7.py"),
        ):
            bomb = build_wheel(files=files, method=method)
            yield Case(
                f"{name} of {method.name.lower()} zeros",
                bomb,
                f"'{last}': the wheel, of {bomb.size} bytes, unpacks to more than 50 times its "
                "size and more than 64 MiB",
            )
    overlapping = build_wheel(files={"demo.py": bytes(1 << 20)})
    copies = [
        Member(f"copy{number}.py", bytes(1 << 20), present=False, central={"offset": 0})
        for number in range(99)
    ]
    yield Case(
        "of overlapping members",
        overlapping.rebuilt([*overlapping.members, *copies]),
        "'copy0.py': the archive does not hold it",
    )
