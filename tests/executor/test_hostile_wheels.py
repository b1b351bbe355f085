"""Wheels made to do harm, or made wrong: each is refused in one sentence, before anything changes.

And oddities of real wheels that must be installed all the same.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.errors import WheelRefused
from executor.install import execute
from executor.report import Report
from executor.rules import Rules
from helpers.archives import Descriptor, Member, build_archive, zip64_extra
from helpers.environments import environment_below, read_record, record_row
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ExitCode
from schemas.zipformat import Method

GOOD = build_wheel(files={"demo.py": b"pass\n"})
INFO = GOOD.dist_info
RECORD = GOOD[f"{INFO}/RECORD"].decode()
MAIN = next(member for member in GOOD.members if member.name == "demo.py")
PACKED = zlib.compress(MAIN.data, level=6, wbits=-15)
NOT_SHORTEST = (
    "its name is absolute or not in its shortest form (it has an empty, '.' or '..' part)"
)
UNICODE_NAME = struct.pack("<HHBL", 0x7075, 9, 1, zlib.crc32(b"demo.py")) + b"evil"


def plus(name: str | bytes, **changes: Any) -> Wheel:
    """The good wheel, RECORD row included, with one member more."""
    text = name if isinstance(name, str) else name.decode("latin-1")
    files = {"demo.py": b"pass\n", text: b"x"}
    wheel = build_wheel(files=dict(files))
    return wheel.rebuilt(
        replace(member, name=name, **changes) if member.name == text else member
        for member in wheel.members
    )


def demo(**changes: Any) -> Wheel:
    return GOOD.edited("demo.py", **changes)


def archive(**options: Any) -> Wheel:
    return GOOD.rebuilt(**options)


def info(**files: bytes | str | None) -> Wheel:
    return build_wheel(files={"demo.py": b"pass\n"}, dist_info=files)


def scripts(entry: str) -> Wheel:
    return info(**{"entry_points.txt": f"[console_scripts]\n{entry}\n"})


def pair(one: str, other: str) -> Wheel:
    """A wheel, RECORD included, with these two files more."""
    return build_wheel(files={"demo.py": b"pass\n", one: b"1", other: b"2"})


BOMB = 65 << 20

CRC = f"{zlib.crc32(MAIN.data):08x}"
CENTRAL = "the central directory states"
GAP = "where a member, an entry or the end should begin, at byte"
END = "its end record does not describe the central directory before it"

TAKEN = "another member has the same name, but for case or accents, or is below it as a folder"

FRAMING = [
    ("bomb", build_wheel(files={"demo.py": bytes(BOMB)}),
     (f"'demo.py': the wheel, of {build_wheel(files={'demo.py': bytes(BOMB)}).size} bytes, "
     "unpacks to more than 50 times its size and more than 64 MiB")),
    ("descriptor that lies", demo(descriptor=Descriptor(crc=1)),
     "'demo.py': the data descriptor behind it does not say what was read"),
    ("stored with a descriptor that lies", demo(descriptor=Descriptor(crc=1), method=Method.STORED),
     "'demo.py': the data descriptor behind it does not say what was read"),
    ("stored with a descriptor and another size in the directory",
     demo(descriptor=Descriptor(), method=Method.STORED, central={"compressed_size": 4}),
     "'demo.py': the data descriptor behind it does not say what was read"),
    ("stored with a descriptor and no directory", demo(
        descriptor=Descriptor(), method=Method.STORED, listed=False),
     "'demo.py': it is stored without saying how long it is, before its data"),
    ("zip64 field with one size", demo(local={"extra": zip64_extra(5)}),
     "its ZIP64 extra field does not hold exactly the sizes left to it"),
    ("zip64 field with 28 bytes",
     demo(local={"extra": struct.pack("<HH", 1, 28) + bytes(28)}),
     "its ZIP64 extra field is malformed"),
    ("two zip64 fields", demo(local={"extra": zip64_extra(5, 7) * 2}),
     "it has two ZIP64 extra fields"),
    ("size without its zip64 field", demo(local={"size": 0xFFFFFFFF}),
     "a size is left to a ZIP64 extra field that is missing"),
    ("duplicate, same bytes", GOOD.rebuilt([MAIN, *GOOD.members]),
     "'demo.py': a member before it has the same name"),
    ("duplicate, other bytes", GOOD.rebuilt([replace(MAIN, data=b"evil"), *GOOD.members]),
     "'demo.py': a member before it has the same name"),
    ("member that is not listed", demo(listed=False),
     f"'{INFO}/METADATA': {CENTRAL} name '{INFO}/METADATA', the archive has 'demo.py'"),
    ("entry without a member", GOOD.rebuilt([*GOOD.members, Member("ghost.py", present=False)]),
     "'ghost.py': the archive does not hold it"),
    ("overlapping entries", demo(central={"offset": 1}),
     f"'demo.py': {CENTRAL} offset 1, the archive has 0"),
    ("another name in the directory", demo(central={"name": b"evil.py"}),
     f"'evil.py': {CENTRAL} name 'evil.py', the archive has 'demo.py'"),
    ("another CRC in the directory", demo(central={"crc": 1}),
     f"'demo.py': {CENTRAL} CRC 1, the archive has {zlib.crc32(MAIN.data)}"),
    ("another size in the directory", demo(central={"size": 1}),
     f"'demo.py': {CENTRAL} size 1, the archive has 5"),
    ("another method in the directory", demo(central={"method": 0}),
     f"'demo.py': {CENTRAL} compression method 0, the archive has 8"),
    ("another order in the directory",
     archive(central_order=[1, 0, *range(2, len(GOOD.members))]),
     f"'{INFO}/METADATA': {CENTRAL} name '{INFO}/METADATA', the archive has 'demo.py'"),
    ("wrong CRC", demo(headers={"crc": 1}),
     f"'demo.py': its CRC is {CRC}, not the 00000001 it states"),
    ("junk behind the deflated data", demo(payload=PACKED + b"junk"),
     f"'demo.py': its data ends after {len(PACKED)} of {len(PACKED) + 4} compressed bytes"),
    ("deflated data cut short", demo(headers={"compressed_size": len(PACKED) - 1}),
     "'demo.py': its compressed data goes on behind its compressed size"),
    ("smaller size", demo(headers={"size": 4}),
     "'demo.py': it unpacks to more than the 4 bytes it states"),
    ("larger size", demo(headers={"size": 6}),
     "'demo.py': it unpacks to 5 bytes, not to the 6 it states"),
    ("prefix", archive(prefix=b"#!/bin/sh\n"), f"{GAP} 0, stands b'#!/b'"),
    ("gap", archive(gap=b"PK\x03\x05"),
     f"{GAP} {GOOD.content.index(b'PK' + bytes([1, 2]))}, stands b'PK\\x03\\x05'"),
    ("trailing bytes", archive(suffix=b"trailing"), "bytes follow its end"),
    ("second archive", archive(suffix=build_archive([Member("evil.py")])), "bytes follow its end"),
    ("second end record", archive(suffix=GOOD.content[-22:]), "bytes follow its end"),
    ("65 zeros", archive(suffix=bytes(65)), "bytes follow its end"),
    ("archive in the comment", archive(comment=build_archive([])),
     "its comment could be read as another archive"),
    ("zip64 end with extensible data", archive(zip64=True, zip64_end={"record_size": 60}),
     "the ZIP64 end record has an extensible data sector"),
    ("zip64 locator that points elsewhere", archive(zip64=True, locator={"offset": 0}),
     "the locator of the ZIP64 end record points elsewhere"),
    ("two disks", archive(end={"disk": 1}), "the archive is spread over several disks"),
    ("fewer entries", archive(end={"entries": 1, "entries_here": 1}), END),
    ("smaller directory", archive(end={"size": 1}), END),
    ("directory elsewhere", archive(end={"offset": 0}), END),
    ("encrypted", demo(headers={"flags": 1}), "it is encrypted"),
    ("patch data", demo(headers={"flags": 1 << 5}),
     "its flags 0x0020 are not those of a plain member"),
    ("bzip2", demo(headers={"method": 12}),
     "its compression method is 12; wheels use 0 (stored), 8 (deflated), 93 (zstandard)"),
    ("version 6.4", demo(headers={"version": 64}), "it needs version 6.4 of the zip format"),
    ("second name", demo(headers={"extra": UNICODE_NAME}),
     "an extra field gives it a second name"),
    ("folder with contents", plus("folder/", mode=0o040755),
     "'folder/': it is a folder with contents"),
    ("no archive", Wheel(GOOD.filename, (), b"<html>sign in</html>"), f"{GAP} 0, stands b'<htm'"),
    ("empty file", Wheel(GOOD.filename, (), b""), "it ends before its last record"),
]  # fmt: skip

NAMES = [
    ("dot-dot", plus("../evil.py"), f"'../evil.py': {NOT_SHORTEST}"),
    ("absolute", plus("/evil.py"), f"'/evil.py': {NOT_SHORTEST}"),
    ("inner dot-dot", plus("a/../b.py"), f"'a/../b.py': {NOT_SHORTEST}"),
    ("dot", plus("./b.py"), f"'./b.py': {NOT_SHORTEST}"),
    ("empty part", plus("a//b.py"), f"'a//b.py': {NOT_SHORTEST}"),
    ("dot-dot out of the data folder", plus("demo-1.0.data/data/../../../x"),
     f"'demo-1.0.data/data/../../../x': {NOT_SHORTEST}"),
    ("backslash", plus("a\\b.py"),
     "'a\\\\b.py': its name contains '\\\\', which some systems do not allow"),
    ("drive", plus("C:evil.py"),
     "'C:evil.py': its name contains ':', which some systems do not allow"),
    ("device", plus("con.py"), "'con.py': its part 'con.py' is a reserved name on Windows"),
    ("trailing dot", plus("evil./x"), "'evil./x': its part 'evil.' ends with a dot or a space"),
    ("NUL", plus("evil\0.py"),
     "'evil\\x00.py': its name contains '\\x00', which some systems do not allow"),
    ("escape sequence", plus("evil\x1b[2J"),
     "'evil\\x1b[2J': its name contains '\\x1b', which some systems do not allow"),
    ("code page", plus(b"\xe4.py"), "its name b'\\xe4.py' is not ASCII"),
    ("not UTF-8", plus(b"\xe4.py", headers={"flags": 1 << 11}),
     "its name b'\\xe4.py' is not UTF-8"),
    ("long part", plus("x" * 256),
     f"'{'x' * 256}': its part '{'x' * 256}' is longer than 255 bytes"),
    ("deep", plus("x/" * 64 + "y"), f"'{'x/' * 64}y': it is more than 64 folders deep"),
    ("file below a file", plus("demo.py/x"),
     "'demo.py/x': a member before it is a file named 'demo.py'"),
    ("other case", pair("demo/A.py", "demo/a.py"), f"'demo/a.py': {TAKEN}"),
    ("other case of a folder", pair("demo/A/x.py", "demo/a/x.py"), f"'demo/a/x.py': {TAKEN}"),
    ("sharp s", pair("stra\xdfe.py", "STRASSE.py"), f"'STRASSE.py': {TAKEN}"),
    ("other accents", pair("caf\xe9.py", "cafe\u0301.py"), f"'cafe\u0301.py': {TAKEN}"),
    ("file of a folder's name in another case", pair("Data", "data/x.py"), f"'data/x.py': {TAKEN}"),
    ("folder entry beside a file", GOOD.rebuilt([*GOOD.members, Member("demo.py/", mode=0o040755)]),
     f"'demo.py/': {TAKEN}"),
    ("folder entry before a file", GOOD.rebuilt([Member("demo.py/", mode=0o040755), *GOOD.members]),
     f"'demo.py/': {TAKEN}"),
    ("staging in a data folder", pair("demo-1.0.data/purelib/a.py",
                                      "demo-1.0.data/purelib/.lockstream"),
     ("'demo-1.0.data/purelib/.lockstream': "
     "a folder named '.lockstream' is where installations are staged")),
    ("control character of ISO 8859", plus("evil\x9b.py"),
     "'evil\\x9b.py': its name contains '\\x9b', which some systems do not allow"),
    ("console device", plus("CONIN$"), "'CONIN$': its part 'CONIN$' is a reserved name on Windows"),
    ("link", plus("link", mode=stat.S_IFLNK | 0o777),
     ("'link': its mode 0o120777 says a symbolic link, "
     "a wheel holds regular files and directories only")),
    ("pipe", plus("pipe", mode=stat.S_IFIFO | 0o644),
     "'pipe': its mode 0o10644 says a pipe, a wheel holds regular files and directories only"),
    ("device node", plus("sda", mode=stat.S_IFBLK | 0o644),
     ("'sda': its mode 0o60644 says a block device, "
     "a wheel holds regular files and directories only")),
    ("journal", plus(".lockstream/journal"),
     "'.lockstream/journal': a folder named '.lockstream' is where installations are staged"),
    ("file of another wheel", plus("demo-1.0.data/purelib/.lockstream/0/tree/evil.py"),
     ("'demo-1.0.data/purelib/.lockstream/0/tree/evil.py': "
     "a folder named '.lockstream' is where installations are staged")),
]  # fmt: skip

STARTUP = "it would run whenever Python starts; if it may, name its package with --allow-startup"
IN_DATA = "demo-1.0.data/data"

METADATA = [
    ("sitecustomize", plus("sitecustomize.py"), f"'sitecustomize.py': {STARTUP}"),
    ("usercustomize package", plus("usercustomize/__init__.py"),
     f"'usercustomize/__init__.py': {STARTUP}"),
    ("sitecustomize in C", plus("sitecustomize.cpython-311-x86_64-linux-gnu.so"),
     f"'sitecustomize.cpython-311-x86_64-linux-gnu.so': {STARTUP}"),
    ("sitecustomize through data",
     pair("demo-1.0.data/purelib/a.py", "demo-1.0.data/purelib/sitecustomize.py"),
     f"'demo-1.0.data/purelib/sitecustomize.py': {STARTUP}"),
    ("sitecustomize through all of data",
     plus(f"{IN_DATA}/lib/site-packages/sitecustomize.py"),
     f"'{IN_DATA}/lib/site-packages/sitecustomize.py': {STARTUP}"),
    ("dist-info through all of data", plus(f"{IN_DATA}/lib/site-packages/x-1.dist-info/METADATA"),
     (f"'{IN_DATA}/lib/site-packages/x-1.dist-info/METADATA': "
     "a wheel has its dist-info folder at its root only")),
    ("interpreter through data", plus(f"{IN_DATA}/bin/python3"),
     (f"'{IN_DATA}/bin/python3': "
     "the script name 'python3' is that of a part of the environment")),
    ("pyvenv.cfg", plus(f"{IN_DATA}/pyvenv.cfg"),
     f"'{IN_DATA}/pyvenv.cfg': it is what makes a folder a virtual environment"),
    ("hash of RECORD itself", info(RECORD=RECORD.replace(",,", f",sha256={'A' * 43},1")),
     f"'{INFO}/RECORD': it gives a hash of itself"),
    ("entry points beyond measure", info(**{"entry_points.txt": " " * (1 << 19)}),
     f"'{INFO}/entry_points.txt': it is larger than 262144 bytes"),
    ("hash in RECORD", build_wheel(files={"demo.py": b"pass\n"},
                                   record=RECORD.replace("sha256=", "sha256=AAAA", 1)),
     f"'{INFO}/RECORD': row 1 has a sha256 of 35 bytes"),
    ("file that is not in RECORD", GOOD.rebuilt([*GOOD.members, Member("extra.py", b"x")]),
     "'extra.py': RECORD does not list it"),
    ("row without a file", GOOD.rebuilt(m for m in GOOD.members if m.name != "demo.py"),
     f"'{INFO}/RECORD': it lists what the wheel does not hold: 'demo.py'"),
    ("no RECORD", info(RECORD=None), f"'{INFO}/RECORD': it is missing"),
    ("no METADATA", info(METADATA=None), f"'{INFO}/METADATA': it is missing"),
    ("no WHEEL", info(WHEEL=None), f"'{INFO}/WHEEL': it is missing"),
    ("another name", info(METADATA="Name: other\nVersion: 1.0\n"),
     f"'{INFO}/METADATA': it names 'other', the file name another project"),
    ("another version", info(METADATA="Name: demo\nVersion: 9\n"),
     f"'{INFO}/METADATA': it states version '9', the file name another"),
    ("wheel version 2", info(WHEEL="Wheel-Version: 2.0\n"),
     f"'{INFO}/WHEEL': its Wheel-Version is 2.0, this installer knows 1.x"),
    ("second dist-info", plus("other-2.0.dist-info/METADATA"),
     ("'other-2.0.dist-info/METADATA': "
     "the folder 'other-2.0.dist-info' belongs to another distribution")),
    ("dist-info without a version", plus("other.dist-info/METADATA"),
     "'other.dist-info/METADATA': the folder 'other.dist-info' belongs to another distribution"),
    ("dist-info through data", plus("demo-1.0.data/purelib/other-2.0.dist-info/METADATA"),
     ("'demo-1.0.data/purelib/other-2.0.dist-info/METADATA': "
     "a wheel has its dist-info folder at its root only")),
    ("foreign data folder", plus("other-9.data/scripts/run"),
     "'other-9.data/scripts/run': the folder 'other-9.data' belongs to another distribution"),
    ("unknown key of data", plus("demo-1.0.data/lib/x"),
     ("'demo-1.0.data/lib/x': "
     "a data folder holds purelib, platlib, headers, scripts, data, not 'lib'")),
    ("entry point outside", scripts("../evil = a:b"),
     (f"'{INFO}/entry_points.txt': "
     "the script name '../evil' is not made of letters, digits, . _ -")),
    ("entry point with code", scripts("evil = a;import os:b"),
     (f"'{INFO}/entry_points.txt': the script 'evil' refers to 'a;import os:b', "
     "which is not of the form module:attribute")),
    ("entry point python", scripts("Python3 = a:b"),
     f"'{INFO}/entry_points.txt': the script name 'Python3' is that of a part of the environment"),
    ("script activate", plus("demo-1.0.data/scripts/activate"),
     ("'demo-1.0.data/scripts/activate': "
     "the script name 'activate' is that of a part of the environment")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wheel", "message"),
    [pytest.param(wheel, message, id=name) for name, wheel, message in FRAMING + NAMES + METADATA],
)
def test_a_bad_wheel_is_refused_in_one_sentence_and_nothing_changes(
    tmp_path: Path, wheel: Wheel, message: str
) -> None:
    wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([wheel]))
    environment = environment_below(tmp_path / "env")
    before = snapshot(tmp_path)
    with pytest.raises(WheelRefused) as caught:
        execute(str(tmp_path / "pylock.toml"), environment)
    assert str(caught.value) == f"{GOOD.filename}: {message}"
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    assert snapshot(tmp_path) == before


FOLDER = Member("demo_data/", b"", mode=0o040755)

ODD = [
    ("zip64 fields with sizes that fit, as Bazel writes them", GOOD.rebuilt(
        replace(member, method=Method.STORED, local={"extra": zip64_extra(*[len(member.data)] * 2)})
        for member in GOOD.members
    )),
    ("trailing zeros", archive(suffix=bytes(64))),
    ("comment", archive(comment=b"made by hand")),
    ("file of 1000 times its size",
     build_wheel(files={"demo.py": MAIN.data, "zeros.bin": bytes(1 << 20)})),
    ("RECORD.jws", info(**{"RECORD.jws": "{}"})),
    ("deflated empty folder", GOOD.rebuilt([FOLDER, *GOOD.members])),
    ("dist-info first", GOOD.rebuilt(reversed(GOOD.members))),
    ("data descriptors", GOOD.rebuilt(
        replace(member, descriptor=Descriptor()) for member in GOOD.members
    )),
    ("data descriptors without signatures", GOOD.rebuilt(
        replace(member, descriptor=Descriptor(signed=False)) for member in GOOD.members
    )),
    ("stored with data descriptors", GOOD.rebuilt(
        replace(member, descriptor=Descriptor(), method=0) for member in GOOD.members
    )),
    ("one member stored with a data descriptor, in zip64", GOOD.rebuilt(
        [replace(GOOD.members[0], descriptor=Descriptor(wide=True), method=0), *GOOD.members[1:]],
        zip64=True, comment=b"by hand", suffix=bytes(3),
    )),
    ("zip64 everywhere", GOOD.rebuilt(
        [replace(member, zip64=True) for member in GOOD.members], zip64=True
    )),
    ("all stored", GOOD.rebuilt(replace(member, method=0) for member in GOOD.members)),
    ("made on DOS", GOOD.rebuilt(
        replace(member, central={"made_by": 20}) for member in GOOD.members
    )),
    ("setuid", demo(mode=0o104755)),
    ("path file", plus("demo.pth")),
    ("name that is not ASCII", plus("dämö.py")),
    ("two blocks in WHEEL", info(
        WHEEL="Wheel-Version: 1.0\nRoot-Is-Purelib: true\n\nWheel-Version: 1.0\n"
    )),
]  # fmt: skip


@pytest.mark.parametrize("wheel", [pytest.param(wheel, id=name) for name, wheel in ODD])
def test_an_odd_wheel_is_installed(tmp_path: Path, wheel: Wheel) -> None:
    wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([wheel]))
    environment = environment_below(tmp_path / "env")
    assert execute(str(tmp_path / "pylock.toml"), environment).installed == 1
    packages = Path(environment.interpreter.schemes.purelib)
    assert (packages / "demo.py").read_bytes() == MAIN.data
    assert (packages / INFO / "INSTALLER").is_file()
    assert (packages / "demo.py").stat().st_mode & 0o7000 == 0


def installed(tmp_path: Path, wheel: Wheel, **options: Any) -> tuple[Path, Report]:
    wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([wheel]))
    environment = environment_below(tmp_path / "env")
    report = execute(str(tmp_path / "pylock.toml"), environment, **options)
    return Path(environment.interpreter.schemes.purelib), report


def test_byte_code_is_left_out_and_told(tmp_path: Path) -> None:
    wheel = pair("pkg/__pycache__/demo.cpython-311.pyc", "pkg/__pycache__/cache.nbi")
    packages, report = installed(tmp_path, wheel)
    assert [path.name for path in (packages / "pkg/__pycache__").iterdir()] == ["cache.nbi"]
    assert ".pyc" not in (packages / INFO / "RECORD").read_text()
    (warning,) = report.warnings
    assert warning.startswith(f"{GOOD.filename}: 1 compiled files below __pycache__ are left out: ")


def test_a_folder_of_byte_code_alone_is_left_out_with_it(tmp_path: Path) -> None:
    packages, _ = installed(tmp_path, plus("pkg/__pycache__/demo.cpython-311.pyc"))
    assert not (packages / "pkg/__pycache__").exists()


def test_what_runs_at_every_start_is_told(tmp_path: Path) -> None:
    packages, report = installed(tmp_path, plus("demo.pth"))
    assert report.startup == (f"{GOOD.filename}: demo.pth",)
    assert (packages / "demo.pth").is_file()


def test_what_may_run_at_every_start_is_the_users_choice(tmp_path: Path) -> None:
    packages, _ = installed(
        tmp_path, plus("sitecustomize.py"), rules=Rules(startup=frozenset({"demo"}))
    )
    assert (packages / "sitecustomize.py").is_file()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("Wheel-Version: 1.9\nTag: py3-none-any\n",
         "its Wheel-Version is 1.9, this installer knows 1.0"),
        ("Wheel-Version: 1.0\nTag: cp27-cp27m-win32\n",
         "its WHEEL file does not state the tag py3-none-any of its file name"),
    ],
)  # fmt: skip
def test_what_is_odd_and_harmless_is_told(tmp_path: Path, text: str, warning: str) -> None:
    _, report = installed(tmp_path, info(WHEEL=text))
    assert report.warnings == (f"{GOOD.filename}: {warning}",)


LENIENT = [
    ("duplicate", GOOD.rebuilt([MAIN, *GOOD.members]), []),
    ("absolute rows", build_wheel(files={"demo.py": MAIN.data},
                                  record="".join(f"/{line}\n" for line in RECORD.splitlines())),
     [f"{INFO}/RECORD: its row for '/{INFO}/RECORD' has no hash"]),
    ("wrong hash", GOOD.edited("demo.py", data=b"other"),
     [("demo.py: its sha256 is 2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz_o, "
      "RECORD promises n1bnYdeb_bNDBKASWGywTRa0Ne9hMAkal3AuVZJgovI")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wheel", "warnings"), [pytest.param(*case[1:], id=case[0]) for case in LENIENT]
)
def test_what_old_wheels_do_wrong_is_the_users_choice(
    tmp_path: Path, wheel: Wheel, warnings: list[str]
) -> None:
    packages, report = installed(tmp_path, wheel, rules=Rules(lenient=True))
    rows = read_record(packages / INFO)
    assert rows.pop(packages / INFO / "RECORD") == ("", "")
    assert len(rows) == 5
    assert rows == {path: record_row(path.read_bytes()) for path in rows}
    assert list(report.warnings) == [f"{GOOD.filename}: {text}" for text in warnings]


def test_a_duplicate_of_other_contents_is_nobodys_choice(tmp_path: Path) -> None:
    wheel = GOOD.rebuilt([replace(MAIN, data=b"evil"), *GOOD.members])
    with pytest.raises(WheelRefused, match="has the same name and other contents"):
        installed(tmp_path, wheel, rules=Rules(lenient=True))
