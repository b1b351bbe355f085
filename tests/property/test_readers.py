"""Readers of bytes that strangers made: their laws hold for all there are, and no error is new.

``make fuzz`` looks for what breaks them for as long as one likes.
"""

from __future__ import annotations

import tarfile
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.answer_bytes import BETWEEN
from helpers.archives import Member, build_archive
from helpers.readers import READERS, Reader
from helpers.sdists import archive_of


def header_of(kind: bytes, content: bytes = b"") -> bytes:
    """A member of a tar archive, with the type ``kind``."""
    info = tarfile.TarInfo("demo")
    info.type, info.size = kind, len(content)
    return info.tobuf() + content + bytes(-len(content) % 512)


REGRESSIONS = {
    # The frame states 32 bytes, and its one block is empty.
    "archive": [
        build_archive(
            [
                Member("a" * length),
                Member("b", method=93, payload=bytes.fromhex("28b52ffd2020010000")),
            ]
        )
        for length in range(1, 40)
    ],
    "record": [b"../a,=AAAA,1\n"],
    "project": [
        b"[tool.uv.workspace]\nmembers = ['***']\n",
        b"[project]\nname = 'a'\n[tool.lockstream]\nexclude-newer = '9999999999 weeks'\n",
    ],
    "requirements file": [
        b"--extra-index-url https://u:p@i.example:c.txt\n",
        b"-r https://f.ex]\n",
        b"-f file:\n",
        b"demo --hash=sha512:${TOKEN}\n",
        b"https://u:${TOKEN}simple\n",
        b"demo @ http://[::1/x.whl\n",
        b"${TOKEN}s://l.ex@ git+https://git.example/a@b-f\n",
    ],
    "source archive": [
        archive_of({"d/" * 1020 + "f": b""}),
        # A record of a pax header that no space ends.
        header_of(b"x", b"6 k=v\n66666666666666666666666666"),
        header_of(b"K", b"x" * 9999) + header_of(b"2"),
    ],
    "hook answer": [
        b'{"return_val": "\\u0000"}',
        b'{"return_val": "\\ud800.whl"}',
        b'{"warnings": 1}',
        b'{"no_backend": true, "traceback": 1}',
        b"[" * 100_000,
    ],
    "page": [
        b'\0{"meta": {"api-version": "1.1"}, "files": [{"filename": "demo-1.zip", "url": "\xd7"}]}',
        b'\1<base href="htps://f.example/"><a href="demo-1.0-py3-none-any.whl">x</a>',
    ],
    "metadata": [b"Name: demo\nVersion: 1.0\nRequires-Dist: a @ http://[::1/x\n"],
    "configuration": [b"version = 3.\xa3", b"3.999999999999"],
    "cache entry": [b"\0" + b"[" * 100_000, b'\2{"size": 1e999, "digests": {}, "hints": {}}'],
    "index answers": [
        b"\2HTTP/1.1 206 X\r\nContent-Range: bytes 7-106/%b\r\n\r\n" % (b"9" * 5000),
        BETWEEN.join(
            [
                b"\0HTTP/1.1 200 OK\r\nETag: x\r\n y\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 304 X\r\n\r\n",
            ]
        ),
    ],
    "answers": [
        BETWEEN.join(
            [
                b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
                b"HTTP/1.1 206 X\r\nContent-Range: bytes %b-99/100\r\n\r\n" % (b"9" * 5000),
            ]
        )
    ],
}
"""What once broke a law or was an error of somebody else's."""

each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)


@each_reader
def test_what_is_nearly_right_is_read_or_refused(reader: Reader) -> None:
    for number in range(reader.cases):
        reader.read(reader.make(Random(number)))


@each_reader
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_noise_is_read_or_refused(reader: Reader, data: bytes) -> None:
    reader.read(data)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_once_went_wrong_is_right(name: str) -> None:
    (reader,) = (reader for reader in READERS if reader.name == name)
    for data in REGRESSIONS[name]:
        reader.read(data)
