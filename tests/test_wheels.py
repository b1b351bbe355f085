"""The wheels and locks that other tests rest on are what the specifications ask for."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import tomllib
import zipfile

import pytest
from packaging.metadata import Metadata
from packaging.pylock import Pylock

from helpers.archives import Member
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.hints import wheel_hints


@pytest.fixture(name="wheel")
def _wheel() -> Wheel:
    return build_wheel(
        "My.Demo",
        "1.0",
        files={"my_demo/__init__.py": "", "my_demo/a,b.txt": b"\0", "my_demo/tool": "#!/bin/sh\n"},
        executables=["my_demo/tool"],
        requires=["other>=2"],
        extras={"more": ["third; sys_platform == 'linux'"]},
        requires_python=">=3.8",
        entry_points={"console_scripts": {"demo": "my_demo:main"}},
        data_files={"scripts/run": "#!python\n"},
        tag="py2.py3-none-any",
    )


def test_a_wheel_has_the_same_bytes_each_time(wheel: Wheel) -> None:
    assert wheel.rebuilt().content == wheel.content


def test_the_standard_library_reads_its_members_and_modes(wheel: Wheel) -> None:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert archive.testzip() is None
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes.pop("my_demo/tool") == 0o100755
    assert set(modes.values()) == {0o100644}


def test_its_record_names_and_hashes_every_member_but_itself(wheel: Wheel) -> None:
    record = wheel[f"{wheel.dist_info}/RECORD"].decode()
    rows = {path: (digest, size) for path, digest, size in csv.reader(io.StringIO(record))}
    assert rows.pop("my_demo-1.0.dist-info/RECORD") == ("", "")
    assert rows.keys() == {member.name for member in wheel.members[:-1]}
    for path, (digest, size) in rows.items():
        found = base64.urlsafe_b64encode(hashlib.sha256(wheel[path]).digest()).decode()
        assert (digest, size) == (f"sha256={found.rstrip('=')}", str(len(wheel[path])))


def test_its_metadata_is_valid(wheel: Wheel) -> None:
    metadata = Metadata.from_email(wheel.metadata, validate=True)
    assert metadata.provides_extra == ["more"]
    assert [str(requirement) for requirement in metadata.requires_dist or ()] == [
        "other>=2",
        'third; sys_platform == "linux" and extra == "more"',
    ]
    assert wheel[f"{wheel.dist_info}/WHEEL"].decode().splitlines()[-2:] == [
        "Tag: py2-none-any",
        "Tag: py3-none-any",
    ]


def test_an_edited_member_is_the_only_difference(wheel: Wheel) -> None:
    edited = wheel.edited("my_demo/tool", data=b"other")
    assert edited.filename == wheel.filename
    assert [
        new.name for old, new in zip(wheel.members, edited.members, strict=True) if old != new
    ] == ["my_demo/tool"]


def test_a_member_that_is_not_there_cannot_be_edited(wheel: Wheel) -> None:
    with pytest.raises(KeyError):
        wheel.edited("nothing", data=b"")


def test_a_field_that_no_record_has_cannot_be_overridden() -> None:
    with pytest.raises(TypeError, match="no field"):
        build_wheel().rebuilt([Member("a")], end={"comments": 1})


def test_a_lock_of_wheels_is_valid_and_says_where_they_are(wheel: Wheel) -> None:
    other = build_wheel(tag="cp311-cp311-linux_x86_64", purelib=False)
    text = lock_of([wheel, build_wheel(), other], base_url="https://example.com/w", hints=True)
    lock = Pylock.from_dict(tomllib.loads(text))
    demo, my_demo = lock.packages
    assert [file.filename for file in demo.wheels or ()] == [
        "demo-1.0-cp311-cp311-linux_x86_64.whl",
        "demo-1.0-py3-none-any.whl",
    ]
    (file,) = my_demo.wheels or ()
    assert file.url == f"https://example.com/w/{wheel.filename}"
    assert (file.size, file.hashes) == (wheel.size, {"sha256": wheel.sha256})
    assert wheel_hints(my_demo.tool, wheel.filename) == wheel.hints


def test_keys_of_a_lock_can_be_replaced() -> None:
    demo = build_wheel()
    text = lock_of(
        [demo],
        folder="wheels/",
        header={"requires-python": ">=3.11"},
        packages={"demo": {"marker": "sys_platform == 'linux'"}},
        files={demo.filename: {"size": 1}},
    )
    lock = Pylock.from_dict(tomllib.loads(text))
    (package,) = lock.packages
    (file,) = package.wheels or ()
    assert str(lock.requires_python) == ">=3.11"
    assert str(package.marker) == 'sys_platform == "linux"'
    assert (file.path, file.size) == (f"wheels/{demo.filename}", 1)
